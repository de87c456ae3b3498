"""Open a database file: whose it is, which version it has, how it is set up."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from .errors import UnusableDatabase
from .ownership import Ownership
from .schema import create_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    Migrate = Callable[[sqlite3.Connection], None]

VERSION = 5
APPLICATION_ID = 0x4D474C42  # "MGLB": tells our files from other programs' databases
LOCKED_FOR_SECONDS = 0.25  # how long a write waits for another program; the event loop waits too
# A new pipeline changes a page of the table and of each index, and the file grows by whole pages:
# small ones make a trigger cheaper.
PAGE_SIZE = 1024
MEMORY = ":memory:"


def refuse(_: sqlite3.Connection) -> None:
    """Migrate nothing.

    Raises:
        UnusableDatabase: always.
    """
    raise UnusableDatabase("the database was written by an older mock_gitlab")


def open_database(
    path: str, source: sqlite3.Connection | None, migrate: Migrate
) -> tuple[sqlite3.Connection, Ownership | None]:
    """Open a database, own its file, and bring its schema up to date.

    A database in memory has no owner. ``source`` is a connection whose content a database in
    memory begins with. ``migrate`` rewrites a file of an older version.

    Raises:
        UnusableDatabase: the file is no database, another program's, of a newer version, owned by
            another server, or cannot be opened or written.
    """
    try:
        # One thread at a time uses it, but an in-process client may bring another each time.
        connection = sqlite3.connect(
            path, timeout=LOCKED_FOR_SECONDS, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise UnusableDatabase(f"cannot open the database {path}: {error}") from error
    owner = None
    try:
        _version(connection, path)  # refuses the file of another program untouched
        owner = Ownership(path) if path != MEMORY else None
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # an existing file keeps its own
        if source is None:
            _prepare(connection, path, migrate)
        else:
            source.backup(connection)
    except sqlite3.Error as error:
        close(connection, owner)
        raise UnusableDatabase(f"cannot use the database {path}: {error}") from error
    except UnusableDatabase:
        close(connection, owner)
        raise
    return connection, owner


def identity(path: str) -> tuple[int, int] | None:
    """Return the device and the inode of the file, which tell it from one that replaces it."""
    if path == MEMORY:
        return None
    status = os.stat(path)
    return status.st_dev, status.st_ino


def close(connection: sqlite3.Connection, owner: Ownership | None) -> None:
    """Close a connection and give up the ownership of its file."""
    connection.close()
    if owner is not None:
        owner.release()


def _prepare(connection: sqlite3.Connection, path: str, migrate: Migrate) -> None:
    execute = connection.execute
    # Only now, since it is a mark in the file, which may have been another program's.
    execute("PRAGMA journal_mode = WAL")
    # A commit reaches the operating system before it is answered, which outlives the process;
    # only a crash of the whole machine could lose the last commits.
    execute("PRAGMA synchronous = NORMAL")
    # A file that can be read but not written is found out now, not at the first trigger.
    execute("BEGIN IMMEDIATE")
    version = _version(connection, path)  # again, since nobody else can change it now
    if version == 0:
        create_tables(connection)
    elif version < VERSION:
        migrate(connection)
    execute(f"PRAGMA application_id = {APPLICATION_ID}")
    execute(f"PRAGMA user_version = {VERSION}")
    execute("COMMIT")


def _version(connection: sqlite3.Connection, path: str) -> int:
    """Read the version of the schema, writing nothing; 0 for a new file.

    Raises:
        UnusableDatabase: the file is another program's, or of a newer version.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    program = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables == version == program == 0:
        return 0
    if program != APPLICATION_ID:
        raise UnusableDatabase(f"{path} is a database of another program")
    if version > VERSION:
        raise UnusableDatabase(
            f"{path} was written by a newer mock_gitlab "
            f"(format {version}, this one reads up to {VERSION})"
        )
    return version
