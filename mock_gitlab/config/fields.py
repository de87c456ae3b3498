"""The kinds of values that may be written, each refused in plain words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    Tag,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from mock_gitlab.engine.instants import LATEST, from_datetime, timestamp, to_seconds
from mock_gitlab.engine.model import LONGEST_SPAN, Duration, Instant
from mock_gitlab.engine.operations import OPERATIONS
from mock_gitlab.engine.texts import NoExpression, check_expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST_SCENARIO = 2**53
_DURATION = (
    r"(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)d)?(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)h)?"
    r"(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)m)?(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)s)?"
    r"(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)ms)?"
)
_UNITS = (86_400_000, 3_600_000, 60_000, 1000, 1)
_INSTANT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
Violation = tuple[tuple[str | int, ...], str]
"""A contradiction: the path to it, and what it is in words."""


class StrictModel(BaseModel):
    """What may be written in one mapping: these keys, of these types, and no others."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


def mistake(what: str) -> PydanticCustomError:
    """Make the error that refuses a value in these very words."""
    return PydanticCustomError("mistake", "{what}", {"what": what})


def refuse(model: BaseModel, found: Iterable[Violation]) -> None:
    """Refuse a model for all its contradictions at once, each at its place.

    Raises:
        ValidationError: where there is any.
    """
    errors = [InitErrorDetails(type=mistake(what), loc=path, input=model) for path, what in found]
    if errors:
        raise ValidationError.from_exception_data(type(model).__name__, errors)


def repeated(path: tuple[str | int, ...], names: Iterable[str]) -> Iterator[Violation]:
    """Find the entries of a list that stand in it before."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield (*path, index), f'"{name}" is in the list already'
        seen.add(name)


# ---------------------------------------------------------------------------- durations, moments


def parse_duration(value: Any) -> Duration:
    """Read seconds (a number) or a duration (``1h30m``, ``1.5s``, ``500ms``) as milliseconds.

    Raises:
        PydanticCustomError: it is neither, or longer than LONGEST_SPAN.
    """
    if isinstance(value, str):
        span = _span_of_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        span = value * 1000
    else:
        raise _no_duration()
    if span > LONGEST_SPAN:
        raise mistake(f"is longer than {LONGEST_SPAN // 1000} seconds, the longest duration")
    return round(span)


def _span_of_text(text: str) -> float:
    found = re.fullmatch(_DURATION, text)
    if not text or found is None:
        raise _no_duration()
    parts = zip(found.groups(), _UNITS, strict=True)
    return sum(float(count) * unit for count, unit in parts if count)


def _no_duration() -> PydanticCustomError:
    return mistake("must be a number of seconds, or a duration such as 90s, 1.5s, 3m or 1h30m")


def parse_instant(value: Any) -> Instant:
    """Read an ISO 8601 date or time as a moment; without an offset it is UTC.

    Raises:
        PydanticCustomError: it is none, or outside of what a clock can show.
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
                {"type": "number", "minimum": 0, "maximum": LONGEST_SPAN // 1000},
                {"type": "string", "pattern": f"^(?=.){_DURATION}$"},
            ]
        }
    ),
]
"""A span of time: seconds, or text such as ``3m``; milliseconds once it is read."""

InstantField = Annotated[
    Instant,
    PlainValidator(parse_instant),
    PlainSerializer(timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_INSTANT}$"}),
]
"""A moment: ISO 8601 text; milliseconds since the epoch once it is read."""


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


def _digits(value: Any) -> Any:
    text = _as_text(value)
    return str(text) if isinstance(text, int) and not isinstance(text, bool) else text


def _no_switch(value: Any) -> Any:
    if isinstance(value, bool):
        raise mistake(f"must be a number, not {str(value).lower()}")
    return value


def _as_whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _glob_or_regex(text: str) -> str:
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
    """Propose the allowed name that is nearest to what was written, if any is near."""
    from difflib import get_close_matches

    found = get_close_matches(name.lower()[:100], sorted(allowed), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found and found[0] != name else ""


def _if_text(value: JsonValue) -> JsonValue:
    return _glob_or_regex(value) if isinstance(value, str) else value


def _json(value: JsonValue) -> JsonValue:
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        raise mistake("cannot be written as JSON") from None
    return value


@dataclass(frozen=True, slots=True)
class Matching:
    """Checks text against a regular expression, and says ``words`` where it fails."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}

    def _check(self, text: str) -> str:
        if re.fullmatch(self.pattern, text) is None:
            raise mistake(self.words)
        return text


Text = Annotated[str, BeforeValidator(_as_text)]
Name = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=255)]
"""Text that is not empty."""
OperationName = Annotated[
    Text, AfterValidator(_operation), WithJsonSchema({"type": "string", "enum": list(OPERATIONS)})
]
"""What an endpoint of GitLab is called."""
Glob = Annotated[
    str, BeforeValidator(_as_text), Field(min_length=1), AfterValidator(_glob_or_regex)
]
"""A glob, or a ``/regular expression/``."""
_TEXT_OR_INTEGER = WithJsonSchema({"type": ["string", "integer"]})
TextOrNumber = Annotated[str, BeforeValidator(_digits), _TEXT_OR_INTEGER]
"""Text; a whole number stands for its digits."""
GlobOrNumber = Annotated[
    str, BeforeValidator(_digits), AfterValidator(_glob_or_regex), _TEXT_OR_INTEGER
]
"""A glob, or a ``/regular expression/``; a whole number stands for its digits."""
ProjectName = Annotated[
    str,
    BeforeValidator(_digits),
    Field(min_length=1),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1}),
    Matching(r"^[^/][\s\S]*$", "must be a number, a path or a glob, none of which begins with /"),
]
"""A project: its number, its path, or a glob of paths where many may match."""
WHOLE = BeforeValidator(_as_whole)
"""Lets a whole number be written as 3.0 too, as JSON Schema does."""
NO_SWITCH = BeforeValidator(_no_switch)
"""Keeps true from passing for the number 1, which it equals in Python."""
ScenarioNumber = Annotated[int, Field(ge=0, le=LARGEST_SCENARIO), WHOLE]
Percent = Annotated[float, Field(ge=0, le=100)]
AnyJson = Annotated[JsonValue, AfterValidator(_json)]
"""Any JSON value."""
WantedJson = Annotated[AnyJson, AfterValidator(_if_text)]
"""Any JSON value; text is a glob, or a ``/regular expression/``."""


def _present_or_text(value: Any) -> str:
    return "~present" if isinstance(value, bool) else "~text"


Wanted = Annotated[
    Annotated[bool, Tag("~present")] | Annotated[GlobOrNumber, Tag("~text")],
    Discriminator(_present_or_text),
]
"""Text that must match; true asks that there is a value, false that there is none."""
