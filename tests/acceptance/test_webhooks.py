"""Webhooks over a kill of the server: nothing is delivered twice, nothing is lost."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.testing.receiver import Receiver
from tests.live import serving

if TYPE_CHECKING:
    from pathlib import Path

    from mock_gitlab.testing.receiver import Received
    from tests.live import Live

ROUNDS = int(os.environ.get("MOCK_TEST_KILLS", "4"))
PIPELINES = 5
SCENARIO = {
    "scenario_id": 900,
    "jobs": [{"name": f"job {n}", "stage": "test", "duration": n} for n in range(1, 4)],
}


def advance(live: Live) -> None:
    """Move the clock; the server may be killed meanwhile."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        live.post_json("/_mock/clock/advance", '{"seconds": 60}')


def prepared(live: Live, receiver: Receiver) -> None:
    events = {"pipeline_events": True, "job_events": True}
    live.control("PUT", "/clock", {"now": "2026-01-01T00:00:00Z", "frozen": True})
    live.control("POST", "/scenarios", SCENARIO)
    made = live.post_json("/api/v4/projects/1/hooks", json.dumps({"url": receiver.url, **events}))
    assert made.status == 201
    for _ in range(PIPELINES):
        assert live.trigger(scenario_id="900").status == 201


@pytest.mark.timeout(60 + 10 * ROUNDS)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_kill_in_a_jump_neither_loses_an_event_nor_marks_it_twice(
    tmp_path: Path, receiver: Receiver, number: int
):
    with serving(tmp_path) as live:
        prepared(live, receiver)
        live.post_json("/_mock/clock/advance", '{"seconds": 0}')
        before = len(receiver.received)

        def kill(_: Received) -> None:
            if len(receiver.received) == before + 3 * (number % 6):
                live.process.kill()

        receiver.react = kill
        mover = Thread(target=advance, args=(live,))
        mover.start()
        mover.join()
        live.process.wait()

    receiver.react = lambda _: None
    with serving(tmp_path) as live:
        moved = live.post_json("/_mock/clock/advance", '{"seconds": 60}').json()
        sent = live.control("GET", "/deliveries").json()

    assert "stopped" not in moved
    assert {each["state"] for each in sent} == {"sent"}
    things = [(each["pipeline_id"], each["job_id"], each["status"]) for each in sent]
    assert len(things) == len(set(things)) == PIPELINES * (2 + 3 * 2)
    keys = [got.headers["Idempotency-Key"] for got in receiver.received]
    assert set(keys) == {each["idempotency_key"] for each in sent}
    assert len(keys) - len(set(keys)) <= 1  # only the one that the kill left unmarked
