"""Every status of GitLab's is reached, and shown by pipelines and jobs, as a client sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.engine.model import WAITS
from mock_gitlab.engine.statuses import STATUSES

if TYPE_CHECKING:
    from tests.conftest import Mock

BEFORE = WAITS[:-1]
MINUTE_EACH = {f"{status}_seconds": 60 for status in BEFORE}


def job(mock: Mock, number: int = 100_001) -> Any:
    return mock.get(f"/api/v4/projects/1/jobs/{number}").json()


def walk(mock: Mock, number: int, minutes: int) -> list[tuple[str, str]]:
    """List the status of a pipeline and of its job, minute by minute."""
    seen = []
    for _ in range(minutes):
        jobs = mock.get(f"/api/v4/projects/1/pipelines/{number}/jobs").json()
        seen.append((mock.pipeline(number)["status"], jobs[0]["status"]))
        mock.advance("1m")
    return seen


@pytest.mark.parametrize(
    "declared",
    [
        {**MINUTE_EACH, "terminal_after_seconds": "6m"},
        {**MINUTE_EACH, "jobs": [{"name": "a", "duration": "1m"}]},
        {"jobs": [{"name": "a", "duration": "1m", **MINUTE_EACH}]},
        {"jobs": [{"name": "a", "duration": "1m", "attempts": [MINUTE_EACH]}]},
        {"terminal_after_seconds": "6m", "attempts": [MINUTE_EACH]},
    ],
)
def test_a_pipeline_and_its_job_walk_through_the_declared_waits(
    mock: Mock, declared: dict[str, Any]
):
    mock.trigger(scenario_id=mock.declare(900, **declared))
    assert walk(mock, 1, 7) == [(s, s) for s in (*BEFORE, "running", "success")]


def test_the_wait_of_a_scenario_holds_only_the_jobs_that_come_early(mock: Mock):
    jobs = [{"name": "a", "stage": "one", "duration": "1m"}, {"name": "b", "stage": "two"}]
    mock.trigger(scenario_id=mock.declare(900, jobs=jobs, preparing_seconds="2m"))
    assert walk(mock, 1, 4) == [
        ("preparing", "created"),
        ("preparing", "created"),
        ("running", "created"),
        ("success", "success"),
    ]
    assert job(mock)["queued_duration"] == 0


def test_a_job_shows_no_times_before_it_is_queued(mock: Mock):
    scenario = mock.declare(900, jobs=[{"name": "a", "preparing_seconds": 60}])
    assert mock.trigger(scenario_id=scenario)["status"] == "preparing"
    mock.advance("30s")
    found = job(mock)
    assert (found["status"], found["started_at"], found["queued_duration"]) == (
        "preparing",
        None,
        None,
    )


def test_a_manual_job_is_created_first_where_that_is_declared(mock: Mock):
    jobs = [{"name": "a", "when": "manual", "allow_failure": False, "created_seconds": 60}]
    mock.trigger(scenario_id=mock.declare(900, jobs=jobs))
    assert walk(mock, 1, 2) == [("created", "created"), ("manual", "manual")]
    mock.post("/api/v4/projects/1/jobs/100001/play")
    assert mock.pipeline(1)["status"] == "success"


def test_a_delayed_job_is_created_and_then_scheduled(mock: Mock):
    jobs = [{"name": "a", "when": "delayed", "start_in": "1m", "created_seconds": 60}]
    mock.trigger(scenario_id=mock.declare(900, jobs=jobs))
    assert walk(mock, 1, 3) == [(s, s) for s in ("created", "scheduled", "success")]


def test_a_job_that_is_created_waits_again_if_what_it_waits_for_is_retried(mock: Mock):
    jobs = [
        {"name": "a", "stage": "one", "duration": "1m"},
        {"name": "b", "stage": "two", "created_seconds": "2m"},
    ]
    mock.trigger(scenario_id=mock.declare(900, jobs=jobs))
    mock.advance("2m")
    mock.post("/api/v4/projects/1/jobs/100001/retry")
    mock.advance("150s")
    assert job(mock, 100_002)["status"] == "created"
    mock.advance("30s")
    assert job(mock, 100_002)["status"] == "success"


def test_a_job_that_is_created_waits_on_if_one_beside_it_is_retried(mock: Mock):
    jobs = [{"name": "a"}, {"name": "b", "created_seconds": "2m"}]
    mock.trigger(scenario_id=mock.declare(900, jobs=jobs))
    mock.advance("30s")
    mock.post("/api/v4/projects/1/jobs/100001/retry")
    mock.advance("89s")
    assert job(mock, 100_002)["status"] == "created"
    mock.advance("1s")
    assert job(mock, 100_002)["status"] == "success"


# ---------------------------------------------------------------------------- canceling


@pytest.mark.parametrize(
    "declared",
    [
        {"terminal_after_seconds": "10m", "canceling_seconds": 60},
        {"canceling_seconds": 60, "jobs": [{"name": "a", "duration": "10m"}]},
        {
            "canceling_seconds": 5,
            "jobs": [{"name": "a", "duration": "10m", "canceling_seconds": 60}],
        },
    ],
)
def test_a_cancel_takes_as_long_as_declared(mock: Mock, declared: dict[str, Any]):
    mock.trigger(scenario_id=mock.declare(900, **declared))
    mock.advance("1m")
    assert mock.post("/api/v4/projects/1/pipelines/1/cancel").json()["status"] == "canceling"
    mock.advance("59s")
    again = mock.post("/api/v4/projects/1/pipelines/1/cancel").json()
    assert (again["status"], again["detailed_status"]["label"]) == ("canceling", "canceling")
    found = job(mock)
    assert (found["status"], found["finished_at"], found["duration"]) == ("canceling", None, 119)
    mock.advance("1s")
    assert mock.pipeline(1)["status"] == job(mock)["status"] == "canceled"
    assert job(mock)["duration"] == 120


def test_a_job_that_does_not_run_yet_is_canceled_at_once(mock: Mock):
    jobs = [{"name": "a", "pending_seconds": 60}]
    mock.trigger(scenario_id=mock.declare(900, jobs=jobs, canceling_seconds=60))
    assert mock.post("/api/v4/projects/1/pipelines/1/cancel").json()["status"] == "canceled"


def test_a_forced_cancel_ends_a_job_that_is_canceling(mock: Mock):
    jobs = [{"name": "a", "duration": "10m", "canceling_seconds": "5m"}]
    mock.trigger(scenario_id=mock.declare(900, jobs=jobs))
    cancel = "/api/v4/projects/1/jobs/100001/cancel"
    assert mock.post(cancel).json()["status"] == "canceling"
    assert mock.post(cancel).json()["status"] == "canceling"
    assert mock.post(cancel, json={"force": True}).json()["status"] == "canceled"
    assert mock.pipeline(1)["status"] == "canceled"


def test_a_forced_cancel_ends_a_pipeline_without_jobs_too(mock: Mock):
    mock.trigger(scenario_id=mock.declare(900, never_complete=True, canceling_seconds=60))
    forced = mock.post("/api/v4/projects/1/jobs/100001/cancel", json={"force": True})
    assert forced.json()["status"] == mock.pipeline(1)["status"] == "canceled"


def test_the_limit_of_a_pipeline_leaves_a_job_canceling(mock: Mock):
    jobs = [{"name": "a", "duration": "10m"}, {"name": "b", "duration": "10m"}]
    mock.trigger(
        scenario_id=mock.declare(900, jobs=jobs, canceling_seconds=60, terminal_after_seconds=30)
    )
    mock.post("/api/v4/projects/1/jobs/100001/cancel")
    mock.advance("30s")
    assert (job(mock)["status"], job(mock, 100_002)["status"]) == ("canceling", "success")
    mock.advance("30s")
    assert job(mock)["status"] == "canceled"


def test_polls_end_a_pipeline_that_is_still_prepared(mock: Mock):
    mock.trigger(scenario_id=mock.declare(900, terminal_after_polls=2, preparing_seconds="1h"))
    assert [mock.pipeline(1)["status"] for _ in range(2)] == ["preparing", "success"]


def test_polls_end_a_pipeline_that_is_still_created(mock: Mock):
    mock.trigger(scenario_id=mock.declare(900, terminal_after_polls=1, created_seconds="1h"))
    assert mock.pipeline(1)["status"] == "success"
    mock.declare(901, terminal_after_polls=1, created_seconds="1h")
    mock.trigger(scenario_id=901)
    mock.post("/api/v4/projects/1/pipelines/2/cancel")
    mock.post("/api/v4/projects/1/pipelines/2/retry")
    assert mock.pipeline(2)["status"] == "success"


def test_every_status_can_be_listed(mock: Mock):
    jobs: dict[str, dict[str, Any]] = {
        **{status: {f"{status}_seconds": "1h"} for status in BEFORE},
        "running": {"duration": "1h"},
        "canceling": {"duration": "1h", "canceling_seconds": "1h"},
        "manual": {"when": "manual", "allow_failure": False},
        "scheduled": {"when": "delayed", "start_in": "1h"},
        **{status: {"status": status} for status in ("success", "failed", "canceled", "skipped")},
    }
    assert set(jobs) == set(STATUSES)
    for number, (status, keys) in enumerate(jobs.items(), 1):
        mock.trigger(scenario_id=mock.declare(900 + number, jobs=[{"name": status, **keys}]))
        if status == "canceling":
            mock.post(f"/api/v4/projects/1/pipelines/{number}/cancel")
    for number, status in enumerate(jobs, 1):
        listed = mock.get("/api/v4/projects/1/pipelines", params={"status": status}).json()
        assert [each["id"] for each in listed] == [number], status
        scoped = mock.get("/api/v4/projects/1/jobs", params={"scope": status}).json()
        assert [each["name"] for each in scoped] == [status]


# ---------------------------------------------------------------------------- no start


@pytest.mark.parametrize(
    ("reason", "starts"),
    [
        ("stuck_or_timeout_failure", False),
        ("no_matching_runner", False),
        ("runner_system_failure", True),
        ("script_failure", True),
    ],
)
def test_a_job_of_no_duration_shows_no_start_if_its_reason_keeps_it_from_starting(
    mock: Mock, reason: str, starts: bool
):
    jobs = [{"name": "a", "status": "failed", "failure_reason": reason, "pending_seconds": "1h"}]
    mock.trigger(scenario_id=mock.declare(900, jobs=jobs))
    mock.advance("1h")
    found = job(mock)
    assert (found["status"], found["failure_reason"]) == ("failed", reason)
    assert (found["started_at"] is not None) is starts
    assert (found["finished_at"], found["queued_duration"]) == ("2026-01-01T01:00:00.000Z", 3600)


# ---------------------------------------------------------------------------- yaml_errors

BROKEN = "jobs:deploy config should contain either a trigger or a needs:pipeline"


def test_a_trigger_with_an_invalid_ci_file_leaves_a_failed_pipeline_without_jobs(mock: Mock):
    mock.declare(900, yaml_errors=BROKEN)
    answer = mock.post(
        "/api/v4/projects/1/trigger/pipeline", json={"ref": "main", "scenario_id": 900}
    )
    assert (answer.status_code, answer.json()) == (422, {"message": {"base": [BROKEN]}})
    found = mock.pipeline(1)
    assert (found["status"], found["yaml_errors"], found["duration"]) == ("failed", BROKEN, None)
    assert mock.get("/api/v4/projects/1/pipelines/1/jobs").json() == []
    assert mock.get("/api/v4/projects/1/jobs/100001").status_code == 404
    assert mock.post("/api/v4/projects/1/pipelines/1/retry").json()["status"] == "failed"


def test_creating_with_an_invalid_ci_file_leaves_nothing(mock: Mock):
    mock.declare(900, yaml_errors=BROKEN)
    answer = mock.post("/api/v4/projects/1/pipeline", json={"ref": "main", "scenario_id": 900})
    assert (answer.status_code, answer.json()) == (400, {"message": {"base": [BROKEN]}})
    assert mock.get("/api/v4/projects/1/pipelines").json() == []


def test_lists_are_filtered_by_whether_the_ci_file_is_invalid(mock: Mock):
    mock.declare(900, yaml_errors=BROKEN)
    mock.post("/api/v4/projects/1/trigger/pipeline", json={"ref": "main", "scenario_id": 900})
    mock.trigger()
    for wanted, numbers in (("true", [1]), ("false", [2])):
        listed = mock.get("/api/v4/projects/1/pipelines", params={"yaml_errors": wanted}).json()
        assert [each["id"] for each in listed] == numbers
