"""Why webhooks were not delivered as a test expected."""

from __future__ import annotations

from typing import Any

from mock_gitlab.testing.undelivered import differences, undelivered

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


def test_too_many_are_listed():
    every = [row(status="failed"), row(), row(status="failed", at="LATER")]

    assert undelivered(WANTED, every, 2, 1).splitlines() == [
        "expected exactly 1 Pipeline Hook with status failed, found 2",
        "delivered: NOW Pipeline Hook of pipeline 1: failed (sent, answered 200)",
        "delivered: LATER Pipeline Hook of pipeline 1: failed (sent, answered 200)",
    ]
