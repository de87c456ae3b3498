"""Every file gives a configuration or mistakes with places, whatever it contains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_gitlab.config.diagnostics import ConfigurationError, Mistake
from mock_gitlab.config.document import read
from mock_gitlab.config.loader import load

ROOT = Path(__file__).parents[2]
SEEDS = [
    file.read_bytes()
    for file in (
        ROOT / "mock.yaml",
        *sorted((ROOT / "scenarios").glob("*.yaml")),
        *sorted((Path(__file__).parent / "mistakes").glob("*.yaml")),
    )
]
TOKENS = [
    *(bytes([each]) for each in b"\t\n :-[]{},&*!|>'\"%@`#?$0\x00\xff"),
    *(b"<<: *a", b"&a ", b"*a", b"${X}", b"${X:-1}", b"$${", b"---\n", b"- ", b"\n  ", b"null"),
    *(b"1e999", b"9" * 400, b"-0", b".inf", b"true", b"2026-01-01", b"!!python/object:os.system"),
]
KEYS = ["scenarios", "scenario_id", "jobs", "name", "needs", "rules", "when", "ref", "scenario"]
KEYS += ["faults", "respond", "body", "projects", "id", "path", "attempts", "parallel", "x-a"]

plain: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["900", "3m", "failed", "/[/", "scenarios/*.yaml", "**", "/", "..", "~one"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Take a valid file and damage it in some places."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(st.sampled_from(TOKENS) | st.binary(max_size=3)) + text[end:]
    return text


def answer(folder: Path, raw: bytes) -> None:
    """Load a file; raise anything but a configuration or mistakes with places."""
    file = folder / "mock.yaml"
    file.write_bytes(raw)
    mistakes: tuple[Mistake, ...] = ()
    try:
        assert load(file, {}).declarations.scenarios
    except ConfigurationError as error:
        mistakes = error.mistakes or pytest.fail("a refusal without a reason")
    lines = len(raw.decode("utf-8", "replace").splitlines()) + 1
    for mistake in mistakes:
        assert mistake.file == str(file)
        assert 1 <= mistake.line <= lines
        assert mistake.column >= 1
        assert mistake.what


relaxed = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@relaxed
@given(raw=mutated())
def test_a_spoiled_file_is_taken_or_refused_with_places(tmp_path: Path, raw: bytes):
    answer(tmp_path, raw)


@relaxed
@given(value=plain)
def test_any_values_are_taken_or_refused_with_places(tmp_path: Path, value: Any):
    answer(tmp_path, yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "replace"))


@relaxed
@given(raw=st.binary(max_size=60))
def test_any_bytes_are_taken_or_refused_with_places(tmp_path: Path, raw: bytes):
    answer(tmp_path, raw)


@settings(max_examples=15, deadline=None)
@given(width=st.integers(2, 12), depth=st.integers(2, 40), merging=st.booleans())
def test_bombs_of_aliases_are_refused_before_they_go_off(width: int, depth: int, merging: bool):
    lines = ["x-0: &a0 {k: 1}"]
    for level in range(1, depth):
        inside = ", ".join(
            f"{'<<' if merging and not n else f'k{n}'}: *a{level - 1}" for n in range(width)
        )
        lines.append(f"x-{level}: &a{level} {{{inside}}}")
    document = read("\n".join(lines).encode(), "mock.yaml", {})
    assert (document.root is None) is bool(document.mistakes)


MANY = range(20_000)


@pytest.mark.parametrize(
    "text",
    [
        "rules:\n" + "".join(f"  - {{when: {{ref: r{n}}}}}\n" for n in MANY),
        "scenarios: [{scenario_id: 1, stages: [" + ",".join(f"s{n}" for n in MANY) + "]}]",
        "scenarios: [{scenario_id: 1, jobs: [{name: a, artifacts: ["
        + ",".join(f"{{path: p{n}}}" for n in MANY)
        + "]}]}]",
        "".join(f"key{n}: 1\n" for n in MANY),
    ],
    ids=["rules", "stages", "artifacts", "unknown keys"],
)
def test_a_list_of_twenty_thousand_entries_is_no_hang(tmp_path: Path, text: str):
    answer(tmp_path, text.encode())
