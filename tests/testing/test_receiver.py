"""What test authors use for webhooks: a receiver, and the deliveries of a world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab import MockGitLab, receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mock_gitlab import MockWorld
    from mock_gitlab.testing.receiver import Receiver

FILE = """
database: ":memory:"
clock: {start: 2026-01-01T00:00:00Z, frozen: true}
projects: [{id: 1, path: group/app, hooks: [{url: "URL", pipeline_events: true}]}]
scenarios: [{scenario_id: 900, name: a minute, terminal_after_seconds: 60}]
default_scenario: 900
"""


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, receiving: Receiver) -> Iterator[MockWorld]:
    (tmp_path / "mock.yaml").write_text(FILE.replace("URL", receiving.url), encoding="utf-8")
    with MockGitLab(tmp_path / "mock.yaml") as mock:
        yield mock.mock


def trigger(world: MockWorld) -> None:
    world._request("POST", "/api/v4/projects/1/pipeline", {"ref": "main"})


def test_a_receiver_waits_for_a_status(world: MockWorld, receiving: Receiver):
    trigger(world)
    [first] = receiving.wait_for(event="Pipeline Hook", status="running")
    assert first.body["object_attributes"]["status"] == "running"
    world.advance("5m")
    assert receiving.wait_for(status="success")[0].status == ("pipeline", "success")


def test_a_receiver_says_what_came_instead(world: MockWorld, receiving: Receiver):
    with pytest.raises(AssertionError, match="0 of 1 webhooks came: nothing"):
        receiving.wait_for(timeout=0)
    trigger(world)
    world.advance(0)
    with pytest.raises(AssertionError, match="0 of 1 webhooks came: pipeline running"):
        receiving.wait_for(status="failed", timeout=0)


def test_deliveries_are_listed_and_verified(world: MockWorld):
    assert world.deliveries() == []
    trigger(world)
    world.advance("5m")
    assert [each["status"] for each in world.deliveries(pipeline_id=1)] == ["running", "success"]
    world.verify_delivered("success")
    world.verify_delivered("success", times=1, pipeline_id=1)
    with pytest.raises(AssertionError) as failed:
        world.verify_delivered("failed")
    of_1 = "Pipeline Hook of pipeline 1"
    assert str(failed.value).splitlines() == [
        "expected at least 1 Pipeline Hook with status failed, found 0",
        f"near miss: 2026-01-01T00:01:00.000Z {of_1}: success (sent, answered 200)",
        "  status: wanted 'failed', got 'success'",
        f"near miss: 2026-01-01T00:00:00.000Z {of_1}: running (sent, answered 200)",
        "  status: wanted 'failed', got 'running'",
    ]
