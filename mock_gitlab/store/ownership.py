"""A database file belongs to one running server: the lock that proves it."""

from __future__ import annotations

import gc
import os
import sqlite3
from contextlib import suppress

from .errors import UnusableDatabase

_CREATE = "CREATE TABLE IF NOT EXISTS owner (process_id INTEGER NOT NULL)"


class Ownership:
    """The ownership of a database file, held from construction to ``release``.

    It is SQLite's own write lock on a small file beside the database, ``mock.db.lock``. The
    operating system drops it when the process ends, also by ``kill -9``. The database itself is
    not locked, so other programs can read it meanwhile. As with every file of SQLite's, a process
    that opens and closes the lock file by other means loses its lock.

    Raises:
        UnusableDatabase: another server owns the file, or the lock cannot be written.
    """

    def __init__(self, database: str) -> None:
        self._database = database
        self._path = f"{os.path.realpath(database)}.lock"
        if not self._acquire():
            if self._owner() == os.getpid():
                gc.collect()  # an application that nobody refers to any more may only be in a cycle
            if not self._acquire():
                raise UnusableDatabase(self._refusal())

    def _acquire(self) -> bool:
        """Take the lock and write down who has it; False if another connection has it."""
        self._connection = self._connect()
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            execute(_CREATE)
            execute("DELETE FROM owner")
            execute("INSERT INTO owner VALUES (?)", (os.getpid(),))
            execute("COMMIT")  # so that others can read it
            execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._connection.close()
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise self._cannot(error) from error
        return True

    def _connect(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(
                self._path, timeout=0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._cannot(error) from error

    def _cannot(self, error: sqlite3.Error) -> UnusableDatabase:
        return UnusableDatabase(
            f"cannot use the database {self._database}: cannot lock {self._path}: {error}"
        )

    def _owner(self) -> int | None:
        connection = self._connect()
        row = None
        with suppress(sqlite3.Error):
            row = connection.execute("SELECT process_id FROM owner").fetchone()
        connection.close()
        return None if row is None else int(row[0])

    def _refusal(self) -> str:
        owner = self._owner()
        first = "this process" if owner == os.getpid() else f"process {owner or 'unknown'}"
        return (
            f"{self._database} is in use by another mock_gitlab ({first}): stop that one, or name "
            "another file (--database FILE, MOCK_DATABASE=FILE), or use :memory: in tests"
        )

    def release(self) -> None:
        """Give the file up, so that another server can own it."""
        self._connection.close()
