"""What a call suffers when a fault is due for it: another answer, late, spoiled, or none."""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mock_gitlab.engine.matching import Fault, Response
from mock_gitlab.http.asgi import LOGGED, WORLD, answer, hang_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mock_gitlab.engine.faults import FaultHit
    from mock_gitlab.engine.model import Duration, Instant
    from mock_gitlab.http.asgi import App, Message, Receive, Scope, Send
    from mock_gitlab.world.journal import LoggedRequest
    from mock_gitlab.world.world import World


def match_fault(world: World, call: LoggedRequest, named: Mapping[str, str]) -> FaultHit | None:
    """Find the fault that is due for a call, and count it.

    ``named`` are the segments of the path by their names, as they were sent: they say which
    project the call is about, and which pipeline, whose scenario may have faults of its own.
    """
    if not world.has_faults:
        return None
    if "id" in named:
        call.project_id, call.project_path = world.catalog.peek(unquote(named["id"]))
    pipeline, job = (
        unquote(named[name]) if name in named else None for name in ("pipeline_id", "job_id")
    )
    about = world.faults_about(call.project_id, pipeline, job)
    return world.fault_counters.due((*world.faults(), *about), call, world.clock.now())


async def apply_fault(
    hit: FaultHit, scope: Scope, receive: Receive, send: Send, proceed: App
) -> None:
    """Let a call suffer a fault; ``proceed`` makes the answer where the fault has none."""
    fault = hit.fault
    call: LoggedRequest = scope[LOGGED]
    call.fault, call.outcome = fault.place, "fault"
    if fault.body == "drop":
        call.outcome = "dropped"
        await _pause(receive, fault.delay)
        await _drop(receive, send)
        return
    declared = _declared_answer(hit, scope[WORLD].clock.now())
    whole = fault.body is None or call.method == "HEAD"
    spoiled: Send = send if whole else _Spoiler(receive, send, fault)
    late: Send = _Late(receive, spoiled, fault.delay) if fault.delay else spoiled
    if declared is None:
        await proceed(scope, receive, late)
    else:
        await send_response(declared, late)


def _declared_answer(hit: FaultHit, now: Instant) -> Response | None:
    fault = hit.fault
    if fault.limit is None:
        return fault.respond
    period = fault.limit.per
    reset = (now // period + 1) * period
    wait = -(-(reset - now) // 1000)
    limits = {
        "RateLimit-Limit": str(-(-fault.limit.requests * 60_000 // period)),
        "RateLimit-Name": "throttle_authenticated_api",
        "RateLimit-Observed": str(hit.observed),
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(reset // 1000),
        "RateLimit-ResetTime": formatdate(reset / 1000, usegmt=True),
        "Retry-After": str(wait),
    }
    own = fault.respond or Response(429, (("Content-Type", "text/plain"),), "Retry later\n")
    return Response(own.status, tuple(_over(limits, own.headers).items()), own.body)


def _over(usual: Mapping[str, str], own: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Put headers in the places of the usual ones that have their names."""
    names = {name.lower(): name for name in usual}
    return {**usual, **{names.get(name.lower(), name): value for name, value in own}}


async def send_response(response: Response, send: Send) -> None:
    """Send an answer that somebody declared."""
    headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.headers]
    body, kind = _declared_body(response.body)
    if body and not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", kind))
    await answer(send, response.status, headers, body)


def _declared_body(body: Any) -> tuple[bytes, bytes]:
    if body is None:
        return b"", b""
    if isinstance(body, str):
        return body.encode(), b"text/plain"
    return json.dumps(body, ensure_ascii=False).encode(), b"application/json"


async def _pause(receive: Receive, span: float) -> bool:
    """Let real time pass, but no longer than the client stays; tell whether it is still there."""
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((leaving,), timeout=span / 1000)
        return not leaving.done()
    finally:
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drop(receive: Receive, send: Send) -> None:
    """Close the connection without an answer; in process, announce a length that never comes."""
    if not hang_up(receive, at_once=True):
        head = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b""})


class _Late:
    """A send that keeps the answer back, while what was asked for has been done already.

    So is a client that gives up no reason for the server to leave it undone, as with GitLab.
    """

    def __init__(self, receive: Receive, send: Send, delay: Duration) -> None:
        self._receive = receive
        self._send = send
        self._delay = delay

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await _pause(self._receive, self._delay)
        await self._send(message)


class _Spoiler:
    """A send that spoils the body: cut in half, malformed, or slowly."""

    def __init__(self, receive: Receive, send: Send, fault: Fault) -> None:
        self._receive = receive
        self._send = send
        self._fault = fault
        self._body = b""
        self._start: Message = {}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        if self._body:
            await {"truncate": self._cut, "malformed": self._garble, "slow": self._drip}[
                str(self._fault.body)
            ]()
        else:
            await self._send(self._start)
            await self._send(message)

    async def _cut(self) -> None:
        half = self._body[: len(self._body) // 2]
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        if not hang_up(self._receive, at_once=False):
            await self._send({"type": "http.response.body", "body": b""})

    async def _garble(self) -> None:
        body = self._body[: max(1, len(self._body) // 2)] + b"\x00}{"
        headers = [(k, v) for k, v in self._start["headers"] if k != b"content-length"]
        await answer(self._send, self._start["status"], headers, body)

    async def _drip(self) -> None:
        await self._send(self._start)
        pieces = 10
        size = -(-len(self._body) // pieces) or 1
        for at in range(0, pieces * size, size):
            if not await _pause(self._receive, self._fault.slow / pieces):
                break
            piece = self._body[at : at + size]
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})
