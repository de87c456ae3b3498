"""What picks which scenario: the rules, the default, and the bridges of other scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.config.checks import picked_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.engine.matching import Rule
    from mock_gitlab.engine.model import Declarations, DeclaredScenario


def unpicked(declared: Declarations) -> list[DeclaredScenario]:
    """List the scenarios of files that nothing picks, so that only a request can name them."""
    picked = picked_by(declared)
    return [
        each
        for each in declared.scenarios
        if each.source == "file" and each.scenario.scenario_id not in picked
    ]


def rule_lines(declared: Declarations) -> Iterator[str]:
    """Say of each rule which pipelines it matches, and what they get."""
    names = {each.scenario.scenario_id: each.scenario.name for each in declared.scenarios}
    for rule in declared.rules:
        yield f"  {rule.place}: {rule.when} -> {_result(rule, names)}"
    number = declared.default_scenario
    yield f"  otherwise -> {number} ({names.get(number, 'unknown')})"


def _result(rule: Rule, names: dict[int, str]) -> str:
    if rule.respond is not None:
        return f"answer {rule.respond.status}"
    if not rule.scenarios:
        return "the default"
    shown = [f"{number} ({names.get(number, 'unknown')})" for number in rule.scenarios]
    return ", then ".join(shown) + (", and again" if rule.cycle else "")
