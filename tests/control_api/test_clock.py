"""The clock is read, set and moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock


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
