"""Statements, transactions, and the single values that outlive a restart."""

from __future__ import annotations

import sqlite3
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .errors import StoreUnavailable, reading
from .opening import LOCKED_FOR_SECONDS, MEMORY, close, identity, open_database, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from .opening import Migrate

    Parameters = Sequence[Any] | Mapping[str, Any]

RULE_COUNT = "rule "  # how the keys of meta begin that count how often a rule has matched
LISTED_UP_TO = "listed up to"  # the key of meta with the highest id that the indices know

_CLEARED = (
    "pipelines",
    "projects",
    "trigger_tokens",
    "rule_sets",
    "hooks",
    "hook_deliveries",
    "environments",
    "deployments",
    "deleted_deployments",
    "posted_statuses",
)

Row = tuple[Any, ...]


class Database:
    """One SQLite file with one owner, or ``:memory:``.

    ``like`` is a database whose content a database in memory begins with. ``migrate`` rewrites a
    file of an older version. A database that is no longer referenced is closed.

    Raises:
        UnusableDatabase: the file is no database, another program's, of a newer version, owned by
            another server, or cannot be opened or written.
    """

    def __init__(
        self, path: Path | str, like: Database | None = None, migrate: Migrate = refuse
    ) -> None:
        self.path = str(path)
        self._waits = self.path != MEMORY
        self._undo: list[Callable[[], None]] = []
        self._after_rollback: list[Callable[[], None]] = []
        self._connection: sqlite3.Connection
        source = None if like is None else like._connection
        self._connection, owner = open_database(self.path, source, migrate)
        self._run = self._connection.execute
        self._file = identity(self.path)
        self._release = weakref.finalize(self, close, self._connection, owner)

    # ------------------------------------------------------------------ reading

    def one(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """Run a statement and return its first row."""
        try:
            row: Row | None = self._run(sql, parameters).fetchone()
        except OverflowError:
            return None  # no row has a number that SQLite cannot hold
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        return row

    def all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Run a statement and return its rows."""
        try:
            return self._run(sql, parameters).fetchall()
        except OverflowError:
            return []
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    # ------------------------------------------------------------------ writing

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run a statement and return how many rows it has changed."""
        try:
            return self._run(sql, parameters).rowcount
        except OverflowError:
            return 0
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    def insert(self, sql: str, parameters: Parameters) -> int:
        """Insert a row and return its id."""
        try:
            number = self._run(sql, parameters).lastrowid
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        assert number is not None
        return number

    @property
    def _in_transaction(self) -> bool:
        try:
            return self._connection.in_transaction
        except sqlite3.Error as error:  # the database is closed
            raise StoreUnavailable(str(error)) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the whole block or nothing of it; a block inside another one joins it."""
        if self._in_transaction:
            yield
            return
        self.execute("BEGIN IMMEDIATE")
        before = self._connection.total_changes
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._roll_back(changed=self._connection.total_changes != before)
            raise
        finally:
            self._undo.clear()

    def _roll_back(self, *, changed: bool) -> None:
        self._connection.rollback()
        if self._undo or changed:
            for undo in (*reversed(self._undo), *self._after_rollback):
                undo()

    def undo_on_rollback(self, undo: Callable[[], None]) -> None:
        """Register what undoes a change in memory if this transaction is rolled back."""
        assert self._in_transaction
        self._undo.append(undo)

    def after_every_rollback(self, forget: Callable[[], None]) -> None:
        """Register what forgets rows that were read and may have been rolled back.

        It must not read or write: the store may be unavailable.
        """
        self._after_rollback.append(forget)

    @contextmanager
    def nowait(self) -> Iterator[None]:
        """Wait for no lock of another program inside the block: a locked write fails at once."""
        if not self._waits:
            yield
            return
        self._waits = False
        self.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            self._waits = True
            self.execute(f"PRAGMA busy_timeout = {round(LOCKED_FOR_SECONDS * 1000)}")

    @contextmanager
    def best_effort(self) -> Iterator[None]:
        """Leave the rest of the block undone if the store is unavailable; wait for no lock.

        Inside a transaction the error is raised, so that the whole transaction is undone.
        """
        alone = not self._in_transaction
        try:
            with self.nowait():
                yield
        except StoreUnavailable:
            if not alone:
                raise

    # ------------------------------------------------------------------ single values

    def meta(self, key: str) -> str | None:
        """Read a single value that was remembered."""
        row = self.one("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    def meta_number(self, key: str) -> int:
        """Read a single number that was remembered; 0 if there is none."""
        with reading(f'the value of "{key}"'):
            return int(self.meta(key) or 0)

    def remember(self, key: str, value: str) -> None:
        """Keep a single value over restarts."""
        self.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def is_gone(self) -> bool:
        """Return whether somebody has deleted the file, or put another one in its place."""
        try:
            return self.path != MEMORY and identity(self.path) != self._file
        except OSError:
            return True

    def clear_rule_counts(self, kept: Collection[str] = ()) -> None:
        """Delete the counts of rules, except those under the keys in ``kept``."""
        for (key,) in self.all(
            "SELECT key FROM meta WHERE substr(key, 1, ?) = ?", (len(RULE_COUNT), RULE_COUNT)
        ):
            if key not in kept:
                self.execute("DELETE FROM meta WHERE key = ?", (key,))

    def clear(self) -> None:
        """Delete everything but the scenarios; numbers start again at 1."""
        with self.transaction():
            for table in _CLEARED:
                self.execute(f"DELETE FROM {table}")
            self.execute("DELETE FROM last_iids")  # filled by the trigger on pipelines
            self.execute("DELETE FROM sqlite_sequence")
            self.execute("DELETE FROM meta WHERE key = ?", (LISTED_UP_TO,))
            self.clear_rule_counts()

    def copy(self) -> Database:
        """Copy everything into a database in memory."""
        return Database(MEMORY, like=self)

    def close(self) -> None:
        """Close the file and give up its ownership; what was committed is in it."""
        self._release()
