"""``/_mock/jobs``: a job, whatever its project is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock


@pytest.fixture
def pipeline(mock: Mock) -> int:
    jobs = [
        {"name": "build", "duration": 10, "trace": "one\ntwo\n", "artifacts": {"a.txt": "\u00e9"}},
        {"name": "test", "needs": ["build"], "status": "failed", "allow_failure": True},
        {"name": "deploy", "when": "manual", "downstream": {"project": "group/other"}},
    ]
    report = {
        "suites": [{"name": "test", "cases": [{"name": "a"}, {"name": "b", "status": "error"}]}]
    }
    mock.declare(900, jobs=jobs, test_report=report)
    return int(mock.trigger(scenario_id=900)["id"])


def test_a_job_shows_its_log_so_far(mock: Mock, pipeline: int):
    mock.advance("6s")
    job = mock.get("/_mock/jobs/100001").json()

    assert (job["name"], job["pipeline_id"], job["project_id"]) == ("build", pipeline, 1)
    assert (job["trace"], job["artifacts"]) == ("one\n", [])
    assert mock.get("/_mock/requests?operation=get_job_trace").json() == []


def test_artifacts_are_shown_with_their_sizes_once_they_are_there(mock: Mock, pipeline: int):
    mock.advance("10s")

    assert mock.get("/_mock/jobs/100001").json()["artifacts"] == [{"path": "a.txt", "size": 2}]


@pytest.mark.parametrize("number", [100009, 900001, 7])
def test_a_job_that_does_not_exist_is_404(mock: Mock, pipeline: int, number: int):
    answer = mock.get(f"/_mock/jobs/{number}")

    assert (answer.status_code, answer.json()["message"]) == (404, "404 Job Not Found")


def test_a_row_says_what_the_job_waits_for_and_what_may_be_done(mock: Mock, pipeline: int):
    build, test, deploy = mock.get(f"/_mock/pipelines/{pipeline}").json()["jobs"]

    assert (build["needs"], test["needs"]) == (None, ["build"])
    assert (build["permitted"], test["permitted"]) == (["cancel"], ["cancel"])
    assert (deploy["when"], deploy["downstream"]) == ("manual", None)
    assert deploy["permitted"] == ["play", "cancel"]


def test_a_row_says_how_it_failed_and_which_pipeline_it_started(mock: Mock, pipeline: int):
    mock.advance("1h")
    mock.post(f"/_mock/pipelines/{pipeline}/actions", json={"action": "play", "job": "deploy"})
    build, test, deploy = mock.get(f"/_mock/pipelines/{pipeline}").json()["jobs"]

    assert build["permitted"] == ["retry", "erase"]
    assert (test["status"], test["failure_reason"], test["allow_failure"]) == (
        "failed",
        "script_failure",
        True,
    )
    assert deploy["downstream"] == pipeline + 1


def test_tests_are_counted_once_their_jobs_have_finished(mock: Mock, pipeline: int):
    assert mock.get(f"/_mock/pipelines/{pipeline}").json()["test_report"] is None
    mock.advance("1h")

    assert mock.get(f"/_mock/pipelines/{pipeline}").json()["test_report"] == {
        "total": 2,
        "success": 1,
        "failed": 0,
        "error": 1,
        "skipped": 0,
    }
