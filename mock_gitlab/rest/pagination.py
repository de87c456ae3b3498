"""Lists in pages: the parameters, the page, and the headers that lead to other pages.

GitLab has two ways to walk a list: by page numbers (``Page``), and by a cursor (``KeysetPage``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote_plus

from .errors import Problem
from .params import Kind, Param
from .paths import decode_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .request import Request

_Item = TypeVar("_Item")
_MAX_PAGE_SIZE = 100


# ---------------------------------------------------------------------------- parameters


class _PageNumber(Param):
    """``page``: a number below 1 counts as 1."""

    __slots__ = ()

    def read(self, value: Any, name: str) -> tuple[Any, list[str]]:
        number, problems = Param.read(self, value, name)
        return (number if problems else max(1, number)), problems


class _PageSize(Param):
    """``per_page``: a number above 100 counts as 100, one below 0 as the default; 0 is refused."""

    __slots__ = ()

    def read(self, value: Any, name: str) -> tuple[Any, list[str]]:
        size, problems = Param.read(self, value, name)
        if problems:
            return size, problems
        if size == 0:
            return None, [f"{name} {Problem.NOT_ALLOWED}"]
        return (self.default if size < 0 else min(size, _MAX_PAGE_SIZE)), []


PAGE = (
    _PageNumber("page", Kind.INTEGER, default=1, description="The number of the page, from 1."),
    _PageSize(
        "per_page",
        Kind.INTEGER,
        default=20,
        description=f"How many rows a page has, at most {_MAX_PAGE_SIZE}.",
    ),
)
"""The parameters of every endpoint that lists something."""


# ---------------------------------------------------------------------------- pages


class Page(NamedTuple):
    """A page of a list.

    ``total`` is the number of all rows, or None if the answer does not tell it. ``more`` says
    whether another page follows.
    """

    rows: list[Any]
    total: int | None
    more: bool


class KeysetPage(NamedTuple):
    """A page of a list that is walked by a cursor; ``cursor`` is None on the last page.

    ``parameter`` is the name of the parameter that takes the cursor.
    """

    rows: list[Any]
    cursor: str | None
    parameter: str = "cursor"


def page_of(request: Request, items: Sequence[_Item], present: Callable[[_Item], Any]) -> Page:
    """Cut the requested page out of a list, and present its items."""
    end = request.offset + request.limit
    rows = [present(item) for item in items[request.offset : end]]
    return Page(rows, len(items), more=len(items) > end)


# ---------------------------------------------------------------------------- headers


def headers_of(request: Request, page: Page | KeysetPage) -> list[tuple[str, str]]:
    """Write the headers of a page."""
    url, query = request.origin + request.scope["path"], _query_of(request)
    if isinstance(page, KeysetPage):
        if page.cursor is None:
            return []
        return [("Link", _link(url, {**query, page.parameter: page.cursor}, "next"))]
    number, size = request.values["page"], request.values["per_page"]
    return page_headers(url, query, page, number=number, size=size)


def _query_of(request: Request) -> dict[str, Any]:
    """Return what a link repeats: all parameters, with defaults and those of the path."""
    return {
        **{name: value for name, value in request.values.items() if value is not None},
        **request.given,
        **{name: decode_segment(raw) for name, raw in request.scope["path_params"].items()},
    }


def page_headers(
    url: str, query: Mapping[str, Any], page: Page, *, number: int, size: int
) -> list[tuple[str, str]]:
    """Write the headers of a page that is found by its number.

    ``query`` is what the links repeat. Without a total there is no link to the last page.
    """
    last = None if page.total is None else max(1, -(-page.total // size))
    following = number + 1 if page.more else None
    previous = number - 1 if number > 1 and page.rows else None
    headers = [
        ("X-Page", str(number)),
        ("X-Per-Page", str(size)),
        ("X-Next-Page", "" if following is None else str(following)),
        ("X-Prev-Page", "" if previous is None else str(previous)),
    ]
    if page.total is not None:
        headers += [("X-Total", str(page.total)), ("X-Total-Pages", str(last))]
    pages = {"prev": previous, "next": following, "first": 1, "last": last}
    links = [_link(url, {**query, "page": n}, rel) for rel, n in pages.items() if n is not None]
    return [*headers, ("Link", ", ".join(links))]


def _link(url: str, query: Mapping[str, Any], rel: str) -> str:
    pairs = (pair for key in sorted(query) for pair in _pairs(key, query[key]))
    encoded = "&".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in pairs)
    return f'<{url}?{encoded}>; rel="{rel}"'


def _pairs(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Write nested parameters as pairs, with the keys that ``nest`` reads."""
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
