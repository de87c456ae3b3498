"""Convert the text of a YAML scalar: insert environment variables, then find the type.

The types are JSON's, in the spelling of YAML 1.2. So ``no``, ``on``, ``017``, ``1:30`` and
timestamps are text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Plain = str | int | float | bool | None

Variables = tuple[tuple[str, str], ...]
"""Names and values of environment variables."""
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
_DISTINCT = 6
"""A value of fewer characters may be part of a word."""
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
    """Return whether text is a single ``${...}``."""
    found = _DOLLAR.fullmatch(text)
    return found is not None and found[1] is None


def interpolate(text: str, environ: Mapping[str, str], used: dict[str, str]) -> str:
    """Replace ``${NAME}`` and ``${NAME:-default}`` by variables, and ``$$`` by a dollar sign.

    The default replaces a variable that is missing or empty, as in a shell. The variables that are
    inserted are added to ``used``.

    Raises:
        BadScalar: a variable is not set, or a reference is malformed.
    """
    return _DOLLAR.sub(lambda found: _value(found, environ, used), text)


def _value(found: re.Match[str], environ: Mapping[str, str], used: dict[str, str]) -> str:
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
    if value:
        used[name] = value
    if default is not None:
        return value or default
    if value is None:
        raise BadScalar(
            f"the environment variable {name} is not set; ${{{name}:-default}} gives it a default, "
            f"and $${{{name}}} is the text itself"
        )
    return value


def as_written(text: str, used: Variables) -> str:
    """Replace the values of variables by ``${NAME}``, since a value may be a secret."""
    if not used:
        return text
    return _values(used).sub(lambda found: f"${{{used[(found.lastindex or 1) - 1][0]}}}", text)


@lru_cache(maxsize=16)
def _values(used: Variables) -> re.Pattern[str]:
    """Match any of the values; group 1 is the first one, and so on."""
    return re.compile("|".join(f"({_alone(value)})" for _, value in used))


def _alone(value: str) -> str:
    quoted = re.escape(value)
    if len(value) >= _DISTINCT:
        return quoted
    if value.isdecimal():
        return rf"(?<!\w){quoted}(?!\w)"
    return rf'(?:(?<=")|\A){quoted}(?=\Z|")'


def all_as_written(value: Any, used: Variables) -> Any:
    """Do the same in a JSON value; a short number stays, since it is in many places."""
    if isinstance(value, str):
        return as_written(value, used)
    if isinstance(value, dict):
        return {name: all_as_written(each, used) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [all_as_written(each, used) for each in value]
    text = str(value)
    shown = as_written(text, used) if len(text) >= _DISTINCT else text
    return value if shown == text else shown


def longest_first(used: Iterable[tuple[str, str]]) -> Variables:
    """Sort variables for ``as_written``: a value may be part of another one."""
    return tuple(sorted(set(used), key=lambda pair: (-len(pair[1]), pair)))


def _short_enough(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise BadScalar(f"a number of {len(text)} characters is too long; quote it if it is text")
    return text


def _finite(number: float) -> float:
    if number in (float("inf"), float("-inf")):
        raise BadScalar("the number is too large")
    return number
