"""MockGitLab: a mock in a with block."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import gitlab
import httpx
import pytest

from mock_gitlab import ConfigurationError, MockError, MockGitLab
from mock_gitlab.config.faults import FaultModel
from mock_gitlab.config.overrides import VARIABLES
from mock_gitlab.config.rules import RuleModel
from mock_gitlab.config.scenarios import ScenarioModel
from mock_gitlab.control_api.sandboxes import SandboxBody
from mock_gitlab.server import PortInUse
from mock_gitlab.testing import keywords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab import MockWorld

FROZEN = {"start": "2026-01-01T00:00:00Z", "frozen": True}


@pytest.fixture(scope="module")
def server() -> Iterator[MockGitLab]:
    with MockGitLab() as running:
        yield running


@pytest.fixture
def world(server: MockGitLab, request: pytest.FixtureRequest) -> Iterator[MockWorld]:
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    made = server.sandbox(name, clock=FROZEN, seed="s")
    yield made
    made.close()


def trigger(world: MockWorld, **body: Any) -> int:
    """Trigger as a program would that knows nothing of the mock."""
    client = gitlab.Gitlab(world.url, private_token=world.token)
    order = {"ref": "main", **body}
    return int(client.projects.get(42).pipelines.create(order).id)


def status(world: MockWorld, pipeline_id: int) -> Any:
    answer = httpx.get(
        f"{world.api_url}/projects/42/pipelines/{pipeline_id}",
        headers={"PRIVATE-TOKEN": world.token},
    )
    return answer.json()["status"]


# ---------------------------------------------------------------------------- life


def test_it_serves_inside_a_with_block_and_leaves_nothing_behind():
    before = threading.enumerate()
    with MockGitLab() as mock:
        url = mock.url
        assert httpx.get(f"{url}/_mock/health").status_code == 200

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_mock/health")
    assert threading.enumerate() == before


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_serves_inside_an_async_with_block(backend: str):
    pytest.importorskip(backend)

    async def version() -> Any:
        async with MockGitLab() as mock, httpx.AsyncClient(base_url=mock.url) as client:
            return (await client.get("/version", headers={"PRIVATE-TOKEN": mock.token})).status_code

    assert anyio.run(version, backend=backend) == 200


def test_two_do_not_know_of_each_other():
    with MockGitLab() as one, MockGitLab() as other:
        trigger(one.mock)

        assert len(one.mock.pipelines()) == 1
        assert other.mock.pipelines() == []


def test_it_can_be_started_again_after_it_was_stopped():
    mock = MockGitLab()
    for _ in range(2):
        mock.start()
        assert httpx.get(f"{mock.url}/_mock/health").status_code == 200
        mock.stop()


def test_a_configuration_file_is_taken(tmp_path: Path):
    (tmp_path / "mock.yaml").write_text("version: 1\ntoken: glpat-mine\ndefault_scenario: 7\n")

    with MockGitLab(tmp_path / "mock.yaml") as mock:
        assert mock.token == "glpat-mine"
        assert trigger(mock.mock) == 1
        assert mock.mock.pipelines()[0]["scenario_id"] == 7


def test_without_one_no_file_that_lies_about_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "mock.yaml").write_text("version: 1\ntoken: from-the-file\n")
    monkeypatch.chdir(tmp_path)

    with MockGitLab() as mock:
        assert mock.token == "MOCK_SUPER_SECRET"


def test_the_file_may_refer_to_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mock.yaml").write_text("version: 1\ntoken: ${OF_THIS_JOB}\n")
    monkeypatch.setenv("OF_THIS_JOB", "glpat-job")
    monkeypatch.setenv("MOCK_DATABASE", str(tmp_path / "mock.db"))

    with MockGitLab(tmp_path / "mock.yaml") as mock:
        assert mock.token == "glpat-job"
    assert not (tmp_path / "mock.db").exists()


def test_mistakes_in_the_file_are_raised_before_anything_runs(tmp_path: Path):
    (tmp_path / "mock.yaml").write_text("version: 2\n")

    with pytest.raises(ConfigurationError, match=r"mock\.yaml:1:10"):
        MockGitLab(tmp_path / "mock.yaml").start()


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        MockGitLab(tmp_path / "nowhere.yaml").start()


def test_a_port_that_is_taken_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        mock = MockGitLab(port=taken.getsockname()[1])
        with pytest.raises(PortInUse, match="cannot listen"):
            mock.start()
    assert not mock.running


def test_a_start_that_fails_leaves_the_database_to_the_next(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortInUse):
            MockGitLab(port=taken.getsockname()[1], database=str(tmp_path / "mock.db")).start()

    with MockGitLab(database=str(tmp_path / "mock.db")) as mock:
        assert mock.running


def test_a_mock_that_was_used_without_a_socket_can_serve(tmp_path: Path):
    mock = MockGitLab(database=str(tmp_path / "mock.db"))
    assert mock.app.worlds.names() == []

    with mock:
        assert mock.sandboxes() == []
        with pytest.raises(RuntimeError, match="another process"):
            _ = mock.app


def test_what_was_never_started_can_be_stopped():
    mock = MockGitLab()

    mock.stop()

    assert not mock.running


def test_its_address_is_only_known_while_it_runs():
    mock = MockGitLab()

    with pytest.raises(RuntimeError, match="not running"):
        _ = mock.url
    with pytest.raises(RuntimeError, match="not running"):
        mock.sandbox("mine")


# ---------------------------------------------------------------------------- no socket


def test_a_transport_answers_httpx_without_a_socket():
    async def version(mock: MockGitLab) -> Any:
        headers = {"PRIVATE-TOKEN": mock.token}
        async with httpx.AsyncClient(
            transport=mock.transport(), base_url="http://gitlab.test", headers=headers
        ) as client:
            triggered = await client.post("/api/v4/projects/1/pipeline", params={"ref": "main"})
            polled = await client.get(f"/api/v4/projects/1/pipelines/{triggered.json()['id']}")
            return polled.json()["status"]

    mock = MockGitLab()
    try:
        assert asyncio.run(version(mock)) == "running"
    finally:
        mock.stop()


def test_a_transport_moves_the_clock_under_any_host_name():
    async def moved(mock: MockGitLab) -> Any:
        headers = {"PRIVATE-TOKEN": mock.token}
        async with httpx.AsyncClient(
            transport=mock.transport(), base_url="http://gitlab.example.com", headers=headers
        ) as client:
            await client.post("/api/v4/projects/1/pipeline", params={"ref": "main"})
            await client.post("/_mock/clock/advance", json={"duration": "5m"})
            return (await client.get("/api/v4/projects/1/pipelines/1")).json()["status"]

    mock = MockGitLab()
    try:
        assert asyncio.run(moved(mock)) == "success"
    finally:
        mock.stop()


@pytest.mark.parametrize("spoiled", ["drop", "truncate"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_transport_cuts_answers_off_as_a_wire_does(spoiled: str, method: str):
    async def get_version(mock: MockGitLab) -> int:
        headers = {"PRIVATE-TOKEN": mock.token}
        async with httpx.AsyncClient(
            transport=mock.transport(), base_url="http://gitlab.test", headers=headers
        ) as client:
            fault = {"when": {"operation": "get_version"}, "skip": 1, spoiled: True}
            await client.post("/_mock/faults", json=fault)
            whole = await client.request(method, "/api/v4/version")
            assert whole.status_code == 200
            return (await client.get("/api/v4/version")).status_code

    mock = MockGitLab()
    try:
        with pytest.raises(httpx.RemoteProtocolError, match="closed early"):
            asyncio.run(get_version(mock))
    finally:
        mock.stop()


def test_a_running_mock_has_no_transport(server: MockGitLab):
    with pytest.raises(RuntimeError, match="running"):
        server.transport()


# ---------------------------------------------------------------------------- the hand on a world


def test_advance_moves_the_clock_and_the_pipelines(world: MockWorld):
    number = trigger(world)
    assert world.now() == "2026-01-01T00:00:00.000Z"

    assert world.advance("4m59s") == "2026-01-01T00:04:59.000Z"
    assert status(world, number) == "running"
    assert world.advance(1) == "2026-01-01T00:05:00.000Z"
    assert status(world, number) == "success"


def test_a_duration_may_be_a_timedelta_wherever_it_stands(world: MockWorld):
    job = {"name": "build", "duration": timedelta(minutes=1)}
    scenario = world.scenario(pending_seconds=timedelta(milliseconds=1500), jobs=[job])
    world.rule(scenario=scenario)
    limit = {"requests": 9, "per": timedelta(hours=1)}
    world.fault(when={"operation": "get_version"}, limit=limit)
    number = trigger(world)

    assert world.advance(timedelta(seconds=61)) == "2026-01-01T00:01:01.000Z"
    assert status(world, number) == "running"
    assert world.advance(timedelta(milliseconds=500)) == "2026-01-01T00:01:01.500Z"
    assert status(world, number) == "success"
    assert world.advance(timedelta(seconds=-1)) == "2026-01-01T00:01:00.500Z"
    assert status(world, number) == "running"


def test_what_has_no_words_in_json_is_an_error_that_names_it(world: MockWorld):
    with pytest.raises(TypeError, match="a set cannot be sent as JSON"):
        world.advance({1})  # type: ignore[arg-type]


def test_next_jumps_to_the_next_change_and_tells_it(world: MockWorld):
    number = trigger(world)

    changes = world.next(pipeline_id=number)

    assert {(each["pipeline_id"], each["after"]) for each in changes} == {(number, "success")}
    assert world.next() == []


def test_the_clock_is_set_frozen_and_resumed(world: MockWorld):
    world.set_clock("2030-05-06T07:08:09Z")
    assert world.now() == "2030-05-06T07:08:09.000Z"
    world.resume()
    world.freeze()

    assert world.now() >= "2030-05-06T07:08:09.000Z"
    assert world.now() == world.now()


def test_a_scenario_declared_inline_gets_a_number(world: MockWorld):
    first = world.scenario(name="breaks", terminal_after_seconds="10s", terminal_status="failed")
    second = world.scenario(name="too", terminal_after_seconds=1, terminal_status="canceled")
    assert second == first + 1

    world.rule(when={"ref": "main"}, scenario=first)
    number = trigger(world)
    world.advance(10)

    assert status(world, number) == "failed"


def test_a_rule_declared_inline_is_tried_before_those_of_the_files(world: MockWorld):
    key = world.rule(when={"ref": "main"}, respond={"status": 400, "body": {"message": "no"}})

    with pytest.raises(gitlab.GitlabCreateError, match="no"):
        trigger(world)
    assert [each["key"] for each in world._request("GET", "/_mock/rules")] == [key]


def test_a_rule_and_a_fault_can_be_switched_off(world: MockWorld):
    rule = world.rule(when={"ref": "main"}, respond={"status": 400, "body": {"message": "no"}})
    fault = world.fault(when={"operation": "get_pipeline"}, respond={"status": 502})

    world.switch_rule(rule, enabled=False)
    world.switch_fault(fault, enabled=False)

    assert status(world, trigger(world)) == "running"


def test_a_fault_declared_inline_is_applied(world: MockWorld):
    number = trigger(world)
    world.fault(when={"operation": "get_pipeline"}, times=1, respond={"status": 502})
    address = f"{world.api_url}/projects/42/pipelines/{number}"
    headers = {"PRIVATE-TOKEN": world.token}

    seen = [httpx.get(address, headers=headers).status_code for _ in range(2)]

    assert seen == [502, 200]


@pytest.mark.parametrize("project", [42, "group/app"])
def test_a_trigger_token_triggers_its_project(world: MockWorld, project: int | str):
    token = world.trigger_token(project)

    client = gitlab.Gitlab(world.url)
    address = f"{world.api_url}/projects/{str(project).replace('/', '%2F')}/trigger/pipeline"
    answer = client.session.post(address, data={"ref": "main", "token": token})

    assert answer.status_code == 201


def test_what_was_recorded_can_be_listed(world: MockWorld):
    number = trigger(world)

    assert [each["id"] for each in world.pipelines(42)] == [number]
    assert world.pipelines(43) == []
    assert world.pipeline(number)["id"] == number
    assert [each["operation"] for each in world.requests()] == ["create_pipeline", "get_project"]
    assert len(world.requests(operation="get_project")) == 1


def test_verify_passes_or_names_the_nearest_misses(world: MockWorld):
    trigger(world, ref="develop")

    world.verify(operation="create_pipeline", ref="develop", times=1)
    with pytest.raises(AssertionError, match="develop"):
        world.verify(operation="create_pipeline", ref="main")


def test_verify_and_requests_name_a_project_alike(world: MockWorld):
    trigger(world)

    assert len(world.requests(operation="create_pipeline", project_id=42)) == 1
    world.verify(operation="create_pipeline", project_id=42, times=1)
    world.verify(operation="create_pipeline", project_id=4, times=0)
    with pytest.raises(MockError, match="project goes without project_id"):
        world.verify(project=42, project_id=42)


def test_reset_makes_the_world_as_new(world: MockWorld):
    trigger(world)
    world.advance("1h")

    world.reset()

    assert world.pipelines() == []
    assert world.now() == "2026-01-01T00:00:00.000Z"


def test_a_mistake_is_an_error_with_the_answer_of_the_mock(world: MockWorld):
    with pytest.raises(MockError, match="duration"):
        world.advance("soon")


def test_every_mistake_is_named_by_its_place(world: MockWorld):
    jobs: Any = [{"name": "build"}, {"name": "test", "durration": "3m", "stage": 1}]

    with pytest.raises(MockError) as refused:
        world.scenario(jobs=jobs, terminal_after_polls=0)

    assert set(str(refused.value).splitlines()) == {
        "jobs[1].durration: is not a known key; did you mean duration?",
        "jobs[1].stage: must be text, not the number 1; quote it",
        "terminal_after_polls: must be 1 or more",
    }


def test_what_has_no_place_is_said_as_it_is(world: MockWorld):
    world.scenario(scenario_id=900)

    with pytest.raises(MockError, match=r"^409: .*900"):
        world.scenario(scenario_id=900)
    with pytest.raises(MockError, match=r"^404 Pipeline Not Found$"):
        world.pipeline(9)
    with pytest.raises(MockError, match=r"^there is no scenario 4711$"):
        world.rule(scenario=4711)


@pytest.mark.parametrize("body", [{"message": {"base": ["no"]}}, ["no"]])
def test_an_answer_of_any_shape_is_said_as_it_is(world: MockWorld, body: Any):
    world.fault(respond={"status": 400, "body": body})

    with pytest.raises(MockError, match=rf"^400: {re.escape(json.dumps(body))}$"):
        world.trigger_token(42)


def test_what_fastapi_refuses_is_said_in_its_words(world: MockWorld):
    with pytest.raises(MockError, match=r"^404 Not Found$"):
        world.pipeline("1/2")  # type: ignore[arg-type]  # no such control


@pytest.mark.parametrize(
    ("written", "model"),
    [
        (keywords.ScenarioFields, ScenarioModel),
        (keywords.RuleFields, RuleModel),
        (keywords.FaultFields, FaultModel),
    ],
)
def test_what_may_be_declared_is_what_a_file_may_say(written: Any, model: Any):
    assert set(written.__annotations__) == set(model.model_fields)


def test_what_a_sandbox_may_have_is_what_the_control_takes():
    assert {*keywords.SandboxFields.__annotations__, "name"} == set(SandboxBody.model_fields)


def test_what_beats_the_file_is_what_a_variable_may_say():
    settings = {*keywords.Settings.__annotations__, "host", "port"}

    assert settings == set(VARIABLES.values())


def test_a_misspelt_keyword_is_an_error_here_and_for_a_type_checker(world: MockWorld):
    # mypy is strict about ignores that nothing needs: it must find each of these.
    with pytest.raises(MockError, match="terminal_state"):
        world.scenario(terminal_state="failed")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="operatoin"):
        world.requests(operatoin="get_version")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="time"):
        world.verify(operation="get_version", time=0)  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match="tokn"):
        MockGitLab(tokn="x").start()  # type: ignore[call-arg]


def test_threads_may_share_a_world(world: MockWorld):
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda _: world.now(), range(64)))

    assert read == ["2026-01-01T00:00:00.000Z"] * 64


def test_a_world_whose_server_has_gone_says_so():
    with MockGitLab() as mock:
        world = mock.sandbox("mine")

    with pytest.raises(MockError, match=r"/sandbox/mine does not answer"):
        world.now()


def test_a_world_is_closed_at_the_end_of_its_block(server: MockGitLab):
    with server.sandbox("short-lived") as world:
        assert world.now()
        assert world._connection.sock is not None

    assert world._connection.sock is None
    server.delete_sandbox("short-lived")


def test_a_sandbox_that_was_deleted_is_gone(server: MockGitLab):
    for one in (server, server.mock):
        server.sandbox("short-lived").close()
        one.delete_sandbox("short-lived")
        assert "short-lived" not in server.sandboxes()

        with pytest.raises(MockError, match="404"):
            one.delete_sandbox("short-lived")


@pytest.mark.parametrize(
    ("name", "error"), [("taken", "409"), ("no name", "letters"), ("..", "letters")]
)
def test_a_sandbox_that_cannot_be_made_is_refused_as_over_the_wire(
    server: MockGitLab, name: str, error: str
):
    server.sandbox("taken").close()

    with pytest.raises(MockError, match=error):
        server.sandbox(name)
    server.delete_sandbox("taken")


def test_a_connection_that_the_server_has_closed_is_opened_again(world: MockWorld):
    world.now()
    assert world._connection.sock is not None
    world._connection.sock.shutdown(socket.SHUT_RDWR)

    assert world.now()


def test_the_package_gives_the_library_and_no_other_name():
    import mock_gitlab

    assert mock_gitlab.MockGitLab is MockGitLab
    with pytest.raises(AttributeError, match="Nothing"):
        _ = mock_gitlab.Nothing  # type: ignore[attr-defined]


def test_somebody_acts_on_pipelines_and_jobs(world: MockWorld):
    scenario = world.scenario(
        jobs=[
            {"name": "test", "status": "failed", "trace": "failed"},
            {"name": "deploy", "when": "manual"},
        ]
    )
    world.rule(scenario=scenario)
    for _ in range(2):
        world._request("POST", "/api/v4/projects/1/pipeline", {"ref": "main"})

    assert [job["name"] for job in world.retry(1)["jobs"]] == ["test", "deploy", "test"]
    assert world.play(1, "deploy")["jobs"][1]["status"] == "success"
    assert world.erase(1, "test")["actions"][-1]["action"] == "erase"
    assert world.cancel(2, "deploy")["id"] == 2
    world.delete(1)
    assert [each["id"] for each in world.pipelines()] == [2]


def test_a_world_explains_what_a_pipeline_would_get(world: MockWorld):
    key = world.rule(when={"variables": {"ENV": "prod"}}, scenario=1)

    found = world.explain("group/app", "main", variables={"ENV": "prod"}, source="api")

    assert (found["scenario"]["scenario_id"], found["matched"]["rule"]) == (1, key)
    assert world.pipelines() == []


def test_a_world_lists_what_was_changed(world: MockWorld):
    world.advance("5m")

    (found,) = world.controls(limit=1)
    assert (found["path"], found["client"]) == ("/_mock/clock/advance", "mock_gitlab")


def test_the_clock_moves_until_a_status(world: MockWorld):
    world.rule(scenario=60)
    world._request("POST", "/api/v4/projects/1/pipeline", {"ref": "main"})

    assert world.wait_until("success", 1)["status"] == "success"
    with pytest.raises(MockError, match="pipeline 1 never becomes failed by itself: it is success"):
        world.wait_until("failed", 1)


def test_a_verification_may_ask_for_parameters_and_for_one_of_several_operations(
    world: MockWorld,
):
    trigger(world)

    world.verify(operation=["create_pipeline", "trigger_pipeline"], parameters={"ref": "ma*"})
    with pytest.raises(AssertionError, match="get_job or get_pipeline was never requested"):
        world.verify(operation=["get_job", "get_pipeline"])
