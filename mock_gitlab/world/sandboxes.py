"""Worlds: the default world, and the sandboxes beside it."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.model import AlreadyExists, Declarations, Invalid, NotAllowed, NotFound
from mock_gitlab.store.database import Database
from mock_gitlab.store.errors import StoreUnavailable, UnusableDatabase
from mock_gitlab.store.migration import migrate
from mock_gitlab.store.scenarios import ScenarioTable, declared_rows
from mock_gitlab.world.clock import Clock
from mock_gitlab.world.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_log = logging.getLogger("mock_gitlab")
_MOST_REMEMBERED = 10_000
"""Of how many sandboxes it is remembered that they were evicted."""
_CHECKS_BETWEEN_WARNINGS = 30
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}\Z")


class Worlds:
    """The default world and the sandboxes, all under one set of declarations.

    A sandbox lives in memory. It ends when it is deleted. It is evicted when there are more than
    ``sandbox_limit`` and it was used least recently. Nobody gets an evicted one back by using its
    name: it must be created anew.
    """

    def __init__(self, database: Path | str, declarations: Declarations) -> None:
        self.declared = declarations
        self.default = _lasting_world(database, declarations)
        self._sandboxes: OrderedDict[str, World] = OrderedDict()
        self._evicted: OrderedDict[str, None] = OrderedDict()
        self.evictions = 0
        self._path = database
        self._warnings_until_next = 0
        self._pristine: tuple[Declarations, Database] | None = None
        self.closed = False

    @staticmethod
    def prepare(declarations: Declarations) -> None:
        """Do what ``apply`` takes longest for; any thread may call this."""
        declared_rows.of(declarations.scenarios)

    def apply(self, declarations: Declarations) -> None:
        """Put declarations in force; each sandbox takes them over at its next use."""
        self.default.apply(declarations)
        self.declared = declarations

    def was_evicted(self, name: str) -> bool:
        """Return whether a sandbox had to make room for another."""
        return name in self._evicted

    def use(self, name: str) -> World | None:
        """Find a sandbox, and note that it is used; None if there is none."""
        world = self._sandboxes.get(name)
        if world is None:
            return None
        self._sandboxes.move_to_end(name)
        if world.shared is not self.declared:
            world.apply(self.declared)
        return world

    def create(self, name: str, own: Mapping[str, Any] = MappingProxyType({})) -> World:
        """Create a sandbox; ``own`` are the fields of Declarations that it has for itself.

        Raises:
            AlreadyExists: there is a sandbox with this name.
            Invalid: a sandbox cannot have this name.
        """
        if name in self._sandboxes:
            raise AlreadyExists(f"sandbox {name} exists")
        check_name(name)
        world = World(self._new(), self.declared, Clock(), own=own, name=name)
        self._sandboxes[name] = world
        self._evicted.pop(name, None)
        while len(self._sandboxes) > max(1, self.declared.sandbox_limit):
            self._evict_oldest(name)
        return world

    def _evict_oldest(self, newcomer: str) -> None:
        name, world = self._sandboxes.popitem(last=False)
        world.close()
        self.evictions += 1
        self._evicted[name] = None
        if len(self._evicted) > _MOST_REMEMBERED:
            self._evicted.popitem(last=False)
        _log.warning(
            "sandbox %s is evicted, to make room for %s: there may be %d (sandboxes in mock.yaml)",
            name,
            newcomer,
            self.declared.sandbox_limit,
        )

    def _new(self) -> Database:
        """Copy a database that knows the declared scenarios: quicker than filling a new one."""
        if self._pristine is None or self._pristine[0] is not self.declared:
            self._forget_pristine()
            pristine = Database(":memory:")
            ScenarioTable(pristine).replace_declared(self.declared.scenarios)
            self._pristine = self.declared, pristine
        return self._pristine[1].copy()

    def _forget_pristine(self) -> None:
        if self._pristine is not None:
            self._pristine[1].close()
            self._pristine = None

    def each(self) -> list[World]:
        """List the worlds, the default one first."""
        return [self.default, *self._sandboxes.values()]

    def names(self) -> list[str]:
        """List the sandboxes, the least recently used first."""
        return list(self._sandboxes)

    def find(self, name: str) -> World:
        """Find a sandbox without creating it or counting this as a use; raises NotFound."""
        if name not in self._sandboxes:
            raise NotFound("sandbox")
        return self._sandboxes[name]

    def delete(self, name: str) -> None:
        """Delete a sandbox with all that is in it; raises NotFound."""
        self.find(name)
        self._sandboxes.pop(name).close()

    def warn_if_file_is_gone(self) -> None:
        """Log, once and then every so often, that the database file was deleted or replaced."""
        if self.default.state_of_store() != "gone":
            self._warnings_until_next = 0
        elif self._warnings_until_next:
            self._warnings_until_next -= 1
        else:
            self._warnings_until_next = _CHECKS_BETWEEN_WARNINGS
            _log.critical(
                "THE DATABASE IS GONE: %s was deleted or replaced while the server runs. "
                "The server goes on, but what it records is lost when it ends. Restart it.",
                self._path,
            )

    def reset(self, world: World) -> None:
        """Reset a world; the default one only if ``allow_reset`` permits it."""
        if world is self.default and not self.declared.allow_reset:
            raise NotAllowed("reset is not allowed: set allow_reset or MOCK_ALLOW_RESET")
        world.reset()

    def close(self) -> None:
        """Close every store."""
        for world in (self.default, *self._sandboxes.values()):
            world.close()
        self._sandboxes.clear()
        self._forget_pristine()
        self.closed = True


def check_name(name: str) -> None:
    """Raise Invalid for a name that a sandbox cannot have."""
    if not _NAME.match(name):
        raise Invalid(
            "a sandbox name has letters, digits and . _ ~ - (at most 128), "
            "and begins with a letter or digit"
        )


def _lasting_world(path: Path | str, declarations: Declarations) -> World:
    """Make the world of a database file.

    Raises:
        UnusableDatabase: the file cannot be opened, or it is damaged inside.
    """
    database = Database(path, migrate=migrate)
    try:
        return World(database, declarations, Clock())
    except StoreUnavailable as error:
        database.close()
        raise UnusableDatabase(f"cannot use the database {path}: {error}") from error
