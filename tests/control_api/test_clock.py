"""The clock is read, set and moved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.app import create_app
from mock_gitlab.http.follower import Follower
from tests.conftest import FROZEN, TOKEN, Mock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mock_gitlab.testing.receiver import Receiver


def test_the_clock_moves_by_seconds_or_by_a_duration(mock: Mock):
    mock.post("/_mock/clock/advance", json={"seconds": 1.5})
    moved = mock.post("/_mock/clock/advance", json={"duration": "5m"})

    assert moved.json() == {"now": "2026-01-01T00:05:01.500Z", "frozen": True}


@pytest.mark.parametrize(
    "body",
    [{}, {"seconds": 1, "duration": "1s"}, {"seconds": "x"}, {"duration": "soon"},
     {"seconds": 1e300}, {"seconds": -1e12}],
)  # fmt: skip
def test_a_bad_move_is_422_and_moves_nothing(mock: Mock, body: dict[str, Any]):
    assert mock.post("/_mock/clock/advance", json=body).status_code == 422
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"


def test_a_clock_can_be_set_frozen_and_resumed(mock: Mock):
    running = mock.post("/_mock/clock/resume").json()
    frozen = mock.post("/_mock/clock/freeze").json()
    put = mock.put("/_mock/clock", json={"now": "2030-06-01T12:00:00+02:00"}).json()

    assert (running["frozen"], frozen["frozen"]) == (False, True)
    assert put == {"now": "2030-06-01T10:00:00.000Z", "frozen": True}


def test_next_jumps_from_change_to_change_and_tells_them(mock: Mock):
    mock.declare(900, pending_seconds=5, terminal_after_seconds=20)
    mock.trigger(scenario_id=900)
    mock.trigger("2", scenario_id=3)

    jumps = [mock.post("/_mock/clock/next").json() for _ in range(4)]

    assert [jump["now"][17:19] for jump in jumps] == ["03", "05", "20", "20"]
    assert [
        [(c["pipeline_id"], c["after"]) for c in jump["changes"] if c["job_id"] is None]
        for jump in jumps
    ] == [[(2, "success")], [(1, "running")], [(1, "success")], []]


def test_next_can_look_at_one_project_or_pipeline_alone(mock: Mock):
    mock.trigger("1", scenario_id=3)
    mock.trigger("2", scenario_id=9)

    jump = mock.post("/_mock/clock/next", json={"project_id": 2}).json()

    assert jump["now"] == "2026-01-01T00:00:09.000Z"
    assert {change["pipeline_id"] for change in jump["changes"]} == {1, 2}


def test_the_speed_of_a_clock_is_declared_and_changed(mock_with: Callable[..., Mock]):
    mock = mock_with("", base=FROZEN.replace("frozen: true", "frozen: true, speed: 60"))

    declared = mock.get("/_mock/clock").json()
    changed = mock.put("/_mock/clock", json={"speed": 1}).json()

    assert declared == {"now": "2026-01-01T00:00:00.000Z", "frozen": True, "speed": 60}
    assert changed == {"now": "2026-01-01T00:00:00.000Z", "frozen": True}


@pytest.mark.parametrize("speed", [0, -1, 1e9, "fast"])
def test_a_speed_that_no_clock_has_is_refused(mock: Mock, speed: Any):
    assert mock.put("/_mock/clock", json={"speed": speed}).status_code == 422


def test_each_read_of_the_api_may_move_the_clock(mock_with: Callable[..., Mock]):
    mock = mock_with("", base=FROZEN.replace("frozen: true", "frozen: true, advance_per_poll: 2m"))
    number = mock.trigger()["id"]

    seen = [mock.pipeline(number)["status"] for _ in range(4)]

    assert seen == ["running", "running", "running", "success"]
    clock = mock.get("/_mock/clock").json()
    assert clock == {"now": "2026-01-01T00:08:00.000Z", "frozen": True, "advance_per_poll": 120}


def test_what_is_no_read_of_the_api_does_not_move_the_clock(mock: Mock):
    mock.put("/_mock/clock", json={"advance_per_poll": "1m"})

    mock.trigger()
    mock.get("/_mock/pipelines")

    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"


def test_a_sandbox_may_have_a_clock_that_goes_in_its_own_way(mock: Mock):
    clock = {"advance_per_poll": 10, "speed": 2}
    made = mock.post("/_mock/sandboxes", json={"name": "mine", "clock": clock}).json()
    mock.get("/sandbox/mine/api/v4/version")

    assert made["clock"] == {**mock.get("/_mock/clock").json(), "speed": 2, "advance_per_poll": 10}
    assert mock.get("/sandbox/mine/_mock/clock").json()["now"] == "2026-01-01T00:00:10.000Z"


def test_a_clock_that_polls_have_moved_goes_on_after_a_restart(tmp_path: Path):
    path = tmp_path / "mock.yaml"
    clock = "clock: {start: 2026-01-01T00:00:00Z, frozen: true, advance_per_poll: 1m}\n"
    path.write_text(f"database: {tmp_path / 'mock.db'}\n{clock}")
    shown = []
    for _ in range(2):
        with Mock(create_app(path, environ={}, watch=False), headers={"PRIVATE-TOKEN": TOKEN}) as m:
            m.get("/api/v4/version")
            shown.append(m.get("/_mock/clock").json()["now"])

    assert shown == ["2026-01-01T00:01:00.000Z", "2026-01-01T00:02:00.000Z"]


def test_polls_move_the_clock_up_to_the_end_of_time_and_no_further(mock: Mock):
    mock.put("/_mock/clock", json={"now": "8999-12-31T23:59:59Z", "advance_per_poll": "1m"})

    assert mock.get("/api/v4/version").status_code == 200
    assert mock.get("/_mock/clock").json()["now"] == "8999-12-31T23:59:59.000Z"


def test_those_who_follow_a_world_are_told_that_a_poll_has_moved_its_clock(mock: Mock):
    follower = Follower("default")
    mock.put("/_mock/clock", json={"advance_per_poll": "1m"})
    mock.app.follow(follower)  # type: ignore[attr-defined]  # the application is ours
    mock.get("/api/v4/version")
    mock.app.unfollow(follower)  # type: ignore[attr-defined]

    assert asyncio.run(follower.wait(1)) == ["clock", "pipelines", "requests"]


def test_a_poll_that_cannot_move_the_clock_is_answered_all_the_same(
    mock: Mock, caplog: pytest.LogCaptureFixture
):
    mock.put("/_mock/clock", json={"advance_per_poll": "1m"})
    world = mock.app.worlds.default  # type: ignore[attr-defined]
    world._db.execute(
        "CREATE TRIGGER full BEFORE UPDATE ON meta "
        "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    )

    assert mock.get("/api/v4/version").status_code == 200
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"
    assert "the clock does not move: the store is unavailable: the disk is full" in caplog.text


def test_what_polls_make_due_is_delivered_to_webhooks(mock: Mock, receiver: Receiver):
    mock.put("/_mock/clock", json={"advance_per_poll": "10m"})
    hook = {"url": receiver.url, "pipeline_events": True}
    mock.post("/api/v4/projects/1/hooks", json=hook)
    number = mock.trigger()["id"]

    mock.pipeline(number)

    assert receiver.wait_for(status="success")
