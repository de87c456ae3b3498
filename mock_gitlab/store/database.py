"""The connection, the schema, transactions."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

VERSION = 1
APPLICATION_ID = 0x4D474C42  # "MGLB": tells our files from other programs' databases
LOCKED_FOR_SECONDS = 0.25  # how long a write waits for another process; the event loop waits too
OTHERS_SEEN_AFTER = 0.001  # seconds: how late a commit of another process may be seen, at the most
RULE_COUNT = "rule "  # what the keys of meta begin with that count how often a rule has matched
ENTERED = "entered"  # the key of meta that holds up to which pipeline the indices go
# A new pipeline changes a page of the table and of each index, and each goes to the file whole:
# small ones make a trigger cheaper.
PAGE_SIZE = 1024

Row = tuple[Any, ...]


class UnusableDatabase(Exception):
    """A file that cannot serve as the store; the message is one line for people."""


class StoreUnavailable(Exception):
    """SQLite cannot do it now: a full disk, a lock, a read-only or damaged file."""


class Database:
    """One SQLite file, or ``:memory:``. ``stopwatch`` counts seconds, to save questions.

    ``like`` is another one with pages of the same size; in memory it begins as a copy of that.

    Raises:
        UnusableDatabase: the file is no database, another program's, of a newer version, or
            cannot be opened or written.
    """

    def __init__(
        self,
        path: Path | str,
        page_size: int = PAGE_SIZE,
        stopwatch: Callable[[], float] | None = None,
        like: Database | None = None,
    ) -> None:
        self.path = str(path)
        self._stopwatch = stopwatch
        self._asked: float | None = None
        self._others = 0
        self.rollbacks = 0  # how often what was read may have been taken back
        self._writes = 0
        self._shared = self._waits = self.path != ":memory:"
        self._undoing: list[Callable[[], None]] = []
        try:
            # One thread at a time uses it, but an in-process client may bring another each time.
            self._connection = sqlite3.connect(
                self.path,
                timeout=LOCKED_FOR_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise UnusableDatabase(f"cannot open the database {self.path}: {error}") from error
        try:
            if like is None:
                self._prepare(page_size)
            else:
                self._connection.execute(f"PRAGMA page_size = {page_size}")
                like._connection.backup(self._connection)
        except sqlite3.Error as error:
            self._connection.close()
            raise UnusableDatabase(f"cannot use the database {self.path}: {error}") from error
        except UnusableDatabase:
            self._connection.close()
            raise
        self.execute = self._connection.execute

    def _prepare(self, page_size: int) -> None:
        run = self._connection.execute
        fresh = self._is_ours_to_make()
        run(f"PRAGMA page_size = {page_size}")  # a file that is there keeps the size it has
        # Only now, since it is a mark in the file, which may have been somebody else's.
        run("PRAGMA journal_mode = WAL")
        # A commit reaches the operating system before it is answered, which outlives the process;
        # only a crash of the whole machine could take the last commits.
        run("PRAGMA synchronous = NORMAL")
        if fresh:
            self._create()
            return
        # A file that can be read but not written is found out now, not at the first trigger.
        run("BEGIN IMMEDIATE")
        run(f"PRAGMA user_version = {VERSION}")
        run("COMMIT")

    def _is_ours_to_make(self) -> bool:
        """Tell whether the file is new, writing nothing.

        Raises:
            UnusableDatabase: it is another program's, or of a newer version.
        """
        run = self._connection.execute
        version = run("PRAGMA user_version").fetchone()[0]
        owner = run("PRAGMA application_id").fetchone()[0]
        tables = run("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables == version == owner == 0:
            return True
        if owner != APPLICATION_ID:
            raise UnusableDatabase(f"{self.path} is a database of another program")
        if version > VERSION:
            raise UnusableDatabase(
                f"{self.path} was written by a newer mock_gitlab "
                f"(format {version}, this one reads up to {VERSION})"
            )
        return False

    def _create(self) -> None:
        schema = (files("mock_gitlab.store") / "schema.sql").read_text(encoding="utf-8")
        self._connection.executescript(
            f"BEGIN IMMEDIATE;\n{schema}\n"
            f"PRAGMA application_id = {APPLICATION_ID};\n"
            f"PRAGMA user_version = {VERSION};\nCOMMIT;"
        )

    def one(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Row | None:
        """Run a statement and return its first row."""
        try:
            row: Row | None = self.execute(sql, parameters).fetchone()
        except OverflowError:
            return None  # nothing has a number that SQLite could not hold
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        return row

    def edition(self) -> tuple[int, int]:
        """Tell by another value that rows read before may be out of date.

        So it is after a write, ours or another connection's; not after a row that is merely new,
        nor after a note. What others have written may go unnoticed for OTHERS_SEEN_AFTER.
        """
        if not self._shared:
            return self._writes, 0
        now = None if self._stopwatch is None else self._stopwatch()
        if self._asked is None or now is None or now - self._asked >= OTHERS_SEEN_AFTER:
            others = self.one("PRAGMA data_version")
            assert others is not None
            self._asked, self._others = now, others[0]
        return self._writes, self._others

    def all(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """Run a statement and return its rows."""
        try:
            return self.execute(sql, parameters).fetchall()
        except OverflowError:
            return []
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    def run(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run a statement that changes rows and return how many."""
        self._writes += 1
        return self.note(sql, parameters)

    def note(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run a statement that changes no pipeline and no scenario, and return how many rows."""
        try:
            return self.execute(sql, parameters).rowcount
        except OverflowError:
            return 0
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    def add(self, sql: str, parameters: Sequence[Any]) -> bool:
        """Insert a row; False where the statement has found that it must not be."""
        try:
            return self.execute(sql, parameters).rowcount > 0
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    def copy(self) -> Database:
        """Copy everything into memory, where it can be changed whatever is wrong with the file."""
        size = self.one("PRAGMA page_size")
        assert size is not None
        try:
            return Database(":memory:", page_size=size[0], like=self)
        except UnusableDatabase as error:
            raise StoreUnavailable(str(error)) from error

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        self._writes += 1
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing; a block inside another one joins it."""
        if self._connection.in_transaction:
            yield
            return
        self.note("BEGIN IMMEDIATE")
        before = self._connection.total_changes
        try:
            yield
            self.note("COMMIT")
        except BaseException:
            if self._undoing or self._connection.total_changes != before:
                self.rollbacks += 1
            if self._connection.in_transaction:
                self._connection.rollback()
            self._writes += 1
            for undo in reversed(self._undoing):
                undo()
            raise
        finally:
            self._undoing.clear()

    def if_rolled_back(self, undo: Callable[[], None]) -> None:
        """Have what follows in memory undone too where the transaction comes to nothing."""
        assert self._connection.in_transaction
        self._undoing.append(undo)

    @contextmanager
    def nowait(self) -> Iterator[None]:
        """Let nothing in the block wait for another process: it can be done now, or it fails."""
        if not self._waits:
            yield
            return
        self._waits = False
        self.note("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            self._waits = True
            self.note(f"PRAGMA busy_timeout = {round(LOCKED_FOR_SECONDS * 1000)}")

    @contextmanager
    def best_effort(self) -> Iterator[None]:
        """Do without the rest of the block where the store fails, but keep no half of a step.

        What one can do without waits for nobody.
        """
        whole = not self._connection.in_transaction
        try:
            with self.nowait():
                yield
        except StoreUnavailable:
            if not whole:
                raise

    def meta(self, key: str) -> str | None:
        """Look up a single remembered value."""
        row = self.one("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    def remember(self, key: str, value: str) -> None:
        """Keep a single value over restarts."""
        self.note(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def forget_rules(self, kept: Collection[str] = ()) -> None:
        """Drop the counts of rules, but for those under some keys."""
        for (key,) in self.all(
            "SELECT key FROM meta WHERE substr(key, 1, ?) = ?", (len(RULE_COUNT), RULE_COUNT)
        ):
            if key not in kept:
                self.run("DELETE FROM meta WHERE key = ?", (key,))

    def forget(self) -> None:
        """Drop everything but the scenarios; numbers start again at 1."""
        with self.transaction():
            for table in ("pipelines", "projects", "trigger_tokens"):
                self.run(f"DELETE FROM {table}")
            self.run("DELETE FROM last_iids")  # which the trigger on pipelines has filled
            self.run("DELETE FROM sqlite_sequence")
            self.run("DELETE FROM meta WHERE key = ?", (ENTERED,))
            self.forget_rules()

    def close(self) -> None:
        """Close the file; what was committed is in it."""
        self._connection.close()
