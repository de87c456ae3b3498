"""GitLab's errors, bodies, pages and links."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from pydantic_core import to_json

from mock_gitlab.engine.model import MockGitLabError, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Error = tuple[int, dict[str, Any]]

UNAUTHORIZED: Error = (401, {"message": "401 Unauthorized"})
NO_ROUTE: Error = (404, {"error": "404 Not Found"})

_NOT_FOUND: dict[str, Error] = {
    "project": (404, {"message": "404 Project Not Found"}),
    # A row that is looked for by its number and is not there has a small f.
    "pipeline": (404, {"message": "404 Not found"}),
    "job": (404, {"message": "404 Not found"}),
    "trigger": (404, {"message": "404 Not found"}),
    "scenario": (404, {"message": "404 Scenario Not Found"}),
    "branch": (404, {"message": "404 Branch Not Found"}),
    "tag": (404, {"message": "404 Tag Not Found"}),
    "commit": (404, {"message": "404 Commit Not Found"}),
    "job of the token": (404, {"message": "404 Job Not Found"}),
    "reference": (400, {"message": {"base": ["Reference not found"]}}),
}
_NOT_FOUND_OTHERWISE: Error = (404, {"message": "404 Not Found"})
_REFUSED: dict[str, Error] = {
    "forbidden": (403, {"message": "403 Forbidden"}),
    "Job is not retryable": (403, {"message": "403 Forbidden - Job is not retryable"}),
    "Job is not erasable!": (403, {"message": "403 Forbidden - Job is not erasable!"}),
    "Unplayable Job": (400, {"message": "400 Bad request - Unplayable Job"}),
    "precondition failed": (412, {"message": "412 Precondition Failed"}),
}


def error_of(error: MockGitLabError) -> Error:
    """Put an error of the world into GitLab's words: status and body."""
    if isinstance(error, NotFound):
        return _NOT_FOUND.get(error.what, _NOT_FOUND_OTHERWISE)
    if isinstance(error, NotAllowed):
        return _REFUSED[error.reason]
    return 400, {"message": f"400 Bad request - {error}"}


# ---------------------------------------------------------------------------- values


def json_bytes(value: Any) -> bytes:
    """Write a JSON value without blanks, in UTF-8."""
    return to_json(value)


def etag(body: bytes) -> str:
    """Name a body by its content."""
    return f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


# ---------------------------------------------------------------------------- pages


def page_headers(
    *,
    base_url: str,
    query: Mapping[str, Any],
    page: int,
    per_page: int,
    empty: bool,
    total: int | None,
    more: bool,
) -> list[tuple[str, str]]:
    """Make the headers of a page.

    ``query`` is all that was asked for, with defaults and the parameters of the path. ``total`` of
    None is not told, and neither is the last page; ``more`` says whether another page follows.
    """
    pages = None if total is None else max(1, -(-total // per_page))
    following = page + 1 if more else None
    previous = page - 1 if page > 1 and not empty else None
    links = {"prev": previous, "next": following, "first": 1, "last": pages}
    headers = [
        ("X-Page", str(page)),
        ("X-Per-Page", str(per_page)),
        ("X-Next-Page", "" if following is None else str(following)),
        ("X-Prev-Page", "" if previous is None else str(previous)),
    ]
    if total is not None:
        headers += [("X-Total", str(total)), ("X-Total-Pages", str(pages))]
    told = ", ".join(
        link(base_url, {**query, "page": number}, name)
        for name, number in links.items()
        if number is not None
    )
    return [*headers, ("Link", told)]


def link(base_url: str, query: Mapping[str, Any], rel: str) -> str:
    """Write an entry of a Link header."""
    return f'<{base_url}?{_query(query)}>; rel="{rel}"'


def _query(given: Mapping[str, Any]) -> str:
    pairs = (pair for key in sorted(given) for pair in _pairs(key, given[key]))
    return "&".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in pairs)


def _pairs(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name in sorted(value):
            yield from _pairs(f"{key}[{name}]", value[name])
    elif isinstance(value, list | tuple):
        for item in value or ("",):
            yield from _pairs(f"{key}[]", item)
    elif isinstance(value, bool):
        yield key, "true" if value else "false"
    else:
        yield key, "" if value is None else str(value)
