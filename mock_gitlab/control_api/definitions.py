"""Patterns, responses and faults written back with the keys of the files, and their switch."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mock_gitlab.config.fields import StrictModel
from mock_gitlab.engine.instants import to_seconds

from .masking import MASK

if TYPE_CHECKING:
    from mock_gitlab.engine.matching import (
        DeliveryPattern,
        Fault,
        Patch,
        RequestPattern,
        Response,
        SentPattern,
        TriggerPattern,
    )

_MAPPINGS = ("variables", "inputs", "parameters")


class Switch(StrictModel):
    """The body of a request that switches a rule or a fault on or off."""

    enabled: bool


def pattern_definition(pattern: TriggerPattern | RequestPattern) -> dict[str, Any]:
    """Write a pattern as it stands under ``when``."""
    return {
        name: dict(value) if name in _MAPPINGS else value
        for name, value in asdict(pattern).items()
        if value not in (None, ())
    }


def response_definition(response: Response | None) -> dict[str, Any] | None:
    """Write a response as it stands under ``respond``."""
    if response is None:
        return None
    head = {"status": response.status, "headers": dict(response.headers)}
    if response.file is not None:
        return {**head, "body_file": response.file}
    return {**head, "body": response.body}


def _sent(pattern: SentPattern | None) -> dict[str, Any]:
    if pattern is None:
        return {}
    fields = {"headers": dict(pattern.headers), "token": pattern.token and MASK}
    return {name: value for name, value in fields.items() if value}


def _responses(fault: Fault) -> Any:
    if not fault.later:
        return response_definition(fault.respond)
    return [response_definition(each) for each in (fault.respond, *fault.later)]


def _patch(patch: Patch) -> dict[str, Any]:
    fields = {"status": patch.status, "headers": dict(patch.headers), "body": patch.body}
    return {name: value for name, value in fields.items() if value not in (None, {})}


def _delivered(delivery: DeliveryPattern | None) -> dict[str, Any]:
    if delivery is None:
        return {}
    events = delivery.events
    event = events[0] if len(events) == 1 else list(events)
    fields = {"event": event or None, "status": delivery.status}
    return {name: value for name, value in fields.items() if value is not None}


def fault_definition(fault: Fault) -> dict[str, Any]:
    """Write a fault without the keys that have their default values."""
    limit = fault.limit
    fields = {
        "when": {
            **pattern_definition(fault.when),
            **_sent(fault.sent),
            **_delivered(fault.delivery),
        },
        "times": fault.times,
        "skip": fault.skip or None,
        "every": None if fault.every == 1 else fault.every,
        "respond": _responses(fault),
        "patch": fault.patch and _patch(fault.patch),
        "delay": to_seconds(fault.delay) or None,
        "limit": limit and {"requests": limit.requests, "per": to_seconds(limit.per)},
        "deliver": fault.delivery and fault.delivery.fault,
        "late": (fault.delivery and to_seconds(fault.delivery.late)) or None,
        str(fault.body): (to_seconds(fault.slow) or True) if fault.body else None,
    }
    return {name: value for name, value in fields.items() if value is not None}
