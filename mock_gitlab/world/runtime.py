"""What is declared to one world at run time; it beats what the files declare."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from mock_gitlab.engine.matching import Fault, Rule
from mock_gitlab.engine.model import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Declared = TypeVar("Declared", Fault, Rule)


class RuntimeDeclarations(Generic[Declared]):
    """Rules or faults, each under a key of its own.

    ``kind`` names them in errors. ``changed`` is called whenever other ones are in force.
    """

    def __init__(self, kind: str, changed: Callable[[], None] = lambda: None) -> None:
        self._kind = kind
        self._changed = changed
        self._items: list[Declared] = []
        self._added = 0

    def __iter__(self) -> Iterator[Declared]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Declared) -> Declared:
        """Put one in force under the next key, and return it with that key."""
        self._added += 1
        key = f"runtime-{self._added}"
        added = replace(item, key=key, place=key)
        self._items.append(added)
        self._changed()
        return added

    def remove(self, key: str | None = None) -> None:
        """Remove all, or the one with a key; raises NotFound for an unknown key."""
        kept = [] if key is None else [item for item in self._items if item.key != key]
        if key is not None and len(kept) == len(self._items):
            raise NotFound(self._kind)
        self._items = kept
        self._changed()

    def clear(self) -> None:
        """Remove all, and number new ones from 1."""
        self._items = []
        self._added = 0
        self._changed()
