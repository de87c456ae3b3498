"""Each file in mistakes/ begins with the messages for it: line, column, path and text."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_gitlab.config.diagnostics import ConfigurationError, Mistake
from mock_gitlab.config.loader import load

MISTAKES = Path(__file__).parent / "mistakes"
FILES = sorted(file.name for file in MISTAKES.iterdir())


def expected(file: str) -> list[str]:
    """Read the expected messages from the comments of a file."""
    lines = (MISTAKES / file).read_bytes().splitlines()
    return [
        f"{file}:{line.removeprefix(b'# ').decode()}" for line in lines if line.startswith(b"# ")
    ]


@pytest.mark.parametrize("file", FILES)
def test_a_broken_file_is_refused_with_exactly_these_messages(
    file: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(MISTAKES)
    with pytest.raises(ConfigurationError) as refused:
        load(file, {})
    assert [str(mistake) for mistake in refused.value.mistakes] == expected(file)
    assert str(refused.value) == "\n".join(expected(file))


def test_mistakes_sort_by_file_line_and_column():
    late, early, other = (
        Mistake("b.yaml", 10, 1, "", "late"),
        Mistake("b.yaml", 9, 5, "x", "early"),
        Mistake("a.yaml", 11, 1, "", "other"),
    )
    assert ConfigurationError([late, early, other, late]).mistakes == (other, early, late)
