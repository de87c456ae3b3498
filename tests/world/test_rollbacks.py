"""What a world knows after a step was rolled back, and after it was told something new."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.store.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_gitlab.store.database import Database
    from tests.conftest import Mock

BRIDGE = {"name": "b", "stage": "two", "downstream": {"project": "g/x", "scenario": 0}}
JOBS = [{"name": "a", "stage": "one", "duration": 5}, BRIDGE]


def paths(mock: Mock) -> list[tuple[int, str]]:
    return [
        (project["id"], project["path_with_namespace"])
        for project in mock.get("/api/v4/projects?sort=asc").json()
    ]


def test_a_project_that_was_rolled_back_keeps_no_number(mock: Mock):
    mock.declare(900, jobs=JOBS)
    mock.trigger(scenario_id=900)
    assert mock.post("/_mock/clock/next", json={"project_id": 5}).json()["changes"] == []

    triggered = mock.trigger("g%2Fx")
    mock.get("/api/v4/projects/g%2Fy/pipelines")

    assert mock.pipeline(triggered["id"], "g%2Fx")["project_id"] == triggered["project_id"]
    assert len({number for number, _ in paths(mock)}) == len(paths(mock))
    assert len(mock.get("/api/v4/projects/g%2Fx/pipelines").json()) == 1
    assert mock.get("/api/v4/projects/g%2Fy/pipelines").json() == []


@contextmanager
def refusing(database: Database) -> Iterator[None]:
    """Let every new row be read and then refused, as a full disk does at the COMMIT."""
    database.execute("CREATE TABLE room (id INTEGER PRIMARY KEY)")
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("CREATE TABLE needed (id REFERENCES room DEFERRABLE INITIALLY DEFERRED)")
    database.execute(
        "CREATE TRIGGER full AFTER UPDATE ON pipelines BEGIN INSERT INTO needed VALUES (1); END"
    )
    yield
    database.execute("DROP TRIGGER full")


def test_what_is_declared_is_known_although_it_could_not_be_read_again(
    mock_with: Callable[..., Mock],
):
    mock = mock_with("strict: true\nprojects: [{id: 42, path: group/app}]\n")
    world = mock.app.worlds.default  # type: ignore[attr-defined]  # the application is ours
    created = mock.post("/api/v4/projects/42/pipeline", json={"ref": "main"}).json()
    with refusing(world._db), pytest.raises(StoreUnavailable):
        world.pipelines.rename(created["id"], "new")
    world._db.execute("ALTER TABLE projects RENAME TO away")
    assert mock.get("/api/v4/projects/42").status_code == 503
    world._db.execute("ALTER TABLE away RENAME TO projects")

    assert mock.get("/api/v4/projects/42").status_code == 200


def test_a_list_says_what_a_poll_says_after_a_reload_of_projects(mock_with: Callable[..., Mock]):
    mock = mock_with("projects: [{id: 1, path: group/app}, {id: 2, path: g/x}]\n")
    app: Any = mock.app
    mock.declare(900, jobs=[JOBS[0], {**BRIDGE, "when": "always"}])
    mock.trigger(scenario_id=900)
    assert mock.get("/api/v4/projects/1/pipelines").json()[0]["status"] == "running"

    app.live.path.write_text(
        app.live.path.read_text().replace(", {id: 2, path: g/x}]", "]\nstrict: true")
    )
    assert mock.post("/_mock/config/reload").status_code == 200
    mock.advance("6s")

    polled = mock.pipeline(1)["status"]
    listed = mock.get("/api/v4/projects/1/pipelines").json()[0]["status"]
    filtered = mock.get(f"/api/v4/projects/1/pipelines?status={polled}").json()
    assert (polled, listed, len(filtered)) == ("failed", "failed", 1)


def test_what_lies_beyond_the_years_that_can_be_written_is_shown_at_their_end(mock: Mock):
    longest = 1_000_000_000
    stages = [f"s{number}" for number in range(36)]
    jobs = [{"name": stage, "stage": stage, "duration": longest} for stage in stages]
    mock.declare(900, stages=stages, jobs=jobs)
    mock.declare(901, stages=[*stages, "two"], jobs=[*jobs, BRIDGE])
    assert mock.put("/_mock/clock", json={"now": "8999-12-31T00:00:00Z"}).status_code == 200
    for number in (900, 901):
        mock.trigger(scenario_id=number)

    shown = mock.get("/_mock/pipelines/1").json()["timeline"]

    assert shown[-1]["at"] == "9999-12-31T23:59:59.999Z"
    assert mock.post("/_mock/clock/next").status_code == 422
    assert mock.get("/api/v4/projects/1/pipelines?status=running").status_code == 200


def test_two_rules_on_one_line_are_two(mock_with: Callable[..., Mock]):
    mock = mock_with("rules: [{when: {ref: dev}, scenario: 1}, {when: {ref: main}, scenario: 2}]\n")
    mock.trigger(ref="main")

    [passed] = mock.get("/_mock/pipelines/1").json()["matched"]["passed"]
    assert passed["differences"] == [{"what": "ref", "wanted": "dev", "got": "main"}]


def test_a_closed_world_is_unavailable(mock: Mock):
    app: Any = mock.app
    mock.trigger()
    app.close()

    for method, path in (
        ("GET", "/api/v4/projects/2/pipelines"),
        ("GET", "/api/v4/projects/1/pipelines/1"),
        ("POST", "/api/v4/projects/1/pipeline?ref=main"),
        ("POST", "/_mock/clock/freeze"),
    ):
        assert mock.request(method, path).status_code == 503, path
