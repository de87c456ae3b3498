"""What somebody else does to a pipeline: cancel, retry, play and erase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

JOBS = """
scenarios:
  - scenario_id: 900
    name: jobs
    stages: [test, deploy]
    jobs:
      - name: test
        stage: test
        duration: 10s
        trace: it failed
        allow_failure: true
        attempts: [{status: failed}, {status: success}]
      - {name: long, stage: test, duration: 1m}
      - {name: deploy, stage: deploy, when: manual}
"""


@pytest.fixture
def mock(mock_with: Callable[..., Mock]) -> Mock:
    mock = mock_with(JOBS)
    mock.trigger(scenario_id=900)
    return mock


def act(mock: Mock, action: str, job: int | str | None = None) -> dict[str, str]:
    """Act, and return the status of each job that there is then; the newest attempt counts."""
    answer = mock.post("/_mock/pipelines/1/actions", json={"action": action, "job": job})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    return {"pipeline": shown["status"], **{job["name"]: job["status"] for job in shown["jobs"]}}


def test_a_pipeline_is_canceled(mock: Mock):
    assert act(mock, "cancel")["pipeline"] == "canceled"


def test_a_job_is_canceled(mock: Mock):
    found = act(mock, "cancel", "long")

    assert (found["long"], found["test"]) == ("canceled", "running")


@pytest.mark.parametrize("job", ["test", 100_001])
def test_a_job_is_retried_by_its_name_or_number(mock: Mock, job: int | str):
    mock.advance("20s")

    assert act(mock, "retry", job)["test"] == "running"


def test_a_pipeline_is_retried(mock: Mock):
    mock.advance("2m")
    act(mock, "retry")
    mock.advance("10s")

    assert [job["status"] for job in mock.get("/projects/1/pipelines/1/jobs").json()]
    assert {job["name"]: job["status"] for job in mock.get("/_mock/pipelines/1").json()["jobs"]}[
        "test"
    ] == "success"


def test_a_name_means_the_newest_attempt(mock: Mock):
    mock.advance("20s")
    act(mock, "retry", "test")

    assert act(mock, "cancel", "test")["test"] == "canceled"


def test_a_manual_job_is_played(mock: Mock):
    mock.advance("2m")

    assert act(mock, "play", "deploy")["deploy"] == "success"


def test_a_job_is_erased(mock: Mock):
    mock.advance("20s")
    act(mock, "erase", "test")

    assert mock.get("/api/v4/projects/1/jobs/100001/trace").text == ""


def test_the_journal_does_not_show_what_somebody_else_does(mock: Mock):
    act(mock, "cancel")

    assert len(mock.get("/_mock/requests").json()) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"action": "play"}, (422, "body: play needs job")),
        ({"action": "erase"}, (422, "body: erase needs job")),
        ({"action": "cancel", "job": "x"}, (404, "404 Job Not Found")),
        ({"action": "play", "job": "test"}, (403, "Unplayable Job")),
    ],
)
def test_what_cannot_be_done_is_refused(
    mock: Mock, body: dict[str, Any], expected: tuple[int, str]
):
    answer = mock.post("/_mock/pipelines/1/actions", json=body)

    assert (answer.status_code, answer.json()["message"]) == expected


def test_an_unknown_pipeline_is_not_found(mock: Mock):
    assert mock.post("/_mock/pipelines/9/actions", json={"action": "cancel"}).status_code == 404
