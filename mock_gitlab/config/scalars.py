"""Convert the text of a YAML scalar: insert environment variables, then find the type.

The types are JSON's, in the spelling of YAML 1.2. So ``no``, ``on``, ``017``, ``1:30`` and
timestamps are text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Plain = str | int | float | bool | None

LONGEST_NUMBER = 100
"""The most characters of a number."""
_WORDS: dict[str, Plain] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_DOLLAR = re.compile(r"\$(?:(\$)|\{([^}]*)(\}?))")
_REFERENCE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.ASCII | re.DOTALL)


class Whole(int):
    """A whole number from the environment, with its text for fields of text."""

    text: str


class Number(float):
    """A number from the environment, with its text for fields of text."""

    text: str


class BadScalar(ValueError):
    """A scalar is not valid; the message says why."""


def resolve(text: str) -> Plain:
    """Convert unquoted text to a value.

    Raises:
        BadScalar: it is a number that is too long or too large.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(_short_enough(text))
    if _NUMBER.fullmatch(text):
        return _finite(float(_short_enough(text)))
    return text


def resolve_reference(text: str) -> Plain:
    """Convert unquoted text from the environment; a number keeps its text."""
    value = resolve(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = Whole(value) if isinstance(value, int) else Number(value)
    number.text = text
    return number


def is_reference(text: str) -> bool:
    """Tell whether text is a single ``${...}``."""
    found = _DOLLAR.fullmatch(text)
    return found is not None and found[1] is None


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Replace ``${NAME}`` and ``${NAME:-default}`` by variables, and ``$$`` by a dollar sign.

    The default replaces a variable that is missing or empty, as in a shell.

    Raises:
        BadScalar: a variable is not set, or a reference is malformed.
    """
    return _DOLLAR.sub(lambda found: _value(found, environ), text)


def _value(found: re.Match[str], environ: Mapping[str, str]) -> str:
    if found[1]:
        return "$"
    if not found[3]:
        raise BadScalar('"${" is never closed; write $$ for a dollar sign')
    reference = _REFERENCE.fullmatch(found[2])
    if reference is None:
        raise BadScalar(
            f'"{found[0][:40]}" is not ${{NAME}} or ${{NAME:-default}}; write $$ for a dollar sign'
        )
    name, default = reference.groups()
    value = environ.get(name)
    if default is not None:
        return value or default
    if value is None:
        raise BadScalar(
            f"the environment variable {name} is not set; ${{{name}:-default}} gives it a default"
        )
    return value


def _short_enough(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise BadScalar(f"a number of {len(text)} characters is too long; quote it if it is text")
    return text


def _finite(number: float) -> float:
    if number in (float("inf"), float("-inf")):
        raise BadScalar("the number is too large")
    return number
