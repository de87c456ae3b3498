"""Jobs do what the words of ``.gitlab-ci.yml`` say, as a client sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock


def start(mock: Mock, *jobs: dict[str, Any], **scenario: Any) -> int:
    number: int = mock.trigger(
        scenario_id=mock.declare(900, jobs=[{"name": "a", **job} for job in jobs], **scenario)
    )["id"]
    return number


def jobs_of(mock: Mock, **params: Any) -> list[Any]:
    """List the jobs of the first pipeline, oldest first."""
    found = mock.get("/api/v4/projects/1/pipelines/1/jobs", params={"per_page": 100, **params})
    return list(reversed(found.json()))


def statuses(mock: Mock) -> list[str]:
    return [job["status"] for job in jobs_of(mock, include_retried=True)]


# ---------------------------------------------------------------------------- names


def test_a_matrix_makes_a_job_of_each_combination_named_as_gitlab_names_them(mock: Mock):
    matrix = [
        {"PROVIDER": "aws", "STACK": ["monitoring", "app1"]},
        {"PROVIDER": ["gcp", "vultr"], "STACK": ["data"], "SIZE": 3},
    ]
    start(mock, {"parallel": {"matrix": matrix}})
    assert [job["name"] for job in jobs_of(mock)] == [
        "a: [aws, monitoring]",
        "a: [aws, app1]",
        "a: [gcp, data, 3]",
        "a: [vultr, data, 3]",
    ]


def test_a_job_waits_for_every_copy_of_a_matrix_or_for_the_one_that_it_names(mock: Mock):
    start(
        mock,
        {"parallel": {"matrix": [{"A": ["1", "2"]}]}, "attempts": [{"duration": 60}]},
        {"name": "all", "needs": ["a"]},
        {"name": "one", "needs": [{"job": "a: [1]"}]},
    )
    mock.post("/api/v4/projects/1/jobs/100001/cancel")
    assert [job["status"] for job in jobs_of(mock)] == ["canceled", "running", "created", "skipped"]


def test_the_suite_of_a_matrix_is_shown_once_its_jobs_have_ended(mock: Mock):
    start(
        mock,
        {"parallel": {"matrix": [{"A": ["1", "2"]}]}},
        {"name": "b", "duration": 60},
        test_report={"suites": [{"name": "a", "cases": [{"name": "x"}]}]},
    )
    assert mock.get("/api/v4/projects/1/pipelines/1/test_report").json()["total_count"] == 1


# ---------------------------------------------------------------------------- needs


def test_a_missing_optional_need_leaves_nothing_to_wait_for(mock: Mock):
    start(
        mock,
        {"stage": "one", "duration": 60},
        {"name": "b", "stage": "two", "needs": [{"job": "x", "optional": True}]},
        {"name": "c", "stage": "two", "needs": [{"job": "a"}], "dependencies": ["a"]},
    )
    assert [job["status"] for job in jobs_of(mock)] == ["running", "success", "created"]


# ---------------------------------------------------------------------------- retry


def test_retries_follow_by_themselves(mock: Mock):
    start(mock, {"duration": 10, "retry": 2, "status": "failed"}, {"name": "b", "stage": "late"})
    seen = []
    for _ in range(4):
        seen.append((mock.pipeline(1)["status"], statuses(mock)))
        mock.advance("10s")
    assert seen == [
        ("running", ["running", "created"]),
        ("running", ["failed", "created", "running"]),
        ("running", ["failed", "created", "failed", "running"]),
        ("failed", ["failed", "skipped", "failed", "failed"]),
    ]
    assert [job["id"] for job in jobs_of(mock)] == [100_002, 102_001]


def test_a_flaky_job_is_green_after_its_retry(mock: Mock):
    attempts = [{"status": "failed"}, {"status": "success"}]
    start(mock, {"retry": 1, "attempts": attempts}, {"name": "b", "stage": "late"})
    assert (mock.pipeline(1)["status"], statuses(mock)) == (
        "success",
        ["failed", "success", "success"],
    )


@pytest.mark.parametrize(
    ("reason", "retry", "attempts"),
    [
        ("runner_system_failure", {"max": 1, "when": "runner_system_failure"}, 2),
        ("runner_system_failure", {"max": 2, "when": ["always"]}, 3),
        ("script_failure", {"max": 2, "when": ["runner_system_failure"]}, 1),
        ("no_matching_runner", 2, 1),
        ("scheduler_failure", None, 3),
        ("scheduler_failure", 0, 1),
        ("script_failure", None, 1),
    ],
)
def test_the_reason_decides_whether_a_retry_follows(
    mock: Mock, reason: str, retry: Any, attempts: int
):
    start(mock, {"status": "failed", "failure_reason": reason, "retry": retry})
    assert statuses(mock) == ["failed"] * attempts


def test_retries_by_hand_count_as_retries(mock: Mock):
    start(mock, {"duration": 10, "status": "failed", "retry": 1})
    mock.advance("20s")
    mock.post("/api/v4/projects/1/pipelines/1/retry")
    mock.advance("10s")
    assert statuses(mock) == ["failed"] * 3


def test_a_canceled_job_is_not_retried(mock: Mock):
    start(mock, {"duration": 10, "status": "failed", "retry": 1})
    mock.post("/api/v4/projects/1/jobs/100001/cancel")
    mock.advance("1h")
    assert statuses(mock) == ["canceled"]


def test_a_delayed_job_does_not_wait_again_for_its_retry(mock: Mock):
    delayed = {"when": "delayed", "start_in": "1h", "status": "failed", "retry": 1}
    start(mock, delayed)
    mock.advance("1h")
    assert statuses(mock) == ["failed", "failed"]


# ---------------------------------------------------------------------------- timeout


@pytest.mark.parametrize("length", [{"duration": "2h"}, {"never_complete": True}])
def test_a_job_beyond_its_timeout_fails(mock: Mock, length: dict[str, Any]):
    start(mock, {"timeout": "1h", **length})
    mock.advance("59m")
    assert statuses(mock) == ["running"]
    mock.advance("1m")
    [job] = jobs_of(mock)
    assert (job["status"], job["failure_reason"], job["duration"]) == (
        "failed",
        "job_execution_timeout",
        3600,
    )


def test_a_job_within_its_timeout_ends_as_it_would(mock: Mock):
    start(mock, {"duration": "1h", "timeout": "1h"})
    mock.advance("1h")
    assert statuses(mock) == ["success"]


def test_a_timeout_can_be_retried(mock: Mock):
    retry = {"max": 1, "when": "job_execution_timeout"}
    start(mock, {"timeout": "1m", "never_complete": True, "retry": retry})
    mock.advance("2m")
    assert statuses(mock) == ["failed", "failed"]


# ---------------------------------------------------------------------------- allow_failure


@pytest.mark.parametrize(
    ("exit_code", "codes", "pipeline"),
    [(137, 137, "success"), (1, [137, 255], "failed"), (None, 1, "success")],
)
def test_exit_codes_decide_whether_a_failure_is_allowed(
    mock: Mock, exit_code: int | None, codes: Any, pipeline: str
):
    job = {"status": "failed", "duration": 10, "allow_failure": {"exit_codes": codes}}
    start(mock, job if exit_code is None else {**job, "exit_code": exit_code})
    assert jobs_of(mock)[0]["allow_failure"] is False
    mock.advance("10s")
    assert mock.pipeline(1)["status"] == pipeline
    assert jobs_of(mock)[0]["allow_failure"] is (pipeline == "success")


def test_an_exit_code_counts_only_if_the_script_has_failed(mock: Mock):
    job = {"status": "failed", "failure_reason": "runner_system_failure"}
    start(mock, {**job, "allow_failure": {"exit_codes": [1]}})
    assert mock.pipeline(1)["status"] == "failed"


def test_an_attempt_has_an_exit_code_of_its_own(mock: Mock):
    job = {"status": "failed", "allow_failure": {"exit_codes": [3]}, "retry": 1}
    start(mock, {**job, "attempts": [{"exit_code": 1}, {"exit_code": 3}]})
    assert mock.pipeline(1)["detailed_status"]["group"] == "success-with-warnings"


def test_a_canceled_job_with_exit_codes_is_canceled(mock: Mock):
    job = {"status": "failed", "duration": 10, "exit_code": 3}
    start(mock, {**job, "allow_failure": {"exit_codes": [3]}}, {"name": "b"})
    mock.post("/api/v4/projects/1/jobs/100001/cancel")
    assert mock.pipeline(1)["status"] == "canceled"


# ---------------------------------------------------------------------------- declared only


def test_an_environment_is_shown_beside_the_job(mock: Mock):
    environment = {"name": "review/x", "url": "https://x.test", "auto_stop_in": "1d"}
    start(
        mock,
        {"environment": {**environment, "on_stop": "b", "tier": "testing"}, "interruptible": True},
        {"name": "b", "environment": {"name": "review/x", "action": "stop"}},
        {"name": "c", "environment": "production"},
        {"name": "d"},
    )
    shown = mock.get("/_mock/pipelines/1").json()["jobs"]
    assert [job["interruptible"] for job in shown] == [True, False, False, False]
    assert shown[0]["environment"] == {
        "name": "review/x",
        "url": "https://x.test",
        "action": "start",
        "tier": "testing",
        "auto_stop_in": 86_400,
        "on_stop": "b",
    }
    assert [each["environment"] and each["environment"]["action"] for each in shown[1:]] == [
        "stop",
        "start",
        None,
    ]
