"""Declare the parameters of endpoints, and check what a request sends.

The rules and the words of the problems are those of Grape, the library under GitLab's API.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.instants import from_datetime

from .body import finite
from .errors import Problem, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mock_gitlab.engine.model import Instant

_MAX_INTEGER = 2**63 - 1
_MAX_ROW_PROBLEMS = 100  # an array that is all wrong need not be read to its end
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_INDEX = re.compile(r"[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].+)?")
_TRUE = frozenset(("true", "1", "t", "on", "y", "yes"))
_FALSE = frozenset(("false", "0", "f", "off", "n", "no"))


class Kind(Enum):
    """The type of a parameter."""

    __hash__ = object.__hash__  # Enum's own is slow, and each parameter that is read needs it

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    HASH = "hash"
    STRINGS = "array of strings"
    STRINGS_OF_HASH = "array of strings, or a map of them"
    ARRAY_OF_HASHES = "array of hashes"


_SCHEMAS: dict[Kind, dict[str, Any]] = {
    Kind.STRING: {"type": "string"},
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
    Kind.HASH: {"type": "object"},
    Kind.STRINGS: {"type": "array"},
    Kind.STRINGS_OF_HASH: {"type": "array"},
    Kind.ARRAY_OF_HASHES: {"type": "array"},
}
ReadValues = dict[str, tuple[Any, list[str]]]
"""For each parameter that was sent: its value, and the problems that this has."""
_TEXTS = frozenset((Kind.STRING, Kind.STRINGS, Kind.STRINGS_OF_HASH))


# ---------------------------------------------------------------------------- declaring


class _Invalid(Exception):
    """The value cannot be read as the declared type."""


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of an endpoint.

    - ``allow_blank=False`` rejects a blank text.
    - ``values`` are the options of a text or number, or of each text in an array.
    - ``items`` are the parameters inside each hash of an array.
    - ``forgivable``: the endpoint decides for each request whether this required parameter may
      be missing.
    - A DATETIME is read as an instant.
    - ``convert`` is applied to a value that has no problems.
    """

    name: str
    kind: Kind
    required: bool = False
    allow_blank: bool = True
    values: tuple[str, ...] | tuple[int, ...] | None = None
    default: Any = None
    description: str = ""
    items: tuple[Param, ...] = ()
    example: Any = None
    minimum: float | None = None
    maximum: float | None = None
    forgivable: bool = False
    convert: Callable[[Any], Any] | None = None

    def schema(self) -> dict[str, Any]:
        """Describe the parameter as a JSON Schema."""
        schema = dict(_SCHEMAS[self.kind])
        if self.kind in (Kind.STRINGS, Kind.STRINGS_OF_HASH):
            schema["items"] = {"type": "string", **self._enum()}
        elif self.kind is Kind.ARRAY_OF_HASHES:
            schema["items"] = {
                "type": "object",
                "properties": {item.name: item.schema() for item in self.items},
                "required": [item.name for item in self.items if item.required],
            }
        else:
            schema.update(self._enum())
        known = {
            "description": self.description or None,
            "default": self.default,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "minLength": None if self.allow_blank or self.kind is not Kind.STRING else 1,
            "examples": None if self.example is None else [self.example],
        }
        return {**schema, **{key: value for key, value in known.items() if value is not None}}

    def _enum(self) -> dict[str, Any]:
        return {"enum": list(self.values)} if self.values else {}

    def read(self, value: Any, name: str) -> tuple[Any, list[str]]:
        """Convert a value to the declared type; return it with the problems that it has."""
        converted, problems = self._read(value, name)
        if self.convert is None or converted is None or problems:
            return converted, problems
        return self.convert(converted), problems

    def _read(self, value: Any, name: str) -> tuple[Any, list[str]]:
        if value is None or (value == "" and self.kind not in _TEXTS):
            if not self.required or self.kind is not Kind.STRING:
                return self.default, []
            # A required text may be null: it is there, and that is enough, but for one of some.
            return "", [] if self.values is None else [f"{name} {Problem.NOT_AN_OPTION}"]
        if self.kind is Kind.ARRAY_OF_HASHES:
            return self._read_hashes(value, name)
        try:
            converted = _READERS[self.kind](value)
        except _Invalid:
            return None, [f"{name} {Problem.INVALID}"]
        return converted, [] if self._allows(converted) else [f"{name} {Problem.NOT_AN_OPTION}"]

    def _allows(self, value: Any) -> bool:
        if self.values is not None:
            return all(v in self.values for v in (value if isinstance(value, list) else [value]))
        if self.minimum is not None and value < self.minimum:
            return False
        return self.maximum is None or bool(value <= self.maximum)

    def _read_hashes(self, value: Any, name: str) -> tuple[Any, list[str]]:
        if isinstance(value, dict) and value and all(_INDEX.fullmatch(key) for key in value):
            value = [value[key] for key in sorted(value, key=int)]
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            return None, [f"{name} {Problem.INVALID}"]
        rows, problems = [], []
        for index, item in enumerate(value):
            row, more = _check(self.items, item, f"{name}[{index}]")
            rows.append(row)
            problems += more
            if len(problems) >= _MAX_ROW_PROBLEMS:
                break
        return rows, problems


# ---------------------------------------------------------------------------- checking


class Params:
    """The parameters of an endpoint, in their order."""

    def __init__(self, *params: Param) -> None:
        self._params = params
        self._when_nothing_is_sent = _check(params, {})

    def read(self, given: Mapping[str, Any]) -> ReadValues:
        """Read the parameters that are sent, which takes time if they are large."""
        return {p.name: p.read(given[p.name], p.name) for p in self._params if p.name in given}

    def check(
        self,
        given: Mapping[str, Any],
        *,
        forgive: bool = False,
        problems: Sequence[str] = (),
        read: ReadValues | None = None,
    ) -> dict[str, Any]:
        """Return the value of every declared parameter, or its default; ignore all others.

        ``forgive`` allows forgivable parameters to be missing. ``problems`` are those that the
        caller has found already. ``read`` is the result of ``read()``, if that was called before.

        Raises:
            ApiError: 400 with all problems, in the order of declaration.
        """
        if given or forgive:
            values, more = _check(self._params, given, forgive=forgive, read=read)
        else:
            values, more = self._when_nothing_is_sent
        if problems or more:
            raise invalid(", ".join((*problems, *more)))
        return dict(values)


def _check(
    params: Iterable[Param],
    given: Mapping[str, Any],
    inside: str = "",
    *,
    forgive: bool = False,
    read: ReadValues | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Return the values of parameters, and their problems; ``inside`` names what holds them."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for param in params:
        name = f"{inside}[{param.name}]" if inside else param.name
        if param.name in given:
            value = given[param.name]
            blank = value is None or (isinstance(value, str) and not value.strip())
            if blank and not param.allow_blank:
                problems.append(f"{name} {Problem.EMPTY}")
            values[param.name], more = read[name] if read else param.read(value, name)
            problems += more
            continue
        values[param.name] = param.default
        if param.required and not (forgive and param.forgivable):
            problems.append(f"{name} {Problem.MISSING}")
            if not param.allow_blank:
                problems.append(f"{name} {Problem.EMPTY}")
    return values, problems


# ---------------------------------------------------------------------------- converting


def _read_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise _Invalid


def _read_integer(value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Invalid
    if not -_MAX_INTEGER - 1 <= value <= _MAX_INTEGER:
        raise _Invalid
    return value


def _read_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Invalid
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise _Invalid
    try:
        return finite(value)
    except (ValueError, OverflowError):
        raise _Invalid from None


def _read_boolean(value: Any) -> bool:
    """Read a boolean as Grape does, in small or capital letters, or as Python writes it."""
    text = str(int(value)) if isinstance(value, bool | int) else value
    if not isinstance(text, str) or text not in (text.lower(), text.upper(), text.capitalize()):
        raise _Invalid
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise _Invalid


def _read_instant(value: Any) -> Instant:
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        raise _Invalid
    try:
        moment = datetime.fromisoformat(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        # astimezone raises OverflowError where the year in UTC would have no four digits.
        return from_datetime(aware.astimezone(UTC))
    except (ValueError, OverflowError):
        raise _Invalid from None


def _read_hash(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Invalid
    return value


def _read_texts(value: Any) -> list[str]:
    return [_read_text(item) for item in (value if isinstance(value, list) else [value])]


def _read_texts_of_hash(value: Any) -> list[str]:
    return _read_texts(list(value.values()) if isinstance(value, dict) else value)


_READERS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.STRING: _read_text,
    Kind.INTEGER: _read_integer,
    Kind.NUMBER: _read_number,
    Kind.BOOLEAN: _read_boolean,
    Kind.DATETIME: _read_instant,
    Kind.HASH: _read_hash,
    Kind.STRINGS: _read_texts,
    Kind.STRINGS_OF_HASH: _read_texts_of_hash,
}
