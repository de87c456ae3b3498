"""What is done to every request, whatever it asks: address, world, fault, journal.

::

    client -> address -> world -> [ control wing: FastAPI's own stack           ]
                               -> [ GitLab wing: operation -> fault -> endpoint ] -> journal

The address decides: ``/sandbox/NAME`` picks a world, ``/api/v4`` may be left out, and ``/_mock``
and the documentation belong to the control wing. GitLab's paths are routed as they were sent, so
an encoded slash stays inside its segment.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote
from uuid import uuid4

from mock_gitlab.clock import stopwatch
from mock_gitlab.engine.matching import Fault, Response, Strike
from mock_gitlab.engine.model import Invalid, Moment, Span
from mock_gitlab.journal import Call
from mock_gitlab.store.database import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from mock_gitlab.sandboxes import Worlds
    from mock_gitlab.world import World

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

WORLD = "mock_gitlab.world"
CALL = "mock_gitlab.call"
"""Where the scope holds the World and the Call of a request."""

_log = logging.getLogger("mock_gitlab")
_CONTROL_PATHS = frozenset(
    ("_mock", "openapi.json", "docs", "redoc", "docs/oauth2-redirect", "favicon.ico")
)
_UNTIDY = re.compile(r"//+|/\Z")
_JSON: Headers = [(b"content-type", b"application/json")]
_NO_PAGES = {"detail": "a web page of another site may not drive the mock"}
_COMMON: Headers = [
    (b"vary", b"Origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
]


async def answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole answer."""
    head = [*headers, (b"content-length", b"%d" % len(body))]
    if status in (204, 304):
        head, body = headers, b""
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, body: Any) -> None:
    """Send a JSON value."""
    await answer(send, status, _JSON, json.dumps(body).encode())


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


class HasWorlds(Protocol):
    """Whoever keeps the worlds; they may be closed and opened anew.

    ``ending`` says that the server breaks off what is still under way.
    """

    worlds: Worlds
    ending: bool


class Gateway:
    """The outermost ASGI application.

    ``gitlab`` serves GitLab's paths and ``control`` the rest. ``hosts`` are further names under
    which ``/_mock`` may be reached; ``*`` is any.
    """

    def __init__(
        self,
        house: HasWorlds,
        gitlab: App,
        control: App,
        hosts: AbstractSet[str] = frozenset(),
    ) -> None:
        self._house = house
        self._gitlab = gitlab
        self._control = control
        self._hosts = hosts
        self._requests = count(1)
        self._run = str(uuid4())[:-12]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to its wing; what is not HTTP belongs to the control wing."""
        if scope["type"] != "http":
            await self._control(scope, receive, send)
            return
        reply = _Reply(send, scope["method"] == "HEAD", f"{self._run}{next(self._requests):012x}")
        if reply.head_only:
            # A copy: the server looks into its own, to know that no body is to come.
            scope = {**scope, "method": "GET"}
        try:
            await self._route(scope, receive, reply)
        except Invalid as error:
            await answer_json(reply, 400, {"message": f"400 Bad request - {error}"})
        except TooLarge:
            await reply.give_up(413, {"message": "413 Request Entity Too Large"})
        except Disconnected:
            _log.info("a client has gone before its request was whole")
        except StoreUnavailable as error:
            _log.error("the store is unavailable: %s", error)
            await reply.give_up(503, {"message": "503 Service Unavailable"})
        except asyncio.CancelledError:
            if not self._house.ending:
                raise
            await reply.give_up(503, {"message": "503 Service Unavailable"})
            _hang_up(receive, at_once=False)
        except Exception:  # noqa: BLE001 - the last line of defence: it is logged and answered
            _log.exception("a bug: %s was not answered", scope["method"])
            await reply.give_up(500, {"message": "500 Internal Server Error"})

    async def _route(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        raw: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        path, root, world = raw, "", self._house.worlds.default
        if raw.startswith("/sandbox/"):
            name, _, path = raw[9:].partition("/")
            root, path, name = f"/sandbox/{name}", f"/{path}", unquote(name)
            if name not in self._house.worlds and _from_another_site(scope):
                await answer_json(reply, 403, _NO_PAGES)  # a new one may be the end of an old one
                return
            world = self._house.worlds.sandbox(name)
        scope[WORLD] = world
        first = path[1:].partition("/")[0] if path.startswith("/_mock") else path[1:]
        if first in _CONTROL_PATHS:
            await self._to_control(scope, receive, reply, root, path)
        elif f"{path}/".startswith("/api/v3/"):
            await answer_json(
                reply, 410, {"error": "API V3 is no longer supported. Use API V4 instead."}
            )
        else:
            await self._to_gitlab(scope, receive, reply, root, path, world)

    async def _to_control(
        self, scope: Scope, receive: Receive, reply: _Reply, root: str, path: str
    ) -> None:
        if not self._host_is_ours(scope):
            await answer_json(
                reply,
                403,
                {"detail": "this Host is not served here; name it in MOCK_ALLOWED_HOSTS"},
            )
            return
        if path.startswith("/_mock") and _from_another_site(scope):
            await answer_json(reply, 403, _NO_PAGES)
            return
        scope["root_path"] = scope.get("root_path", "") + root
        body = await read_body(receive, scope[WORLD].declared.body_limit)
        messages = iter(({"type": "http.request", "body": body},))

        async def read() -> Message:
            return next(messages, None) or await receive()

        await self._control(scope, read, reply)

    def _host_is_ours(self, scope: Scope) -> bool:
        """Refuse what a web page could make a browser send under a name of its own."""
        host = next((v for k, v in scope["headers"] if k == b"host"), b"").decode("latin-1")
        name = (host.rpartition(":")[0] if re.search(r":\d*\Z", host) else host).lower()
        if not name or "." not in name.strip(".") or {name, "*"} & self._hosts:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    async def _to_gitlab(
        self, scope: Scope, receive: Receive, reply: _Reply, root: str, path: str, world: World
    ) -> None:
        if path.startswith("/api/v4/"):
            root, path = f"{root}/api/v4", path[7:]
        if _UNTIDY.search(path):
            path = re.sub(r"//+", "/", path).rstrip("/") or "/"
        scope["path"] = root + path
        scope["root_path"] = root
        call = Call(
            "HEAD" if reply.head_only else scope["method"],
            path,
            scope["query_string"].decode("latin-1"),
            world.clock.now(),
        )
        scope[CALL] = call
        started = stopwatch()
        try:
            await self._gitlab(scope, receive, reply)
        except Disconnected:
            call.outcome = "broken off"
            raise
        finally:
            call.status = None if call.outcome == "dropped" else reply.status
            call.took = round((stopwatch() - started) * 1000, 3)
            world.journal.add(call)


def _from_another_site(scope: Scope) -> bool:
    """Tell whether a browser says that a page of another origin is behind a request."""
    headers = dict(scope["headers"])
    if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
        return True
    origin = headers.get(b"origin")
    return origin is not None and origin.partition(b"://")[2] != headers.get(b"host")


class _Reply:
    """What goes back to the client: adds the headers of every answer, drops bodies for HEAD."""

    __slots__ = ("_request_id", "_send", "head_only", "status")

    def __init__(self, send: Send, head_only: bool, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.head_only = head_only
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message["headers"],
                *_COMMON,
                (b"x-request-id", self._request_id.encode()),
            ]
        elif self.head_only and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    async def give_up(self, status: int, body: Any) -> None:
        """Answer in place of what failed, unless an answer has begun."""
        if self.status is None:
            await answer_json(self, status, body)


# ---------------------------------------------------------------------------- faults


def strike(world: World, call: Call, named: Mapping[str, str]) -> Strike | None:
    """Find the fault that is due for a call, and count it.

    ``named`` are the segments of the path by their names, as they were sent: they say which
    project the call is about, and which pipeline, whose scenario may have faults of its own.
    """
    if not world.has_faults:
        return None
    if "id" in named:
        call.project_id, call.project_path = world.catalog.peek(unquote(named["id"]))
    about = world.faults_about(named.get("pipeline_id"), named.get("job_id"))
    return world.tally.due((*world.faults(), *about), call, world.clock.now())


async def suffer(struck: Strike, scope: Scope, receive: Receive, send: Send, proceed: App) -> None:
    """Let a call suffer a fault; ``proceed`` makes the answer where the fault has none."""
    fault = struck.fault
    call: Call = scope[CALL]
    call.fault, call.outcome = fault.place, "fault"
    if fault.body == "drop":
        call.outcome = "dropped"
        await _pause(receive, fault.delay)
        await _drop(receive, send)
        return
    declared = _declared_answer(struck, scope[WORLD].clock.now())
    whole = fault.body is None or call.method == "HEAD"
    spoiled: Send = send if whole else _Spoiler(receive, send, fault)
    late: Send = _Late(receive, spoiled, fault.delay) if fault.delay else spoiled
    if declared is None:
        await proceed(scope, receive, late)
    else:
        await _send_declared(declared, late)


async def send_response(response: Response, send: Send) -> None:
    """Send an answer that somebody declared."""
    await _send_declared(response, send)


def _declared_answer(struck: Strike, now: Moment) -> Response | None:
    fault = struck.fault
    if fault.limit is None:
        return fault.respond
    period = fault.limit.per
    reset = (now // period + 1) * period
    wait = -(-(reset - now) // 1000)
    limits = {
        "RateLimit-Limit": str(-(-fault.limit.requests * 60_000 // period)),
        "RateLimit-Name": "throttle_authenticated_api",
        "RateLimit-Observed": str(struck.observed),
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


async def _send_declared(response: Response, send: Send) -> None:
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
    if not _hang_up(receive, at_once=True):
        head = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b""})


def _hang_up(receive: Receive, *, at_once: bool) -> bool:
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


class _Late:
    """A send that keeps the answer back, while what was asked for has been done already.

    So is a client that gives up no reason for the server to leave it undone, as with GitLab.
    """

    def __init__(self, receive: Receive, send: Send, delay: Span) -> None:
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
        if not _hang_up(self._receive, at_once=False):
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
