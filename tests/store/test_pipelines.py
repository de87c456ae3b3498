"""The rows of pipelines: what is recorded, and their numbers."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.engine.model import (
    Action,
    DeclaredScenario,
    PipelineRecord,
    Scenario,
    ScenarioChoice,
    Variable,
)
from mock_gitlab.store.database import Database
from mock_gitlab.store.errors import StoreUnavailable
from mock_gitlab.store.pipelines import PipelineTable
from mock_gitlab.store.scenarios import ScenarioTable

from .conftest import RECORD

if TYPE_CHECKING:
    from pathlib import Path

EVERYTHING = RECORD._replace(
    tag=True,
    name="release",
    variables=(
        Variable("ENV", "prod"),
        Variable("FILE", "text", "file"),
        Variable("RAW", "$x", raw=True),
    ),
    terminal_after=1_500,
    terminal_status="failed",
    choice=ScenarioChoice("rule", "mock.yaml:3", "key", 4, 1, '{"level":3}'),
    upstream_job_id=700_001,
)


def record_of(table: PipelineTable, number: int = 1) -> PipelineRecord:
    stored = table.get(number)
    assert stored is not None
    return stored.record


def test_what_is_recorded_is_read(table: PipelineTable):
    inserted = table.insert(EVERYTHING)

    assert record_of(table, 2) == inserted == EVERYTHING.numbered(2, 2)


def test_what_grows_is_read(table: PipelineTable):
    table.append_action(1, Action("cancel", 2_000), fresh_attempt=False)
    table.append_action(
        1, Action("delete_downstream", 3_000, 100_001, ((2_500, "running"),)), fresh_attempt=False
    )
    table.count_poll(1, 4_000)
    table.rename(1, "new", 5_000)

    grown = record_of(table)
    assert [action.name for action in grown.actions] == ["cancel", "delete_downstream"]
    assert grown.actions[1] == Action("delete_downstream", 3_000, 100_001, ((2_500, "running"),))
    assert (grown.polls, grown.polled_at) == (1, 4_000)
    assert (grown.name, grown.renamed_at) == ("new", 5_000)


def test_a_retry_starts_the_count_of_polls_anew(table: PipelineTable):
    table.count_poll(1, 4_000)
    table.append_action(1, Action("retry", 5_000), fresh_attempt=True)

    assert (record_of(table).polls, record_of(table).polled_at) == (0, None)


def test_a_pipeline_is_read_with_its_scenario_if_there_is_one(
    database: Database, table: PipelineTable
):
    stored = table.get(1)
    assert stored is not None
    assert stored.scenario is None

    ScenarioTable(database).upsert([DeclaredScenario(Scenario(7, "seven"), {}, "runtime")])

    stored = table.get(1)
    assert stored is not None
    assert stored.scenario == Scenario(7, "seven")


def test_somebody_with_the_sqlite_shell_reads_a_row_without_a_manual(
    path: Path, table: PipelineTable
):
    table.insert(EVERYTHING)
    table.append_action(2, Action("cancel", 2_000), fresh_attempt=False)
    other = sqlite3.connect(path)
    row: tuple[Any, ...] = other.execute(
        "SELECT variables_json, terminal_after_seconds, terminal_status, created_at, actions_json "
        "FROM pipelines WHERE id = 2"
    ).fetchone()
    other.close()

    variables, seconds, status, created_at, actions = row
    assert json.loads(variables) == {"ENV": "prod", "FILE": "text", "RAW": "$x"}
    assert (seconds, status) == (1, "failed")
    assert created_at == "1970-01-01T00:00:00.001Z"
    assert json.loads(actions) == [{"action": "cancel", "at": "1970-01-01T00:00:02.000Z"}]


@pytest.mark.parametrize(
    ("column", "damage"),
    [
        ("variables_json", "no JSON"),
        ("variables_json", "[]"),
        ("actions_json", "[1]"),
        ("actions_json", "[{}]"),
        ("created_at", "yesterday"),
        ("created_at", 7),
    ],
)
def test_a_damaged_row_is_a_store_that_is_unavailable(
    database: Database, table: PipelineTable, column: str, damage: object
):
    database.execute(f"UPDATE pipelines SET {column} = ?", (damage,))

    with pytest.raises(StoreUnavailable, match="the row of pipeline 1 is damaged"):
        table.get(1)


# ---------------------------------------------------------------------------- numbers


def numbers(table: PipelineTable, *projects: int) -> list[tuple[int, int]]:
    inserted = [table.insert(RECORD._replace(project_id=project)) for project in projects]
    return [(record.id, record.iid) for record in inserted]


def test_ids_count_on_for_all_and_iids_within_a_project(table: PipelineTable):
    assert numbers(table, 42, 7, 42, 7) == [(2, 2), (3, 1), (4, 3), (5, 2)]


def test_the_numbers_of_a_deleted_pipeline_are_not_given_again(
    path: Path, database: Database, table: PipelineTable
):
    numbers(table, 42, 7)
    table.delete(3)
    table.delete(2)
    assert numbers(table, 42) == [(4, 3)]
    table.delete(4)
    database.close()

    again = Database(path)
    assert numbers(PipelineTable(again), 42, 7) == [(5, 4), (6, 2)]
    again.close()


def test_numbers_that_were_rolled_back_are_given_again(database: Database, table: PipelineTable):
    def change() -> None:
        with database.transaction():
            assert numbers(table, 42, 7) == [(2, 2), (3, 1)]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert numbers(table, 42, 7) == [(2, 2), (3, 1)]


def test_after_a_reset_numbers_begin_at_1(database: Database, table: PipelineTable):
    numbers(table, 42)
    database.clear()
    table.restart_numbers()

    assert numbers(table, 7, 42) == [(1, 1), (2, 1)]


def test_a_bridge_starts_no_pipeline_twice(table: PipelineTable):
    started = RECORD._replace(upstream_job_id=100_001)
    table.insert(started)

    with pytest.raises(StoreUnavailable):
        table.insert(started)

    assert numbers(table, 42) == [(3, 3)]
