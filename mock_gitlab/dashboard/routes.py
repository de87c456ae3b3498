"""The live page under ``/_mock``, and the files that it loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from starlette.routing import Route

from .pages import File, send_file, send_page

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_READ = ["GET"]


class _Page:
    """The page, as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        await send_page(scope, send)


class _File:
    """A file that the page loads, as an ASGI application."""

    def __init__(self, name: File) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        await send_file(self._name, send)


ROUTES = (
    Route("/_mock", _Page(), methods=_READ),
    Route("/_mock/", _Page(), methods=_READ),
    *(Route(f"/_mock/page/{name}", _File(name), methods=_READ) for name in get_args(File)),
)
