"""The routers of all controls."""

from __future__ import annotations

from . import (
    clock,
    configuration,
    deliveries,
    documentation,
    events,
    explain,
    faults,
    health,
    metrics,
    pipelines,
    requests,
    rules,
    sandboxes,
    scenarios,
    verification,
)

ROUTERS = (
    health.router,
    metrics.router,
    pipelines.router,
    clock.router,
    sandboxes.router,
    requests.router,
    deliveries.router,
    verification.router,
    scenarios.router,
    faults.router,
    rules.router,
    explain.router,
    configuration.router,
    events.router,
    documentation.router,
)
"""In the order in which the documentation shows them."""
