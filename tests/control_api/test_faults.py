"""Faults are listed, declared and deleted at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock


def test_a_declared_fault_is_applied_as_often_as_it_says(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "faults:\n"
        '  - when: {method: GET, path: "/projects/*/pipelines/*"}\n'
        "    skip: 1\n"
        "    times: 2\n"
        '    respond: {status: 503, headers: {Retry-After: "1"}, body: {message: no}}\n'
    )
    mock.trigger()

    answers = [mock.get("/projects/1/pipelines/1") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 503, 503, 200, 200]
    assert (answers[1].headers["retry-after"], answers[1].json()) == ("1", {"message": "no"})


def test_a_fault_can_be_declared_and_taken_back_at_run_time(mock: Mock):
    body = {"when": {"operation": "get_current_user"}, "respond": {"status": 500}}
    key = mock.post("/_mock/faults", json=body).json()["key"]

    struck = mock.get("/user").status_code
    counted = mock.get("/_mock/faults").json()[0]
    mock.delete(f"/_mock/faults?key={key}")

    assert (struck, mock.get("/user").status_code) == (500, 200)
    assert (counted["matched"], counted["applied"], counted["source"]) == (1, 1, "runtime")


@pytest.mark.parametrize(
    "fault",
    [
        {"when": {}, "drop": True},
        {"when": {"method": "GET", "project": "group/*"}, "truncate": True, "times": 2},
        {"when": {"path": "/user"}, "malformed": True, "skip": 1, "every": 2},
        {"when": {"operation": "get_version"}, "slow": 2, "delay": 1.5},
        {"when": {}, "limit": {"requests": 0, "per": 60}},
        {"when": {}, "respond": {"status": 503, "headers": {"A": "b"}, "body": [{"a": None}]}},
    ],
)
def test_a_fault_is_shown_as_it_would_be_written(mock: Mock, fault: dict[str, Any]):
    made = mock.post("/_mock/faults", json=fault).json()

    assert made["definition"] == fault


def test_a_fault_may_answer_for_a_path_that_gitlab_has_and_the_mock_has_not(mock: Mock):
    body = {"when": {"path": "/projects/*/merge_requests"}, "respond": {"status": 200, "body": []}}
    mock.post("/_mock/faults", json=body)

    assert mock.get("/projects/1/merge_requests").json() == []


def test_a_fault_of_a_scenario_is_applied_to_requests_about_its_pipelines_alone(mock: Mock):
    fault = {"when": {"method": "GET"}, "times": 1, "respond": {"status": 502}}
    mock.declare(900, faults=[fault], jobs=[{"name": "build", "duration": 5}])
    mock.trigger(scenario_id=900)
    mock.trigger(scenario_id=5)

    other = mock.get("/projects/1/pipelines/2").status_code
    about = [mock.get("/projects/1/jobs/100001").status_code for _ in range(2)]

    assert (other, about) == (200, [502, 200])


def test_a_fault_of_a_scenario_knows_its_pipeline_by_project_and_number(mock: Mock):
    mock.declare(900, faults=[{"respond": {"status": 502}}])
    mock.trigger(scenario_id=900)

    paths = ("1/pipelines/1", "1/pipelines/%31", "root%2Fproject-1/pipelines/1", "2/pipelines/1")
    statuses = [mock.get(f"/projects/{path}").status_code for path in paths]

    assert statuses == [502, 502, 502, 404]


def test_a_fault_can_be_bound_to_a_project(mock: Mock):
    body = {"when": {"project": "group/*"}, "respond": {"status": 503}}
    mock.post("/_mock/faults", json=body)

    statuses = [
        mock.get(f"/projects/{name}/pipelines").status_code for name in ("group%2Fapp", "1")
    ]

    assert statuses == [503, 200]
    assert [row["id"] for row in mock.get("/projects").json()] == [1]


def test_a_fault_of_a_file_can_be_switched_off_and_on(mock_with: Callable[..., Mock]):
    mock = mock_with("faults: [{when: {operation: get_version}, respond: {status: 503}}]\n")
    [fault] = mock.get("/_mock/faults").json()

    off = mock.patch("/_mock/faults", params={"key": fault["key"]}, json={"enabled": False})
    without = mock.get("/api/v4/version").status_code
    mock.patch("/_mock/faults", params={"key": fault["key"]}, json={"enabled": True})

    assert (off.status_code, off.json()) == (200, {**fault, "enabled": False})
    assert (without, mock.get("/api/v4/version").status_code) == (200, 503)
    assert mock.get("/_mock/faults").json() == [{**fault, "matched": 1, "applied": 1}]


def test_an_unknown_fault_cannot_be_switched(mock: Mock):
    answer = mock.patch("/_mock/faults", params={"key": "nine"}, json={"enabled": False})
    assert (answer.status_code, answer.json()["message"]) == (404, "404 Fault Not Found")
