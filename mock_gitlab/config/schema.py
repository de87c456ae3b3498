"""The JSON Schemas of the files, for editors that complete and check."""

from __future__ import annotations

import json
from itertools import combinations
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.matching import BODY_FAULTS

from .faults import OF_REQUESTS, OF_WEBHOOKS
from .files import MockFile, ScenarioFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {
    "title": "Environment variable",
    "description": "The value of an environment variable, with a default if need be.",
    "type": "string",
    "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}$",
}
_TO_REFERENCE = {"$ref": "#/$defs/Reference"}


def _given(name: str) -> dict[str, Any]:
    """Require a key with a value that has an effect."""
    # An empty mapping for "respond", beside "limit", is an answer; for other keys it is nothing.
    nothing: list[Any] = [None] if name == "respond" else [False, 0, None, [], {}]
    return {"required": [name], "properties": {name: {"not": {"enum": nothing}}}}


def _not_both(one: str, other: str) -> dict[str, Any]:
    return {"not": {"allOf": [_given(one), _given(other)]}}


def _value(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": [name], "properties": {name: schema}}


def _when_given(name: str) -> dict[str, Any]:
    return _value("when", _given(name))


_OF_DELIVERIES = ("deliver", "late")
_OF_ANSWERS = ("respond", "patch", "delay", "limit", *BODY_FAULTS)
_STATUS_IF_OBJECT = {
    "if": {"type": "object"},
    "then": {"anyOf": [{"required": ["status"]}, _given("preset")]},
}
_STATUS_IF_RESPOND = {"properties": {"respond": {**_STATUS_IF_OBJECT, "items": _STATUS_IF_OBJECT}}}
_DELAYED = _value("when", {"const": "delayed"})
_WHEN_UNKNOWN = _value("when", {"pattern": r"^\$\{"})
_CONDITIONS: dict[str, list[dict[str, Any]]] = {
    "JobModel": [
        {"if": _DELAYED, "then": _value("start_in", {"not": {"type": "null"}})},
        {"anyOf": [_DELAYED, _WHEN_UNKNOWN, {"properties": {"start_in": {"type": "null"}}}]},
        {
            "if": {"anyOf": [_given("downstream"), _given("trigger")]},
            "then": {"properties": {"duration": False}},
        },
        _not_both("downstream", "trigger"),
        _not_both("trace", "trace_file"),
    ],
    "TriggerModel": [
        {"anyOf": [_value(name, {"not": {"type": "null"}}) for name in ("project", "include")]},
        *(_not_both("include", other) for other in ("project", "branch")),
    ],
    "JobAttemptModel": [_not_both("trace", "trace_file")],
    "ArtifactModel": [_not_both("content", "file")],
    "ScenarioModel": [
        _not_both("jobs", "attempts"),
        _not_both("jobs", "terminal_after_polls"),
        *(
            _not_both("yaml_errors", other)
            for other in ("jobs", "attempts", "terminal_after_polls", "never_complete")
        ),
    ],
    "RuleModel": [
        {"if": _value("cycle", {"const": True}), "then": _value("scenario", {"type": "array"})},
        *(_not_both("respond", other) for other in ("scenario", "variables", "name")),
        _STATUS_IF_RESPOND,
    ],
    "FaultModel": [
        {"anyOf": [_given(name) for name in (*_OF_ANSWERS, *_OF_DELIVERIES)]},
        *(_not_both(one, other) for one in _OF_DELIVERIES for other in _OF_ANSWERS),
        {
            "if": {"anyOf": [_given(name) for name in _OF_DELIVERIES]},
            "then": {"not": {"anyOf": [_when_given(name) for name in OF_REQUESTS]}},
            "else": {"not": {"anyOf": [_when_given(name) for name in OF_WEBHOOKS]}},
        },
        *(_not_both("patch", other) for other in ("respond", "limit", "drop")),
        *(_not_both(one, other) for one, other in combinations(BODY_FAULTS, 2)),
        _not_both("drop", "respond"),
        {"anyOf": [_given("limit"), _STATUS_IF_RESPOND]},
    ],
    "PatchModel": [{"anyOf": [_given(name) for name in ("status", "headers", "body")]}],
    "ResponseModel": [
        _not_both("body", "body_file"),
        *(_not_both("preset", other) for other in ("status", "body", "body_file")),
    ],
    "LimitModel": [_value("per", {"not": {"const": 0}})],
}
"""The contradictions that a schema can express, by mapping."""
_ABOUT = ("title", "description", "default", "examples")


def mock_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of mock.yaml."""
    return _schema(MockFile, "mock.yaml")


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a file of scenarios."""
    return _schema(ScenarioFile, "A file of scenarios")


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "mock.schema.json": mock_schema,
    "scenario.schema.json": scenario_schema,
}
"""The functions that make the schemas, by file name."""


def schema_text(name: str) -> str:
    """Return the text of a schema's file."""
    return json.dumps(SCHEMAS[name](), indent=2) + "\n"


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    schema = _finished(model.model_json_schema())
    schema["$defs"]["Reference"] = _REFERENCE
    for name in _CONDITIONS.keys() & schema["$defs"].keys():
        schema["$defs"][name]["allOf"] = _CONDITIONS[name]
    schema["patternProperties"] = {"^x-": {"description": "Templates for aliases; ignored."}}
    return {"$schema": DIALECT, **schema, "title": title}


def _finished(schema: Any) -> Any:
    """Complete pydantic's schema, and accept ``${NAME}`` for every scalar."""
    if not isinstance(schema, dict):
        return schema
    done = {name: _below(name, value) for name, value in schema.items()}
    if done.get("default", ...) is None:
        del done["default"]
    if "patternProperties" in done:
        done.setdefault("additionalProperties", False)
    if isinstance(done.get("title"), str):
        done["title"] = done["title"].removesuffix("Model")
    return _with_reference(done)


def _below(name: str, value: Any) -> Any:
    if name in ("properties", "patternProperties", "$defs"):
        return {key: _finished(each) for key, each in value.items()}
    if name in ("items", "additionalProperties"):
        return _finished(value)
    if name in ("anyOf", "oneOf"):
        return [_alternative(each) for each in value]
    return value


def _alternative(schema: dict[str, Any]) -> dict[str, Any]:
    """Complete one alternative. The reference, if there is one, becomes another alternative."""
    return schema if _restricted(schema) else dict(_finished(schema))


def _with_reference(schema: dict[str, Any]) -> dict[str, Any]:
    choices = schema.pop("oneOf", None) or schema.get("anyOf")
    if choices is None and _restricted(schema):
        about = {name: schema.pop(name) for name in _ABOUT if name in schema}
        return {**about, "anyOf": [schema, _TO_REFERENCE]}
    if choices is not None:
        more = [_TO_REFERENCE] if any(map(_restricted, choices)) else []
        schema["anyOf"] = [*choices, *more]
    return schema


def _restricted(schema: dict[str, Any]) -> bool:
    """Return whether a schema accepts scalars, but not every text."""
    if schema.get("type") in ("integer", "number", "boolean"):
        return True
    return any(name in schema for name in ("enum", "const", "pattern"))
