"""Which events a world's webhooks are owed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.testing.receiver import Receiver
    from tests.conftest import Mock


def hooked(mock: Mock, receiver: Receiver, project: str = "1", **fields: Any) -> int:
    sent = {"url": receiver.url, "pipeline_events": True, **fields}
    answer = mock.post(f"/api/v4/projects/{project}/hooks", json=sent)
    return cast("int", answer.json()["id"])


def flush(mock: Mock, seconds: float = 0) -> list[Any]:
    answer = mock.post("/_mock/clock/advance", json={"seconds": seconds})
    assert answer.status_code == 200, answer.text
    return cast("list[Any]", mock.get("/_mock/deliveries").json())


def told(mock: Mock, seconds: float = 0) -> list[str]:
    return [each["status"] for each in flush(mock, seconds) if each["state"] == "sent"]


def test_what_was_before_a_hook_is_not_told(mock: Mock, receiver: Receiver):
    mock.trigger(terminal_after_seconds=5)
    hooked(mock, receiver)
    assert told(mock) == []
    assert told(mock, 10) == ["success"]


def test_a_hook_of_every_project_is_told_of_all(mock_with: Callable[..., Mock], receiver: Receiver):
    mock = mock_with(
        f'hooks: [{{url: "{receiver.url}", pipeline_events: true, deployment_events: true}}]\n'
        "faults: [{when: {project: 2, status: success, event: Pipeline Hook}, deliver: lost}]\n"
    )
    for project in ("1", "2"):
        mock.trigger(project, scenario_id=1)
        made = {"environment": "qa", "sha": "a" * 40, "ref": "main", "tag": False}
        deployments = f"/api/v4/projects/{project}/deployments"
        assert mock.post(deployments, json={**made, "status": "failed"}).status_code == 201
    mock.advance("1s")

    told = [(got.body["project"]["id"], got.status[1]) for got in receiver.received]
    assert sorted(told) == [
        (1, "failed"), (1, "running"), (1, "success"), (2, "failed"), (2, "running"),
    ]  # fmt: skip
    for number in (1, 2):
        [hook] = mock.get(f"/api/v4/projects/{number}/hooks").json()
        shown = mock.get(f"/api/v4/projects/{number}/hooks/{hook['id']}").json()
        assert (hook["id"], hook["project_id"], shown["project_id"]) == (1, number, number)


def test_another_project_is_not_told(mock: Mock, receiver: Receiver):
    hooked(mock, receiver, "2")
    mock.trigger()
    assert flush(mock) == []


def test_a_hook_without_these_events_is_told_nothing(mock: Mock, receiver: Receiver):
    hooked(mock, receiver, pipeline_events=False)
    mock.trigger()
    assert flush(mock) == []


def test_a_retry_after_the_end_is_told(mock: Mock, receiver: Receiver):
    hooked(mock, receiver)
    mock.trigger(terminal_after_seconds=5, terminal_status="failed")
    told(mock, 10)
    assert mock.post("/api/v4/projects/1/pipelines/1/retry").status_code == 201
    assert told(mock, 10) == ["running", "failed", "running", "failed"]


def test_a_clock_that_goes_back_and_on_repeats_nothing(mock: Mock, receiver: Receiver):
    hooked(mock, receiver)
    mock.trigger(terminal_after_seconds=5)
    told(mock, 10)
    assert told(mock, -10) == ["running", "success"]
    assert told(mock, 10) == ["running", "success"]


def test_a_scenario_that_is_replaced_changes_what_is_told(mock: Mock, receiver: Receiver):
    hooked(mock, receiver)
    mock.declare(700, terminal_after_seconds=60)
    mock.trigger(scenario_id=700)
    told(mock)
    body = {
        "scenario_id": 700,
        "name": "x",
        "terminal_after_seconds": 60,
        "terminal_status": "failed",
    }
    assert mock.put("/_mock/scenarios/700", json=body).status_code == 200
    assert told(mock, 60) == ["running", "failed"]
    assert mock.delete("/_mock/scenarios/700").status_code == 204


def test_a_poll_that_ends_a_pipeline_is_told(mock: Mock, receiver: Receiver):
    hooked(mock, receiver)
    mock.declare(700, terminal_after_polls=2)
    mock.trigger(scenario_id=700)
    mock.pipeline(1)
    mock.pipeline(1)
    receiver.wait_for(2)
    assert told(mock)[-1] == "success"


def test_deliveries_are_filtered(mock: Mock, receiver: Receiver):
    first, second = hooked(mock, receiver), hooked(mock, receiver)
    mock.trigger(terminal_after_seconds=5)
    flush(mock, 10)
    for params, count in (
        ({"hook_id": first}, 2),
        ({"hook_id": second, "status": "success"}, 1),
        ({"pipeline_id": 9}, 0),
    ):
        assert len(mock.get("/_mock/deliveries", params=params).json()) == count


def test_a_hook_deleted_by_its_receiver_is_told_nothing_more(mock: Mock, receiver: Receiver):
    number = hooked(mock, receiver)

    def delete(_: Any) -> None:
        mock.delete(f"/api/v4/projects/1/hooks/{number}")

    for _ in range(3):
        mock.trigger(terminal_after_seconds=5)
    flush(mock)
    receiver.react = delete
    assert flush(mock, 10) == []
    assert len(receiver.received) == 4


def test_a_test_keeps_a_hook_disabled_until_it_is_good(mock: Mock, receiver: Receiver):
    number = hooked(mock, receiver)
    receiver.react = lambda _: 500
    for _ in range(4):
        mock.trigger()
        flush(mock)
    path = f"/api/v4/projects/1/hooks/{number}"
    before = mock.get(path).json()["disabled_until"]
    assert mock.post(f"{path}/test/pipeline_events").status_code == 422
    assert mock.get(path).json()["disabled_until"] == before
    receiver.react = lambda _: None
    assert mock.post(f"{path}/test/pipeline_events").status_code == 201
    assert mock.get(path).json()["alert_status"] == "executable"


def test_a_server_that_starts_delivers_what_was_owed(
    mock_with: Callable[..., Mock], receiver: Receiver, tmp_path: Any
):
    base = f"version: 1\ndatabase: {tmp_path / 'kept.db'}\n"
    base += "clock: {start: 2026-01-01T00:00:00Z, frozen: true}\n"
    first = mock_with(base=base)
    hooked(first, receiver)
    cast("Any", first.app).wake = lambda _: None  # as if it had been killed before
    first.trigger()
    first.__exit__()
    mock_with(base=base)
    assert receiver.wait_for(1)[0].status == ("pipeline", "running")


def test_a_world_without_hooks_loads_nothing(mock: Mock):
    mock.trigger()
    app = cast("Any", mock.app)
    assert app._couriers is None
    assert app.worlds.default.pipelines.touched is None


def test_the_fourth_failure_skips_what_is_still_due(mock: Mock, receiver: Receiver):
    hooked(mock, receiver)
    for _ in range(6):
        mock.trigger(terminal_after_seconds=5)
    flush(mock)
    receiver.react = lambda _: 500

    states = [each["state"] for each in flush(mock, 10) if each["status"] == "success"]
    assert states == ["sent"] * 4 + ["skipped"] * 2


TEMPLATE = (
    '{"text": "{{object_kind}} of {{ project.path_with_namespace }}", '
    '"status": "{{object_attributes.status}}", "number": {{object_attributes.id}}, '
    '"nothing": {{no.such.key}}}'
)


def test_a_template_makes_the_body(mock: Mock, receiver: Receiver):
    hooked(mock, receiver, custom_webhook_template=TEMPLATE)
    mock.trigger(scenario_id=1)
    flush(mock, 1)

    assert receiver.received[-1].body == {
        "text": "pipeline of root/project-1",
        "status": "success",
        "number": 1,
        "nothing": None,
    }


def test_a_template_stands_in_the_files_too(mock_with: Callable[..., Mock], receiver: Receiver):
    template = """'{"status": "{{object_attributes.status}}"}'"""
    mock = mock_with(
        f'hooks: [{{url: "{receiver.url}", pipeline_events: true, '
        f"custom_webhook_template: {template}}}]\n"
    )
    mock.trigger(scenario_id=1)
    flush(mock)

    assert receiver.received[0].body == {"status": "running"}


def test_a_template_that_makes_no_json_is_a_failure(mock: Mock, receiver: Receiver):
    number = hooked(mock, receiver, custom_webhook_template="{{object_kind}}")
    mock.trigger(scenario_id=1)

    [row] = flush(mock)
    [event] = mock.get(f"/api/v4/projects/1/hooks/{number}/events").json()

    assert receiver.received == []
    assert (row["payload"], row["response_status"]) == ("pipeline", "internal error")
    assert (event["request_data"], event["response_body"]) == (
        "pipeline",
        "Error while parsing rendered custom webhook template",
    )
