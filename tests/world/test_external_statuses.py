"""Statuses of others, wherever a world looks at pipelines: lists, jumps, bridges and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.testing.receiver import Receiver
    from tests.conftest import Mock

PROJECT = "/api/v4/projects/1"
CI = [
    {"name": "ci", "state": "pending"},
    {"name": "ci", "state": "running", "after": "5s"},
    {"name": "ci", "state": "failed", "after": "1m", "target_url": "https://ci.test/1"},
]


def post(mock: Mock, sha: str = "main", **body: Any) -> Any:
    answer = mock.post(f"{PROJECT}/statuses/{sha}", json={"state": "success", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def listed(mock: Mock, status: str) -> list[int]:
    return [each["id"] for each in mock.get(f"{PROJECT}/pipelines?status={status}").json()]


def following(mock: Mock, **more: Any) -> Any:
    jobs = [{"name": "build", "duration": 10}]
    mock.declare(900, **{"jobs": jobs, "external_statuses": CI, **more})
    return mock.trigger(scenario_id=900)


def jump(mock: Mock, **body: Any) -> Any:
    answer = mock.post("/_mock/clock/next", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_lists_follow_what_another_ci_posts(mock: Mock):
    following(mock)
    mock.trigger(scenario_id=900)

    mock.advance("30s")
    assert listed(mock, "running") == [2, 1]
    mock.advance("30s")
    assert listed(mock, "failed") == [2, 1]


def test_a_posted_status_sets_its_pipeline_apart_from_equal_ones(mock: Mock):
    for _ in range(3):
        mock.trigger(scenario_id=10)
    post(mock, state="running", pipeline_id=2)
    mock.advance("20s")

    assert (listed(mock, "running"), listed(mock, "success")) == ([2], [3, 1])


def test_a_jump_stops_where_another_ci_posts(mock: Mock):
    following(mock)
    seen = [
        [(each["name"], each["after"], each["job_id"]) for each in jump(mock)["changes"]]
        for _ in range(3)
    ]

    assert seen == [
        [("ci", "running", 199_000)],
        [("build", "success", 100_001)],
        [("ci", "failed", 199_000), ("pipeline", "failed", None)],
    ]
    assert jump(mock)["changes"] == []


@pytest.mark.parametrize("job", ["ci", 199_000])
def test_the_clock_jumps_to_where_a_status_is_reached(mock: Mock, job: int | str):
    following(mock)

    assert jump(mock, pipeline_id=1, job=job, until="failed")["now"][14:19] == "01:00"
    assert jump(mock, pipeline_id=1, job=job, until="failed")["changes"] == []


def test_a_world_that_waits_for_a_posted_status_to_change_is_told_that_it_never_does(mock: Mock):
    post(mock, state="running")

    answer = mock.post(
        "/_mock/clock/next", json={"pipeline_id": 1, "job": "default", "until": "success"}
    )

    assert answer.status_code == 422
    assert "job default never becomes success by itself: it is run" in answer.json()["message"]


def test_a_retry_leaves_what_another_ci_has_posted(mock: Mock):
    following(mock, jobs=[{"name": "build", "status": "failed"}])
    mock.advance("2m")

    retried = mock.post(f"{PROJECT}/pipelines/1/retry").json()

    assert retried["status"] == "failed"
    detail = mock.get("/_mock/pipelines/1").json()
    assert [each["status"] for each in detail["external_statuses"]] == ["failed"]


def test_a_pipeline_follows_edits_of_what_another_ci_posts(mock: Mock):
    following(mock)
    mock.advance("2m")
    assert mock.pipeline(1)["status"] == "failed"

    edited = {"scenario_id": 900, "external_statuses": [{"name": "ci", "state": "success"}]}
    assert mock.put("/_mock/scenarios/900", json=edited).is_success

    assert mock.pipeline(1)["status"] == "success"


def test_reads_go_on_ending_a_pipeline_beside_its_statuses(mock: Mock):
    mock.declare(900, terminal_after_polls=2)
    mock.trigger(scenario_id=900)
    post(mock, state="running")

    assert [mock.pipeline(1)["status"] for _ in range(3)] == ["running"] * 3
    post(mock, state="success")
    assert mock.pipeline(1)["status"] == "success"


def test_a_bridge_that_waits_sees_the_statuses_of_its_pipeline(mock: Mock):
    bridge = {"project": "group/b", "scenario": 1, "strategy": "depend"}
    mock.declare(900, jobs=[{"name": "start", "downstream": bridge}])
    mock.trigger(scenario_id=900)
    sha = mock.get("/api/v4/projects/group%2Fb/pipelines").json()[0]["sha"]
    running = {"state": "running"}
    assert mock.post(f"/api/v4/projects/group%2Fb/statuses/{sha}", json=running).is_success
    mock.advance("1m")
    assert mock.pipeline(1)["status"] == "running"

    mock.post(f"/api/v4/projects/group%2Fb/statuses/{sha}", json={"state": "failed"})

    assert mock.pipeline(1)["status"] == "failed"


def test_a_webhook_tells_of_the_pipeline_and_not_of_its_statuses(mock: Mock, receiver: Receiver):
    hook = {"url": receiver.url, "pipeline_events": True, "job_events": True}
    assert mock.post(f"{PROJECT}/hooks", json=hook).is_success

    post(mock, state="running")
    mock.advance("1s")
    post(mock, state="failed")
    mock.advance("1s")

    assert [got.status for got in receiver.received] == [
        ("pipeline", "running"), ("pipeline", "failed"),
    ]  # fmt: skip
    body = receiver.received[0].body
    assert (body["builds"], body["object_attributes"]["stages"]) == ([], ["external"])


def test_the_control_namespace_shows_statuses(mock: Mock):
    following(mock)
    mock.advance("1m")
    post(mock, name="mine", description="fine")

    detail = mock.get("/_mock/pipelines/1").json()

    assert detail["external_statuses"] == [
        {
            "id": 100_000,
            "name": "mine",
            "status": "success",
            "retried": False,
            "target_url": None,
            "description": "fine",
            "posted": True,
        },
        {
            "id": 199_000,
            "name": "ci",
            "status": "failed",
            "retried": False,
            "target_url": "https://ci.test/1",
            "description": None,
            "posted": False,
        },
    ]
    assert "ci" in [change["name"] for change in detail["timeline"]]


def test_a_sandbox_begins_without_the_statuses_of_others(mock: Mock):
    post(mock)

    answer = mock.get(f"/sandbox/a{PROJECT}/pipelines")

    assert (answer.status_code, answer.json()) == (200, [])


def test_a_scenario_declares_at_most_50_statuses(mock: Mock):
    many = [{"name": f"n{number}", "state": "success"} for number in range(51)]
    answer = mock.post("/_mock/scenarios", json={"scenario_id": 900, "external_statuses": many})
    assert answer.status_code == 422


def test_declared_statuses_take_room_from_those_that_are_posted(mock: Mock):
    declared = [{"name": f"n{number}", "state": "success"} for number in range(50)]
    mock.declare(900, external_statuses=declared)
    mock.trigger(scenario_id=900)
    numbers = [post(mock, name=f"p{number}")["pipeline_id"] for number in range(51)]

    assert numbers == [1] * 50 + [2]


def test_a_declared_coverage_counts_once_it_is_posted(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "scenarios:\n- scenario_id: 900\n  external_statuses:\n"
        "  - {name: cov, state: success, after: 5s, coverage: 40}\n"
    )
    mock.trigger(scenario_id=900)
    assert mock.pipeline(1)["coverage"] is None
    mock.advance("5s")
    assert mock.pipeline(1)["coverage"] == "40.00"
