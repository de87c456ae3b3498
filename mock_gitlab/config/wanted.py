"""What a rule or a verification wants of a variable or an input: a value, or its presence."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    JsonValue,
    Tag,
    WithJsonSchema,
)

from .fields import AnyJson, GlobOrNumber, glob_or_regex, mistake

_PRESENCE = {
    "type": "object",
    "properties": {"present": {"type": "boolean"}},
    "required": ["present"],
    "additionalProperties": False,
}


def _is_presence(value: Any) -> bool:
    if isinstance(value, dict) and not (
        value.keys() == {"present"} and isinstance(value["present"], bool)
    ):
        raise mistake("must be a value, {present: true} or {present: false}")
    return isinstance(value, dict)


def _wanted_input(value: JsonValue) -> JsonValue:
    _is_presence(value)
    return glob_or_regex(value) if isinstance(value, str) else value


def _present_or_text(value: Any) -> str:
    return "~present" if isinstance(value, bool) else "~text"


WantedVariable = Annotated[
    Annotated[bool, Tag("~present")] | Annotated[GlobOrNumber, Tag("~text")],
    Discriminator(_present_or_text),
    BeforeValidator(lambda value: value["present"] if _is_presence(value) else value),
    WithJsonSchema({"anyOf": [{"type": ["string", "integer", "boolean"]}, _PRESENCE]}),
]
"""What a variable must match; true is short for ``{present: true}``, false for its opposite."""
WantedInput = Annotated[
    AnyJson,
    AfterValidator(_wanted_input),
    WithJsonSchema(
        {"anyOf": [{"type": ["string", "number", "boolean", "array", "null"]}, _PRESENCE]}
    ),
]
"""What an input must match; text is a glob, or a ``/regular expression/``."""
