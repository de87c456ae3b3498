"""What is declared to one world at run time; it beats what the files declare."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from mock_gitlab.engine.matching import Fault, Rule
from mock_gitlab.engine.model import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

Declared = TypeVar("Declared", Fault, Rule)


class RuntimeDeclarations(Generic[Declared]):
    """Rules or faults, each under a key of its own; ``kind`` names them in errors."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._items: list[Declared] = []
        self._added = 0

    def __iter__(self) -> Iterator[Declared]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Declared) -> Declared:
        """Put it in force under the next key, and return it with that."""
        self._added += 1
        key = f"runtime-{self._added}"
        added = replace(item, key=key, place=key)
        self._items.append(added)
        return added

    def remove(self, key: str | None = None) -> None:
        """Take back all, or the one of a key; raises NotFound for an unknown one."""
        kept = [] if key is None else [item for item in self._items if item.key != key]
        if key is not None and len(kept) == len(self._items):
            raise NotFound(self._kind)
        self._items = kept

    def clear(self) -> None:
        """Become as new."""
        self._items = []
        self._added = 0
