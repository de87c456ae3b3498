"""Routes: the table in which a path finds the endpoint that serves it, and who answers for none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.http.asgi import JSON, LOGGED, WORLD, answer
from mock_gitlab.http.faults import apply_fault, match_fault

from .errors import NO_ROUTE, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_gitlab.http.asgi import App, Receive, Scope, Send

    from .endpoint import GitLabRoute


class Routes:
    """The routes by method and number of segments; the first that fits a path serves it.

    ``otherwise`` serves what fits none: to GitLab a path with another method is an unknown one.
    """

    def __init__(self, routes: Iterable[GitLabRoute], otherwise: App) -> None:
        self._otherwise = otherwise
        self._fixed: dict[tuple[str, int], list[_Fixed]] = {}
        self._open: dict[str, list[GitLabRoute]] = {}
        for route in routes:
            method = route.gitlab.method
            if ":path}" in route.path:
                self._open.setdefault(method, []).append(route)
            else:
                fixed = _fixed(route)
                self._fixed.setdefault((method, fixed.length), []).append(fixed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by the route that it fits."""
        found = self.find(scope["method"], scope[LOGGED].path)
        if found is None:
            await self._otherwise(scope, receive, send)
            return
        route, scope["path_params"] = found
        await route.serve(scope, receive, send)

    def find(self, method: str, path: str) -> tuple[GitLabRoute, dict[str, str]] | None:
        """Find the route of a path, and what stands in the places of its parameters."""
        segments = path.split("/")
        for fixed in self._fixed.get((method, len(segments)), ()):
            for place, word in fixed.words:
                if segments[place] != word:
                    break
            else:
                return fixed.route, {name: segments[place] for place, name in fixed.names}
        for route in self._open.get(method, ()):
            matched = route.path_regex.match(path)
            if matched is not None:
                return route, matched.groupdict()
        return None


class _Fixed(NamedTuple):
    """A route with a fixed number of segments: its words and its parameters by their places."""

    route: GitLabRoute
    length: int
    words: tuple[tuple[int, str], ...]
    names: tuple[tuple[int, str], ...]


def _fixed(route: GitLabRoute) -> _Fixed:
    segments = route.path.split("/")
    words = [(place, each) for place, each in enumerate(segments) if not each.startswith("{")]
    names = [(place, each[1:-1]) for place, each in enumerate(segments) if each.startswith("{")]
    # The last words tell routes apart soonest.
    return _Fixed(route, len(segments), tuple(reversed(words)), tuple(names))


async def no_route(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for a path or method that GitLab does not have; a fault may be declared for it."""

    async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, NO_ROUTE[0], JSON, json_bytes(NO_ROUTE[1]))

    hit = match_fault(scope[WORLD], scope[LOGGED], {})
    if hit is None:
        await not_found(scope, receive, send)
    else:
        await apply_fault(hit, scope, receive, send, not_found)
