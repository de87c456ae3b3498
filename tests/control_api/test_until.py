"""Jumping until a pipeline, or one of its jobs, has a status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

JOBS = """
scenarios:
  - scenario_id: 900
    name: build and deploy
    stages: [build, deploy]
    jobs:
      - {name: build, stage: build, duration: 30s}
      - {name: deploy, stage: deploy, when: manual, allow_failure: false, duration: 10s}
  - scenario_id: 901
    name: through a bridge
    jobs: [{name: bridge, downstream: {project: group/b, scenario: 60, strategy: depend}}]
"""


@pytest.fixture
def mock(mock_with: Callable[..., Mock]) -> Mock:
    return mock_with(JOBS)


def until(mock: Mock, status: str, **where: Any) -> Any:
    answer = mock.post("/_mock/clock/next", json={"pipeline_id": 1, "until": status, **where})
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(mock: Mock, **body: Any) -> tuple[int, str]:
    answer = mock.post("/_mock/clock/next", json=body)
    return answer.status_code, answer.json()["message"]


def test_the_clock_jumps_to_where_the_pipeline_has_the_status(mock: Mock):
    mock.trigger(scenario_id=500)

    assert until(mock, "success")["now"][14:19] == "05:00"
    assert mock.pipeline(1)["status"] == "success"


def test_the_clock_stays_if_the_pipeline_has_the_status_already(mock: Mock):
    mock.trigger(scenario_id=500)

    found = until(mock, "running")

    assert (found["now"][14:19], found["changes"]) == ("00:00", [])


def test_all_changes_on_the_way_are_listed(mock: Mock):
    mock.trigger(scenario_id=900)

    found = until(mock, "manual")["changes"]

    assert [(each["name"], each["after"]) for each in found] == [
        ("build", "success"),
        ("deploy", "manual"),
        ("pipeline", "manual"),
    ]


@pytest.mark.parametrize("job", ["build", 100_001])
def test_the_status_of_a_job_is_awaited_by_its_name_or_number(mock: Mock, job: int | str):
    mock.trigger(scenario_id=900)

    assert until(mock, "success", job=job)["now"][14:19] == "00:30"


def test_bridges_start_their_pipelines_on_the_way(mock: Mock):
    mock.trigger(scenario_id=901)

    assert until(mock, "success")["now"][14:19] == "01:00"
    assert [row["status"] for row in mock.get("/_mock/pipelines").json()] == ["success"] * 2


def test_a_status_that_never_comes_is_refused_with_what_comes_instead(mock: Mock):
    mock.trigger(scenario_id=900)

    assert refused(mock, pipeline_id=1, until="failed") == (
        422,
        "body: pipeline 1 never becomes failed by itself: it is running; "
        "the pipeline becomes manual",
    )
    assert mock.get("/_mock/clock").json()["now"][14:19] == "00:00"


def test_where_nothing_is_to_come_the_present_status_is_named(mock: Mock):
    mock.trigger(scenario_id=900)
    until(mock, "manual")

    assert refused(mock, pipeline_id=1, until="success", job="deploy") == (
        422,
        "body: job deploy never becomes success by itself: it is manual",
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"pipeline_id": 7, "until": "success"}, (404, "404 Pipeline Not Found")),
        ({"pipeline_id": 1, "until": "success", "job": "x"}, (404, "404 Job Not Found")),
        ({"until": "success"}, (422, "body: until needs pipeline_id")),
        ({"pipeline_id": 1, "job": "build"}, (422, "body: job needs until")),
    ],
)
def test_what_cannot_be_awaited_is_refused(
    mock: Mock, body: dict[str, Any], expected: tuple[int, str]
):
    mock.trigger(scenario_id=900)

    assert refused(mock, **body) == expected


def test_a_word_that_is_no_status_is_refused(mock: Mock):
    status, message = refused(mock, pipeline_id=1, until="done")

    assert status == 422
    assert message.startswith("until: ")
