"""Answers: what an endpoint's function may return, and the status, headers and body it becomes.

::

    found -> JSON, kept where it lasts -> its ETag -> nothing but that, where the client knows it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from mock_gitlab.http.asgi import JSON

from .body import decode_segment
from .errors import etag, json_bytes, link, page_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mock_gitlab.http.asgi import Headers

    from .request import Request

Answer = tuple[int, "Headers", bytes]
"""Status, headers and body."""

_CACHE_CONTROL = (b"cache-control", b"max-age=0, private, must-revalidate")
_JSON_HEADERS: Headers = [*JSON, _CACHE_CONTROL]


class Page(NamedTuple):
    """A page of a list. ``total`` of None is not told; ``more`` says whether a page follows."""

    rows: list[Any]
    total: int | None
    more: bool


class KeysetPage(NamedTuple):
    """A page of a list that is walked by a cursor; None at its end."""

    rows: list[Any]
    cursor: str | None


class Raw(NamedTuple):
    """An answer that is no JSON."""

    body: bytes
    content_type: str
    headers: Mapping[str, str] = {}


class Status(NamedTuple):
    """An answer with a status other than the endpoint's usual one."""

    status: int
    body: Any


class Cached(NamedTuple):
    """An answer that is asked for again and again, and the same until ``key`` is another.

    It is kept as long as ``of``, which it shows, exists.
    """

    owner: object
    key: tuple[object, ...]
    make: Callable[[], Any]


class _Written(NamedTuple):
    key: tuple[object, ...]
    headers: Headers
    body: bytes


class Writer:
    """Writes what one endpoint finds."""

    def __init__(self) -> None:
        self._written: WeakKeyDictionary[object, _Written] = WeakKeyDictionary()

    def write(self, request: Request, found: Any) -> Answer:
        """Make an answer of what an endpoint's function has returned."""
        status, reads = request.endpoint.status, request.endpoint.method == "GET"
        if isinstance(found, Cached):
            written = self._written.get(found.owner)
            if written is None or written.key != found.key:
                headers, body = _json(request, found.make())
                written = _Written(found.key, _tagged(headers, body), body)
                self._written[found.owner] = written
            return _unless_known(request, status, written.headers, written.body)
        if isinstance(found, Status):
            status, found = found
        if status == 204:
            return status, [], b""
        headers, body = _raw(found) if isinstance(found, Raw) else _json(request, found)
        if status != 200 or not reads:
            return status, headers, body
        return _unless_known(request, status, _tagged(headers, body), body)


def _raw(found: Raw) -> tuple[Headers, bytes]:
    named = {"Content-Type": found.content_type, **found.headers}
    return [*(_header(name, value) for name, value in named.items()), _CACHE_CONTROL], found.body


def _json(request: Request, found: Any) -> tuple[Headers, bytes]:
    headers = _JSON_HEADERS
    if isinstance(found, Page):
        headers = [*headers, *_page_headers(request, found)]
        found = found.rows
    elif isinstance(found, KeysetPage):
        headers = [*headers, *_keyset_headers(request, found)]
        found = found.rows
    return headers, json_bytes(found)


def _tagged(headers: Headers, body: bytes) -> Headers:
    return [*headers, (b"etag", etag(body).encode())]


def _unless_known(request: Request, status: int, tagged: Headers, body: bytes) -> Answer:
    """Leave out what the client has said that it knows already."""
    if request.header(b"if-none-match") == tagged[-1][1].decode():
        return 304, tagged, b""
    return status, tagged, body


def _header(name: str, value: str) -> tuple[bytes, bytes]:
    return name.lower().encode(), value.encode("latin-1", errors="replace")


def _page_headers(request: Request, page: Page) -> Headers:
    headers = page_headers(
        base_url=request.origin + request.scope["path"],
        query=_query_of(request),
        page=request.values["page"],
        per_page=request.values["per_page"],
        empty=not page.rows,
        total=page.total,
        more=page.more,
    )
    return [_header(name, value) for name, value in headers]


def _keyset_headers(request: Request, page: KeysetPage) -> Headers:
    if page.cursor is None:
        return []
    query = {**_query_of(request), "cursor": page.cursor}
    return [_header("Link", link(request.origin + request.scope["path"], query, "next"))]


def _query_of(request: Request) -> dict[str, Any]:
    """Say again all that was asked for, with the defaults and the parameters of the path."""
    return {
        **{k: v for k, v in request.values.items() if v is not None},
        **request.given,
        **{k: decode_segment(v) for k, v in request.scope["path_params"].items()},
    }
