"""The routers of all controls."""

from __future__ import annotations

from . import (
    clock,
    configuration,
    deliveries,
    documentation,
    explain,
    faults,
    health,
    pipelines,
    requests,
    rules,
    sandboxes,
    scenarios,
    verification,
)

ROUTERS = (
    health.router,
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
    documentation.router,
)
"""In the order in which the documentation shows them."""
