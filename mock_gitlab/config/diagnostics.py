"""Values that know where they are written, and the mistakes that say so."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MISTAKES_LIMIT = 1000
"""After how many mistakes of a kind nobody reads on."""
_LONG = 16
_SHORT = 40
_NAME = re.compile(r"[\w./*<-]+")
Steps = tuple[str | int, ...]
"""The way from the root of a document to a value."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """Something wrong in a file, sorted by place. ``line`` and ``column`` count from 1.

    ``where`` is the path inside the document, such as ``scenarios[0].name``; empty for the whole.
    """

    file: str
    line: int
    column: int
    where: str
    what: str

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}:{self.column}: {where}{self.what}"


class ConfigurationError(Exception):
    """The files have mistakes: all of them, sorted by place.

    ``folders`` and ``patterns`` are what to watch so that their end is noticed.
    """

    def __init__(
        self,
        mistakes: Iterable[Mistake],
        folders: Sequence[Path] = (),
        patterns: Sequence[str] = (),
    ) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        self.folders, self.patterns = tuple(folders), tuple(patterns)
        super().__init__("\n".join(map(str, self.mistakes)))


def short(text: str) -> str:
    """Cut text that is too long for a message."""
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def where(path: Sequence[str | int]) -> str:
    """Write a path for people: ``scenarios[0].jobs[2].name``."""
    if len(path) > _LONG:
        return f"{where(path[: _LONG // 2])}..."
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        elif _NAME.fullmatch(step):
            words += f".{short(step)}" if words else short(step)
        else:
            words += f"[{json.dumps(short(step), ensure_ascii=False)}]"
    return words


@dataclass(slots=True)
class Node:
    """A value and where it is written.

    ``entries`` (of a mapping, merged ones included) and ``items`` (of a list) hold the nodes of
    what ``value`` holds. ``broken`` marks a value that a mistake has been told about already.
    """

    line: int
    column: int
    value: Any = None
    text: str | None = None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 1
    depth: int = 0
    broken: bool = False
    done: bool = True

    def child(self, step: str | int) -> Node | None:
        """Find the node of one step down; None where there is none."""
        if isinstance(step, int):
            return self.items[step] if step < len(self.items) else None
        entry = self.entries.get(step)
        return None if entry is None else entry.node


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value."""

    key: Node
    node: Node


@dataclass(frozen=True, slots=True)
class Document:
    """A file that has been read. ``root`` is None where it is empty or no YAML at all."""

    file: str
    root: Node | None
    mistakes: tuple[Mistake, ...] = ()

    @property
    def value(self) -> Any:
        """The whole as plain values: dict, list, str, int, float, bool, None."""
        return None if self.root is None else self.root.value

    def node(self, path: Steps) -> Node:
        """Find the node of a path, or the nearest above it."""
        node = self.root or Node(1, 1)
        for step in path:
            below = node.child(step)
            if below is None:
                break
            node = below
        return node

    def key(self, path: Steps) -> Node:
        """Find the key that a path ends with; where it ends otherwise, the value."""
        entry = self.node(path[:-1]).entries.get(str(path[-1])) if path else None
        return self.node(path) if entry is None else entry.key

    def broken(self, path: Steps) -> bool:
        """Tell whether a mistake at a path would repeat one that has been told."""
        node = self.root
        for step in path:
            if node is None or node.broken:
                break
            node = node.child(step)
        return node is not None and node.broken

    def mistake(self, path: Steps, what: str, *, at_key: bool = False) -> Mistake:
        """Locate a mistake at a value, or at its key."""
        node = self.key(path) if at_key else self.node(path)
        return Mistake(self.file, node.line, node.column, where(path), what)
