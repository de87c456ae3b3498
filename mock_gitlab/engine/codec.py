"""Scenarios as JSON values and back, for whoever keeps them.

Only fields that differ from their defaults are written, under their own names; spans stay in
milliseconds. What was written by an older version is therefore read with today's defaults.
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
    JobAttempt,
    JobSpec,
    Scenario,
    TestCase,
    TestSuite,
    Variable,
)

_PARTS: dict[type, dict[str, type]] = {
    Scenario: {"attempts": Attempt, "jobs": JobSpec, "test_suites": TestSuite, "faults": Fault},
    JobSpec: {"artifacts": Artifact, "attempts": JobAttempt, "downstream": Downstream},
    JobAttempt: {"artifacts": Artifact},
    Downstream: {"variables": Variable},
    TestSuite: {"cases": TestCase},
    Fault: {"when": RequestPattern, "respond": Response, "limit": Limit},
    Rule: {"when": TriggerPattern, "respond": Response},
}
"""Which field of which noun holds another noun, or a tuple of them."""
_FREE = {(Response, "body"), (TriggerPattern, "inputs")}
"""Fields that hold any JSON value, whose lists must stay lists."""


def encode_scenario(scenario: Scenario) -> dict[str, Any]:
    """Write a scenario as a JSON value: the inverse of ``decode_scenario``."""
    return _encode_noun(scenario)


def decode_scenario(definition: dict[str, Any]) -> Scenario:
    """Read a scenario from what ``encode_scenario`` wrote.

    Raises:
        TypeError: an unknown field, or a missing one that has no default.
    """
    scenario = _decode_noun(Scenario, definition)
    assert isinstance(scenario, Scenario)
    return scenario


def encode_rule(rule: Rule) -> dict[str, Any]:
    """Write a rule as a JSON value: the inverse of ``decode_rule``."""
    return _encode_noun(rule)


def decode_rule(definition: dict[str, Any]) -> Rule:
    """Read a rule from what ``encode_rule`` wrote."""
    rule = _decode_noun(Rule, definition)
    assert isinstance(rule, Rule)
    return rule


def _encode_noun(noun: Any) -> dict[str, Any]:
    written = {}
    for each in fields(noun):
        value = getattr(noun, each.name)
        if each.default is MISSING or value != each.default:
            written[each.name] = _encode(value)
    return written


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return _encode_noun(value)
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


def _decode_noun(noun: type, written: dict[str, Any]) -> Any:
    parts = _PARTS.get(noun, {})
    return noun(
        **{
            name: value if (noun, name) in _FREE else _decode(value, parts.get(name))
            for name, value in written.items()
        }
    )


def _decode(value: Any, part: type | None) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item, part) for item in value)
    return value if part is None or value is None else _decode_noun(part, value)
