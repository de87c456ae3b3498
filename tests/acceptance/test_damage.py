"""Somebody has edited the database by hand: whatever it says then, the server never answers 500."""

from __future__ import annotations

import copy
import gc
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.store.errors import StoreUnavailable
from tests.conftest import Mock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_gitlab.store.database import Database

WRONG: tuple[Any, ...] = (None, True, 7, -1, 1.5, "x", [], {}, [1], {"a": 1}, 10**30)
"""What is written over each value within JSON."""
WRONG_COLUMNS = (None, -1, 1.5, "x", b"\xff", 2**62)
"""What is written over each column; SQLite takes any type, but for the keys of rows."""
SCENARIO = {
    "stages": ["build", "test", "deploy"],
    "jobs": [
        {
            "name": "compile",
            "stage": "build",
            "duration": 5,
            "pending_seconds": 1,
            "tags": ["linux"],
            "coverage": 5.5,
            "artifacts": [{"path": "a.txt", "content": "a"}],
            "retry": {"max": 1, "when": ["script_failure"]},
            "attempts": [{"duration": 3, "status": "failed", "failure_reason": "script_failure"}],
        },
        {
            "name": "unit",
            "stage": "test",
            "needs": ["compile"],
            "allow_failure": {"exit_codes": [3]},
            "environment": {"name": "prod", "auto_stop_in": "1h"},
        },
        {"name": "approve", "stage": "test", "when": "manual"},
        {
            "name": "bridge",
            "stage": "deploy",
            "downstream": {"project": "1", "scenario": 1, "variables": {"A": "b"}},
        },
    ],
    "test_report": {"suites": [{"name": "s", "cases": [{"name": "c", "status": "failed"}]}]},
    "faults": [
        {
            "when": {"path": "/never"},
            "respond": {"status": 400, "headers": {"A": "b"}, "body": {"x": [1]}},
        }
    ],
}
RULES = """
projects: [{id: 1, path: group/app, trigger_tokens: [{token: declared}]}]
rules:
  - {when: {ref: main, variables: {A: "1"}, inputs: {level: 3}}, scenario: 5}
"""
HOOK = {
    "url": "http://127.0.0.1:9/",
    "token": "secret",
    "custom_headers": [{"key": "A", "value": "b"}],
    "pipeline_events": True,
}
COURSE = (
    "GET /api/v4/projects/1/pipelines?status=failed",
    "GET /api/v4/projects/1/pipelines/1",
    "GET /api/v4/projects/1/pipelines/1/bridges",
    "GET /api/v4/projects/1/pipelines/1/jobs?include_retried=true",
    "POST /api/v4/projects/1/pipelines/1/retry",
    "POST /_mock/clock/next",
)
CALLS = {
    "pipelines": (
        *COURSE,
        "GET /api/v4/projects/1/pipelines/1/variables",
        "GET /api/v4/projects/1/repository/branches",
        "GET /_mock/pipelines",
        "GET /_mock/pipelines/1",
    ),
    "scenarios": (
        *COURSE,
        "GET /api/v4/projects/1/pipelines/1/test_report",
        "POST /api/v4/projects/1/trigger/pipeline",
    ),
    "projects": ("GET /api/v4/projects", "GET /api/v4/projects/1", "GET /_mock/pipelines"),
    "trigger_tokens": (
        "GET /api/v4/projects/1/triggers",
        "POST /api/v4/projects/1/trigger/pipeline",
    ),
    "rule_sets": ("GET /_mock/pipelines/2", "POST /api/v4/projects/1/trigger/pipeline"),
    "environments": ("GET /api/v4/projects/1/environments", "POST /api/v4/projects/1/deployments"),
    "deployments": ("GET /api/v4/projects/1/deployments", "GET /api/v4/projects/1/environments"),
    "posted_statuses": (
        "GET /api/v4/projects/1/pipelines/1",
        "GET /api/v4/projects/1/pipelines?status=failed",
        "POST /api/v4/projects/1/statuses/main",
        "POST /_mock/clock/next",
        "GET /_mock/pipelines/1",
    ),
    "hooks": ("GET /api/v4/projects/1/hooks", "POST /_mock/clock/next", "GET /_mock/deliveries"),
}
"""The calls that read each table."""
BODIES: dict[str, Any] = {
    "/api/v4/projects/1/trigger/pipeline": {
        "ref": "main",
        "scenario_id": 900,
        "token": "declared",
        "variables": {"A": "1"},
    },
    "/api/v4/projects/1/deployments": {
        "environment": "prod",
        "ref": "main",
        "sha": "a" * 40,
        "tag": False,
        "status": "success",
    },
    "/api/v4/projects/1/statuses/main": {"state": "running", "pipeline_id": 1, "coverage": 5.5},
}


@pytest.fixture
def used(mock_with: Callable[..., Mock], table: str) -> Mock:
    """A mock in which something stands in every table; only with a webhook does a task run."""
    mock = mock_with(RULES)
    mock.declare(900, **SCENARIO)
    mock.trigger(scenario_id=900, variables={"A": "1"}, inputs={"level": 3})
    mock.trigger(variables={"A": "1"}, inputs={"level": 3})
    for action in ("cancel", "retry"):
        assert mock.post(f"/api/v4/projects/1/pipelines/1/{action}").is_success
    mock.advance("20s")
    deployment = "/api/v4/projects/1/deployments"
    assert mock.post(deployment, json=BODIES[deployment]).is_success
    prod = mock.get("/api/v4/projects/1/environments").json()[0]["id"]
    assert mock.post(f"/api/v4/projects/1/environments/{prod}/stop").json()["state"] == "stopped"
    status = "/api/v4/projects/1/statuses/main"
    assert table != "posted_statuses" or mock.post(status, json=BODIES[status]).is_success
    assert table != "hooks" or mock.post("/api/v4/projects/1/hooks", json=HOOK).is_success
    assert mock.get("/api/v4/projects/9/pipelines?status=failed").status_code == 200
    return Mock(mock.app, headers=mock.headers, raise_server_exceptions=False)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner if isinstance(value, (dict, list)) else ():
        yield from (
            places(item, (*above, key)) if isinstance(item, (dict, list)) else [(*above, key)]
        )


def with_value(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    *above, last = place
    changed = within = copy.deepcopy(value)
    for key in above:
        within = within[key]
    within[last] = new
    return changed


def damages(column: Any) -> Iterator[Any]:
    """Say what to write over a column."""
    if not (isinstance(column, str) and column[:1] in ("{", "[")):
        yield from WRONG_COLUMNS
        return
    value = json.loads(column)
    for number, place in enumerate(places(value)):
        # One of the wrong values for each place, in turns: all of them take minutes.
        yield json.dumps(with_value(value, place, WRONG[number % len(WRONG)]))


@pytest.mark.parametrize("table", CALLS)
def test_no_value_that_somebody_has_written_over_another_is_an_internal_error(
    used: Mock, table: str
):
    world = used.app.worlds.default  # type: ignore[attr-defined]  # the application is ours
    database = world._db
    names = [row[1] for row in database.all(f"PRAGMA table_info({table})")]
    which = "scenario_id = 900" if table == "scenarios" else "1"
    row = database.one(f"SELECT * FROM {table} WHERE {which}")
    pristine = database.copy()
    seen: set[int] = set()
    for name, value in zip(names, row, strict=True):
        for damage in damages(value):
            try:
                database.execute(f"UPDATE {table} SET {name} = ? WHERE {which}", (damage,))
            except StoreUnavailable:  # SQLite refuses it: nobody can write it
                continue
            seen |= statuses(used, CALLS[table], f"{table}.{name} = {damage!r}")
            restore(database, pristine)
    assert 503 in seen
    assert 200 in seen


def restore(database: Database, pristine: Database) -> None:
    for _ in range(20):
        try:
            pristine._connection.backup(database._connection)
        except (sqlite3.Error, SystemError):  # the task that delivers webhooks has just read it
            gc.collect()
        else:
            return
    raise AssertionError("the database is in use")


def statuses(mock: Mock, calls: tuple[str, ...], damage: str) -> set[int]:
    """Make all calls, and return the statuses of their answers, which are no 500."""
    seen = set()
    for call in calls:
        forget(mock)
        method, path = call.split()
        seen.add(status := mock.request(method, path, json=BODIES.get(path, {})).status_code)
        assert status != 500, f"{call} after {damage}"
    return seen


def forget(mock: Mock) -> None:
    """Let everything be read again, as after a start."""
    world = mock.app.worlds.default  # type: ignore[attr-defined]  # the application is ours
    world.pipelines.timelines.drop_all()
    for forget_rows in world._db._after_rollback:
        forget_rows()
