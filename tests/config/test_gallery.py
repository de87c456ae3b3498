"""The gallery: each course goes as it says, and programs can name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.config.gallery import Course, courses, find_course

if TYPE_CHECKING:
    from tests.conftest import Mock

COURSES = list(courses().values())
ENDED = {"success", "failed", "canceled", "skipped"}


def play(mock: Mock, course: Course) -> dict[str, Any]:
    """Let a pipeline follow a course for two days, and show it."""
    for scenario in course.scenarios:
        assert mock.post("/_mock/scenarios", json=scenario).status_code == 201
    body = {"ref": "main", "scenario_id": course.scenario_id}
    mock.post("/api/v4/projects/1/trigger/pipeline", json=body)
    mock.advance("48h")
    return dict(mock.pipeline(1))


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
def test_a_course_ends_as_it_says(mock: Mock, course: Course):
    status = play(mock, course)["status"]

    assert status == course.ends or (course.ends is None and status not in ENDED)


def jobs(mock: Mock, **params: Any) -> list[dict[str, Any]]:
    answer = mock.get("/api/v4/projects/1/pipelines/1/jobs", params={"per_page": 100, **params})
    return list(answer.json())


def test_a_pipeline_fails_although_none_of_its_jobs_has_failed(mock: Mock):
    assert play(mock, find_course("failed with no job failed"))["status"] == "failed"
    assert {each["status"] for each in jobs(mock)} == {"success"}


def test_a_pipeline_runs_on_while_another_ci_does(mock: Mock):
    course = find_course("another CI fails when all jobs have succeeded")
    play(mock, course)
    mock.put("/_mock/clock", json={"now": "2026-01-01T00:02:00Z"})

    assert mock.pipeline(1)["status"] == "running"
    assert {each["status"] for each in jobs(mock)} == {"success"}


@pytest.mark.parametrize(
    ("course", "reason"),
    [
        ("stuck pending", "stuck_or_timeout_failure"),
        ("the runner breaks down", "runner_system_failure"),
        ("a job runs into its timeout", "job_execution_timeout"),
    ],
)
def test_a_job_says_why_it_failed(mock: Mock, course: str, reason: str):
    play(mock, find_course(course))

    assert [each["failure_reason"] for each in jobs(mock)] == [reason]


def test_a_bridge_that_is_declared_to_fail_starts_nothing(mock: Mock):
    play(mock, find_course("a downstream project is missing"))

    [bridge] = mock.get("/api/v4/projects/1/pipelines/1/bridges").json()
    assert bridge["failure_reason"] == "downstream_bridge_project_not_found"
    assert bridge["downstream_pipeline"] is None


def test_a_cancel_takes_a_minute(mock: Mock):
    play(mock, find_course("canceling takes a minute"))
    mock.post("/api/v4/projects/1/pipelines/1/cancel")

    seen = [mock.pipeline(1)["status"]]
    mock.advance("1m")
    assert [*seen, mock.pipeline(1)["status"]] == ["canceling", "canceled"]


def test_a_retry_makes_a_flaky_pipeline_green(mock: Mock):
    play(mock, find_course("flaky, then green"))
    mock.post("/api/v4/projects/1/pipelines/1/retry")
    mock.advance("1m")

    assert mock.pipeline(1)["status"] == "success"


def test_a_large_pipeline_has_five_hundred_jobs(mock: Mock):
    play(mock, find_course("five hundred jobs"))

    pages = [jobs(mock, page=page) for page in range(1, 7)]
    assert [len(page) for page in pages] == [100] * 5 + [0]


def test_a_misspelt_course_is_told_the_right_name():
    with pytest.raises(ValueError, match=r"'stuck pendin'.*stuck pending"):
        find_course("stuck pendin")
