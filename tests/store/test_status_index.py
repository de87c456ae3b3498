"""What lists need: indices that new pipelines enter late, and statuses that are stored."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.instants import LATEST
from mock_gitlab.store.errors import StoreUnavailable
from mock_gitlab.store.status_index import Filter, StatusIndex

from .conftest import RECORD

if TYPE_CHECKING:
    from pathlib import Path

    from mock_gitlab.store.database import Database
    from mock_gitlab.store.pipelines import PipelineTable


def test_who_asks_for_a_ref_finds_what_is_new(table: PipelineTable, index: StatusIndex):
    assert index.refs(42, tags=False) == ["main"]
    new = table.insert(RECORD._replace(ref="release"))
    index.added("push")

    assert index.newest(42, "release") == new.id
    assert index.refs(42, tags=False) == ["main", "release"]
    assert index.count(Filter(project_id=42, ref="release")) == 1


def test_a_new_pipeline_has_a_stale_status(index: StatusIndex):
    assert index.is_stale(42, 1)
    assert [stored.record.id for stored in index.stale(42, 1)] == [1]


def test_a_stored_status_is_stale_from_its_end_on(index: StatusIndex):
    index.enter()
    index.store([("running", 1, 5_000, 1)])

    assert not index.is_stale(42, 4_999)
    assert index.is_stale(42, 5_000)


def test_a_status_that_holds_for_good_is_never_stale_unless_it_is_invalidated(index: StatusIndex):
    index.enter()
    index.store([("success", 5_000, None, 1)])
    assert not index.is_stale(42, LATEST)

    index.invalidate_after(4_999)
    assert index.is_stale(42, 0)


def test_a_status_may_hold_beyond_the_years_that_can_be_written(index: StatusIndex):
    index.enter()
    index.store([("running", 5_000, 2**60, 1)])

    assert not index.is_stale(42, LATEST)


def test_declaring_a_scenario_invalidates_what_follows_it_and_nothing_else(
    table: PipelineTable, index: StatusIndex
):
    table.insert(RECORD._replace(scenario_id=8))
    index.enter()
    index.store([("success", 5_000, None, 1), ("success", 5_000, None, 2)])

    index.invalidate_scenarios([8])

    assert [stored.record.id for stored in index.stale(42, 0)] == [2]


def test_a_list_whose_filter_was_rolled_back_finds_new_pipelines_again(
    database: Database, index: StatusIndex
):
    def change() -> None:
        with database.transaction():
            index.enter()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert index.newest(42, "main") == 1


def test_new_pipelines_are_found_by_ref_while_nothing_can_be_written(
    path: Path, table: PipelineTable, index: StatusIndex
):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    wanted = Filter(project_id=42, ref="main")

    assert index.newest(42, "main") == 1
    assert index.refs(42, tags=False) == ["main"]
    assert index.refs(42, tags=True) == []
    assert (index.count(wanted), [row.id for row in index.page(wanted, 20, 0)]) == (1, [1])
    with pytest.raises(StoreUnavailable):
        index.page(Filter(project_id=42, newest_of="branches"), 20, 0)
    other.close()


def test_a_list_that_finds_its_rows_in_order_counts_them_in_an_index(
    database: Database, table: PipelineTable
):
    for order in ("id", "status", "ref"):
        wanted = Filter(project_id=42, order_by=order)
        where, values = wanted.where(indexed=wanted.narrows_by_index)
        plan = database.all(f"EXPLAIN QUERY PLAN SELECT 1 FROM pipelines p WHERE {where}", values)
        assert ["COVERING INDEX" in row[3] for row in plan] == [True]


def test_no_more_than_some_hundreds_wait_for_the_indices(
    database: Database, table: PipelineTable, index: StatusIndex
):
    waiting = []
    for _ in range(1_200):
        table.insert(RECORD)
        index.added("push")
        row = database.one("SELECT count(*) FROM pipelines WHERE NOT listed")
        assert row is not None
        waiting.append(row[0])
    assert max(waiting) <= 500
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


def test_stale_statuses_are_found_in_an_index(database: Database, table: PipelineTable):
    plan = database.all(
        "EXPLAIN QUERY PLAN SELECT 1 FROM pipelines p WHERE p.project_id = ? "
        "AND p.listed AND p.status_until IS NOT NULL AND p.status_until <= ?",
        (42, ""),
    )
    assert ["pipelines_to_refresh" in row[3] for row in plan] == [True]


def test_an_index_of_a_stored_child_pipeline_knows_that_there_is_one(
    database: Database, table: PipelineTable, index: StatusIndex
):
    assert not index.has_children
    table.insert(RECORD._replace(source="parent_pipeline", ref="child"))
    again = StatusIndex(database)

    assert again.has_children
    assert again.newest(42, "child") is None
    assert again.count(Filter(project_id=42, ref="child", children=False)) == 0
    assert again.count(Filter(project_id=42, ref="child")) == 1
