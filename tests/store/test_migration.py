"""A database of an earlier version is migrated when it is opened."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mock_gitlab.engine.external import StatusAct
from mock_gitlab.engine.model import Action, PipelineRecord, ScenarioChoice, Variable
from mock_gitlab.store.database import Database
from mock_gitlab.store.deployments import DeploymentTable
from mock_gitlab.store.errors import UnusableDatabase
from mock_gitlab.store.hooks import DeliveryTable, HookTable
from mock_gitlab.store.migration import migrate
from mock_gitlab.store.opening import APPLICATION_ID
from mock_gitlab.store.pipelines import PipelineTable
from mock_gitlab.store.projects import ProjectTable, TokenTable
from mock_gitlab.store.scenarios import ScenarioTable
from mock_gitlab.store.status_index import StatusIndex
from mock_gitlab.store.statuses import StatusTable

SCHEMA = Path(__file__).with_name("version_1.sql").read_text(encoding="utf-8")
COUNTING = ("id                     INTEGER PRIMARY KEY,", "id INTEGER PRIMARY KEY AUTOINCREMENT,")
NOW = 1_767_225_600_123
PIPELINE: dict[str, Any] = {
    "project_id": 42,
    "iid": 3,
    "ref": "main",
    "sha": "a" * 40,
    "status": "success",
    "source": "api",
    "tag": 1,
    "name": "release",
    "variables_json": '[["ENV","prod","env_var",false],["FILE","x","file",false]]',
    "scenario_id": 900,
    "terminal_after_seconds": 1.5,
    "terminal_status": "failed",
    "actions_json": f'[["cancel",{NOW},null,[]],["retry",{NOW + 1},700001]]',
    "polls": 2,
    "polled_at": NOW + 2,
    "renamed_at": NOW + 3,
    "matched_json": json.dumps({"by": "rule", "rule": "mock.yaml:3", "passed": []}),
    "upstream_job_id": 600_001,
    "created_at": NOW,
    "updated_at": NOW + 4,
    "status_until": None,
}


WITHOUT_VERSION_5 = (
    "DROP TRIGGER delete_posted_statuses; DROP TABLE posted_statuses; DROP INDEX child_pipelines; "
)
WITHOUT_VERSION_4 = (
    f"{WITHOUT_VERSION_5} DROP TABLE environments; DROP TABLE deployments; "
    "DROP TABLE deleted_deployments; "
    "DROP INDEX pipelines_by_declaration; ALTER TABLE pipelines DROP COLUMN declared;"
)


def make_older(path: Path, schema: str = SCHEMA) -> None:
    """Write a file of version 1: a scenario, a token, a project, a pipeline and a deleted one."""
    older = sqlite3.connect(path)
    older.executescript(schema)
    older.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
    columns = ", ".join(PIPELINE)
    insert = f"INSERT INTO pipelines (id, {columns}) VALUES ({', '.join('?' * 22)})"
    older.execute(insert, (7, *PIPELINE.values()))
    older.execute(insert, (9, *{**PIPELINE, "iid": 8, "upstream_job_id": None}.values()))
    older.execute("DELETE FROM pipelines WHERE id = 9")
    older.execute(
        "INSERT INTO scenarios VALUES (900, 'nine', 2.25, 'failed', 0, '{}', '{\"a\":1}', "
        "'runtime', NULL, NULL), (901, 'open', NULL, 'success', 1, '{}', '{}', 'runtime', NULL, 1)"
    )
    older.execute("INSERT INTO projects VALUES (1001, 'group/app')")
    older.execute("INSERT INTO meta VALUES ('salt', 'pepper'), ('entered', '7')")
    for number in (1, 2):
        older.execute(
            "INSERT INTO trigger_tokens (project_id, token, created_at, updated_at, last_used) "
            f"VALUES (42, 'token {number}', {NOW}, {NOW}, {NOW})"
        )
    older.execute("DELETE FROM trigger_tokens WHERE id = 2")
    older.commit()
    older.close()


@pytest.fixture(params=["numbers in last_iids", "numbers that the table counts"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    schema = SCHEMA
    if request.param == "numbers that the table counts":
        assert COUNTING[0] in schema
        schema = schema.replace(*COUNTING).replace(", (0, old.id)", "")
    make_older(tmp_path / "older.db", schema)
    database = Database(tmp_path / "older.db", migrate=migrate)
    yield database
    database.close()


def test_a_pipeline_is_recorded_as_before(migrated: Database):
    stored = PipelineTable(migrated).get(7)

    assert stored is not None
    assert stored.record == PipelineRecord(
        id=7,
        iid=3,
        project_id=42,
        ref="main",
        sha="a" * 40,
        source="api",
        created_at=NOW,
        tag=True,
        name="release",
        variables=(Variable("ENV", "prod"), Variable("FILE", "x", "file")),
        scenario_id=900,
        terminal_after=1_500,
        terminal_status="failed",
        actions=(Action("cancel", NOW), Action("retry", NOW + 1, 700_001)),
        polls=2,
        polled_at=NOW + 2,
        renamed_at=NOW + 3,
        choice=ScenarioChoice("rule", "mock.yaml:3", None, 0),
        upstream_job_id=600_001,
    )


def test_scenarios_projects_and_tokens_are_as_before(migrated: Database):
    nine, still_open = ScenarioTable(migrated).select()
    assert (nine.scenario.terminal_after, nine.definition) == (2_250, {"a": 1})
    assert (still_open.scenario.terminal_after, still_open.scenario.never_complete) == (None, True)
    assert ProjectTable(migrated).all() == {1001: "group/app"}
    [token] = TokenTable(migrated).all()
    assert (token.token, token.created_at, token.last_used) == ("token 1", NOW, NOW)
    assert migrated.meta("salt") == "pepper"


def test_no_number_is_given_twice(migrated: Database):
    assert TokenTable(migrated).next_number() == 3
    new = PipelineTable(migrated).insert(PipelineRecord(0, 0, 42, "main", "", "api", NOW))
    assert (new.id, new.iid) == (10, 9)


def test_lists_find_what_was_there(migrated: Database):
    assert StatusIndex(migrated).newest(42, "main") == 7


def test_a_migrated_file_is_opened_without_migrating_it_again(tmp_path: Path):
    make_older(tmp_path / "older.db")
    Database(tmp_path / "older.db", migrate=migrate).close()
    again = Database(tmp_path / "older.db")
    assert PipelineTable(again).get(7) is not None
    again.close()


def test_a_file_that_cannot_be_migrated_is_left_as_it_was(tmp_path: Path):
    make_older(tmp_path / "older.db")
    broken = sqlite3.connect(tmp_path / "older.db")
    broken.execute("UPDATE pipelines SET variables_json = 'no JSON'")
    broken.commit()
    broken.close()

    with pytest.raises(UnusableDatabase, match="cannot use the database"):
        Database(tmp_path / "older.db", migrate=migrate)

    kept = sqlite3.connect(tmp_path / "older.db")
    assert kept.execute("PRAGMA user_version").fetchone() == (1,)
    assert kept.execute("SELECT variables_json FROM pipelines").fetchone() == ("no JSON",)
    kept.close()


def test_a_file_of_version_3_keeps_its_deliveries_and_takes_two_events_of_a_job(tmp_path: Path):
    Database(tmp_path / "older.db").close()
    older = sqlite3.connect(tmp_path / "older.db")
    older.executescript(
        f"{WITHOUT_VERSION_4} DROP TABLE hook_deliveries; "
        "CREATE TABLE hook_deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, hook_id, event, "
        "pipeline_id, job_id, status, at, try, state, body, key, event_uuid, response_json, "
        "UNIQUE (hook_id, pipeline_id, job_id, at, status, try));"
        "CREATE INDEX hook_deliveries_due ON hook_deliveries (state) WHERE state = 'due';"
        "PRAGMA user_version = 3"
    )
    at = "2026-01-01T00:00:00.000Z"
    older.execute(
        "INSERT INTO hook_deliveries VALUES "
        f"(7, 1, 'job_events', 2, 200001, 'running', '{at}', 0, 'due', '{{}}', 'k', 'e', NULL)"
    )
    older.commit()
    older.close()

    database = Database(tmp_path / "older.db", migrate=migrate)
    table = DeliveryTable(database)
    [kept] = table.newest(9, None, None, None)
    assert (kept.id, kept.event.event, kept.key) == (7, "job_events", "k")
    told = kept.event._replace(event="deployment_events")
    assert table.insert(told, "due", "{}", "l", "f") == 8
    assert DeploymentTable(database).environments(1) == []
    assert PipelineTable(database).declared() == {}
    database.close()


def test_a_file_of_version_4_gets_the_table_of_posted_statuses(tmp_path: Path):
    Database(tmp_path / "older.db").close()
    older = sqlite3.connect(tmp_path / "older.db")
    older.executescript(f"{WITHOUT_VERSION_5} PRAGMA user_version = 4")
    older.close()

    database = Database(tmp_path / "older.db", migrate=migrate)
    pipelines, statuses = PipelineTable(database), StatusTable(database)
    number = pipelines.insert(PipelineRecord(0, 0, 42, "main", "", "api", NOW)).id
    act = StatusAct(NOW, 0, "ci", "success")
    statuses.insert(number, act)
    assert (statuses.pipelines(), statuses.of_pipeline(number)) == ({number}, [act])
    pipelines.delete(number)
    assert statuses.pipelines() == set()
    database.close()


def test_a_file_of_version_2_gets_the_tables_of_webhooks(tmp_path: Path):
    Database(tmp_path / "older.db").close()
    older = sqlite3.connect(tmp_path / "older.db")
    older.executescript(
        f"{WITHOUT_VERSION_4} DROP TABLE hooks; DROP TABLE hook_deliveries; PRAGMA user_version = 2"
    )
    older.close()

    database = Database(tmp_path / "older.db", migrate=migrate)
    assert HookTable(database).select() == []
    assert DeliveryTable(database).newest(1, None, None, None) == []
    database.close()
