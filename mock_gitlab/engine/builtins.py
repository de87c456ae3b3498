"""The scenarios that exist without being declared."""

from __future__ import annotations

from typing import Any

from mock_gitlab.engine.instants import from_seconds
from mock_gitlab.engine.model import DeclaredScenario, Scenario

NEVER_COMPLETES = 0
SUCCEEDS_AFTER = {
    **{number: number for number in range(1, 100)},
    100: 60,
    200: 120,
    500: 300,
}
"""The seconds after which each of these scenarios succeeds."""


def builtin_scenarios() -> tuple[DeclaredScenario, ...]:
    """Return the built-in scenarios, by number."""
    return _BUILTIN


def _never() -> DeclaredScenario:
    name = "never completes"
    scenario = Scenario(NEVER_COMPLETES, name, never_complete=True)
    return _declared(scenario, {"never_complete": True})


def _success(number: int, seconds: int) -> DeclaredScenario:
    name = f"succeeds after {seconds} second{'' if seconds == 1 else 's'}"
    scenario = Scenario(number, name, terminal_after=from_seconds(seconds))
    return _declared(scenario, {"terminal_after_seconds": seconds})


def _declared(scenario: Scenario, behaviour: dict[str, Any]) -> DeclaredScenario:
    written = {"scenario_id": scenario.scenario_id, "name": scenario.name, **behaviour}
    return DeclaredScenario(scenario, written, "builtin")


_BUILTIN = (_never(), *(_success(*pair) for pair in SUCCEEDS_AFTER.items()))
