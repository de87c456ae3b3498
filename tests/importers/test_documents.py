"""``.gitlab-ci.yml`` is read as Ruby reads YAML 1.1, and written so that 1.2 reads the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mock_gitlab.config.document import read as read_config
from mock_gitlab.importers.document import read
from mock_gitlab.importers.durations import as_duration, seconds_of
from mock_gitlab.importers.globs import matches
from mock_gitlab.importers.places import NOTES_LIMIT, Notes, Place
from mock_gitlab.importers.variables import Variables
from mock_gitlab.importers.writing import write_scenarios
from tests.importers.importing import imported_text, jobs, noted

if TYPE_CHECKING:
    from pathlib import Path

PLACE = Place("ci.yml")


def value(text: str) -> Any:
    return read(f"a: {text}\n".encode(), "ci.yml")[1]["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True),
        ("Off", False),
        ("010", 8),
        ("0x_", "0x_"),
        ("3.10", 3.1),
        ("1_000", 1000),
        ("~", None),
        ("", None),
        ("=", "="),
        ('"yes"', "yes"),
        ("!!str 5", "5"),
        ("1e3", "1e3"),
    ],
)
def test_scalars_are_those_of_yaml_1_1(text: str, expected: object):
    assert value(text) == expected


def test_a_merge_acts_where_it_stands_and_overwrites_what_is_above():
    text = "\n".join(
        [
            "one: &one {a: 1, b: 1}",
            "two: &two {a: 2, c: 2}",
            "job: {a: 0, <<: *one, b: 9}",
            "list: {<<: [*one, *two]}",
            "twice: {<<: *one, <<: *two}",
        ]
    )

    content = read(text.encode(), "ci.yml")[1]

    assert content["job"] == {"a": 1, "b": 9}
    assert content["list"] == {"a": 1, "b": 1, "c": 2}
    assert content["twice"] == {"a": 2, "b": 1, "c": 2}


def test_the_last_of_equal_keys_wins_and_a_key_knows_its_place():
    content = read(b"a: 1\nb: 2\na: 3\n", "ci.yml")[1]

    assert content == {"a": 3, "b": 2}
    assert content.place_of("a") == Place("ci.yml", 3, 1)
    assert content.place_of("none") == content.place


def test_an_empty_file_is_an_empty_mapping():
    assert read(b"", "ci.yml") == (None, {})
    assert read(b"# nothing\n---\n", "ci.yml") == (None, {})


# ---------------------------------------------------------------------------- writing

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(["name", "jobs", "é", "yes", "<<", "$X"]), VALUES))
def test_what_is_written_is_read_again_as_it_was(scenario: dict[str, Any]):
    scenario.pop("jobs", None)
    text = write_scenarios(["a comment\nof two lines"], [scenario])

    document = read_config(text.encode("utf-8", "surrogatepass"), "x", {"X": "no", "A": "no"})

    if "<<" not in str(scenario):
        assert document.mistakes == ()
        assert document.value == {"scenarios": [scenario]}


@given(VALUES.filter(lambda each: "$" not in str(each)))
def test_yaml_1_1_reads_the_same(written: Any):
    text = write_scenarios([], [{"name": written}])

    assert yaml.safe_load(text) == {"scenarios": [{"name": written}]}


def test_what_does_not_fit_on_a_line_is_written_as_a_block():
    long = [f"job number {number}" for number in range(20)]

    text = write_scenarios(
        [], [{"scenario_id": 1, "jobs": [{"name": "a", "needs": long, "x": {"z": long}}]}]
    )

    assert "      - name: a\n        needs:\n          - job number 0\n" in text
    assert "        x:\n          z:\n            - job number 0\n" in text
    assert "jobs: []" not in text


# ---------------------------------------------------------------------------- durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h 30m", 5400),
        ("90 minutes", 5400),
        ("1 hour and 30 minutes", 5400),
        ("2 days, 1 hour", 176_400),
        ("1.5h", 5400),
        ("1 week", 604_800),
        (3600, 3600),
        ("45", 45),
        ("1 month", 2_592_000),
    ],
)
def test_durations_are_read_as_gitlab_does(text: object, seconds: int):
    assert seconds_of(text, "timeout", PLACE) == seconds


@given(st.integers(0, 10**9))
def test_a_duration_that_is_written_is_read_again(seconds: int):
    assert seconds_of(as_duration(seconds), "timeout", PLACE) == seconds


# ---------------------------------------------------------------------------- globs


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.md", "a.md", True),
        ("*.md", "doc/a.md", False),
        ("**/*.md", "a.md", True),
        ("**/*.md", "doc/deep/a.md", True),
        ("doc/**/*", "doc/a/b", True),
        ("doc/**", "doc/a", True),
        ("doc/**", "doc/a/b", False),
        ("doc/", "doc/a", False),
        ("src/{a,b/**}/*.c", "src/a/x.c", True),
        ("src/{a,b/**}/*.c", "src/c/x.c", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[!a]*", "b", True),
        ("[!a]*", "a", False),
        ("[a-c]&", "b&", True),
        (".*", ".env", True),
        ("*", ".env", True),
        (r"\*", "*", True),
        ("{a", "{a", True),
        ("a}", "a}", True),
        ("a,b?", "a,bc", True),
        ("a*" * 6000, "a*" * 6000, True),
        ("Dockerfile", "Dockerfile", True),
    ],
)
def test_globs_match_as_in_ruby(pattern: str, path: str, expected: bool):
    assert matches(pattern, path) is expected


# ---------------------------------------------------------------------------- variables


def test_variables_are_expanded_in_variables_but_not_in_those_that_say_no():
    variables = Variables(
        {"A": "$B/x", "B": "b", "RAW": "$B", "LOOP": "$LOOP$LOOP"}, frozenset({"RAW"})
    )

    assert variables.expand("${A} $RAW $$B $NONE") == "b/x $B $$B $NONE"
    assert len(variables.expand("$LOOP")) <= 10_000
    assert variables.only(frozenset({"RAW"})).raw == {"RAW"}


def test_an_import_with_very_many_notes_says_how_many_are_missing(tmp_path: Path):
    lines = [f"j{n}: {{script: x, resource_group: g, coverage: /x/}}" for n in range(300)]

    made = imported_text(tmp_path, "\n".join(lines))

    assert len(made.notes) == NOTES_LIMIT
    assert made.remarks == ("100 more things were noted than are listed",)


def test_a_note_stands_once_and_on_one_line():
    notes = Notes()
    for _ in range(2):
        notes.add(PLACE, "a\nb")

    assert [str(note) for note in notes.sorted()] == ["ci.yml:1:1: a b"]


def test_names_with_signs_are_quoted(tmp_path: Path):
    made = imported_text(tmp_path, "'a: $X # \"b\"': {script: x, tags: [yes it is, '1']}\n")

    assert list(jobs(made)) == ['a: $X # "b"']
    assert noted(made) == []
