"""Convert scenarios to JSON values and back.

Only fields that differ from their defaults are written. Durations stay in milliseconds. A value
that an older version wrote is read with today's defaults.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from mock_gitlab.engine.matching import (
    Fault,
    Limit,
    RequestPattern,
    Response,
    Rule,
    TriggerPattern,
)
from mock_gitlab.engine.model import (
    Artifact,
    Attempt,
    Downstream,
    Environment,
    JobAttempt,
    JobSpec,
    Retry,
    Scenario,
    TestCase,
    TestSuite,
    Variable,
)

_PARTS: dict[type, dict[str, type]] = {
    Scenario: {"attempts": Attempt, "jobs": JobSpec, "test_suites": TestSuite, "faults": Fault},
    JobSpec: {
        "artifacts": Artifact,
        "attempts": JobAttempt,
        "downstream": Downstream,
        "retry": Retry,
        "environment": Environment,
    },
    JobAttempt: {"artifacts": Artifact},
    Downstream: {"variables": Variable},
    TestSuite: {"cases": TestCase},
    Fault: {"when": RequestPattern, "respond": Response, "limit": Limit},
    Rule: {"when": TriggerPattern, "respond": Response},
}
"""The fields of each dataclass that hold another dataclass, or a tuple of them."""
_FREE = {(Response, "body"), (TriggerPattern, "inputs")}
"""Fields with any JSON value, whose lists stay lists."""

_FIELDS: dict[type, tuple[tuple[str, Any], ...]] = {}
"""The fields of each class that was written: asking ``dataclasses`` takes longer than writing."""


def encode_scenario(scenario: Scenario) -> dict[str, Any]:
    """Convert a scenario to a JSON value."""
    return _encode_fields(scenario)


def decode_scenario(definition: dict[str, Any]) -> Scenario:
    """Convert the result of ``encode_scenario`` back to a scenario.

    Raises:
        TypeError: a field is unknown, or is missing and has no default.
    """
    scenario = _decode_fields(Scenario, definition)
    assert isinstance(scenario, Scenario)
    return scenario


def encode_rule(rule: Rule) -> dict[str, Any]:
    """Write a rule as a JSON value: the inverse of ``decode_rule``."""
    return _encode_fields(rule)


def decode_rule(definition: dict[str, Any]) -> Rule:
    """Read a rule from what ``encode_rule`` wrote."""
    rule = _decode_fields(Rule, definition)
    assert isinstance(rule, Rule)
    return rule


def _encode_fields(part: Any) -> dict[str, Any]:
    written = {}
    for name, default in _fields_of(type(part)):
        value = getattr(part, name)
        if default is MISSING or value != default:
            written[name] = _encode(value)
    return written


def _fields_of(kind: type) -> tuple[tuple[str, Any], ...]:
    """List the fields of a dataclass and their defaults; none of any other class."""
    if kind not in _FIELDS:
        found = fields(kind) if is_dataclass(kind) else ()
        _FIELDS[kind] = tuple((each.name, each.default) for each in found)
    return _FIELDS[kind]


def _encode(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return _encode_fields(value) if _fields_of(type(value)) else value


def _decode_fields(kind: type, written: dict[str, Any]) -> Any:
    parts = _PARTS.get(kind, {})
    return kind(
        **{
            name: value if (kind, name) in _FREE else _decode(value, parts.get(name))
            for name, value in written.items()
        }
    )


def _decode(value: Any, part: type | None) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item, part) for item in value)
    return value if part is None or value is None else _decode_fields(part, value)
