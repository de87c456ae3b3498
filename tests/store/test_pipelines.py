"""The rows of pipelines, which are read again only where they may have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.model import DeclaredScenario, PipelineRecord, Scenario
from mock_gitlab.engine.timeline import Window
from mock_gitlab.store.database import Database
from mock_gitlab.store.pipelines import PipelineTable
from mock_gitlab.store.scenarios import ScenarioTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORD = PipelineRecord(0, 0, 42, "main", "a" * 40, "trigger", created_at=1, scenario_id=7)
WINDOW = Window("running", 1, None)


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
    table.insert(RECORD, WINDOW)
    return table


def name_of(table: PipelineTable, number: int = 1) -> str | None:
    row = table.of_project(42, number)
    assert row is not None
    return table.read(row).record.name


def test_a_row_is_the_very_same_while_nothing_is_written(table: PipelineTable):
    assert table.of_project(42, 1) is table.of_project(42, 1)


def test_a_new_pipeline_leaves_the_others_as_they_were_read(table: PipelineTable):
    row = table.of_project(42, 1)
    table.insert(RECORD, WINDOW)
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
        table.insert(RECORD, WINDOW)
    first = table.of_project(42, 1)
    for number in range(1, 1_001):
        assert table.of_project(42, number) is not None
    assert table.of_project(42, 1) is not first
