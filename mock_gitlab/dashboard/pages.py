"""Serve the live page: at ``/``, at ``/_mock/``, and at every ``web_url`` in a browser."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request, Response

from mock_gitlab.http.asgi import LOGGED

if TYPE_CHECKING:
    from mock_gitlab.http.asgi import App, Receive, Scope, Send

router = APIRouter(prefix="/_mock", include_in_schema=False)

_TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
}
File = Literal[
    "api.js",
    "app.js",
    "dom.js",
    "icon.svg",
    "lines.js",
    "style.css",
    "timeline.js",
    "trace.js",
    "views.js",
]


@router.get("")
@router.get("/")
async def get_page(request: Request) -> Response:
    """Show the page."""
    return _page(request.scope["root_path"])


@router.get("/page/{name}")
async def get_file(name: File) -> Response:
    """Serve what the page loads."""
    return _response(name, _read(name))


def serve_pages(otherwise: App) -> App:
    """Make the end of GitLab's routes: the page for a browser, ``otherwise`` for a program."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if _is_navigation(scope):
            del scope[LOGGED]  # the journal is for requests of the API
            await _page(scope["root_path"])(scope, receive, send)
        else:
            await otherwise(scope, receive, send)

    return serve


def _is_navigation(scope: Scope) -> bool:
    """Return whether a browser asks for a page, and not a program for an answer."""
    accepted = dict(scope["headers"]).get(b"accept", b"")
    below_api: bool = scope["root_path"].endswith("/api/v4")
    return scope["method"] == "GET" and accepted.startswith(b"text/html") and not below_api


def _page(root: str) -> Response:
    """Make the page; its scripts find out what to show from its address."""
    return _response("index.html", _read("index.html").replace("{root}", html.escape(root)))


def _response(name: str, text: str) -> Response:
    return Response(text, headers=_HEADERS, media_type=_TYPES[name.rpartition(".")[2]])


def _read(name: str) -> str:
    from importlib.resources import files  # no start needs it

    return (files("mock_gitlab.dashboard") / "static" / name).read_text(encoding="utf-8")
