"""Globs and regular expressions on text and paths, in linear time whatever is written.

What people write is matched against what others send, on the event loop: a pattern that needs
exponential time for some text would stop the whole mock. Regular expressions are therefore those
of pydantic's Rust engine, which does not backtrack; its syntax is the one GitLab CI has (RE2).
Globs without ``**`` never need to give back what a part has matched, so that ``re`` is as safe.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Matcher = Callable[[str], object]

_KEPT = 16_384  # more than any file has; fewer than the rules in force would mean compiling anew


class NoExpression(ValueError):
    """What stands between the slashes is no regular expression; the message says why."""


def matches_text(pattern: str, text: str) -> bool:
    """Match a glob (``*`` stands for anything) or a ``/regular expression/`` found anywhere."""
    return bool(_text_matcher(pattern)(text))


def matches_path(pattern: str, path: str) -> bool:
    """Match a glob on a path: ``*`` stays between slashes, ``**`` does not."""
    return bool(_path_matcher(pattern)(path))


def check_expression(pattern: str) -> None:
    """Check what stands between slashes; a glob is always well.

    Raises:
        NoExpression: it is no regular expression, or one that cannot be searched for quickly.
    """
    if _is_expression(pattern):
        _text_matcher(pattern)


def _is_expression(pattern: str) -> bool:
    return len(pattern) > 1 and pattern[0] == pattern[-1] == "/"


@lru_cache(maxsize=_KEPT)
def _text_matcher(pattern: str) -> Matcher:
    if _is_expression(pattern):
        return _searching(pattern[1:-1])
    return _glob(pattern, ".") if "*" in pattern else pattern.__eq__


@lru_cache(maxsize=_KEPT)
def _path_matcher(pattern: str) -> Matcher:
    if "**" in pattern:
        parts = ["[^/]*".join(map(re.escape, part.split("*"))) for part in pattern.split("**")]
        return _searching(rf"(?s)\A{'.*'.join(parts)}\z")
    return _glob(pattern, "[^/]") if "*" in pattern else pattern.__eq__


def _glob(pattern: str, anything: str) -> Matcher:
    """Take the first place where each part fits, for good: later ones leave less to the rest."""
    first, *inner, last = map(re.escape, pattern.split("*"))
    fixed = "".join(f"(?>{anything}*?{part})" for part in inner)
    return re.compile(rf"{first}{fixed}{anything}*{last}", re.DOTALL).fullmatch


def _searching(expression: str) -> Matcher:
    # Imported where it is needed: most mocks have globs alone.
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    schema = core_schema.str_schema(pattern=expression, regex_engine="rust-regex")
    try:
        return SchemaValidator(schema).isinstance_python
    except SchemaError as error:
        raise NoExpression(_reason(str(error))) from None


def _reason(said: str) -> str:
    """Take the reason out of an error that also draws the expression."""
    reason = said.rpartition("error: ")[2].strip().rpartition("SchemaError: ")[2]
    return f"{reason[:1].lower()}{reason[1:].removesuffix('.')}"
