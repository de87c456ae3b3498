"""Applies faults to requests: another answer, a late one, a spoiled one, or none."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from email.utils import formatdate
from mimetypes import guess_type
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mock_gitlab.engine.faults import NOTHING_SENT
from mock_gitlab.engine.matching import LIMIT_EXCEEDED, Fault, Response
from mock_gitlab.http.asgi import LOGGED, WORLD, answer, hang_up

from .patching import PatchingSend
from .tokens import what_was_sent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mock_gitlab.engine.faults import FaultHit
    from mock_gitlab.engine.model import Duration, Instant
    from mock_gitlab.http.asgi import App, Message, Receive, Scope, Send
    from mock_gitlab.world.journal import LoggedRequest
    from mock_gitlab.world.world import World

_SLOW_PIECES = 10


def match_fault(scope: Scope, path_params: Mapping[str, str]) -> FaultHit | None:
    """Find the fault that applies to a request, and count the request.

    ``path_params`` are the segments of the path as they were sent. They name the project, and the
    pipeline or job, whose scenario may have faults of its own.
    """
    world: World = scope[WORLD]
    logged: LoggedRequest = scope[LOGGED]
    if not world.has_faults:
        return None
    if "id" in path_params:
        logged.project_id, logged.project_path = world.catalog.peek(unquote(path_params["id"]))
    pipeline, job = (
        unquote(path_params[name]) if name in path_params else None
        for name in ("pipeline_id", "job_id")
    )
    of_scenario = world.faults_about(logged.project_id, pipeline, job)
    faults = (*world.faults(), *of_scenario)
    asked = any(fault.sent is not None for fault in faults)
    sent = what_was_sent(scope["headers"], logged.parameters) if asked else NOTHING_SENT
    return world.fault_counters.due(faults, logged, world.clock.now(), sent)


async def apply_fault(
    hit: FaultHit, scope: Scope, receive: Receive, send: Send, proceed: App
) -> None:
    """Apply a fault to a request; ``proceed`` answers if the fault declares no answer."""
    fault = hit.fault
    logged: LoggedRequest = scope[LOGGED]
    logged.fault, logged.does, logged.outcome = fault.place, str(hit), "fault"
    if fault.body == "drop":
        logged.outcome = "dropped"
        await _pause(receive, fault.delay, scope)
        await _drop(receive, send)
        return
    response = _declared_response(hit, scope[WORLD].clock.now())
    if fault.body is not None and logged.method != "HEAD":
        send = _SpoilingSend(receive, send, fault, scope)
    if fault.patch is not None and response is None:
        send = PatchingSend(send, fault.patch)
    if fault.delay:
        send = _DelayingSend(receive, send, fault.delay, scope)
    if response is None:
        await proceed(scope, receive, send)
    else:
        await send_response(response, send)


# ---------------------------------------------------------------------------- another answer


def _declared_response(hit: FaultHit, now: Instant) -> Response | None:
    limit, declared = hit.fault.limit, hit.response
    if limit is None:
        return declared
    reset = (now // limit.per + 1) * limit.per
    headers = {
        "RateLimit-Limit": str(_rounded_up(limit.requests * 60_000, limit.per)),
        "RateLimit-Name": "throttle_authenticated_api",
        "RateLimit-Observed": str(hit.observed),
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(reset // 1000),
        "RateLimit-ResetTime": formatdate(reset / 1000, usegmt=True),
        "Retry-After": str(_rounded_up(reset - now, 1000)),
    }
    response = declared or LIMIT_EXCEEDED
    merged = _with_replaced(headers, response.headers)
    return Response(response.status, tuple(merged.items()), response.body)


def _rounded_up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def _with_replaced(headers: Mapping[str, str], others: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Add headers; one with a name that exists, in any case, replaces the value in its place."""
    existing = {name.lower(): name for name in headers}
    return {**headers, **{existing.get(name.lower(), name): value for name, value in others}}


async def send_response(response: Response, send: Send) -> None:
    """Send a declared answer."""
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.headers]
    body, content_type = _encoded(response)
    if body and not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", content_type))
    await answer(send, response.status, headers, body)


def _encoded(response: Response) -> tuple[bytes, bytes]:
    body = response.body
    if response.content is not None:
        kind, _ = guess_type(response.file or "")
        return b64decode(response.content), (kind or "application/octet-stream").encode()
    if body is None:
        return b"", b""
    if isinstance(body, str):
        return body.encode(), b"text/plain"
    return json.dumps(body, ensure_ascii=False).encode(), b"application/json"


# ---------------------------------------------------------------------------- late, or none


async def _pause(receive: Receive, duration: Duration, scope: Scope) -> bool:
    """Wait in real time until ``duration`` is over or the client leaves; tell if it stayed.

    Meanwhile the journal shows the request as waiting.
    """
    logged: LoggedRequest = scope[LOGGED]
    outcome, logged.outcome = logged.outcome, "waiting"
    if not logged.id:
        scope[WORLD].journal.add_waiting(logged)
    leaving = asyncio.ensure_future(_wait_for_disconnect(receive))
    try:
        await asyncio.wait((leaving,), timeout=duration / 1000)
        logged.outcome = "broken off" if leaving.done() else outcome
        return not leaving.done()
    finally:
        leaving.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drop(receive: Receive, send: Send) -> None:
    """Close the connection without an answer.

    An in-process client has no connection: it gets an answer that is shorter than announced.
    """
    if not hang_up(receive, abort=True):
        head = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b""})


class _DelayingSend:
    """A ``send`` that holds the answer back.

    The request has been executed by then, and also if the client disconnects during the delay, as
    on GitLab.
    """

    def __init__(self, receive: Receive, send: Send, delay: Duration, scope: Scope) -> None:
        self._receive = receive
        self._send = send
        self._delay = delay
        self._scope = scope

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await _pause(self._receive, self._delay, self._scope)
        await self._send(message)


# ---------------------------------------------------------------------------- a spoiled body


class _SpoilingSend:
    """A ``send`` that sends a body, which comes whole, truncated, malformed or slowly."""

    def __init__(self, receive: Receive, send: Send, fault: Fault, scope: Scope) -> None:
        self._receive = receive
        self._send = send
        self._fault = fault
        self._scope = scope
        self._start: Message = {}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif not message["body"]:
            await self._send(self._start)
            await self._send(message)
        elif self._fault.body == "truncate":
            await self._send_truncated(message["body"])
        elif self._fault.body == "malformed":
            await self._send_malformed(message["body"])
        else:
            await self._send_slowly(message["body"])

    async def _send_truncated(self, body: bytes) -> None:
        half = body[: len(body) // 2]
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        if not hang_up(self._receive, abort=False):
            await self._send({"type": "http.response.body", "body": b""})

    async def _send_malformed(self, body: bytes) -> None:
        spoiled = body[: max(1, len(body) // 2)] + b"\x00}{"
        headers = [(k, v) for k, v in self._start["headers"] if k != b"content-length"]
        await answer(self._send, self._start["status"], headers, spoiled)

    async def _send_slowly(self, body: bytes) -> None:
        await self._send(self._start)
        size = _rounded_up(len(body), _SLOW_PIECES)
        for at in range(0, _SLOW_PIECES * size, size):
            if not await _pause(self._receive, self._fault.slow // _SLOW_PIECES, self._scope):
                break
            piece = body[at : at + size]
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})
