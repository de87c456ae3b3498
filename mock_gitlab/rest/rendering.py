"""Write answers: status, headers and body of what an endpoint's function returns.

An answer to a GET has an ETag. A client that sends the same one back gets 304, without a body.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from pydantic_core import to_json

from mock_gitlab.http.asgi import JSON

from .pagination import KeysetPage, Page, headers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mock_gitlab.http.asgi import Headers

    from .errors import ApiError
    from .request import Request

Answer = tuple[int, "Headers", bytes]
"""Status, headers and body."""

_CACHE_CONTROL = (b"cache-control", b"max-age=0, private, must-revalidate")
_JSON_HEADERS: Headers = [*JSON, _CACHE_CONTROL]


class Raw(NamedTuple):
    """A successful answer that is not JSON."""

    body: bytes
    content_type: str
    headers: Mapping[str, str]


class Cached(NamedTuple):
    """A JSON answer to a GET, which is written once and sent until ``key`` changes.

    ``make`` returns the value to write. The written answer is dropped together with ``owner``,
    the object that the answer depends on.
    """

    owner: object
    key: tuple[object, ...]
    make: Callable[[], Any]


class _Kept(NamedTuple):
    key: tuple[object, ...]
    headers: Headers
    body: bytes


class Writer:
    """Writes the answers of one endpoint, and keeps those that are Cached."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[object, _Kept] = WeakKeyDictionary()

    def write(self, request: Request, result: Any) -> Answer:
        """Write what the endpoint's function returned."""
        if isinstance(result, Cached):
            kept = self._kept.get(result.owner)
            if kept is None or kept.key != result.key:
                body = json_bytes(result.make())
                kept = _Kept(result.key, _with_etag(_JSON_HEADERS, body), body)
                self._kept[result.owner] = kept
            return _answer_to_get(request, kept.headers, kept.body)
        endpoint = request.endpoint
        if endpoint.answers is None:
            return endpoint.status, [], b""
        headers, body = _raw(result) if isinstance(result, Raw) else _json(request, result)
        if endpoint.method != "GET":
            return endpoint.status, headers, body
        return _answer_to_get(request, _with_etag(headers, body), body)


def error_answer(error: ApiError) -> Answer:
    """Write an error."""
    return error.status, JSON, json_bytes(error.body)


def _raw(result: Raw) -> tuple[Headers, bytes]:
    named = {"Content-Type": result.content_type, **result.headers}
    return [*_encoded(named.items()), _CACHE_CONTROL], result.body


def _json(request: Request, result: Any) -> tuple[Headers, bytes]:
    if isinstance(result, Page | KeysetPage):
        headers = [*_JSON_HEADERS, *_encoded(headers_of(request, result))]
        return headers, json_bytes(result.rows)
    return _JSON_HEADERS, json_bytes(result)


def _encoded(headers: Iterable[tuple[str, str]]) -> Headers:
    return [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers]


def _with_etag(headers: Headers, body: bytes) -> Headers:
    return [*headers, (b"etag", etag(body).encode())]


def _answer_to_get(request: Request, headers: Headers, body: bytes) -> Answer:
    """Answer 304 if the client names the ETag, which is the last header."""
    if request.header(b"if-none-match") == headers[-1][1].decode():
        return 304, headers, b""
    return 200, headers, body


def json_bytes(value: Any) -> bytes:
    """Write a JSON value in UTF-8, without blanks."""
    return to_json(value)


def etag(body: bytes) -> str:
    """Name a body by its content."""
    return f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
