"""ASGI's messages as plain calls: read a body, send an answer, hang up."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

WORLD = "mock_gitlab.world"
LOGGED = "mock_gitlab.logged_request"
"""Where the scope holds the World and the LoggedRequest of a request."""

JSON: Headers = [(b"content-type", b"application/json")]


async def answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole answer."""
    head = [*headers, (b"content-length", b"%d" % len(body))]
    if status in (204, 304):
        head, body = headers, b""
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, body: Any) -> None:
    """Send a JSON value."""
    await answer(send, status, JSON, json.dumps(body).encode())


class TooLarge(Exception):
    """A body is larger than the world takes."""


class Disconnected(Exception):
    """The client has gone before its request was whole; nothing of it is to be done."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read a body to its end.

    Raises:
        TooLarge: it has more than ``limit`` bytes.
        Disconnected: it breaks off.
    """
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > limit:
            raise TooLarge
        if not message.get("more_body"):
            return body


def hang_up(receive: Receive, *, at_once: bool) -> bool:
    """Close the client's connection; False where there is none, as under an in-process client.

    The transport is reached through uvicorn's own cycle object, whose method ``receive`` is. It
    is told that nothing more is to come, since it never hears of it from a client that has sent
    the next request already.
    """
    cycle: Any = getattr(receive, "__self__", None)
    if not hasattr(cycle, "transport"):
        return False
    cycle.disconnected = True
    cycle.transport.abort() if at_once else cycle.transport.close()
    return True
