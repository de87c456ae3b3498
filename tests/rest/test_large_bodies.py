"""A body of the largest size holds up nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mock_gitlab import MockGitLab
from tests.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Coroutine

CREATE = "/api/v4/projects/1/pipeline"
TRIGGER = "/api/v4/projects/1/trigger/pipeline"
ROWS = [{"key": f"KEY_{n}", "value": "v"} for n in range(20_000)]
PAIRS: dict[str, str] = {f"KEY_{n}": "v" for n in range(20_000)}
JSON = {"Content-Type": "application/json"}


def run(test: Any) -> Any:
    """Run a function with a client that needs no socket."""

    async def do() -> Any:
        transport = mock.transport()
        headers = {"PRIVATE-TOKEN": TOKEN}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://gitlab.test", headers=headers
        ) as client:
            return await test(client)

    mock = MockGitLab()
    try:
        return asyncio.run(do())
    finally:
        mock.stop()


def post(client: httpx.AsyncClient, path: str, body: Any) -> Coroutine[Any, Any, httpx.Response]:
    return client.post(path, content=json.dumps(body), headers=JSON)


@pytest.mark.parametrize(
    ("path", "variables", "status"),
    [
        (CREATE, ROWS, 201),
        (CREATE, [*ROWS, *ROWS[:5000]], 400),
        (CREATE, [{"key": []}] * 20_000, 400),
        (TRIGGER, PAIRS, 201),
        (TRIGGER, {**PAIRS, "KEY": 1}, 400),
    ],
)
def test_a_poll_is_answered_while_a_large_body_is_read(path: str, variables: Any, status: int):
    async def overtake(client: httpx.AsyncClient) -> list[int]:
        ended = []

        async def ask(request: Coroutine[Any, Any, httpx.Response]) -> None:
            ended.append((await request).status_code)

        large = post(client, path, {"ref": "main", "token": TOKEN, "variables": variables})
        await asyncio.gather(ask(large), ask(client.get("/api/v4/version")))
        return ended

    assert run(overtake) == [200, status]


def test_all_variables_of_a_large_body_arrive_in_their_order():
    async def variables(client: httpx.AsyncClient) -> Any:
        await post(client, CREATE, {"ref": "main", "variables": ROWS})
        return (await client.get("/api/v4/projects/1/pipelines/1/variables")).json()

    assert [(each["key"], each["value"]) for each in run(variables)] == list(PAIRS.items())


def test_a_large_body_that_cannot_be_read_is_refused_in_the_usual_words():
    async def refused(client: httpx.AsyncClient) -> Any:
        small, large = [
            await client.post(CREATE, content=b"{" + b" " * size, headers=JSON)
            for size in (10, 100_000)
        ]
        return small.status_code == large.status_code == 400 and small.json() == large.json()

    assert run(refused)


def test_a_journal_of_large_requests_holds_up_nobody():
    async def overtake(client: httpx.AsyncClient) -> Any:
        name = "k" * 500
        await post(client, CREATE, {"ref": "main", name: {name: ["x"] * 50_000}})
        journal = asyncio.create_task(client.get("/_mock/requests"))
        await asyncio.wait([journal], timeout=0)
        await client.get("/api/v4/version")
        early = journal.done()
        return early, (await journal).json()[0]["parameters"][name][name][0]

    assert run(overtake) == (False, "x")


@pytest.mark.parametrize("jobs", [[1] * 30_000, [{}] * 30_000, [[]] * 30_000])
def test_a_control_with_too_many_values_is_refused_at_once(jobs: Any):
    async def refused(client: httpx.AsyncClient) -> tuple[int, Any]:
        answer = await post(client, "/_mock/scenarios", {"scenario_id": 901, "jobs": jobs})
        return answer.status_code, answer.json()

    message = "413 Request Entity Too Large - more than 10000 keys and entries"
    status, body = run(refused)
    assert (status, body["message"]) == (413, message)


@pytest.mark.parametrize("text", ["," * 500_000, '[{"\\' * 100_000])
def test_what_stands_in_texts_is_not_counted(text: str):
    async def declared(client: httpx.AsyncClient) -> int:
        job = {"name": "build", "trace": text}
        body = {"scenario_id": 901, "name": "log", "jobs": [job]}
        return (await post(client, "/_mock/scenarios", body)).status_code

    assert run(declared) == 201


def test_a_variable_may_hold_any_number_of_separators():
    async def created(client: httpx.AsyncClient) -> int:
        variables = [{"key": "ROWS", "value": '[{"\\' * 50_000}]
        return (await post(client, CREATE, {"ref": "main", "variables": variables})).status_code

    assert run(created) == 201


def test_a_hundred_wrong_rows_are_named():
    async def problems(client: httpx.AsyncClient) -> str:
        rows: list[Any] = [{"key": []}] * 20_000
        answer = await post(client, CREATE, {"ref": "main", "variables": rows})
        return str(answer.json()["error"])

    assert run(problems).split(", ") == [f"variables[{n}][key] is invalid" for n in range(100)]


def test_a_hundred_mistakes_are_explained():
    async def mistakes(client: httpx.AsyncClient) -> int:
        body = {"scenario_id": 901, "name": "x", **{f"key_{n}": 1 for n in range(5000)}}
        return len((await post(client, "/_mock/scenarios", body)).json()["detail"])

    assert run(mistakes) == 100
