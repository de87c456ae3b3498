"""Match globs and regular expressions, always in linear time.

Patterns are matched on the event loop, so one that takes exponential time would stop the mock.
Regular expressions therefore use pydantic's Rust engine, which does not backtrack. Its syntax is
RE2's, as in GitLab CI. A glob without ``**`` becomes an ``re`` pattern without backtracking.
"""

from __future__ import annotations

import hmac
import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Matcher = Callable[[str], object]

_SHORT = 16
"""A part of a glob with more letters is looked for in linear time."""
_KEPT = 16_384  # more than the patterns in force, which would otherwise be compiled again and again
_UNFIT = re.compile(r"[^a-z0-9]", re.ASCII)
_LONGEST = 10_000  # compiling a longer expression may take seconds


class NoExpression(ValueError):
    """A text between slashes is no regular expression; the message says why."""


def matches_text(pattern: str, text: str) -> bool:
    """Match a whole text with a glob, or search it for a ``/regular expression/``."""
    return bool(_text_matcher(pattern)(text))


def matches_path(pattern: str, path: str) -> bool:
    """Match a whole path with a glob: ``*`` stops at a slash, ``**`` does not."""
    return bool(_path_matcher(pattern)(path))


def check_expression(pattern: str) -> None:
    """Check a pattern between slashes. A glob is always valid.

    Raises:
        NoExpression: it is no regular expression, or cannot be matched in linear time.
    """
    if is_expression(pattern):
        if len(pattern) > _LONGEST:
            raise NoExpression(f"it has more than {_LONGEST} characters")
        _text_matcher(pattern)


def is_expression(pattern: str) -> bool:
    """Return whether this is a ``/regular expression/``, not a glob."""
    return len(pattern) > 1 and pattern[0] == pattern[-1] == "/"


def is_literal(pattern: str) -> bool:
    """Return whether a pattern matches only the text that it is itself."""
    return "*" not in pattern and not is_expression(pattern)


def split_ref(ref: str) -> tuple[str, bool | None]:
    """Split a ref into its name and whether it is a tag; a short name may be a branch or a tag."""
    if ref.startswith("refs/"):
        if ref.startswith("refs/heads/"):
            return ref[11:], False
        if ref.startswith("refs/tags/"):
            return ref[10:], True
    return ref, None


def slug(text: str) -> str:
    """Write a text as it stands in a host name, as ``CI_COMMIT_REF_SLUG`` does."""
    return _UNFIT.sub("-", text.lower())[:63].strip("-")


@lru_cache(maxsize=_KEPT)
def _text_matcher(pattern: str) -> Matcher:
    if is_expression(pattern):
        return _searching(pattern[1:-1])
    return _glob(pattern, ".") if "*" in pattern else pattern.__eq__


@lru_cache(maxsize=_KEPT)
def _path_matcher(pattern: str) -> Matcher:
    if "**" in pattern:
        parts = ["[^/]*".join(map(re.escape, part.split("*"))) for part in pattern.split("**")]
        return _searching(rf"(?s)\A{'.*'.join(parts)}\z")
    return _glob(pattern, "[^/]") if "*" in pattern else pattern.__eq__


def _glob(pattern: str, anything: str) -> Matcher:
    """Compile a glob. Each part takes the first place where it fits and keeps it.

    That finds a match if there is one, since a later place leaves less text for the other parts.
    An ``re`` pattern tries a part at every place, which takes long for long parts.
    """
    if max(map(len, pattern.split("*"))) > _SHORT:
        return partial(_fits if anything == "." else _fits_path, pattern)
    first, *inner, last = map(re.escape, pattern.split("*"))
    fixed = "".join(f"(?>{anything}*?{part})" for part in inner)
    return re.compile(rf"{first}{fixed}{anything}*{last}", re.DOTALL).fullmatch


def _fits(pattern: str, text: str) -> bool:
    """Match a whole text as ``_glob`` does, in linear time for parts of any length."""
    first, *inner, last = pattern.split("*")
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in inner:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _fits_path(pattern: str, path: str) -> bool:
    """Match a whole path; ``*`` stops at a slash."""
    parts, segments = pattern.split("/"), path.split("/")
    return len(parts) == len(segments) and all(
        _fits(part, segment) if "*" in part else part == segment
        for part, segment in zip(parts, segments, strict=True)
    )


def _searching(expression: str) -> Matcher:
    # Imported late, since most mocks use no regular expressions.
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    schema = core_schema.str_schema(pattern=expression, regex_engine="rust-regex")
    try:
        return SchemaValidator(schema).isinstance_python
    except SchemaError as error:
        raise NoExpression(_reason(str(error))) from None


def _reason(message: str) -> str:
    """Extract the reason from an error message that also prints the expression."""
    reason = message.rpartition("error: ")[2].strip().rpartition("SchemaError: ")[2]
    return f"{reason[:1].lower()}{reason[1:].removesuffix('.')}"


def equal_secrets(sent: str, expected: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(sent.encode(), expected.encode())
