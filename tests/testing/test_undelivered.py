"""Why webhooks were not delivered as a test expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_gitlab import MockGitLab
from mock_gitlab.testing.report import report_on
from mock_gitlab.testing.undelivered import differences, undelivered

if TYPE_CHECKING:
    from mock_gitlab.testing.receiver import Receiver

WANTED = {"event": "Pipeline Hook", "status": "failed", "state": "sent"}


def row(**changed: Any) -> dict[str, Any]:
    usual = {
        "at": "NOW", "event": "Pipeline Hook", "pipeline_id": 1, "job_id": None,
        "status": "success", "state": "sent", "response_status": 200, "fault": None,
    }  # fmt: skip
    return {**usual, **changed}


def test_nothing_differs_if_all_is_as_expected():
    assert differences(WANTED, row(status="failed")) == []


def test_without_deliveries_it_asks_for_a_hook():
    assert undelivered(WANTED, [], 0, None).splitlines() == [
        "expected at least 1 Pipeline Hook with status failed, found 0",
        "no webhook was delivered: is there a hook that wants these events?",
    ]


def test_the_nearest_come_first_and_those_alike_once():
    every = [
        row(),
        row(at="LATER"),
        row(event="Job Hook", job_id=100_001),
        row(status="failed", state="lost", response_status=None, fault="lost"),
        row(pipeline_id=2, event="Job Hook", status="running"),
    ]

    assert undelivered({**WANTED, "pipeline_id": 1}, every, 0, 1).splitlines() == [
        "expected exactly 1 Pipeline Hook with status failed, found 0",
        "near miss: NOW Pipeline Hook of pipeline 1: failed (lost, fault lost)",
        "  state: wanted 'sent', got 'lost'",
        "near miss: LATER Pipeline Hook of pipeline 1: success (sent, answered 200), the last of 2",
        "  status: wanted 'failed', got 'success'",
        "near miss: NOW Job Hook of pipeline 1, job 100001: success (sent, answered 200)",
        "  event: wanted 'Pipeline Hook', got 'Job Hook'",
        "  status: wanted 'failed', got 'success'",
    ]


def test_what_is_as_expected_is_no_near_miss():
    lines = undelivered(WANTED, [row(status="failed"), row()], 1, 2).splitlines()

    assert lines == [
        "expected exactly 2 Pipeline Hook with status failed, found 1",
        "near miss: NOW Pipeline Hook of pipeline 1: success (sent, answered 200)",
        "  status: wanted 'failed', got 'success'",
    ]


def test_too_many_are_listed():
    every = [row(status="failed"), row(), row(status="failed", at="LATER")]

    assert undelivered(WANTED, every, 2, 1).splitlines() == [
        "expected exactly 1 Pipeline Hook with status failed, found 2",
        "delivered: NOW Pipeline Hook of pipeline 1: failed (sent, answered 200)",
        "delivered: LATER Pipeline Hook of pipeline 1: failed (sent, answered 200)",
    ]


def test_a_report_shows_the_newest_webhooks(receiver: Receiver):
    with MockGitLab() as server:
        world = server.sandbox("mine", clock={"now": "2026-01-01T00:00:00Z", "frozen": True})
        assert "webhooks" not in report_on(world, server.mock, None)
        hook = {"url": receiver.url, "pipeline_events": True}
        world._request("POST", "/api/v4/projects/1/hooks", hook)
        world.fault(when={"status": "success"}, deliver="lost")
        for _ in range(6):
            world._request("POST", "/api/v4/projects/1/pipeline", {"ref": "main"})
        world.advance("1h")
        lines = report_on(world, server.mock, None).splitlines()

    begin = lines.index("webhooks, newest first:") + 1
    assert lines[begin] == (
        "2026-01-01T00:05:00.000Z Pipeline Hook of pipeline 6: success (lost, fault lost)"
    )
    assert lines[begin + 6 : begin + 11] == [
        *(
            f"2026-01-01T00:00:00.000Z Pipeline Hook of pipeline {number}: "
            "running (sent, answered 200)"
            for number in (6, 5, 4, 3)
        ),
        "and older ones",
    ]
