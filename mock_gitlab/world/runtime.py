"""What is declared or switched off in one world at run time; it beats what the files declare."""

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
        self._off: set[str] = set()

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

    def all(self, declared: tuple[Declared, ...]) -> tuple[Declared, ...]:
        """List these and those of the files in the order of trying, whether on or off."""
        return tuple(self._items) + declared if self._items else declared

    def in_force(self, declared: tuple[Declared, ...]) -> tuple[Declared, ...]:
        """List those that are on, of these and those of the files, in the order of trying."""
        found = self.all(declared)
        return tuple(item for item in found if item.key not in self._off) if self._off else found

    def is_on(self, key: str) -> bool:
        """Return whether the one with a key has not been switched off."""
        return key not in self._off

    def switch(self, key: str, declared: tuple[Declared, ...], *, on: bool) -> Declared:
        """Switch one of these, or of those of the files, on or off; raises NotFound."""
        found = next((item for item in self.all(declared) if item.key == key), None)
        if found is None:
            raise NotFound(self._kind)
        (self._off.discard if on else self._off.add)(key)
        self._changed()
        return found

    def remove(self, key: str | None = None) -> None:
        """Remove all, or the one with a key; raises NotFound for an unknown key."""
        kept = [] if key is None else [item for item in self._items if item.key != key]
        if key is not None and len(kept) == len(self._items):
            raise NotFound(self._kind)
        self._items = kept
        self._changed()

    def clear(self) -> None:
        """Remove all, number new ones from 1, and switch everything on."""
        self._items = []
        self._added = 0
        self._off.clear()
        self._changed()
