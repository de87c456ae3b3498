"""The files of the repository that a configuration stands in."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path, PurePosixPath

from .document import LARGEST_FILES
from .globs import is_glob, matches
from .places import CannotImport, Place, short

FILES_LIMIT = 50_000
"""The most files that are looked at for globs."""


class Repository:
    """The files below a folder; paths are relative to it, with slashes.

    ``asked`` are the files that were to be read, those that do not exist too.
    """

    def __init__(self, root: Path, limit: int = FILES_LIMIT) -> None:
        self.root = root
        self.asked: list[Path] = []
        self._limit = limit
        self._found: dict[str, list[str]] = {}

    @cached_property
    def paths(self) -> list[str]:
        """All files in order, as far as the limit goes; what git keeps for itself is left out."""
        found: list[str] = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(name for name in folders if name != ".git")
            relative = Path(folder).relative_to(self.root)
            found += [(relative / name).as_posix() for name in sorted(files)]
            if len(found) > self._limit:
                break
        return found

    @property
    def whole(self) -> bool:
        """Whether all files were looked at."""
        return len(self.paths) <= self._limit

    def find(self, pattern: str) -> list[str]:
        """Find the files that a path or a glob names, in order."""
        pattern = pattern.lstrip("/")
        if not is_glob(pattern):
            return [pattern] if self._is_file(pattern) else []
        if pattern not in self._found:
            self._found[pattern] = [path for path in self.paths if matches(pattern, path)]
        return self._found[pattern]

    def read(self, path: str, place: Place) -> bytes:
        """Read a file that ``place`` asks for.

        Raises:
            CannotImport: there is none, or it is outside, too large or not readable.
        """
        path = path.lstrip("/")
        if ".." in PurePosixPath(path).parts:
            raise CannotImport(place, f"{short(path)} leads out of the repository")
        self.asked.append(self.root / path)
        if not self._is_file(path):
            raise CannotImport(place, f"there is no file {short(path)} in {self.root}")
        try:
            with (self.root / path).open("rb") as file:
                return file.read(LARGEST_FILES + 1)
        except OSError as error:
            raise CannotImport(place, f"cannot read {short(path)}: {error.strerror}") from None

    def _is_file(self, path: str) -> bool:
        return os.path.isfile(os.path.join(self.root, path))


def root_of(file: Path) -> Path:
    """Find the folder of the repository of a file: the nearest with ``.git``, else the file's."""
    for folder in file.absolute().parents:
        if (folder / ".git").exists():
            return folder
    return file.absolute().parent
