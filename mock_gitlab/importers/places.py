"""Places in files, what cannot be imported, and what is noted instead of being lost."""

from __future__ import annotations

from dataclasses import dataclass, field

NOTES_LIMIT = 500
"""The most notes of one import."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file; ``line`` and ``column`` count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class CannotImport(Exception):
    """A file cannot be imported: ``what`` is wrong at ``place``."""

    def __init__(self, place: Place, what: str) -> None:
        self.place = place
        self.what = one_line(what)
        super().__init__(f"{place}: {self.what}")


class NoPipeline(CannotImport):
    """A file is valid, but makes no pipeline for what was asked."""


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """What a scenario cannot say, or what could not be decided, and where it stands."""

    place: Place
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(slots=True)
class Notes:
    """The notes of one import, each once, and how many there was no room for."""

    _found: dict[Note, None] = field(default_factory=dict)
    dropped: int = 0

    def add(self, place: Place, what: str) -> None:
        """Note something."""
        note = Note(place, one_line(what))
        if note in self._found:
            return
        if len(self._found) >= NOTES_LIMIT:
            self.dropped += 1
            return
        self._found[note] = None

    def sorted(self) -> list[Note]:
        """List the notes by place."""
        return sorted(self._found)


def one_line(text: str) -> str:
    """Put text on one line that a comment of YAML may hold."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def short(text: str, most: int = 60) -> str:
    """Shorten text that is too long for a message."""
    return text if len(text) <= most else f"{text[:most]}..."
