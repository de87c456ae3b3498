"""Find the route of a path, and answer if there is none."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from starlette.routing import compile_path

from mock_gitlab.http.asgi import LOGGED, WORLD, answer, read_body
from mock_gitlab.http.faults import apply_fault, match_fault

from .body import parse
from .errors import ApiError, Error
from .nearest import nearest
from .rendering import error_answer

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    from mock_gitlab.http.asgi import App, Receive, Scope, Send
    from mock_gitlab.world.journal import LoggedRequest
    from mock_gitlab.world.world import World

    from .route import GitLabRoute


class Routes:
    """The routes by method and number of segments; the first that matches serves the request.

    ``otherwise`` serves requests that match none. As on GitLab, these include requests with a
    method that the path does not have.
    """

    def __init__(self, routes: Iterable[GitLabRoute], otherwise: App) -> None:
        self._otherwise = otherwise
        self._fixed: dict[tuple[str, int], list[_Fixed]] = {}
        self._open: dict[str, list[tuple[re.Pattern[str], GitLabRoute]]] = {}
        routes = tuple(routes)
        self._endpoints = tuple((route.endpoint.method, route.path) for route in routes)
        for route in routes:
            method = route.endpoint.method
            if ":path}" in route.path:
                pattern = compile_path(route.path)[0]
                self._open.setdefault(method, []).append((pattern, route))
            else:
                fixed = _fixed(route)
                self._fixed.setdefault((method, fixed.length), []).append(fixed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with the route that matches it."""
        logged = scope[LOGGED]
        match = self.find(logged.method, logged.path)
        if match is None and logged.method == "HEAD":
            match = self.find("GET", logged.path)
        if match is None:
            logged.hint = self.nearest(logged.method, logged.path)
            await self._otherwise(scope, receive, send)
            return
        route, scope["path_params"] = match
        await route.serve(scope, receive, send)

    def nearest(self, method: str, path: str) -> str:
        """Explain why an address is no endpoint, and name the one that differs least."""
        return nearest(method, path, self._endpoints)

    def find(self, method: str, path: str) -> tuple[GitLabRoute, dict[str, str]] | None:
        """Find the route of a path, and the segments of the path by their names."""
        segments = path.split("/")
        for fixed in self._fixed.get((method, len(segments)), ()):
            for place, word in fixed.words:
                if segments[place] != word:
                    break
            else:
                return fixed.route, {name: segments[place] for place, name in fixed.names}
        for pattern, route in self._open.get(method, ()):
            match = pattern.match(path)
            if match is not None:
                return route, match.groupdict()
        return None


class _Fixed(NamedTuple):
    """A route with a fixed number of segments: the places of its words and of its parameters."""

    route: GitLabRoute
    length: int
    words: tuple[tuple[int, str], ...]
    names: tuple[tuple[int, str], ...]


def _fixed(route: GitLabRoute) -> _Fixed:
    segments = route.path.split("/")
    words = [(place, each) for place, each in enumerate(segments) if not each.startswith("{")]
    names = [(place, each[1:-1]) for place, each in enumerate(segments) if each.startswith("{")]
    # Most paths differ in their last words, so these are compared first.
    return _Fixed(route, len(segments), tuple(reversed(words)), tuple(names))


async def _read_parameters(scope: Scope, receive: Receive, limit: int) -> None:
    """Note what was sent to an address that the mock does not serve: a fault may ask for it."""
    body = await read_body(receive, limit)
    content_type = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
    logged: LoggedRequest = scope[LOGGED]
    with suppress(ApiError):
        logged.parameters = parse(scope["query_string"], content_type, body)
    logged.size = len(body)


async def no_route(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 404 for a path or method that GitLab does not have, or apply a fault."""

    async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, *error_answer(ApiError(Error.NO_ROUTE)))

    world: World = scope[WORLD]
    if world.has_faults:
        await _read_parameters(scope, receive, world.declared.body_limit)
    hit = match_fault(scope, {})
    if hit is None:
        await not_found(scope, receive, send)
    else:
        await apply_fault(hit, scope, receive, send, not_found)
