"""What is done to every request, whatever it asks: address, world, journal.

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
import logging
import re
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote
from uuid import uuid4

from mock_gitlab.engine.model import Invalid
from mock_gitlab.http.asgi import (
    LOGGED,
    WORLD,
    Disconnected,
    TooLarge,
    answer_json,
    hang_up,
    read_body,
)
from mock_gitlab.store.errors import StoreUnavailable
from mock_gitlab.world.clock import stopwatch
from mock_gitlab.world.journal import LoggedRequest

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from mock_gitlab.http.asgi import App, Headers, Message, Receive, Scope, Send
    from mock_gitlab.world.sandboxes import Worlds
    from mock_gitlab.world.world import World

_log = logging.getLogger("mock_gitlab")
_CONTROL_PATHS = frozenset(
    ("_mock", "openapi.json", "docs", "redoc", "docs/oauth2-redirect", "favicon.ico")
)
_UNTIDY = re.compile(r"//+|/\Z")
_NO_PAGES = {"detail": "a web page of another site may not drive the mock"}
_COMMON: Headers = [
    (b"vary", b"Origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
]


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
        app: HasWorlds,
        gitlab: App,
        control: App,
        hosts: AbstractSet[str] = frozenset(),
    ) -> None:
        self._app = app
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
        started = stopwatch()
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
            if LOGGED in scope:
                scope[LOGGED].outcome = "broken off"
            _log.info("a client has gone before its request was whole")
        except StoreUnavailable as error:
            _log.error("the store is unavailable: %s", error)
            await reply.give_up(503, {"message": "503 Service Unavailable"})
        except asyncio.CancelledError:
            if not self._app.ending:
                raise
            await reply.give_up(503, {"message": "503 Service Unavailable"})
            hang_up(receive, at_once=False)
        except Exception:  # noqa: BLE001 - the last line of defence: it is logged and answered
            _log.exception("a bug: %s was not answered", scope["method"])
            await reply.give_up(500, {"message": "500 Internal Server Error"})
        finally:
            call: LoggedRequest | None = scope.get(LOGGED)
            if call is not None:
                call.duration_ms = (stopwatch() - started) * 1000
                _note(call, scope, reply.status)

    async def _route(self, scope: Scope, receive: Receive, reply: _Reply) -> None:
        raw: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        path, root, world = raw, "", self._app.worlds.default
        if raw.startswith("/sandbox/"):
            name, _, path = raw[9:].partition("/")
            root, path, name = f"/sandbox/{name}", f"/{path}", unquote(name)
            if name not in self._app.worlds and _from_another_site(scope):
                await answer_json(reply, 403, _NO_PAGES)  # a new one may be the end of an old one
                return
            world = self._app.worlds.sandbox(name)
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
        call = LoggedRequest(
            "HEAD" if reply.head_only else scope["method"],
            path,
            scope["query_string"].decode("latin-1"),
            world.clock.now(),
        )
        scope[LOGGED] = call
        await self._gitlab(scope, receive, reply)


def _note(call: LoggedRequest, scope: Scope, status: int | None) -> None:
    """Put a call that is over into the journal, with its project though it was refused before."""
    world: World = scope[WORLD]
    call.status = None if call.outcome == "dropped" else status
    if call.project_id is None and "id" in (named := scope.get("path_params", {})):
        call.project_id, call.project_path = world.catalog.peek(unquote(named["id"]))
    world.journal.add(call)


def _from_another_site(scope: Scope) -> bool:
    """Tell whether a browser says that a page of another origin is behind a request.

    What browsers of today say of themselves decides; older ones name the origin alone.
    """
    headers = dict(scope["headers"])
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        return site not in (b"none", b"same-origin")
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
