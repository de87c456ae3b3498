"""What the gateway answers when an application behind it fails."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.engine.model import Declarations
from mock_gitlab.http.asgi import answer_json
from mock_gitlab.http.gateway import Gateway
from mock_gitlab.rest.request import authenticates
from mock_gitlab.store.errors import StoreUnavailable
from mock_gitlab.world.sandboxes import Worlds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mock_gitlab.http.asgi import App, Message, Receive, Scope, Send
    from mock_gitlab.http.exchange import Observer
    from mock_gitlab.world.world import World


class Application:
    """What the gateway needs of an application."""

    def __init__(self) -> None:
        self.worlds = Worlds(":memory:", Declarations())
        self.ending = False
        self.observers: Sequence[Observer] = ()

    def wake(self, world: World) -> None:  # noqa: ARG002
        raise AssertionError("no world has webhooks")

    def tell(self, world: World, *changed: str) -> None:
        self.told = (world.name, *changed)


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application()
    yield application
    application.worlds.close()


def failing(error: BaseException, *, after_answer: bool = False) -> App:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        if after_answer:
            await answer_json(send, 200, [])
        raise error

    return fail


async def receive() -> Message:
    return {"type": "http.disconnect"}


def answered(application: Application, gitlab: App) -> tuple[int, Any]:
    """Send a request through a gateway, and return the status and the body of its answer."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/user", "query_string": b"", "headers": []}
    asyncio.run(Gateway(application, gitlab, gitlab, authenticates)(scope, receive, send))
    start, body = sent
    return start["status"], json.loads(body["body"])


def test_a_store_that_is_unavailable_is_503(application: Application):
    status, body = answered(application, failing(StoreUnavailable("disk full")))

    assert (status, body) == (503, {"message": "503 Service Unavailable"})
    assert [logged.status for logged in application.worlds.default.journal.newest_first()] == [503]


def test_an_internal_error_is_500_and_logged(
    application: Application, caplog: pytest.LogCaptureFixture
):
    status, body = answered(application, failing(RuntimeError("a bug")))

    assert (status, body) == (500, {"message": "500 Internal Server Error"})
    assert "internal error while serving a GET request" in caplog.text
    assert "RuntimeError: a bug" in caplog.text


def test_an_error_after_the_answer_changes_nothing_of_it(application: Application):
    assert answered(application, failing(RuntimeError("a bug"), after_answer=True)) == (200, [])


def test_a_request_that_the_server_cancels_at_its_end_is_503(application: Application):
    application.ending = True

    status, _ = answered(application, failing(asyncio.CancelledError()))

    assert status == 503


def test_a_request_that_is_cancelled_otherwise_stays_cancelled(application: Application):
    with pytest.raises(asyncio.CancelledError):
        answered(application, failing(asyncio.CancelledError()))


def test_what_is_not_http_goes_to_the_control_side(application: Application):
    seen: list[Scope] = []

    async def control(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    gateway = Gateway(application, failing(RuntimeError()), control, authenticates)
    asyncio.run(gateway({"type": "lifespan"}, receive, send))

    assert seen == [{"type": "lifespan"}]
