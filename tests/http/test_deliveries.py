"""Webhooks are delivered in virtual time, to a real receiver."""

from __future__ import annotations

import base64
import json
import sys
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest

from mock_gitlab.engine.hooks import signature
from mock_gitlab.http import deliveries, sending

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mock_gitlab.testing.receiver import Received, Receiver
    from tests.conftest import Mock

JOBS = [{"name": "build", "stage": "build", "duration": "1m"}]
FILE = "token: MOCK_SUPER_SECRET\nclock: {start: 2026-01-01T00:00:00Z, frozen: true}\n"
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


def world_of(mock: Mock) -> Any:
    return cast("Any", mock.app).worlds.default


def hook(mock: Mock, receiver: Receiver, **fields: Any) -> Any:
    wanted = {"url": receiver.url, "push_events": False, "pipeline_events": True, **fields}
    answer = mock.post("/api/v4/projects/1/hooks", json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


def triggered(mock: Mock, **fields: Any) -> Any:
    mock.declare(700, **{"stages": ["build"], "jobs": JOBS, **fields})
    return mock.trigger(scenario_id=700)


def moved(mock: Mock, how: str, **body: Any) -> Any:
    answer = mock.post(f"/_mock/clock/{how}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_change_of_a_pipeline_is_told_in_its_order(mock: Mock, receiver: Receiver):
    hook(mock, receiver)
    pipeline = triggered(mock, jobs=[{**JOBS[0], "pending_seconds": 10}])

    walk = moved(mock, "advance", duration="5m")

    assert [each["status"] for each in walk["deliveries"]][-1] == "success"
    assert receiver.statuses[-2:] == [("pipeline", "running"), ("pipeline", "success")]
    attributes = receiver.received[-1].body["object_attributes"]
    assert attributes["id"] == pipeline["id"]
    assert walk["now"] == "2026-01-01T00:05:00.000Z"


def test_a_job_hook_tells_of_each_change_of_a_job(mock: Mock, receiver: Receiver):
    hook(mock, receiver, pipeline_events=False, job_events=True)
    triggered(mock)

    moved(mock, "advance", duration="5m")

    assert receiver.statuses == [("build", "running"), ("build", "success")]
    assert receiver.received[0].headers["X-Gitlab-Event"] == "Job Hook"


def test_a_trigger_is_told_promptly_although_the_clock_stands(mock: Mock, receiver: Receiver):
    hook(mock, receiver)
    triggered(mock)

    assert receiver.wait_for(1)[0].status == ("pipeline", "running")


def test_a_receiver_sees_the_moment_that_it_is_told_of(mock: Mock, receiver: Receiver):
    seen: list[str] = []

    def look(got: Received) -> None:
        number = got.body["object_attributes"]["id"]
        seen.append(mock.pipeline(number)["status"])

    hook(mock, receiver)
    receiver.react = look
    triggered(mock)
    moved(mock, "advance", duration="5m")

    assert seen == ["running", "success"]


def test_a_receiver_may_cancel_on_the_way(mock: Mock, receiver: Receiver):
    def cancel(got: Received) -> None:
        if got.status == ("build", "running"):
            mock.post(f"/api/v4/projects/1/pipelines/{got.body['pipeline_id']}/cancel")

    hook(mock, receiver, job_events=True)
    receiver.react = cancel
    triggered(mock, jobs=[{**JOBS[0], "pending_seconds": 60}])
    moved(mock, "advance", duration="5m")

    assert receiver.statuses[-1] == ("pipeline", "canceled")


def test_a_receiver_cannot_move_the_clock(mock: Mock, receiver: Receiver):
    answers: list[Any] = []

    def move(_: Received) -> None:
        answers.append(mock.post("/_mock/clock/advance", json={"seconds": 1}))

    hook(mock, receiver)
    triggered(mock)
    moved(mock, "advance", seconds=0)
    receiver.react = move
    moved(mock, "advance", duration="5m")

    assert [each.status_code for each in answers] == [409]
    assert "receivers cannot move it" in answers[0].json()["message"]


def test_a_receiver_of_a_prompt_delivery_cannot_move_it_either(
    mock: Mock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deliveries, "PATIENCE", 0.01)
    answers: list[int] = []
    receiver.react = lambda _: answers.append(
        mock.post("/_mock/clock/advance", json={"seconds": 1}).status_code
    )
    hook(mock, receiver)
    triggered(mock)

    receiver.wait_for(1)
    assert answers == [409]


def test_a_jump_to_the_next_change_delivers_it(mock: Mock, receiver: Receiver):
    hook(mock, receiver)
    pipeline = triggered(mock)

    walk = moved(mock, "next", pipeline_id=pipeline["id"], until="success")

    assert walk["changes"][-1]["pipeline_id"] == pipeline["id"]
    assert receiver.statuses == [("pipeline", "running"), ("pipeline", "success")]
    assert moved(mock, "next")["changes"] == []


@pytest.mark.parametrize(
    ("deliver", "expected"), [("last", [("pipeline", "success")]), ("none", [])]
)
@pytest.mark.parametrize("how", ["advance", "next"])
def test_a_jump_may_deliver_the_last_events_or_none(
    mock: Mock, receiver: Receiver, how: str, deliver: str, expected: list[Any]
):
    hook(mock, receiver)
    pipeline = triggered(mock, jobs=[{**JOBS[0], "pending_seconds": 60}])
    moved(mock, "advance", seconds=0)
    receiver.received.clear()

    more = {"duration": "1h"} if how == "advance" else {"until": "success"}
    more |= {} if how == "advance" else {"pipeline_id": pipeline["id"]}
    moved(mock, how, deliver=deliver, **more)

    assert receiver.statuses == expected


def test_a_move_makes_a_bounded_number_of_deliveries(
    mock: Mock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    hook(mock, receiver)
    mock.declare(700, stages=["build"], jobs=JOBS)
    for _ in range(5):
        mock.trigger(scenario_id=700)
    moved(mock, "advance", seconds=0)
    monkeypatch.setattr(deliveries, "MOST", 3)

    walk = moved(mock, "advance", duration="1h")

    assert walk["stopped"] == "3 deliveries were made, the most of one move"
    assert (len(walk["deliveries"]), walk["now"]) == (3, "2026-01-01T00:01:00.000Z")
    assert len(moved(mock, "next")["deliveries"]) <= 2


def test_the_headers_are_those_of_gitlab(mock: Mock, receiver: Receiver):
    headers = [{"key": "X-Team", "value": "blue"}, {"key": "x-gitlab-event", "value": "no"}]
    hook(mock, receiver, token="s3cret", signing_token=KEY, custom_headers=headers)
    triggered(mock)

    [got] = receiver.wait_for(1)[:1]
    sent = got.headers
    assert sent["X-Gitlab-Token"] == "s3cret"
    assert (sent["X-Gitlab-Event"], sent["X-Team"]) == ("Pipeline Hook", "blue")
    assert sent["X-Gitlab-Instance"] == "http://testserver"
    assert sent["User-Agent"].startswith("GitLab/")
    assert {"X-Gitlab-Webhook-UUID", "X-Gitlab-Event-UUID", "Idempotency-Key"} <= set(sent)
    assert sent["webhook-id"] == sent["Idempotency-Key"]
    seconds = int(sent["webhook-timestamp"])
    assert sent["webhook-signature"] == signature(KEY, sent["webhook-id"], seconds, got.raw)


def test_a_declared_hook_is_served_with_variables_in_its_url(
    mock_with: Callable[..., Mock], receiver: Receiver
):
    target = receiver.url.replace("127.0.0.1", "me:pw@127.0.0.1")
    declared = {"url": f"{target}/{{key}}", "pipeline_events": True, "url_variables": {"key": "k"}}
    mock = mock_with(
        "projects: " + json.dumps([{"id": 1, "path": "group/app", "hooks": [declared]}])
    )
    triggered(mock)

    [got] = receiver.wait_for(1)
    assert got.path == "/hook/k"
    assert got.headers["Authorization"].startswith("Basic ")
    assert got.body["project"]["path_with_namespace"] == "group/app"


def test_a_running_clock_wakes_for_the_next_moment(
    mock_with: Callable[..., Mock], receiver: Receiver
):
    mock = mock_with(base="version: 1\ndatabase: ':memory:'\n")
    hook(mock, receiver)
    triggered(mock, jobs=[{"name": "build", "stage": "build", "duration": "200ms"}])

    assert receiver.wait_for(2)[1].status == ("pipeline", "success")


# ---------------------------------------------------------------------------- failing


def states(mock: Mock, number: int) -> Any:
    return mock.get(f"/api/v4/projects/1/hooks/{number}").json()


def test_the_fourth_failure_in_a_row_disables_for_a_minute(mock: Mock, receiver: Receiver):
    made = hook(mock, receiver)
    receiver.react = lambda _: 500
    for _ in range(4):
        mock.trigger()
        moved(mock, "advance", seconds=0)
    state = states(mock, made["id"])
    assert state["alert_status"] == "temporarily_disabled"
    assert state["disabled_until"] == "2026-01-01T00:01:00.000Z"
    mock.trigger()
    moved(mock, "advance", seconds=0)
    assert len(receiver.received) == 4

    receiver.react = lambda _: None
    moved(mock, "advance", duration="1m")
    mock.trigger()
    moved(mock, "advance", seconds=0)
    assert states(mock, made["id"])["alert_status"] == "executable"
    assert len(receiver.received) == 5


def test_what_is_due_when_a_hook_is_disabled_is_not_sent(mock: Mock, receiver: Receiver):
    hook(mock, receiver)
    hooks = world_of(mock).hooks
    hooks._table.count_failures(1, 40, None)
    mock.trigger()
    moved(mock, "advance", seconds=0)
    assert [each["state"] for each in mock.get("/_mock/deliveries").json()] == ["skipped"]
    assert states(mock, 1)["alert_status"] == "disabled"


def test_a_redirect_is_a_success_that_is_not_followed(mock: Mock, receiver: Receiver):
    receiver.react, receiver.location = lambda _: 302, receiver.url
    hook(mock, receiver)
    mock.trigger()
    [sent] = moved(mock, "advance", seconds=0)["deliveries"] or mock.get("/_mock/deliveries").json()
    assert sent["response_status"] == 302
    assert len(receiver.received) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://192.0.2.1/", "http://a..b/"])
def test_no_answer_is_an_internal_error(mock: Mock, receiver: Receiver, url: str):
    world = world_of(mock)
    made = hook(mock, receiver)
    found = world.hooks.hook(world.catalog.project("1"), made["id"])
    world.hooks._table.update(1, found.spec.__class__(url, events=frozenset(["pipeline_events"])))
    mock.trigger()
    moved(mock, "advance", seconds=0)
    [sent] = mock.get("/_mock/deliveries").json()
    assert sent["response_status"] == "internal error"


def test_a_receiver_that_takes_too_long_is_a_failure(
    mock: Mock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    import threading

    answer = threading.Event()
    monkeypatch.setattr(sending, "TIMEOUT", 0.5)
    receiver.react = lambda _: answer.wait(20) and None
    hook(mock, receiver)
    mock.trigger()
    moved(mock, "advance", seconds=0)
    answer.set()
    [event] = mock.get("/api/v4/projects/1/hooks/1/events").json()
    assert event["response_body"] == "no answer within 0.5 seconds"


def test_a_host_that_cannot_be_resolved_is_a_failure(
    mock: Mock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(2, "Name or service not known")

    hook(mock, receiver)
    monkeypatch.setattr("socket.getaddrinfo", fail)
    assert outcome_of(mock) == (422, "127.0.0.1 cannot be resolved: Name or service not known")


def test_a_declared_host_is_reached_whatever_its_address_is(
    mock_with: Callable[..., Mock], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    port = int(receiver.url.rpartition(":")[2].partition("/")[0])
    answer = [(2, 1, 6, "", ("127.0.0.1", port)), (2, 1, 6, "", ("192.0.2.1", port))]
    mock = mock_with("webhook_hosts: [Receiver.internal]")
    hook(mock, receiver, url=f"http://receiver.internal:{port}/")
    hook(mock, receiver, url=f"http://localhost:{port}/")
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answer)

    assert outcome_of(mock) == (201, "201 Created")
    assert receiver.received[0].headers["Host"] == f"receiver.internal:{port}"
    why = "localhost is no loopback address; webhook_hosts may allow it"
    assert outcome_of(mock, 2) == (422, why)


def outcome_of(mock: Mock, number: int = 1) -> tuple[int, str]:
    mock.trigger()
    answer = mock.post(f"/api/v4/projects/1/hooks/{number}/test/pipeline_events")
    return answer.status_code, answer.json()["message"]


def test_without_httpx_a_delivery_says_what_to_install(
    mock: Mock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "httpx", None)
    headers = json.dumps({"url": receiver.url})
    request = {"content": headers, "headers": {"content-type": "application/json"}}
    assert mock.post("/api/v4/projects/1/hooks", **request).status_code == 201
    assert outcome_of(mock) == (422, "webhooks need httpx: pip install mock-gitlab[hooks]")


def test_a_long_answer_is_kept_up_to_a_limit(mock: Mock, receiver: Receiver):
    receiver.answer = b"x" * 100_000
    hook(mock, receiver)
    assert outcome_of(mock)[0] == 201
    event = mock.get("/api/v4/projects/1/hooks/1/events").json()[0]
    assert len(event["response_body"]) == 20_000


def test_the_store_being_gone_ends_the_deliveries_quietly(
    mock: Mock, receiver: Receiver, caplog: pytest.LogCaptureFixture
):
    hook(mock, receiver)
    moved(mock, "advance", seconds=0)
    courier = world_of(mock).hooks.courier
    world_of(mock).close()
    mock.portal.call(courier._run)  # type: ignore[union-attr]
    assert "webhooks are delivered later" in caplog.text


def test_a_jump_to_the_next_change_of_a_project_delivers_on_the_way(mock: Mock, receiver: Receiver):
    hook(mock, receiver)
    mock.trigger("2", terminal_after_seconds=60)
    mock.trigger(terminal_after_seconds=5)

    walk = moved(mock, "next", project_id=2)

    assert walk["now"] == "2026-01-01T00:01:00.000Z"
    assert {each["project_id"] for each in walk["changes"]} == {1, 2}
    assert receiver.statuses[-1] == ("pipeline", "success")


def begun(mock: Mock, receiver: Receiver) -> Event:
    """Let a delivery begin, which its receiver answers once the event is set."""
    came, answer = Event(), Event()

    def react(_: Received) -> None:
        came.set()
        assert answer.wait(20)

    receiver.react = react
    hook(mock, receiver)
    triggered(mock)
    assert came.wait(20)
    return answer


def test_a_delivery_under_way_is_finished_when_the_server_ends(
    mock_with: Callable[..., Mock],
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    close = deliveries.Courier.close

    async def answer_and_close(courier: deliveries.Courier) -> None:
        answer.set()
        await close(courier)

    monkeypatch.setattr(deliveries.Courier, "close", answer_and_close)
    monkeypatch.setattr(deliveries, "LAST", 20)
    yaml = f"database: {tmp_path / 'mock.db'}\n"
    mock = mock_with(yaml, base=FILE)
    answer = begun(mock, receiver)
    mock.__exit__(None, None, None)

    receiver.react = lambda _: None
    [delivery] = mock_with(yaml, base=FILE).get("/_mock/deliveries").json()
    assert (delivery["state"], len(receiver.received)) == ("sent", 1)


def test_a_receiver_that_is_slow_does_not_hold_up_the_end_of_the_server(
    mock: Mock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deliveries, "LAST", 0.01)
    answer = begun(mock, receiver)
    mock.__exit__(None, None, None)
    assert receiver.received == []
    answer.set()
    mock.__enter__()


def test_an_end_by_polls_is_told_when_it_has_come(mock: Mock, receiver: Receiver):
    hook(mock, receiver)
    mock.declare(700, terminal_after_polls=2)
    number = mock.trigger(scenario_id=700)["id"]
    receiver.wait_for(1)
    for _ in range(2):
        mock.pipeline(number)

    moved(mock, "advance", duration="1s")

    assert receiver.statuses == [("pipeline", "running"), ("pipeline", "success")]


def test_a_pipeline_is_looked_at_again_once_its_time_has_come(mock: Mock, receiver: Receiver):
    hook(mock, receiver)
    triggered(mock)
    for _ in range(3):
        moved(mock, "advance", duration="30s")

    assert receiver.statuses == [("pipeline", "running"), ("pipeline", "success")]


def test_a_sandbox_has_hooks_of_its_own(mock: Mock, receiver: Receiver):
    root = "/sandbox/mine"
    wanted = {"url": receiver.url, "push_events": False, "pipeline_events": True}
    mock.post(f"{root}/api/v4/projects/1/hooks", json=wanted)
    mock.post(f"{root}/_mock/clock/freeze")
    mock.post(f"{root}/api/v4/projects/1/trigger/pipeline", json={"ref": "a", "scenario_id": 1})
    mock.trigger(scenario_id=1)

    walk = mock.post(f"{root}/_mock/clock/advance", json={"duration": "1h"}).json()

    assert [each["status"] for each in walk["deliveries"]][-1] == "success"
    url = receiver.received[-1].body["object_attributes"]["url"]
    assert url.startswith("http://testserver/sandbox/mine/")
    assert mock.get("/_mock/deliveries").json() == []


def test_the_newest_deliveries_are_listed_oldest_first(mock: Mock, receiver: Receiver):
    number = hook(mock, receiver, job_events=True)["id"]
    pipeline = triggered(mock)["id"]
    moved(mock, "advance", duration="5m")

    def listed(query: str) -> list[tuple[str, str]]:
        rows = mock.get(f"/_mock/deliveries?{query}").json()
        return [(row["event"], row["status"]) for row in rows]

    assert listed("limit=1") == listed("")[-1:]
    assert len(listed(f"hook_id={number}&pipeline_id={pipeline}")) == 4
    assert listed("status=success&limit=9") == [
        ("Job Hook", "success"),
        ("Pipeline Hook", "success"),
    ]
    assert listed("pipeline_id=99") == listed("hook_id=99") == []
    assert mock.get("/_mock/deliveries?limit=0").status_code == 422


def test_a_hook_that_its_receiver_deletes_gets_nothing_more(mock: Mock, receiver: Receiver):
    number = hook(mock, receiver, job_events=True)["id"]

    def delete(_: Received) -> None:
        assert mock.delete(f"/api/v4/projects/1/hooks/{number}").status_code == 204

    receiver.react = delete
    triggered(mock)
    moved(mock, "advance", duration="5m")

    assert len(receiver.received) == 1
