"""The outermost ASGI application: what happens to every request, whatever it asks for.

::

    client -> address -> world -> [ /_mock and documentation: FastAPI           ]
                               -> [ GitLab's API: operation -> fault -> endpoint ] -> journal

The address decides: ``/sandbox/NAME`` picks a world, ``/api/v4`` may be left out, and ``/_mock``
and the documentation belong to the control side. Under ``/api/`` pages of any origin are served.
GitLab's paths are routed as they were sent, so an encoded slash stays inside its segment.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import re
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote
from uuid import uuid4

from mock_gitlab.engine.model import Invalid
from mock_gitlab.http import cors
from mock_gitlab.http.asgi import (
    JSON,
    LARGE_BODY,
    LOGGED,
    MOST_VALUES,
    WORLD,
    Disconnected,
    TooLarge,
    answer,
    answer_json,
    control_error,
    hang_up,
    has_more_values,
    read_body,
)
from mock_gitlab.http.exchange import Exchange
from mock_gitlab.http.reply import Replay, Reply
from mock_gitlab.store.errors import StoreUnavailable
from mock_gitlab.world.clock import stopwatch
from mock_gitlab.world.journal import ANSWER_KEPT, NO_ANSWER, LoggedRequest
from mock_gitlab.world.sandboxes import check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from mock_gitlab.engine.model import Declarations
    from mock_gitlab.http.asgi import App, Receive, Scope, Send
    from mock_gitlab.http.exchange import Observer
    from mock_gitlab.world.sandboxes import Worlds
    from mock_gitlab.world.world import World

_log = logging.getLogger("mock_gitlab")
_DOCUMENTATION = frozenset(
    (
        "openapi.json",
        "docs",
        "redoc",
        "favicon.ico",
        "docs/favicon.png",
        "docs/redoc.standalone.js",
        "docs/swagger-ui-bundle.js",
        "docs/swagger-ui.css",
    )
)
_CONTROL_PATHS = _DOCUMENTATION | {"_mock"}
_PROBES = frozenset(("/_mock/health", "/_mock/ready"))
"""Load balancers ask for these by any Host; they tell nothing of what is recorded."""
_SLASHES = re.compile(r"//+")
_FOREIGN_PAGE = control_error("a web page of another site may not use the mock")
_FOREIGN_HOST = control_error("this Host is not served here; name it in MOCK_ALLOWED_HOSTS")
_NO_V3 = {"error": "API V3 is no longer supported. Use API V4 instead."}
_TOO_LARGE = {"message": "413 Request Entity Too Large"}
_TOO_MANY_VALUES = {
    "message": f"413 Request Entity Too Large - more than {MOST_VALUES} keys and entries"
}
_INTERNAL_ERROR = {"message": "500 Internal Server Error"}
_UNAVAILABLE = {"message": "503 Service Unavailable"}


class Application(Protocol):
    """What the gateway reads from the application.

    ``worlds`` may be replaced while it runs. ``ending`` is true while the server shuts down.
    ``observers`` are called with every request that has been served.
    """

    worlds: Worlds
    ending: bool

    @property
    def observers(self) -> Sequence[Observer]:
        """Those who are told of each request."""

    def wake(self, world: World) -> None:
        """Deliver soon what a world's webhooks are owed."""

    def tell(self, world: World, *changed: str) -> None:
        """Tell those who follow a world what has changed."""


class Gateway:
    """Finds the world of a request, and hands it to ``gitlab`` or to ``control``.

    ``authenticates`` tells whether a request, given by its scope and its body, has a good token:
    only such a request creates a sandbox. ``hosts`` are further host names under which ``/_mock``
    is served; ``*`` is any.
    """

    def __init__(
        self,
        application: Application,
        gitlab: App,
        control: App,
        authenticates: Callable[[Scope, bytes, Declarations], bool],
        hosts: AbstractSet[str] = frozenset(),
    ) -> None:
        self._application = application
        self._gitlab = gitlab
        self._control = control
        self._authenticates = authenticates
        self._hosts = hosts
        self._numbers = count(1)
        self._request_id_prefix = str(uuid4())[:-12]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; what is not HTTP belongs to the control side."""
        if scope["type"] != "http":
            await self._control(scope, receive, send)
            return
        started = stopwatch()
        reply = Reply(send, scope["method"] == "HEAD", self._next_request_id())
        if reply.head_only:
            # A copy, since the server reads the method in its own scope: HEAD gets no body.
            scope = {**scope, "method": "GET"}
        try:
            await self._route(scope, receive, reply)
        except Invalid as error:
            await reply.send_unless_begun(400, {"message": f"400 Bad request - {error}"})
        except TooLarge:
            await reply.send_unless_begun(413, _TOO_LARGE)
        except Disconnected:
            if LOGGED in scope:
                scope[LOGGED].outcome = "broken off"
            _log.info("a client disconnected before it had sent its request")
        except StoreUnavailable as error:
            _log.error("the store is unavailable: %s", error)
            await reply.send_unless_begun(503, _UNAVAILABLE)
        except asyncio.CancelledError:
            if not self._application.ending:
                raise
            await reply.send_unless_begun(503, _UNAVAILABLE)
            hang_up(receive, abort=False)
        except Exception:  # noqa: BLE001 - the last line of defence: it is logged and answered
            _log.exception("internal error while serving a %s request", scope["method"])
            await reply.send_unless_begun(500, _INTERNAL_ERROR)
        finally:
            seconds = stopwatch() - started
            if LOGGED in scope:
                scope[LOGGED].duration_ms = seconds * 1000
                _add_to_journal(scope[LOGGED], scope, reply)
            for observe in self._application.observers:
                observe(_exchange(scope, reply, seconds))
            if LOGGED in scope and scope[WORLD].clock.advance_per_poll:
                self._move_clock_by_poll(scope)
            if WORLD in scope and scope[WORLD].hooks.active:
                self._wake(scope)

    def _move_clock_by_poll(self, scope: Scope) -> None:
        """Move the clock of a world after a read of the API, where that is declared."""
        world: World = scope[WORLD]
        if scope["method"] != "GET":
            return
        try:
            world.move_clock_by_poll()
        except StoreUnavailable as error:
            _log.error("the clock does not move: the store is unavailable: %s", error)
        self._application.tell(world, "clock", "pipelines")
        if world.hooks.active:
            self._application.wake(world)

    def _wake(self, scope: Scope) -> None:
        """Have webhooks delivered if the request may have changed something."""
        world: World = scope[WORLD]
        if LOGGED in scope:
            host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "")
            root = scope["root_path"].removesuffix("/api/v4")
            world.hooks.site = f"{scope['scheme']}://{host or 'localhost'}{root}"
        if scope["method"] != "GET" or world.pipelines.touched:
            self._application.wake(world)

    def _next_request_id(self) -> str:
        return f"{self._request_id_prefix}{next(self._numbers):012x}"

    async def _route(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        raw: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        root, path = _split_path(raw)
        if path.startswith("/api/") and cors.is_from_page(scope):
            if cors.is_preflight(scope):
                await answer(reply, 200, cors.preflight_headers(scope), b"")
                return
            reply.cors = cors.HEADERS
        world = self._application.worlds.default
        if root:
            name = root[9:]
            used = self._application.worlds.use(name)
            if used is None and path[1:] in _DOCUMENTATION:
                used = world  # it is the same in every world, and makes none
            if used is None:
                used, receive = await self._create(name, scope, receive, reply)
                if used is None:
                    return
            world = used
        scope[WORLD] = world
        first = path[1:].partition("/")[0] if path.startswith("/_mock") else path[1:]
        if first in _CONTROL_PATHS:
            await self._to_control(scope, receive, reply, root, path)
        elif f"{path}/".startswith("/api/v3/"):
            await answer_json(reply, 410, _NO_V3)
        else:
            await self._to_gitlab(scope, receive, reply, root, path, world)

    async def _create(
        self, name: str, scope: Scope, receive: Receive, reply: Reply
    ) -> tuple[World | None, Receive]:
        """Create the sandbox of a request with a good token, or answer why there is none."""
        worlds = self._application.worlds
        check_name(name)
        if cors.is_from_another_site(scope):
            await answer_json(reply, 403, _FOREIGN_PAGE)  # making one may push out another
            return None, receive
        if worlds.was_evicted(name):
            message = f"404 Not Found - sandbox {name} was evicted, to make room for others"
            await _refuse(reply, 404, b"evicted", message)
            return None, receive
        if not worlds.declared.sandboxes_on_first_use:
            message = f"404 Not Found - there is no sandbox {name}: POST /_mock/sandboxes makes it"
            await _refuse(reply, 404, b"missing", message)
            return None, receive
        body = await read_body(receive, worlds.declared.body_limit)
        if not self._authenticates(scope, body, worlds.declared):
            await _refuse(reply, 401, b"missing", "401 Unauthorized")
            return None, receive
        return worlds.use(name) or worlds.create(name), Replay(receive, body)

    async def _to_control(
        self, scope: Scope, receive: Receive, reply: Reply, root: str, path: str
    ) -> None:
        if path not in _PROBES and not self._serves_host(scope):
            await answer_json(reply, 403, _FOREIGN_HOST)
            return
        if path.startswith("/_mock") and cors.is_from_another_site(scope):
            await answer_json(reply, 403, _FOREIGN_PAGE)
            return
        reply.of_control = True
        scope["root_path"] = scope.get("root_path", "") + root
        scope["path"] = scope["root_path"] + unquote(path)
        body = await read_body(receive, scope[WORLD].declared.body_limit)
        if len(body) > LARGE_BODY and has_more_values(body, MOST_VALUES):
            await reply.send_unless_begun(413, _TOO_MANY_VALUES)
            return
        await self._control(scope, Replay(receive, body), reply)

    def _serves_host(self, scope: Scope) -> bool:
        """Return whether the Host is ours; a web page may give its own host name our address."""
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
        self, scope: Scope, receive: Receive, reply: Reply, root: str, path: str, world: World
    ) -> None:
        if path.startswith("/api/v4/"):
            root, path = f"{root}/api/v4", path[7:]
        path = path.rstrip("/") or "/"
        scope["path"] = root + path
        scope["root_path"] = root
        scope[LOGGED] = LoggedRequest(
            "HEAD" if reply.head_only else scope["method"],
            path,
            scope["query_string"].decode("latin-1"),
            world.clock.now(),
        )
        await self._gitlab(scope, receive, reply)


def _split_path(raw: str) -> tuple[str, str]:
    """Split a path into ``/sandbox/NAME``, with the name decoded, and the rest.

    Slashes in a row become one. The name of a sandbox may not be left out, so that what follows is
    not taken for it.
    """
    if "//" in raw:
        raw = f"/{raw.lstrip('/')}"
    if not raw.startswith("/sandbox/"):
        return "", _SLASHES.sub("/", raw)
    name, _, path = raw[9:].partition("/")
    return f"/sandbox/{unquote(name)}", _SLASHES.sub("/", f"/{path}")


def _add_to_journal(logged: LoggedRequest, scope: Scope, reply: Reply) -> None:
    """Add a request that has been served; it names its project even if it was refused early."""
    world: World = scope[WORLD]
    if logged.outcome not in NO_ANSWER:
        logged.status, logged.headers = reply.status, reply.headers
        logged.answer, logged.answer_size = reply.body[:ANSWER_KEPT], len(reply.body)
    if logged.project_id is None and "id" in (params := scope.get("path_params", {})):
        with suppress(StoreUnavailable):  # the request has been answered: it is kept all the same
            logged.project_id, logged.project_path = world.catalog.peek(unquote(params["id"]))
    if not logged.id:
        world.journal.add(logged)


def _exchange(scope: Scope, reply: Reply, seconds: float) -> Exchange:
    world: World | None = scope.get(WORLD)
    logged: LoggedRequest | None = scope.get(LOGGED)
    operation = getattr(scope.get("route"), "path", None) if logged is None else logged.operation
    return Exchange(
        None if world is None else world.name,
        reply.request_id,
        "HEAD" if reply.head_only else scope["method"],
        (scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
        operation,
        reply.status,
        seconds,
        logged,
    )


async def _refuse(reply: Reply, status: int, sandbox: bytes, message: str) -> None:
    """Answer a request to a sandbox that does not exist."""
    headers = [*JSON, (b"x-mock-sandbox", sandbox)]
    await answer(reply, status, headers, json.dumps({"message": message}).encode())
