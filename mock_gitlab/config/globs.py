"""Find the files that a pattern matches, and the folders where more of them may appear."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDERS_LIMIT = 2000
"""The most folders that one pattern may go through."""


class TooManyFolders(Exception):
    """A pattern goes through more folders than can be watched."""


@dataclass(slots=True)
class Expansion:
    """The files that a pattern matches, sorted, and the folders to watch for changes of it."""

    limit: int
    files: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)


def expand(base: Path, pattern: str, limit: int = FOLDERS_LIMIT) -> Expansion:
    """Find the files that a pattern matches, relative to ``base`` unless it is absolute.

    ``*``, ``?`` and ``[...]`` match inside one name, ``**`` matches any folders. A hidden name
    matches only a pattern with the dot. Instead of a missing folder, the nearest existing one is
    returned, so that its creation is noticed.

    Raises:
        TooManyFolders: the pattern goes through more than ``limit``.
    """
    found = Expansion(limit)
    path = base / pattern
    start = base if not path.is_absolute() or path.is_relative_to(base) else type(path)(path.anchor)
    parts = path.relative_to(start).parts
    if os.path.isdir(start) and parts:
        _walk(start, parts, found)
    else:
        found.folders.append(existing(start))
    found.files = sorted(set(found.files))
    return found


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest existing one above it."""
    return next(each for each in (folder, *folder.absolute().parents) if os.path.isdir(each))


def touches(base: Path, pattern: str, changed: Path) -> bool:
    """Return whether a change of a path may change which files a pattern matches.

    A folder that the pattern goes through counts too, since its files come and go with it.
    """
    parts = _parts(base / pattern)
    steps = _parts(changed)
    for at, name in enumerate(steps):
        if at == len(parts):
            return False
        if parts[at] == "**":
            return fnmatchcase(changed.name, parts[-1]) or not changed.is_file()
        if not fnmatchcase(name, parts[at]):
            return False
    return len(parts) == len(steps) or not changed.is_file()


def is_pattern(text: str) -> bool:
    """Return whether this is a pattern, not the path of one file."""
    return any(character in text for character in "*?[")


def _parts(path: Path) -> tuple[str, ...]:
    return type(path)(os.path.normpath(path)).parts


def _walk(folder: Path, parts: tuple[str, ...], found: Expansion) -> None:
    if len(found.folders) >= found.limit:
        raise TooManyFolders(f"goes through more than {found.limit} folders")
    first, rest = parts[0], parts[1:]
    if not is_pattern(first) and rest:
        _descend(folder, first, rest, found)
        return
    found.folders.append(folder)
    if first == "**":
        _walk_all(folder, rest or ("*",), found)
        return
    for entry in _entries(folder):
        if fnmatchcase(entry.name, first) and _shown(entry.name, first):
            _take(folder / entry.name, entry, rest, found)


def _descend(folder: Path, name: str, rest: tuple[str, ...], found: Expansion) -> None:
    below = folder / name
    if below.is_dir():
        _walk(below, rest, found)
    else:
        found.folders.append(folder)


def _walk_all(folder: Path, rest: tuple[str, ...], found: Expansion) -> None:
    _walk(folder, rest, found)
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            _walk(folder / entry.name, ("**", *rest), found)


def _take(path: Path, entry: os.DirEntry[str], rest: tuple[str, ...], found: Expansion) -> None:
    if rest:
        if entry.is_dir():
            _walk(path, rest, found)
    elif entry.is_file():
        found.files.append(path)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from sorted(entries, key=lambda entry: entry.name)


def _shown(name: str, pattern: str) -> bool:
    return not name.startswith(".") or pattern.startswith(".")
