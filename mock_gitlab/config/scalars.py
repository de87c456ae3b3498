"""What the text of one YAML scalar means: environment variables put in, then a type found.

Only JSON's own types are known, by YAML 1.2's spelling: ``no`` and ``on`` are text, ``017`` and
``1:30`` are neither octal nor base 60, a timestamp stays as it is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Plain = str | int | float | bool | None

LONGEST_NUMBER = 100
"""How many characters a number may have."""
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
    """A whole number out of the environment, which a field of text may take as text."""

    text: str


class Number(float):
    """A number out of the environment, which a field of text may take as text."""

    text: str


class BadScalar(ValueError):
    """The text means nothing; the message says why."""


def resolve(text: str) -> Plain:
    """Find what unquoted text means.

    Raises:
        BadScalar: a number beyond all measure.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(_measured(text))
    if _NUMBER.fullmatch(text):
        return _finite(float(_measured(text)))
    return text


def resolve_reference(text: str) -> Plain:
    """Find what unquoted text out of the environment means; numbers remember their text."""
    value = resolve(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = Whole(value) if isinstance(value, int) else Number(value)
    number.text = text
    return number


def is_reference(text: str) -> bool:
    """Tell whether the text is one ``${...}`` and nothing else."""
    found = _DOLLAR.fullmatch(text)
    return found is not None and found[1] is None


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Put variables in: ``${NAME}``, ``${NAME:-default}``; ``$$`` is a dollar sign.

    The default stands in for a variable that is missing or empty, as in a shell.

    Raises:
        BadScalar: an unknown variable, or a reference that is none.
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


def _measured(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise BadScalar(f"a number of {len(text)} characters is too long; quote it if it is text")
    return text


def _finite(number: float) -> float:
    if number in (float("inf"), float("-inf")):
        raise BadScalar("the number is too large")
    return number
