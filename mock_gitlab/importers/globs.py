"""Globs of ``changes``, ``exists`` and ``include``, as Ruby's ``File.fnmatch`` takes them."""

from __future__ import annotations

import re
from functools import lru_cache

from mock_gitlab.engine.texts import NoExpression, check_expression, matches_text

_BRACES_LIMIT = 8
"""The most braces inside one another."""


def is_glob(pattern: str) -> bool:
    """Return whether a path has a special sign."""
    return any(sign in pattern for sign in "*?[{")


def matches(pattern: str, path: str) -> bool:
    """Match a whole path.

    ``*`` and ``?`` stop at a slash, ``**/`` stands for any folders, ``{a,b}`` for alternatives.
    A pattern that is too long or not closed matches only the text that it is itself.
    """
    expression = _expression(pattern)
    return pattern == path if expression is None else matches_text(expression, path)


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> str | None:
    if not is_glob(pattern):
        return None
    expression = rf"/(?s)\A{_translate(pattern)}\z/"
    try:
        check_expression(expression)
    except NoExpression:
        return None
    return expression


_TOKEN = re.compile(r"\*\*/|\*+|\?|\[([!^]?)([^\]/]+)\]|\\(.)|[{},]|.", re.DOTALL)


def _translate(pattern: str) -> str:
    made, depth = "", 0
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if text == "**/" and (token.start() == 0 or pattern[token.start() - 1] in "/{,"):
            made += "(?:[^/]+/)*"
        elif text[0] == "*":
            made += "[^/]*" + "/" * text.endswith("/")
        elif text == "?":
            made += "[^/]"
        elif token[2]:
            made += f"[{'^' if token[1] else ''}{_inside(token[2])}]"
        elif text == "{" and depth < _BRACES_LIMIT:
            made, depth = f"{made}(?:", depth + 1
        elif text == "}" and depth:
            made, depth = f"{made})", depth - 1
        elif text == "," and depth:
            made += "|"
        else:
            made += re.escape(token[3] or text)
    return made


def _inside(letters: str) -> str:
    """Escape what has a meaning inside brackets, ranges apart."""
    return re.sub(r"([\\\[\]^&~])", r"\\\1", letters)
