"""Values with their place in a file, and mistakes at such places."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .scalars import as_written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .scalars import Variables

MISTAKES_LIMIT = 1000
"""The most mistakes that are reported for one file."""
_LONG = 16
_SHORT = 40
_NAME = re.compile(r"[\w./*<-]+")
Steps = tuple[str | int, ...]
"""The path from the root of a document to a value."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """A mistake in a file. Mistakes sort by place. ``line`` and ``column`` count from 1.

    ``where`` is the path in the document, such as ``scenarios[0].name``; it is empty for the root.
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
    """All mistakes of the files, sorted by place.

    ``folders`` and ``patterns`` are what to watch to notice that the mistakes are mended.
    ``files`` are those that were read.
    """

    def __init__(
        self,
        mistakes: Iterable[Mistake],
        folders: Sequence[Path] = (),
        patterns: Sequence[str] = (),
        files: Sequence[Path] = (),
    ) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        self.folders, self.patterns, self.files = tuple(folders), tuple(patterns), tuple(files)
        super().__init__("\n".join(map(str, self.mistakes)))

    def __reduce__(self) -> tuple[type[ConfigurationError], tuple[Any, ...]]:
        """Keep the mistakes when another process raises the error."""
        return type(self), (self.mistakes, self.folders, self.patterns)


def short(text: str) -> str:
    """Shorten text that is too long for a message."""
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def where(path: Sequence[str | int]) -> str:
    """Convert a path to text such as ``scenarios[0].jobs[2].name``."""
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
    """A value and its place.

    ``entries`` are the nodes of a mapping, including merged ones, and ``items`` those of a list.
    ``broken`` marks a value with a mistake that is already reported, and ``secret`` one that came
    from the environment: it is never quoted.
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
    secret: bool = False
    done: bool = True

    def child(self, step: str | int) -> Node | None:
        """Return the node one step below, or None."""
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
    """A file that has been read. ``root`` is None if the file is empty or not YAML.

    ``variables`` are those of the environment that it uses.
    """

    file: str
    root: Node | None
    mistakes: tuple[Mistake, ...] = ()
    variables: Variables = ()

    @property
    def value(self) -> Any:
        """The content as plain values: dict, list, str, int, float, bool, None."""
        return None if self.root is None else self.root.value

    def node(self, path: Steps) -> Node:
        """Return the node at a path, or the nearest one above it."""
        node = self.root or Node(1, 1)
        for step in path:
            below = node.child(step)
            if below is None:
                break
            node = below
        return node

    def key(self, path: Steps) -> Node:
        """Return the node of the key at the end of a path, or of the value if it has no key."""
        entry = self.node(path[:-1]).entries.get(str(path[-1])) if path else None
        return self.node(path) if entry is None else entry.key

    def broken(self, path: Steps) -> bool:
        """Return whether a mistake at or above a path is already reported."""
        node = self.root
        for step in path:
            if node is None or node.broken:
                break
            node = node.child(step)
        return node is not None and node.broken

    def mistake(
        self, path: Steps, what: str, *, at_key: bool = False, quoting: bool = True
    ) -> Mistake:
        """Make a mistake at the place of a value or of its key.

        In a message that may be ``quoting`` values, variables stand for what they have inserted.
        """
        node = self.key(path) if at_key else self.node(path)
        if quoting:
            what = as_written(what, self.variables)
        return Mistake(self.file, node.line, node.column, where(path), what)
