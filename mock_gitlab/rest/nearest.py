"""Explain why an address is no endpoint: name what is wrong, or the nearest endpoint."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Endpoints = tuple[tuple[str, str], ...]

_MOST_DIFFERENCE = 0.4
_OTHER_METHOD = 0.3
_LONGEST = 100


def nearest(method: str, path: str, endpoints: Endpoints) -> str:
    """Explain why ``path`` is no endpoint; ``endpoints`` are the methods and paths that exist."""
    return _explain(method, path[:_LONGEST], endpoints)


@lru_cache(maxsize=256)  # a comparison takes as long as ten requests, and programs poll
def _explain(method: str, path: str, endpoints: Endpoints) -> str:
    if path.startswith("/api/v4"):
        return "no such endpoint here: the path has /api/v4 twice"
    if path.startswith("/api"):
        return "no such endpoint here: only /api/v4 is served"
    segments = path[1:].split("/")
    difference, verb, found = min(
        (_difference(segments, each[1:].split("/")) + _OTHER_METHOD * (verb != method), verb, each)
        for verb, each in endpoints
    )
    if difference > _MOST_DIFFERENCE:
        return "no such endpoint here"
    return f"no such endpoint here; the nearest is {verb} {_as_gitlab_writes(found)}"


def _difference(sent: list[str], template: list[str]) -> float:
    """Compare a path with that of an endpoint: 0 if it fits, 1 for each segment that does not."""
    if len(sent) != len(template):
        return 1
    return sum(
        1 - SequenceMatcher(None, got, wanted).ratio()
        for got, wanted in zip(sent, template, strict=True)
        if got != wanted and not wanted.startswith("{")
    )


def _as_gitlab_writes(path: str) -> str:
    return path.replace("{", ":").replace("}", "")
