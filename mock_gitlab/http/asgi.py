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
"""The key of the scope that holds the World of a request."""
LOGGED = "mock_gitlab.logged_request"
"""The key of the scope that holds the LoggedRequest of a request."""

LARGE_BODY = 2**15
"""A body with more bytes takes so long to read that a thread must do it."""

MOST_VALUES = 10_000
"""How many values the JSON of a control may have; a scenario of 999 jobs has fewer."""

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


def control_error(message: str) -> dict[str, Any]:
    """Make the body of an error under ``/_mock``: ``detail`` lists mistakes with their places."""
    return {"message": message, "detail": [{"type": "error", "loc": [], "msg": message}]}


class TooLarge(Exception):
    """A body is larger than the world allows."""


class Disconnected(Exception):
    """The client has disconnected before the end of its request, which must not be executed."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read a body to its end.

    Raises:
        TooLarge: it has more than ``limit`` bytes.
        Disconnected: it ends early.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > limit:
            raise TooLarge
        if not message.get("more_body"):
            return bytes(body)


def has_more_values(body: bytes, most: int) -> bool:
    """Return whether JSON has more than ``most`` values, without parsing it."""
    return _separators(body) > most and _separators(_without_texts(body)) > most


def _without_texts(body: bytes) -> bytes:
    """Leave out the texts of JSON: without its escapes, every second part is outside of them."""
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in body else body
    return b"".join(plain.split(b'"')[::2])


def _separators(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


def hang_up(receive: Receive, *, abort: bool) -> bool:
    """Close the client's connection; ``abort`` discards what has not been sent yet.

    Returns:
        False if there is no connection, because the client runs in this process.
    """
    # ``receive`` is a method of uvicorn's request cycle, which has the transport. The cycle must be
    # told that the client has gone: it does not notice if the client has sent another request.
    cycle: Any = getattr(receive, "__self__", None)
    if not hasattr(cycle, "transport"):
        return False
    cycle.disconnected = True
    cycle.transport.abort() if abort else cycle.transport.close()
    return True
