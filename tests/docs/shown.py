"""Reads the documents: their exchanges of requests and answers, their JSON, their links.

In shown JSON, three dots outside a string stand for what is left out: keys of an object, items of
a list, or one value. Keys that are shown must come in the order in which they are shown.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
LEFT_OUT = "\u2026"
Pairs: TypeAlias = list[tuple[str, Any]]
_METHOD = r"(?:GET|HEAD|POST|PUT|PATCH|DELETE)"
_EXCHANGE = re.compile(
    rf"^({_METHOD}) (\S+)\n(.*?)^=> (\d+)(.*?)(?=^{_METHOD} /|\Z)", re.DOTALL | re.MULTILINE
)
_STRING_OR_DOTS = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.\.|[{}\[\]:,]')


class Exchange(NamedTuple):
    """A request that a document shows, and its answer."""

    method: str
    path: str
    body: Any
    status: int
    answer: str


class Block(NamedTuple):
    """A block of code: its language and its text."""

    language: str
    text: str


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    found = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Block(*each) for each in found]


def exchanges(text: str) -> Iterator[Exchange]:
    """Read the exchanges of a block: request, body, ``=> status``, answer."""
    for method, path, body, status, answer in _EXCHANGE.findall(text):
        sent = json.loads(body) if body.strip() else None
        yield Exchange(method, path, sent, int(status), answer.strip())


def fits(shown: str, got: str) -> bool:
    """Compare shown JSON with real JSON."""
    expected = json.loads(_without_dots(shown), object_pairs_hook=_Object)
    return _fits(expected, json.loads(got, object_pairs_hook=_Object))


class _Object(tuple[tuple[str, Any], ...]):
    """The pairs of a JSON object, in order."""

    __slots__ = ()


def _without_dots(shown: str) -> str:
    """Replace three dots by a marker that JSON can carry."""
    made, opened, before = "", "", ""
    end = 0
    for token in _STRING_OR_DOTS.finditer(shown):
        made += shown[end : token.start()]
        end = token.end()
        text = token[0]
        if text in "{[":
            opened += text
        elif text in "}]":
            opened = opened[:-1]
        elif text == "...":
            is_key = opened.endswith("{") and before != ":"
            text = f'"{LEFT_OUT}": 0' if is_key else f'"{LEFT_OUT}"'
        before = token[0]
        made += text
    return made + shown[end:]


def _fits(shown: Any, got: Any) -> bool:
    if shown == LEFT_OUT:
        return True
    if isinstance(shown, _Object):
        return isinstance(got, _Object) and _all_fit(shown, got)
    if isinstance(shown, list):
        return isinstance(got, list) and _all_fit(shown, got)
    return type(shown) is type(got) and bool(shown == got)


def _all_fit(shown: Sequence[Any], got: Sequence[Any]) -> bool:
    if not shown:
        return not got
    if shown[0] in (LEFT_OUT, (LEFT_OUT, 0)):
        return any(_all_fit(shown[1:], got[skipped:]) for skipped in range(len(got) + 1))
    return bool(got) and _one_fits(shown[0], got[0]) and _all_fit(shown[1:], got[1:])


def _one_fits(shown: Any, got: Any) -> bool:
    if isinstance(shown, tuple) and not isinstance(shown, _Object):
        return shown[0] == got[0] and _fits(shown[1], got[1])
    return _fits(shown, got)


def headings(text: str) -> list[str]:
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^#+ (.+)$", outside, re.MULTILINE)


def anchor(heading: str) -> str:
    """Make the anchor that hosts make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links(text: str) -> list[tuple[str, str]]:
    """List the links to files and to headings: the file, or nothing, and the anchor, or nothing."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"\]\(([^)\s]+)\)", outside)
    local = [each for each in found if "://" not in each]
    return [(file, place) for file, _, place in (each.partition("#") for each in local)]
