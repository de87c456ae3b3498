from __future__ import annotations

from pathlib import Path

import pytest

from mock_gitlab.config.globs import TooManyFolders, existing, expand, touches


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.yaml", "b.yml", "s/c.yaml", "s/t/d.yaml", "s/.h/e.yaml", "s/.f.yaml"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return tmp_path


def names(tree: Path, pattern: str) -> list[str]:
    return [file.relative_to(tree).as_posix() for file in expand(tree, pattern).files]


def folders(tree: Path, pattern: str) -> set[str]:
    return {folder.relative_to(tree).as_posix() for folder in expand(tree, pattern).folders}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a.yaml", ["a.yaml"]),
        ("*.yaml", ["a.yaml"]),
        ("*.y*ml", ["a.yaml", "b.yml"]),
        ("[ab].*", ["a.yaml", "b.yml"]),
        ("?/*.yaml", ["s/c.yaml"]),
        ("s/*/*.yaml", ["s/t/d.yaml"]),
        ("**/*.yaml", ["a.yaml", "s/c.yaml", "s/t/d.yaml"]),
        ("s/**", ["s/c.yaml", "s/t/d.yaml"]),
        ("s/.*.yaml", ["s/.f.yaml"]),
        ("s/../a.yaml", ["a.yaml"]),
        ("nowhere/*.yaml", []),
        ("s", []),
        ("a.yaml/x", []),
        ("*/c.yaml/x", []),
    ],
)
def test_a_pattern_names_these_files(tree: Path, pattern: str, found: list[str]):
    assert [name.replace("s/../", "") for name in names(tree, pattern)] == found


@pytest.mark.parametrize("pattern", ["/", ".", "s/.."])
def test_a_pattern_that_is_a_folder_itself_names_no_file(tree: Path, pattern: str):
    assert expand(tree, pattern).files == []


def test_an_absolute_pattern_needs_no_base(tree: Path):
    assert expand(Path("/"), str(tree / "*.yaml")).files == [tree / "a.yaml"]
    assert expand(tree / "s", str(tree / "*.yaml")).files == [tree / "a.yaml"]


def test_folders_are_those_whose_listing_decides(tree: Path):
    assert folders(tree, "*.yaml") == {"."}
    assert folders(tree, "s/*.yaml") == {"s"}
    assert folders(tree, "*/d.yaml") == {".", "s"}
    assert folders(tree, "**/*.yaml") == {".", "s", "s/t"}


def test_a_missing_folder_is_watched_for_in_the_nearest_one_above(tree: Path):
    assert folders(tree, "s/new/*.yaml") == {"s"}
    assert expand(tree / "no" / "where", "*.yaml").folders == [tree]
    assert existing(Path("no/such/folder")) == Path.cwd()


def test_folders_without_end_are_refused(tree: Path):
    with pytest.raises(TooManyFolders, match="more than 2 folders"):
        expand(tree, "**/*.yaml", limit=2)


@pytest.mark.parametrize(
    ("pattern", "changed", "expected"),
    [
        ("s/*.yaml", "s/x.yaml", True),
        ("s/*.yaml", "s", True),
        ("s/*.yaml", "s/x.db", False),
        ("s/*.yaml", "s/t/x.yaml", False),
        ("s/*.yaml", "s/x.yaml/y", False),
        ("s/*.yaml", "a.yaml", False),
        ("*.yaml", "mock.db-wal", False),
        ("*/x.yaml", "a.yaml", False),
        ("*/x.yaml", "new", True),
        ("**/*.yaml", "s/t/x.yaml", True),
        ("**/*.yaml", "s/t", True),
        ("**/*.yaml", "b.yml", False),
        ("../q/*.yaml", "../q/x.yaml", True),
    ],
)
def test_a_change_touches_a_pattern_where_it_may_name_other_files_afterwards(
    tree: Path, pattern: str, changed: str, expected: bool
):
    assert touches(tree, pattern, tree / changed) is expected
