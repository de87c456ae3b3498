"""Transactions, and who waits for whom."""

from __future__ import annotations

import gc
import sqlite3
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.store.database import Database
from mock_gitlab.store.errors import StoreUnavailable, UnusableDatabase
from mock_gitlab.store.opening import APPLICATION_ID

if TYPE_CHECKING:
    from pathlib import Path


def test_a_rollback_undoes_what_changed_in_memory_the_last_first(database: Database):
    undone = []

    def change() -> None:
        with database.transaction():
            database.undo_on_rollback(lambda: undone.append("first"))
            database.undo_on_rollback(lambda: undone.append("second"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert undone == ["second", "first"]


def test_a_rollback_of_nothing_forgets_nothing(database: Database):
    forgotten = []
    database.after_every_rollback(lambda: forgotten.append(True))

    def change(key: str) -> None:
        with database.transaction():
            if key:
                database.remember(key, "value")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change("")
    assert forgotten == []
    with pytest.raises(ZeroDivisionError):
        change("key")
    assert forgotten == [True]
    assert database.meta("key") is None


def test_best_effort_waits_for_no_lock_and_leaves_the_rest_undone(path: Path, database: Database):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with database.best_effort():
        database.remember("key", "value")
        pytest.fail("the store is locked")
    other.execute("ROLLBACK")
    other.close()

    assert database.meta("key") is None


def test_best_effort_keeps_no_half_of_a_transaction(path: Path, database: Database):
    def change() -> None:
        with database.transaction():
            database.remember("key", "value")
            with database.best_effort():
                database.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StoreUnavailable):
        change()
    assert database.meta("key") is None


def test_nobody_waits_twice_for_a_lock(database: Database):
    def patience() -> int:
        row = database.one("PRAGMA busy_timeout")
        assert row is not None
        return int(row[0])

    with database.best_effort():
        inside = patience()
        with database.nowait():
            deeper = patience()
        still = patience()
    assert (inside, deeper, still, patience()) == (0, 0, 0, 250)


def test_no_row_has_a_number_that_sqlite_cannot_hold(database: Database):
    assert database.one("SELECT 1 WHERE 1 = ?", (2**64,)) is None
    assert database.all("SELECT 1 WHERE 1 = ?", (2**64,)) == []
    assert database.execute("DELETE FROM pipelines WHERE id = ?", (2**64,)) == 0


def test_what_is_wrong_with_a_statement_is_a_store_that_is_unavailable(database: Database):
    for wrong in (
        lambda: database.one("SELECT * FROM nowhere"),
        lambda: database.all("SELECT * FROM nowhere"),
        lambda: database.execute("DELETE FROM nowhere"),
        lambda: database.insert("INSERT INTO nowhere VALUES (?)", (1,)),
        lambda: database.execute_many("INSERT INTO nowhere VALUES (?)", [(1,)]),
    ):
        with pytest.raises(StoreUnavailable, match="no such table"):
            wrong()


def test_a_folder_that_is_not_there_holds_no_database(tmp_path: Path):
    with pytest.raises(UnusableDatabase, match="cannot open the database"):
        Database(tmp_path / "nowhere" / "mock.db")


def test_an_older_file_is_refused_where_nobody_migrates_it(path: Path):
    older = sqlite3.connect(path)
    older.executescript(
        f"CREATE TABLE meta (key); PRAGMA application_id = {APPLICATION_ID}; "
        "PRAGMA user_version = 1;"
    )
    older.close()

    with pytest.raises(UnusableDatabase, match="older"):
        Database(path)


def test_a_database_that_nobody_refers_to_is_closed(path: Path):
    Database(path).remember("key", "value")
    gc.collect()

    again = Database(path)
    assert again.meta("key") == "value"
    again.close()
