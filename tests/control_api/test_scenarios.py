"""Scenarios are listed, declared, replaced and deleted at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock


def test_the_built_in_scenarios_are_listed_with_their_source(mock: Mock):
    rows = mock.get("/_mock/scenarios?source=builtin").json()

    assert [row["scenario_id"] for row in rows] == [*range(101), 200, 500]
    assert rows[7]["terminal_after_seconds"] == 7


def test_a_scenario_is_created_shown_replaced_and_deleted(mock: Mock):
    body = {"scenario_id": 900, "name": "a", "terminal_after_seconds": "3m"}

    created = mock.post("/_mock/scenarios", json=body)
    taken = mock.post("/_mock/scenarios", json=body)
    replaced = mock.put("/_mock/scenarios/900", json={**body, "name": "b"})
    deleted = mock.delete("/_mock/scenarios/900")
    gone = mock.get("/_mock/scenarios/900")

    assert (created.status_code, created.json()["terminal_after_seconds"]) == (201, 180)
    assert (created.json()["source"], created.json()["file"]) == ("runtime", None)
    assert taken.status_code == 409
    assert (replaced.status_code, replaced.json()["name"]) == (200, "b")
    assert (deleted.status_code, gone.status_code) == (204, 404)


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, {"scenario_id": 900, "name": "x", "terminal_status": "broken"},
     {"scenario_id": 900, "name": "x", "wrong": 1}, {"scenario_id": "x", "name": "x"}, []],
)  # fmt: skip
def test_a_bad_scenario_is_422_and_changes_nothing(mock: Mock, body: Any):
    before = mock.get("/_mock/scenarios").json()

    assert mock.post("/_mock/scenarios", json=body).status_code == 422
    assert mock.get("/_mock/scenarios").json() == before


def test_a_number_in_the_body_that_differs_from_the_path_is_422(mock: Mock):
    mock.declare(900)

    answer = mock.put("/_mock/scenarios/900", json={"scenario_id": 901, "name": "x"})

    assert answer.status_code == 422


def test_deleting_a_scenario_leaves_its_pipelines_their_inline_values(mock: Mock):
    mock.declare(900, terminal_after_seconds=60, terminal_status="failed")
    inline = mock.trigger(scenario_id=900, terminal_after_seconds=30, terminal_status="canceled")
    plain = mock.trigger(scenario_id=900)

    mock.delete("/_mock/scenarios/900")

    assert mock.pipeline(inline["id"])["status"] == "running"
    assert mock.pipeline(plain["id"])["status"] == "success"
    mock.advance("30s")
    assert mock.pipeline(inline["id"])["status"] == "canceled"


def test_a_damaged_scenario_is_503_and_named_in_the_log(
    mock: Mock, caplog: pytest.LogCaptureFixture
):
    mock.declare(900)
    world = mock.app.worlds.default  # type: ignore[attr-defined]  # the application is ours
    world._db.execute("UPDATE scenarios SET details_json = '[' WHERE scenario_id = 900")

    unavailable = mock.get("/_mock/scenarios")

    assert unavailable.status_code == 503
    assert unavailable.json()["message"] == "503 Service Unavailable"
    assert "the store is unavailable: the row of scenario 900 is damaged" in caplog.text


def test_a_preview_shows_what_a_scenario_will_do(mock: Mock):
    mock.declare(
        900,
        jobs=[
            {"name": "build", "stage": "build", "duration": 5},
            {"name": "deploy", "stage": "deploy", "when": "manual", "allow_failure": False},
        ],
    )

    preview = mock.get("/_mock/scenarios/900/preview").json()

    assert (preview["status"], preview["ends_at"]) == ("manual", None)
    assert [job["name"] for job in preview["jobs"]] == ["build", "deploy"]
    assert {"at": 5, "job": "deploy", "status": "manual"} in preview["changes"]
    assert mock.get("/_mock/pipelines").json() == []


def test_a_preview_follows_bridges_to_scenarios_declared_at_run_time(mock: Mock):
    mock.declare(901, terminal_after_seconds=7)
    downstream = {"project": "2", "scenario": 901, "strategy": "depend"}
    mock.declare(900, jobs=[{"name": "bridge", "downstream": downstream}])

    assert mock.get("/_mock/scenarios/900/preview").json()["ends_at"] == 7


def test_a_preview_that_starts_too_many_pipelines_is_refused(mock: Mock):
    downstream = {"project": "2", "scenario": 1, "strategy": "depend"}
    mock.declare(900, jobs=[{"name": f"{n}", "downstream": downstream} for n in range(100)])

    answer = mock.get("/_mock/scenarios/900/preview")

    assert answer.status_code == 422
    assert "the bridges start more than 100 pipelines" in answer.text


def test_a_preview_of_too_many_jobs_is_refused(mock: Mock):
    mock.declare(901, jobs=[{"name": "many", "parallel": 200}])
    downstream = {"project": "2", "scenario": 901, "strategy": "depend"}
    mock.declare(900, jobs=[{"name": f"{n}", "downstream": downstream} for n in range(5)])

    answer = mock.get("/_mock/scenarios/900/preview")

    assert answer.status_code == 422
    assert "with more than 1000 jobs in all" in answer.text


def test_the_preview_of_an_unknown_scenario_is_not_found(mock: Mock):
    assert mock.get("/_mock/scenarios/4711/preview").status_code == 404
