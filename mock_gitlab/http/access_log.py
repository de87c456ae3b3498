"""Log each request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_gitlab.http.exchange import Exchange

_log = logging.getLogger("mock_gitlab.requests")
FIELDS = "request"
"""The attribute of a log record that holds the fields of a request."""


def log_exchange(exchange: Exchange) -> None:
    """Log a request that has been served: one line of ``key=value``, and its fields."""
    fields = _fields(exchange)
    status = exchange.status or "no answer"
    line = f"{exchange.method} {exchange.path} {status} {fields['duration_ms']} ms"
    rest = [f"{name}={value}" for name, value in fields.items() if name not in _IN_THE_LINE]
    _log.info("%s", " ".join((line, *rest)), extra={FIELDS: fields})


_IN_THE_LINE = ("method", "path", "status", "duration_ms")


def _fields(exchange: Exchange) -> dict[str, Any]:
    """Name what is known of a request; what is not known is left out."""
    logged = exchange.logged
    fields = {
        "method": exchange.method,
        "path": exchange.path,
        "status": exchange.status,
        "duration_ms": round(exchange.seconds * 1000, 2),
        "world": exchange.world,
        "request_id": exchange.request_id,
        "operation": exchange.operation,
        "pipeline": logged and logged.pipeline_id,
        "scenario": logged and logged.scenario_id,
        "fault": logged and logged.fault,
    }
    return {name: value for name, value in fields.items() if value is not None}
