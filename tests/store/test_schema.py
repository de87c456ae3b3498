"""The tables are those of the specification, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mock_gitlab.store.database import Database

# Name, type, whether NOT NULL, default, whether the primary key.
SCENARIOS = [
    ("scenario_id", "INTEGER", 0, None, 1),
    ("name", "TEXT", 1, None, 0),
    ("terminal_after_seconds", "INTEGER", 0, None, 0),
    ("terminal_status", "TEXT", 0, "'success'", 0),
    ("never_complete", "INTEGER", 0, "0", 0),
]
PIPELINES = [
    ("id", "INTEGER", 0, None, 1),
    ("project_id", "INTEGER", 1, None, 0),
    ("ref", "TEXT", 1, None, 0),
    ("sha", "TEXT", 1, None, 0),
    ("status", "TEXT", 0, "'running'", 0),
    ("variables_json", "TEXT", 0, None, 0),
    ("scenario_id", "INTEGER", 0, None, 0),
    ("terminal_after_seconds", "INTEGER", 0, None, 0),
    ("terminal_status", "TEXT", 0, None, 0),
    ("created_at", "DATETIME", 0, None, 0),
    ("updated_at", "DATETIME", 0, None, 0),
]


@pytest.mark.parametrize(("table", "columns"), [("scenarios", SCENARIOS), ("pipelines", PIPELINES)])
def test_a_table_begins_with_the_columns_of_the_specification(
    database: Database, table: str, columns: list[tuple[object, ...]]
):
    found = [row[1:] for row in database.all(f"PRAGMA table_info({table})")]

    assert found[: len(columns)] == columns


def test_ids_of_pipelines_are_never_given_twice(database: Database):
    row = database.one("SELECT sql FROM sqlite_master WHERE name = 'pipelines'")
    assert row is not None
    assert "INTEGER PRIMARY KEY AUTOINCREMENT" in row[0]


def test_a_pipeline_refers_to_its_scenario(database: Database):
    [[_, _, table, column, referred, *_], *_] = [
        row for row in database.all("PRAGMA foreign_key_list(pipelines)") if row[2] == "scenarios"
    ]
    assert (table, column, referred) == ("scenarios", "scenario_id", "scenario_id")
