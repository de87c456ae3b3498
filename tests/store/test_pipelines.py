"""The rows of pipelines: what they are read for, their numbers, their indices."""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.model import DeclaredScenario, PipelineRecord, Scenario
from mock_gitlab.store.database import APPLICATION_ID, VERSION, Database, StoreUnavailable
from mock_gitlab.store.pipelines import PipelineTable
from mock_gitlab.store.scenarios import ScenarioTable
from mock_gitlab.store.status_index import NEW, Filter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORD = PipelineRecord(0, 0, 42, "main", "a" * 40, "trigger", created_at=1, scenario_id=7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mock.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def table(database: Database) -> PipelineTable:
    table = PipelineTable(database)
    table.insert(RECORD)
    return table


def name_of(table: PipelineTable, number: int = 1) -> str | None:
    row = table.of_project(42, number)
    assert row is not None
    return table.read(row).record.name


def test_a_row_is_the_very_same_while_nothing_is_written(table: PipelineTable):
    assert table.of_project(42, 1) is table.of_project(42, 1)


def test_a_new_pipeline_leaves_the_others_as_they_were_read(table: PipelineTable):
    row = table.of_project(42, 1)
    table.insert(RECORD)
    assert table.of_project(42, 1) is row


def test_a_row_that_was_read_is_another_projects_all_the_same(table: PipelineTable):
    assert table.of_project(42, 1) is not None
    assert table.of_project(43, 1) is None


def test_what_is_written_is_read(table: PipelineTable):
    assert name_of(table) is None
    table.rename(1, "release", 2)
    assert name_of(table) == "release"
    table.delete(1)
    assert table.of_project(42, 1) is None


def test_a_scenario_that_is_written_is_read_with_its_pipelines(
    database: Database, table: PipelineTable
):
    row = table.of_project(42, 1)
    assert row is not None
    assert table.read(row).scenario is None
    ScenarioTable(database).upsert([DeclaredScenario(Scenario(7, "seven"), {}, "runtime")])
    row = table.of_project(42, 1)
    assert row is not None
    assert table.read(row).scenario == Scenario(7, "seven")


def test_what_another_connection_commits_is_read(path: Path, table: PipelineTable):
    assert name_of(table) is None
    other = Database(path)
    PipelineTable(other).rename(1, "by another", 2)
    other.close()
    assert name_of(table) == "by another"


def test_others_are_asked_for_as_often_as_one_looks(path: Path, table: PipelineTable):
    other = Database(path)
    shown = []
    for number in range(100):
        PipelineTable(other).rename(1, str(number), 2)
        shown.append(name_of(table))
    other.close()
    assert shown == [str(number) for number in range(100)]


def test_what_is_noted_beside_them_leaves_the_rows_as_they_were_read(
    database: Database, table: PipelineTable
):
    row = table.of_project(42, 1)
    with database.transaction():
        database.remember("rule a", "2")
    assert table.of_project(42, 1) is row


def test_others_commits_are_asked_for_once_in_a_millisecond(path: Path):
    times = [0.0]
    database = Database(path, stopwatch=lambda: times[-1])
    table = PipelineTable(database)
    table.insert(RECORD)
    assert name_of(table) is None
    other = Database(path)
    PipelineTable(other).rename(1, "by another", 2)
    other.close()

    shown = []
    for now in (0.0005, 0.0011):
        times.append(now)
        shown.append(name_of(table))
    database.close()

    assert shown == [None, "by another"]


def test_what_was_read_and_then_taken_back_is_forgotten(database: Database, table: PipelineTable):
    def change() -> None:
        with database.transaction():
            table.rename(1, "taken back", 2)
            assert name_of(table) == "taken back"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert name_of(table) is None


def test_the_rows_that_are_kept_are_bounded(table: PipelineTable):
    for _ in range(1_000):
        table.insert(RECORD)
    first = table.of_project(42, 1)
    for number in range(1, 1_001):
        assert table.of_project(42, number) is not None
    assert table.of_project(42, 1) is not first


# ---------------------------------------------------------------------------- numbers


def numbers(table: PipelineTable, *projects: int) -> list[tuple[int, int]]:
    return [table.insert(RECORD._replace(project_id=project)) for project in projects]


def test_ids_count_on_for_all_and_iids_within_a_project(table: PipelineTable):
    assert numbers(table, 42, 7, 42, 7) == [(2, 2), (3, 1), (4, 3), (5, 2)]


def test_the_numbers_of_a_deleted_pipeline_are_not_given_again(path: Path, table: PipelineTable):
    numbers(table, 42, 7)
    table.delete(3)
    table.delete(2)
    assert numbers(table, 42) == [(4, 3)]
    table.delete(4)
    again = Database(path)
    assert numbers(PipelineTable(again), 42, 7) == [(5, 4), (6, 2)]
    again.close()


def test_two_servers_on_one_file_give_no_number_twice(path: Path, table: PipelineTable):
    other = Database(path)
    theirs = PipelineTable(other)
    given = [numbers(each, 42)[0] for each in (theirs, table, theirs, theirs, table)]
    given += numbers(theirs, 42)
    theirs.delete(7)
    given += numbers(table, 42)
    other.close()
    assert given == [(number, number) for number in range(2, 9)]


def test_a_number_that_another_server_gave_and_deleted_is_not_given(
    path: Path, table: PipelineTable
):
    other = Database(path)
    theirs = PipelineTable(other)
    assert numbers(theirs, 7) == [(2, 1)]
    theirs.delete(2)
    assert numbers(table, 42) == [(3, 2)], "the id"
    assert numbers(theirs, 42) == [(4, 3)]
    theirs.delete(4)
    assert numbers(table, 9, 42) == [(5, 1), (6, 4)], "the iid"
    other.close()


def test_numbers_that_were_taken_back_are_given_again(database: Database, table: PipelineTable):
    def change() -> None:
        with database.transaction():
            assert numbers(table, 42, 7) == [(2, 2), (3, 1)]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert numbers(table, 42, 7) == [(2, 2), (3, 1)]


def test_after_a_reset_numbers_begin_at_1(database: Database, table: PipelineTable):
    numbers(table, 42)
    assert table.newest(42, "main") is not None
    database.forget()
    assert numbers(table, 7, 42) == [(1, 1), (2, 1)]
    assert table.newest(42, "main") is not None


def test_what_a_bridge_has_started_is_not_started_twice(table: PipelineTable):
    started = RECORD._replace(upstream_job_id=100_001)
    table.insert(started)
    with pytest.raises(StoreUnavailable):
        table.insert(started)
    assert numbers(table, 42) == [(3, 3)]


# ---------------------------------------------------------------------------- indices


def test_who_asks_for_a_ref_finds_what_is_new(table: PipelineTable):
    new = RECORD._replace(ref="release")
    assert table.refs(42, tags=False) == ["main"]
    number, _ = table.insert(new)
    found = table.newest(42, "release")
    assert found is not None
    assert found[0] == number
    table.insert(new)
    assert table.refs(42, tags=False) == ["main", "release"]
    assert table.count(Filter(project_id=42, ref="release")) == 2


def test_what_is_new_is_out_of_date_at_once(table: PipelineTable):
    assert table.any_stale(42, 1)
    assert [stored.record.id for stored in table.stale(42, 1)] == [1]


def test_what_is_new_is_found_while_nothing_can_be_written(path: Path, table: PipelineTable):
    other = Database(path)
    other.run("BEGIN IMMEDIATE")
    assert table.newest(42, "main") is not None
    assert table.refs(42, tags=False) == ["main"]
    assert table.count(Filter(project_id=42, ref="main")) == 1
    with pytest.raises(StoreUnavailable):
        table.any_stale(42, 1)
    other.run("ROLLBACK")
    other.close()


def test_what_can_be_done_without_waits_for_nobody(database: Database):
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


def test_a_list_that_finds_its_rows_in_order_counts_them_in_an_index(
    database: Database, table: PipelineTable
):
    for order in ("id", "status", "ref"):
        wanted = Filter(project_id=42, order_by=order)
        where, values = wanted.where(indexed=wanted.narrows_by_index)
        plan = database.all(f"EXPLAIN QUERY PLAN SELECT 1 FROM pipelines p WHERE {where}", values)
        assert ["COVERING INDEX" in row[3] for row in plan] == [True]


def test_no_more_than_some_hundreds_wait_for_the_indices(database: Database, table: PipelineTable):
    waiting = []
    for _ in range(1_200):
        table.insert(RECORD)
        row = database.one(f"SELECT count(*) FROM pipelines WHERE status_until = {NEW}")
        assert row is not None
        waiting.append(row[0])
    assert max(waiting) < 500
    assert waiting.count(0) == 2


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Filter(project_id=42, ref="main"), "pipelines_by_ref"),
        (Filter(project_id=42, statuses=["failed"]), "pipelines_by_status"),
        (Filter(project_id=42), "pipelines_by_iid"),
    ],
)
def test_lists_are_read_from_an_index(
    database: Database, table: PipelineTable, wanted: Filter, index: str
):
    where, values = wanted.where(indexed=wanted.narrows_by_index)
    plan = database.all(
        f"EXPLAIN QUERY PLAN SELECT id FROM pipelines p WHERE {where} ORDER BY p.iid DESC", values
    )
    assert [index in row[3] for row in plan] == [True]


# ---------------------------------------------------------------------------- older files


def test_a_file_of_an_earlier_schema_goes_on(tmp_path: Path):
    schema = (files("mock_gitlab.store") / "schema.sql").read_text(encoding="utf-8")
    for now, before in (
        ("id                     INTEGER PRIMARY KEY,", "id INTEGER PRIMARY KEY AUTOINCREMENT,"),
        (", (0, old.id)", ""),
        ("\n    WHERE status_until IS NOT -1", ""),
        ("WHERE status_until >= 0", "WHERE status_until IS NOT NULL"),
    ):
        assert now in schema
        schema = schema.replace(now, before)
    older = sqlite3.connect(tmp_path / "older.db")
    older.executescript(f"{schema} PRAGMA application_id = {APPLICATION_ID};")
    older.executescript(f"PRAGMA user_version = {VERSION};")
    older.execute(
        "INSERT INTO pipelines (project_id, iid, ref, sha, created_at, updated_at) "
        "VALUES (42, 1, 'main', '', 1, 1), (42, 2, 'main', '', 1, 1)"
    )
    older.execute("DELETE FROM pipelines WHERE id = 2")
    older.commit()
    older.close()

    database = Database(tmp_path / "older.db")
    table = PipelineTable(database)
    assert numbers(table, 42, 7) == [(3, 3), (4, 1)]
    newest = table.newest(42, "main")
    assert newest is not None
    assert newest[0] == 3
    table.delete(4)
    assert numbers(PipelineTable(database), 42) == [(5, 4)]
    database.close()
