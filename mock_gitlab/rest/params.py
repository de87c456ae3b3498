"""Parameters as endpoints declare them, checked and refused in GitLab's words.

The rules and words are those of Grape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from .body import bad, decode_segment, finite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LARGEST = 2**63 - 1
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_INDEX = re.compile(r"[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].+)?")
_PATH_NUMBER = re.compile(r"(-?)([0-9]+)")
_LONGEST_PATH_NUMBER = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_TRUE = frozenset(("true", "1", "t", "on", "y", "yes"))
_FALSE = frozenset(("false", "0", "f", "off", "n", "no"))


# ---------------------------------------------------------------------------- checking


class Kind(Enum):
    """What a parameter is."""

    __hash__ = object.__hash__  # Enum's own is written in Python, and each reading looks two up

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


_TEXTS = frozenset((Kind.STRING, Kind.STRINGS, Kind.STRINGS_OF_HASH))


class _Invalid(Exception):
    """A value of another type than the declared one."""


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter as an endpoint declares it.

    ``allow_blank`` of False refuses a blank text; ``values`` are all that is allowed; ``items``
    are the fields of each hash in an array. A DATETIME becomes milliseconds since the epoch.
    A required parameter that is ``forgivable`` may be missing where the endpoint says so.
    """

    name: str
    kind: Kind
    required: bool = False
    allow_blank: bool = True
    values: tuple[str, ...] | None = None
    default: Any = None
    description: str = ""
    items: tuple[Param, ...] = ()
    example: Any = None
    minimum: float | None = None
    maximum: float | None = None
    forgivable: bool = False

    def schema(self) -> dict[str, Any]:
        """Describe the value as a JSON Schema."""
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
        """Make a value of the declared type, or say what is wrong with it."""
        if value is None or (value == "" and self.kind not in _TEXTS):
            # To be there is all that is asked of what is required, and null is there.
            return ("" if self.required and self.kind is Kind.STRING else self.default), []
        if self.kind is Kind.ARRAY_OF_HASHES:
            return self._read_hashes(value, name)
        try:
            found = _READERS[self.kind](value)
        except _Invalid:
            return None, [f"{name} is invalid"]
        return found, self._refusals(found, name)

    def _refusals(self, found: Any, name: str) -> list[str]:
        if self.values is not None:
            wanted = found if isinstance(found, list) else [found]
            if not all(each in self.values for each in wanted):
                return [f"{name} does not have a valid value"]
        if isinstance(found, int | float) and not (
            (self.minimum is None or found >= self.minimum)
            and (self.maximum is None or found <= self.maximum)
        ):
            return [f"{name} does not have a valid value"]
        return []

    def _read_hashes(self, value: Any, name: str) -> tuple[Any, list[str]]:
        if isinstance(value, dict) and value and all(_INDEX.fullmatch(key) for key in value):
            value = [value[key] for key in sorted(value, key=int)]
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            return None, [f"{name} is invalid"]
        found, refusals = [], []
        for index, item in enumerate(value):
            read, refused = _check(self.items, item, lambda key, at=index: f"{name}[{at}][{key}]")
            found.append(read)
            refusals += refused
        return found, refusals


class Params:
    """The parameters of an endpoint, in their order."""

    def __init__(self, *params: Param) -> None:
        self._params = params
        self._of_nothing: tuple[dict[str, Any], list[str]] = _check(params, {}, str)

    def check(
        self, given: Mapping[str, Any], *, forgive: bool = False, refused: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Give every declared parameter its value, or its default; others are left aside.

        ``forgive`` lets forgivable parameters be missing; ``refused`` is what is wrong already.

        Raises:
            BadParameters: 400 with everything that is wrong, in the order of declaration.
        """
        if given or forgive:
            values, refusals = _check(self._params, given, str, forgive=forgive)
        else:
            values, refusals = self._of_nothing
        if refused or refusals:
            raise bad(", ".join((*refused, *refusals)))
        return dict(values)


def _check(
    params: Iterable[Param], given: Mapping[str, Any], named: Any, *, forgive: bool = False
) -> tuple[Any, list[str]]:
    values: dict[str, Any] = {}
    refusals: list[str] = []
    for param in params:
        if param.name not in given:
            values[param.name] = param.default
            if param.required and not (forgive and param.forgivable):
                refusals.append(f"{named(param.name)} is missing")
                refusals += [] if param.allow_blank else [f"{named(param.name)} is empty"]
            continue
        name, value = named(param.name), given[param.name]
        blank = value is None or (isinstance(value, str) and not value.strip())
        if blank and not param.allow_blank:
            refusals.append(f"{name} is empty")
        values[param.name], refused = param.read(value, name)
        refusals += refused
    return values, refusals


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
    if not -_LARGEST - 1 <= value <= _LARGEST:
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
    """Read what Grape reads: a word in one case, or capitalised, as clients of Python write it."""
    text = str(int(value)) if isinstance(value, bool | int) else value
    if not isinstance(text, str) or text not in (text.lower(), text.upper(), text.capitalize()):
        raise _Invalid
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise _Invalid


def _read_moment(value: Any) -> int:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _Invalid
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        # In UTC first: what lies outside the years that can be written overflows here.
        return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND
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


_READERS = {
    Kind.STRING: _read_text,
    Kind.INTEGER: _read_integer,
    Kind.NUMBER: _read_number,
    Kind.BOOLEAN: _read_boolean,
    Kind.DATETIME: _read_moment,
    Kind.HASH: _read_hash,
    Kind.STRINGS: _read_texts,
    Kind.STRINGS_OF_HASH: _read_texts_of_hash,
}


# ---------------------------------------------------------------------------- pages, paths


class _PageNumber(Param):
    """``page``: what is below 1 counts as 1."""

    __slots__ = ()

    def read(self, value: Any, name: str) -> tuple[Any, list[str]]:
        found, refusals = Param.read(self, value, name)
        return (found if refusals else max(1, found)), refusals


class _PageSize(Param):
    """``per_page``: 100 at most, and what is below 0 counts as the default."""

    __slots__ = ()

    def read(self, value: Any, name: str) -> tuple[Any, list[str]]:
        found, refusals = Param.read(self, value, name)
        if refusals:
            return found, refusals
        if found == 0:
            return None, [f"{name} has a value not allowed"]
        return (self.default if found < 0 else min(found, 100)), []


PAGE = (
    _PageNumber("page", Kind.INTEGER, default=1, description="Which page, from 1."),
    _PageSize("per_page", Kind.INTEGER, default=20, description="Rows of a page, at most 100."),
)
"""The parameters of every list."""


def path_integer(text: str) -> int | None:
    """Read the number of something in a path; None: it is no number.

    ``text`` is the segment as it was sent. Of a number with more than 40 digits only the first 40
    are read: nothing has such a number, and so none is found under either.
    """
    if text.isdecimal() and text.isascii() and len(text) <= _LONGEST_PATH_NUMBER:
        return int(text)
    number = _PATH_NUMBER.fullmatch(decode_segment(text))
    if number is None:
        return None
    sign, digits = number.groups()
    return int(sign + (digits.lstrip("0")[:_LONGEST_PATH_NUMBER] or "0"))
