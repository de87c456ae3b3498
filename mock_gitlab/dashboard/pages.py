"""The files of the live page, and the page itself at every ``web_url`` in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mock_gitlab.http.asgi import LOGGED, answer

if TYPE_CHECKING:
    from mock_gitlab.http.asgi import App, Headers, Receive, Scope, Send

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
_TYPES = {
    "css": b"text/css; charset=utf-8",
    "html": b"text/html; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
_HEADERS: Headers = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"cache-control", b"no-cache"),
    (b"referrer-policy", b"no-referrer"),
]


def serve_pages(otherwise: App) -> App:
    """Make the end of GitLab's routes: the page for a browser, ``otherwise`` for a program."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if _is_navigation(scope):
            del scope[LOGGED]  # the journal is for requests of the API
            await send_page(scope, send)
        else:
            await otherwise(scope, receive, send)

    return serve


def _is_navigation(scope: Scope) -> bool:
    """Return whether a browser asks for a page, and not a program for an answer."""
    accepted = dict(scope["headers"]).get(b"accept", b"")
    below_api: bool = scope["root_path"].endswith("/api/v4")
    return scope["method"] == "GET" and accepted.startswith(b"text/html") and not below_api


async def send_page(scope: Scope, send: Send) -> None:
    """Send the page; its scripts find out what to show from its address."""
    import html

    root = html.escape(_relative_root(scope))
    await _send("index.html", _read("index.html").replace("{root}", root), send)


def _relative_root(scope: Scope) -> str:
    """Return the way from the page to the root of its world, which a prefix leaves as it is."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    above = "/".join([".."] * (raw.count(b"/") - 1)) or "."
    return above + str(scope["root_path"])


async def send_file(name: File, send: Send) -> None:
    """Send a file that the page loads."""
    await _send(name, _read(name), send)


async def _send(name: str, text: str, send: Send) -> None:
    content_type = _TYPES[name.rpartition(".")[2]]
    await answer(send, 200, [(b"content-type", content_type), *_HEADERS], text.encode())


def _read(name: str) -> str:
    from importlib.resources import files

    return (files("mock_gitlab.dashboard") / "static" / name).read_text(encoding="utf-8")
