"""What goes wrong with the deliveries of webhooks, as a receiver meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.testing.receiver import Receiver
    from tests.conftest import Mock

ENDS = {"event": "Pipeline Hook", "status": "success"}


@pytest.fixture
def hooked(mock: Mock, receiver: Receiver) -> Mock:
    """A mock with a hook that wants everything, and a pipeline that takes ten seconds."""
    wanted = {
        "url": receiver.url,
        "token": "s3cret",
        "signing_token": "whsec_" + "a" * 43 + "=",
        "pipeline_events": True,
        "job_events": True,
    }
    assert mock.post("/api/v4/projects/1/hooks", json=wanted).status_code == 201
    mock.declare(900, jobs=[{"name": "build", "duration": 10}])
    return mock


def broken(mock: Mock, when: Any = ENDS, **fault: Any) -> Any:
    answer = mock.post("/_mock/faults", json={"when": when, **fault})
    assert answer.status_code == 201, answer.text
    return answer.json()


def play(mock: Mock) -> None:
    mock.trigger(scenario_id=900)
    mock.advance("10s")


def states(mock: Mock) -> list[tuple[str, str, str | None]]:
    return [
        (each["status"], each["state"], each["fault"])
        for each in mock.get("/_mock/deliveries").json()
        if each["event"] == "Pipeline Hook"
    ]


USUAL = [
    ("build", "running"), ("pipeline", "running"), ("build", "success"), ("pipeline", "success"),
]  # fmt: skip


def test_without_a_fault_everything_comes_in_order(hooked: Mock, receiver: Receiver):
    play(hooked)

    assert receiver.statuses == USUAL
    assert states(hooked) == [("running", "sent", None), ("success", "sent", None)]


def test_a_lost_webhook_never_comes(hooked: Mock, receiver: Receiver):
    broken(hooked, deliver="lost")

    play(hooked)

    assert receiver.statuses == USUAL[:-1]
    assert states(hooked)[1] == ("success", "lost", "lost")


def test_a_webhook_comes_twice_with_one_key(hooked: Mock, receiver: Receiver):
    broken(hooked, deliver="twice")

    play(hooked)

    assert receiver.statuses == [*USUAL, USUAL[-1]]
    *_, first, second = receiver.received
    for header in ("Idempotency-Key", "X-Gitlab-Event-UUID"):
        assert first.headers[header] == second.headers[header]
    assert first.body == second.body


def test_a_webhook_is_late_on_the_clock_of_the_mock(hooked: Mock, receiver: Receiver):
    broken(hooked, late="30s")
    play(hooked)
    assert receiver.statuses == USUAL[:-1]

    hooked.advance("29s")
    assert len(receiver.received) == 3
    hooked.advance("1s")

    assert receiver.statuses == USUAL
    assert receiver.received[-1].body["object_attributes"]["finished_at"] == (
        "2026-01-01 00:00:10 UTC"
    )


def test_a_late_webhook_comes_at_its_moment_within_a_long_move(hooked: Mock, receiver: Receiver):
    broken(hooked, late="30s")
    seen = []

    def react(_: Any) -> None:
        seen.append(hooked.get("/_mock/clock").json()["now"][14:19])

    receiver.react = react
    hooked.trigger(scenario_id=900)
    hooked.advance("1h")

    assert seen == ["00:00", "00:00", "00:10", "00:40"]


def test_a_webhook_out_of_order_comes_after_the_next_one(hooked: Mock, receiver: Receiver):
    broken(hooked, {"event": "Job Hook", "status": "success"}, deliver="out_of_order")

    play(hooked)

    assert receiver.statuses == [*USUAL[:2], USUAL[3], USUAL[2]]


def test_a_webhook_is_held_back_until_the_next_moment_at_which_others_follow(
    hooked: Mock, receiver: Receiver
):
    broken(hooked, deliver="out_of_order", times=1)
    play(hooked)
    assert states(hooked)[1] == ("success", "held", "out_of_order")

    hooked.trigger(scenario_id=900)
    hooked.advance("0s")

    assert [status for _, status in receiver.statuses] == [
        "running", "running", "success", "running", "running", "success",
    ]  # fmt: skip


def test_a_webhook_comes_with_a_wrong_token_and_signature(hooked: Mock, receiver: Receiver):
    broken(hooked, deliver="wrong_token")

    play(hooked)

    *_, good, forged = receiver.received
    assert good.headers["X-Gitlab-Token"] == "s3cret"
    assert forged.headers["X-Gitlab-Token"] == "wrong-token"
    assert forged.headers["webhook-signature"] != good.headers["webhook-signature"]


def test_a_wrong_token_says_nothing_where_there_is_none(mock: Mock, receiver: Receiver):
    mock.post("/api/v4/projects/1/hooks", json={"url": receiver.url, "pipeline_events": True})
    broken(mock, deliver="wrong_token")
    mock.trigger(scenario_id=1)
    mock.advance("1s")

    assert "X-Gitlab-Token" not in receiver.received[-1].headers


def test_a_webhook_has_the_payload_of_before(hooked: Mock, receiver: Receiver):
    broken(hooked, deliver="old_payload")
    broken(hooked, {"event": "Job Hook"}, deliver="old_payload")

    play(hooked)

    # What tells of the creation has nothing before.
    assert receiver.statuses == [
        ("build", "running"), ("pipeline", "running"), ("build", "running"),
        ("pipeline", "running"),
    ]  # fmt: skip
    assert states(hooked)[1] == ("success", "sent", "old_payload")


def test_a_new_attempt_has_no_payload_of_before(mock: Mock, receiver: Receiver):
    mock.post("/api/v4/projects/1/hooks", json={"url": receiver.url, "job_events": True})
    attempts = [{"status": "failed"}, {}]
    mock.declare(900, jobs=[{"name": "build", "duration": 10, "retry": 1, "attempts": attempts}])
    broken(mock, {"event": "Job Hook", "status": "running"}, deliver="old_payload")
    mock.trigger(scenario_id=900)
    mock.advance("30s")

    told = [(got.body["retries_count"], got.body["build_status"]) for got in receiver.received]
    assert told == [(0, "running"), (0, "failed"), (1, "running"), (1, "success")]


def test_a_deployment_has_no_payload_of_before(mock: Mock, receiver: Receiver):
    mock.post("/api/v4/projects/1/hooks", json={"url": receiver.url, "deployment_events": True})
    broken(mock, {"event": "Deployment Hook"}, deliver="old_payload")
    made = {"environment": "qa", "sha": "a" * 40, "ref": "main", "tag": False, "status": "success"}
    mock.post("/api/v4/projects/1/deployments", json=made)
    mock.advance("1s")

    assert [got.body["status"] for got in receiver.received] == ["success"]


def test_skip_every_and_times_count_deliveries(hooked: Mock, receiver: Receiver):
    fault = broken(hooked, {"event": "Pipeline Hook"}, deliver="lost", skip=1, every=2, times=1)

    play(hooked)
    play(hooked)

    assert [state for _, state, _ in states(hooked)] == ["sent", "lost", "sent", "sent"]
    [row] = hooked.get("/_mock/faults").json()
    assert (row["key"], row["matched"], row["applied"]) == (fault["key"], 4, 1)


def test_a_fault_is_for_the_webhooks_of_a_project(hooked: Mock, receiver: Receiver):
    broken(hooked, {"project": "other/*"}, deliver="lost")

    play(hooked)

    assert receiver.statuses == USUAL


def test_a_fault_of_a_scenario_is_for_its_pipelines(hooked: Mock):
    faults = [{"when": {"event": ["Pipeline Hook"]}, "deliver": "lost"}]
    hooked.declare(901, terminal_after_seconds=5, faults=faults)
    hooked.trigger(scenario_id=901)
    play(hooked)

    assert [state for _, state, _ in states(hooked)] == ["lost", "sent", "lost", "sent"]


def test_a_fault_of_webhooks_is_none_of_requests(hooked: Mock):
    broken(hooked, {}, deliver="lost")

    assert hooked.get("/api/v4/user").status_code == 200
    assert hooked.get("/_mock/faults").json()[0]["matched"] == 0


def test_a_fault_is_written_back_as_it_was_declared(mock: Mock):
    declared = {
        "when": {"project": "group/*", "event": ["Job Hook", "Pipeline Hook"], "status": "failed"},
        "deliver": "twice",
        "late": 30,
    }

    assert broken(mock, **declared)["definition"] == declared
    assert broken(mock, {"event": "Job Hook"}, late="5s")["definition"] == {
        "when": {"event": "Job Hook"}, "late": 5,
    }  # fmt: skip


def test_faults_of_webhooks_stand_in_the_files(mock_with: Callable[..., Mock], receiver: Receiver):
    mock = mock_with(
        "faults: [{when: {event: Pipeline Hook, status: success}, deliver: lost}]\n"
        "projects: [{id: 1, path: group/app, "
        f'hooks: [{{url: "{receiver.url}", pipeline_events: true}}]}}]\n'
    )
    mock.trigger(scenario_id=1)
    mock.advance("1s")

    assert receiver.statuses == [("pipeline", "running")]
