from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from mock_gitlab.config import diagnostics, syntax
from mock_gitlab.config import document as room
from mock_gitlab.config.diagnostics import where
from mock_gitlab.config.document import read


def value(text: str, **environ: str):
    document = read(text.encode(), "f.yaml", environ)
    assert document.mistakes == ()
    return document.value


def messages(text: str | bytes, **environ: str) -> list[str]:
    raw = text if isinstance(text, bytes) else text.encode()
    return [str(mistake) for mistake in read(raw, "f.yaml", environ).mistakes]


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "1:30",
        "017",
        "0x1f",
        "0o17",
        "1_000",
        "1e3",
        ".",
        "+.e1",
    ],
)
def test_what_only_yaml_1_1_takes_for_something_else_is_text(text: str):
    assert value(f"a: {text}") == {"a": text}


@pytest.mark.parametrize("text", ["2026-01-01", "2026-01-01T00:00:00Z", ".inf", ".nan", "<<"])
def test_what_json_has_no_type_for_is_text(text: str):
    assert value(f"a: {text}") == {"a": text}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-2.", -2.0),
        ("1.5e3", 1500.0),
        ("!!str 5", "5"),
        ("! 5", "5"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("|\n  5\n", "5\n"),
    ],
)
def test_an_unquoted_scalar_has_the_type_that_json_would_give_it(text: str, meaning: Any):
    found = value(f"a: {text}")["a"]
    assert found == meaning
    assert type(found) is type(meaning)


def test_a_key_is_text_however_it_looks():
    assert value("on: 1\n1: 2\ntrue: 3\nnull: 4\n") == {"on": 1, "1": 2, "true": 3, "null": 4}


def test_a_key_may_be_an_alias_of_text():
    assert value("a: &n name\n*n : 1\n") == {"a": "name", "name": 1}


def test_a_key_is_never_interpolated():
    assert value("${X}: 1") == {"${X}": 1}


def test_an_empty_key_is_a_mistake():
    assert messages("'': 1") == ["f.yaml:1:1: a key must not be empty"]


# ---------------------------------------------------------------------------- environment


def test_variables_are_put_into_text_of_every_style():
    text = "a: x${N}y\nb: '${N}'\nc: \"${N}\"\nd: |\n  ${N}\ne: ['${N}z']\n"
    assert value(text, N="v") == {"a": "xvy", "b": "v", "c": "v", "d": "v\n", "e": ["vz"]}


def test_a_variable_in_a_flow_collection_needs_quotes_and_is_told_so():
    assert messages("a: [1, ${N}z]") == [
        "f.yaml:1:9: inside [ ] or { }, text with ${...} must be quoted"
    ]


def test_a_default_stands_in_for_a_variable_that_is_missing_or_empty():
    text = "a: ${N:-x y}\nb: ${M:-x}\nc: ${L:-}z\n"
    assert value(text, M="") == {"a": "x y", "b": "x", "c": "z"}


def test_an_empty_variable_without_a_default_is_empty_text():
    assert value("a: <${N}>", N="") == {"a": "<>"}


def test_two_dollars_are_one_and_a_lone_one_stays():
    assert value("a: $${N} $5 $$ /^v[0-9]+$/") == {"a": "${N} $5 $ /^v[0-9]+$/"}


def test_a_variable_that_is_the_whole_unquoted_value_has_its_type():
    found = value("a: ${A}\nb: ${B}\nc: ${C:-true}\nd: ${D:-}\ne: '${A}'\n", A="5", B="1.50")
    assert found == {"a": 5, "b": 1.5, "c": True, "d": None, "e": "5"}


def test_a_number_out_of_the_environment_remembers_its_text():
    found = value("a: ${A}\nb: ${B}", A="007", B="1.50")
    assert found["a"] == "007"
    assert found["b"].text == "1.50"


def test_a_number_in_the_environment_may_be_too_large():
    assert messages("a: ${A}", A="1.0e999") == ["f.yaml:1:4: a: the number is too large"]


# ---------------------------------------------------------------------------- places


def test_every_value_and_key_knows_its_line_and_column():
    document = read(b"a:\n  - x\n  - {b: y, c: [1]}\n", "f.yaml", {})
    places = {
        path: (document.node(path).line, document.node(path).column)
        for path in [(), ("a",), ("a", 0), ("a", 1, "b"), ("a", 1, "c", 0)]
    }
    assert places == {
        (): (1, 1),
        ("a",): (2, 3),
        ("a", 0): (2, 5),
        ("a", 1, "b"): (3, 9),
        ("a", 1, "c", 0): (3, 16),
    }
    assert document.key(("a", 1, "b")).column == 6


def test_a_path_that_leads_nowhere_is_placed_at_what_is_nearest_above():
    document = read(b"a:\n  b: [1]\n", "f.yaml", {})
    assert document.node(("a", "b", 7, "x")).column == 6
    assert document.node(("a", "z")).line == 2
    assert document.key(("a", "z")).line == 2
    assert document.key(()).line == 1


def test_columns_count_characters_rather_than_bytes():
    assert read("ä: [é, x]".encode(), "f.yaml", {}).node(("ä", 1)).column == 8


def test_an_aliased_value_is_placed_where_it_is_written():
    document = read(b"x: &a\n  k: 1\ny: *a\nz: {<<: *a}\n", "f.yaml", {})
    assert document.node(("y", "k")).line == 2
    assert document.node(("z", "k")).line == 2


def test_paths_are_written_for_people():
    assert where(("a", 0, "b c", "d.e", "x/*")) == 'a[0]["b c"].d.e.x/*'


def test_a_very_long_path_is_cut_short():
    assert where(("a", *range(30))) == "a[0][1][2][3][4][5][6]..."


# ---------------------------------------------------------------------------- merge keys


def test_own_keys_beat_merged_ones_and_earlier_sources_beat_later_ones():
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {z: 3, <<: [*b, *a]}\n"
    assert value(text)["c"] == {"x": 1, "y": 2, "z": 3}


def test_a_quoted_merge_key_merges_too_as_its_text_is_the_same():
    assert value('a: &a {x: 1}\nb: {"<<": *a}\n')["b"] == {"x": 1}


def test_two_merge_keys_are_a_duplicate():
    assert messages("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n") == [
        'f.yaml:4:3: b.<<: the key "<<" is repeated; it is first in line 3'
    ]


def test_a_list_with_something_other_than_mappings_cannot_be_merged():
    assert messages("a: {<<: [{x: 1}, 2]}") == [
        'f.yaml:1:9: a: "<<" needs a mapping or a list of mappings'
    ]


def test_what_is_merged_from_nowhere_is_told_of_once():
    assert messages("a: {<<: *b}") == [
        "f.yaml:1:9: a.<<: there is no anchor &b above; text that begins with * must be quoted"
    ]


def test_values_below_a_broken_one_count_as_told():
    document = read(b"a: {<<: 3, b: {c: 1}}\nd: !x {e: 1}\nf: 1\n", "f.yaml", {})
    assert document.broken(("a", "b", "c"))
    assert document.broken(("d", "e"))
    assert not document.broken(("f",))
    assert not document.broken(("nowhere", "at", "all"))


# ---------------------------------------------------------------------------- bytes and bounds


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert read(b"\xef\xbb\xbfa: 1", "f.yaml", {}).value == {"a": 1}


def test_a_file_beyond_the_bound_is_refused_unread():
    raw = b"a" * (syntax.LARGEST_FILE + 1)
    assert messages(raw) == ["f.yaml:1:1: the file is larger than 8 MiB"]


def test_bytes_that_are_not_utf_8_are_placed_in_their_line():
    assert messages("é: ö\na: é".encode() + b"\xe9") == ["f.yaml:2:5: the byte 0xe9 is not UTF-8"]


def test_the_words_for_a_large_file_come_from_the_fast_parser():
    text = "a: " + "x" * 100_001 + "\nb: [\nc: 1"
    assert messages(text) == ['f.yaml:3:5: a comma or the end of the "[" of line 2 is missing']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {b:, c}", '1:6: unexpected ":"; check the indentation, or quote the text'),
        ("a: |\n  \n \tb", "3:2: a tab may not indent; use spaces"),
    ],
)
def test_what_only_the_fast_parser_refuses_is_told_in_the_same_words(text: str, message: str):
    assert messages(text) == [f"f.yaml:{message}"]


def test_values_without_end_are_refused():
    text = "a: [" + "1," * room.VALUES_LIMIT + "]"
    assert [message.partition(": ")[2] for message in messages(text)] == [
        "a[499999]: more than 500,000 values in one file"
    ]


def test_mistakes_without_end_are_not_all_told():
    found = messages("a: [" + "*b ," * 2000 + "]")
    assert len(found) == diagnostics.MISTAKES_LIMIT + 1
    assert found[-1].endswith("a[999]: 1,000 mistakes found; the rest was not read")


def test_long_names_are_cut_in_messages():
    assert messages(f"{'k' * 99}: !{'t' * 99} x") == [
        f"f.yaml:1:102: {'k' * 40}...: the tag !{'t' * 39}... is not supported; remove it"
    ]


def test_an_aliased_list_counts_each_time_but_is_allowed_within_the_bound():
    assert len(value("a: &a [1, 2]\nb: [*a, *a, *a]")["b"]) == 3


def test_many_nested_aliases_are_refused_before_they_grow():
    names = "abcdefghijklmnopqrstuvwxyz"
    text = "a: &a {k: 1}\n" + "".join(
        f"{after}: &{after} {{p: *{before}, q: *{before}}}\n" for before, after in pairwise(names)
    )
    assert len(messages(text)) == 1
    assert "aliases expand this to more than 100,000 values" in messages(text)[0]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_without_end_is_refused_rather_than_followed(opening: str):
    assert "more than 60 levels of nesting" in messages(opening * 100_000)[0]


def test_an_empty_text_has_no_root():
    document = read(b"# nothing\n", "f.yaml", {})
    assert (document.root, document.value, document.mistakes) == (None, None, ())
