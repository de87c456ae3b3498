"""The types of values in YAML. Each refuses a wrong value in plain words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from mock_gitlab.engine.instants import LATEST, from_datetime, timestamp, to_seconds
from mock_gitlab.engine.model import (
    LARGEST_NUMBER,
    LONGEST_DURATION,
    NAME_LIMIT,
    Duration,
    Instant,
)
from mock_gitlab.engine.operations import OPERATIONS
from mock_gitlab.engine.texts import NoExpression, check_expression

from .diagnostics import MISTAKES_LIMIT, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DURATION = (
    r"(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)d)?(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)h)?"
    r"(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)m)?(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)s)?"
    r"(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)ms)?"
)
_MEANT = re.compile(
    r"([0-9]{1,12}(?:\.[0-9]{1,9})?) *(ms|s|m|h|d)"
    r"(?:ec|ecs|econds?|in|ins|inutes?|rs?|ours?|ays?)?",
    re.IGNORECASE,
)
"""A duration as GitLab CI takes it, such as ``5 minutes`` and ``90sec``."""
_UNITS = (86_400_000, 3_600_000, 60_000, 1000, 1)
_INSTANT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
Violation = tuple[tuple[str | int, ...], str]
"""A contradiction: its path in the model, and its message."""


class StrictModel(BaseModel):
    """A mapping with exactly these keys, of exactly these types."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


def mistake(what: str) -> PydanticCustomError:
    """Make an error with exactly this message."""
    return PydanticCustomError("mistake", "{what}", {"what": what})


def one_or_list(value: Any) -> str:
    """Tell whether a value is a list, or one that may stand alone, by the tags of a union."""
    return "~list" if isinstance(value, list) else "~one"


def refuse(model: BaseModel, found: Iterable[Violation]) -> None:
    """Refuse a model for all its contradictions at once.

    Raises:
        ValidationError: there is at least one.
    """
    most = islice(found, MISTAKES_LIMIT)
    errors = [InitErrorDetails(type=mistake(what), loc=path, input=model) for path, what in most]
    if errors:
        raise ValidationError.from_exception_data(type(model).__name__, errors)


def repeated(path: tuple[str | int, ...], names: Iterable[str]) -> Iterator[Violation]:
    """Find the names that are in a list more than once."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield (*path, index), f'"{short(name)}" is in the list already'
        seen.add(name)


# ---------------------------------------------------------------------------- time


def parse_duration(value: Any) -> Duration:
    """Convert a number of seconds, or text such as ``1h30m``, ``1.5s``, ``500ms``.

    Raises:
        PydanticCustomError: it is neither, or too long.
    """
    if isinstance(value, str):
        duration = _parse_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        duration = value * 1000
    else:
        raise _no_duration()
    if duration > LONGEST_DURATION:
        raise mistake(f"is longer than {LONGEST_DURATION // 1000} seconds, the longest duration")
    return round(duration)


def _parse_text(text: str) -> float:
    found = re.fullmatch(_DURATION, text)
    if not text or found is None:
        meant = _MEANT.fullmatch(text)
        raise _no_duration(f"; did you mean {meant[1]}{meant[2].lower()}?" if meant else "")
    parts = zip(found.groups(), _UNITS, strict=True)
    return sum(float(count) * unit for count, unit in parts if count)


def _no_duration(hint: str = "") -> PydanticCustomError:
    what = "must be a number of seconds, or a duration such as 90s, 1.5s, 3m or 1h30m"
    return mistake(what + hint)


def parse_instant(value: Any) -> Instant:
    """Convert an ISO 8601 date or time. Without an offset it is in UTC.

    Raises:
        PydanticCustomError: it is neither, or no clock can show it.
    """
    if not isinstance(value, str) or not re.fullmatch(_INSTANT, value):
        raise mistake("must be a time such as 2026-01-01T00:00:00Z")
    try:
        parsed = datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise mistake(f"is not a valid time: {error}") from None
    instant = from_datetime(parsed)
    if not 0 <= instant < LATEST:
        raise mistake("must lie between the years 1970 and 8999")
    return instant


DurationField = Annotated[
    Duration,
    PlainValidator(parse_duration),
    PlainSerializer(to_seconds, return_type=int | float),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": LONGEST_DURATION // 1000},
                {"type": "string", "pattern": f"^(?=.){_DURATION}$"},
            ]
        }
    ),
]
"""A duration: seconds, or text such as ``3m``."""

InstantField = Annotated[
    Instant,
    PlainValidator(parse_instant),
    PlainSerializer(timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_INSTANT}$"}),
]
"""An instant as ISO 8601 text."""


# ---------------------------------------------------------------------------- text and numbers


def _as_text(value: Any) -> Any:
    if isinstance(value, str):
        return _unicode(value)
    return getattr(value, "text", value)


def _unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise mistake("is not valid Unicode text") from None
    return text


def _without_brackets(host: str) -> str:
    """Take the brackets off an IPv6 address as it stands in a URL."""
    return host[1:-1] if host[:1] == "[" and host[-1:] == "]" and ":" in host else host


def _digits(value: Any) -> Any:
    text = _as_text(value)
    return str(text) if isinstance(text, int) and not isinstance(text, bool) else text


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise mistake(f"must be a number, not {str(value).lower()}")
    return value


def _as_whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def glob_or_regex(text: str) -> str:
    """Check a glob or a ``/regular expression/``, and return it."""
    try:
        check_expression(text)
    except NoExpression as error:
        raise mistake(f"is not a valid regular expression: {error}") from None
    return text


def _operation(name: str) -> str:
    if name not in OPERATIONS:
        raise mistake(f'there is no operation "{name}"{did_you_mean(name, OPERATIONS)}')
    return name


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Suggest the allowed name that is most similar, if one is similar enough."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower()[:100], sorted(allowed), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near and near[0] != name else ""


def _json(value: JsonValue) -> JsonValue:
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        raise mistake("cannot be written as JSON") from None
    return value


@dataclass(frozen=True, slots=True)
class Matching:
    """Checks that text matches a regular expression; ``words`` is the message if not."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern, "patternErrorMessage": self.words}

    def _check(self, text: str) -> str:
        if re.fullmatch(self.pattern, text) is None:
            raise mistake(self.words)
        return text


class OneOrMore:
    """Takes one value for a list with that value."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._as_list, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}

    @staticmethod
    def _as_list(value: Any) -> Any:
        return [value] if isinstance(value, str | int | float) else value


Text = Annotated[str, BeforeValidator(_as_text)]
Name = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=NAME_LIMIT)]
"""Text that is not empty."""
Host = Annotated[Name, AfterValidator(_without_brackets)]
"""The name or address to listen on."""
OperationName = Annotated[
    Text, AfterValidator(_operation), WithJsonSchema({"type": "string", "enum": list(OPERATIONS)})
]
"""The name of an endpoint of GitLab."""
Glob = Annotated[str, BeforeValidator(_as_text), Field(min_length=1), AfterValidator(glob_or_regex)]
"""A glob, or a ``/regular expression/``."""
_TEXT_OR_INTEGER = WithJsonSchema({"type": ["string", "integer"]})
TextOrNumber = Annotated[str, BeforeValidator(_digits), _TEXT_OR_INTEGER]
"""Text, or a whole number, which becomes its digits."""
GlobOrNumber = Annotated[
    str, BeforeValidator(_digits), AfterValidator(glob_or_regex), _TEXT_OR_INTEGER
]
"""A glob, a ``/regular expression/``, or a whole number, which becomes its digits."""
ProjectName = Annotated[
    str,
    BeforeValidator(_digits),
    Field(min_length=1),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1}),
    Matching(r"^[^/][\s\S]*$", "must be a number, a path or a glob, none of which begins with /"),
]
"""A project: its id, its path, or a glob of paths where several may match."""
WHOLE = BeforeValidator(_as_whole)
"""Accepts 3.0 for 3, as JSON Schema does."""
NOT_BOOL = BeforeValidator(_not_bool)
"""Refuses true, which equals 1 in Python."""
ScenarioNumber = Annotated[int, Field(ge=0, le=LARGEST_NUMBER), WHOLE]
Percent = Annotated[float, Field(ge=0, le=100)]
AnyJson = Annotated[JsonValue, AfterValidator(_json)]
"""Any JSON value."""
