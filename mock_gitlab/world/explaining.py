"""Explaining why a pipeline gets its scenario, and not the one of another rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mock_gitlab.engine.faults import FaultCounters
from mock_gitlab.engine.matching import differences

from .journal import LoggedRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_gitlab.engine.faults import FaultHit
    from mock_gitlab.engine.matching import Fault, Rule, Trigger
    from mock_gitlab.engine.model import Instant, Variable

EXPLAINED = 100
"""An explanation covers this many passed-over rules at most."""

_CALLS = {
    "api": ("create_pipeline", "pipeline"),
    "trigger": ("trigger_pipeline", "trigger/pipeline"),
}
"""The call that starts a pipeline of a source: its operation, and the end of its path."""


class Preview(NamedTuple):
    """What a request to create a pipeline would get.

    ``trigger.project_id`` is 0 if the project would get its number by this request. ``variables``
    include those of the rule. ``scenario_id`` is None if the rule answers instead. ``explanation``
    is what the function of that name returns.
    """

    trigger: Trigger
    variables: tuple[Variable, ...]
    rule: Rule | None
    scenario_id: int | None
    explanation: dict[str, Any]


def explanation(
    by: str,
    scenario_id: int | None,
    rule: str | None,
    passed_over: Sequence[Rule],
    trigger: Trigger,
) -> dict[str, Any]:
    """Explain a choice: ``by`` a request, a rule at the place ``rule``, or by default.

    Of the rules that were passed over the first ``EXPLAINED`` are explained: ``because`` is the
    first difference in words, ``differences`` are all. ``unexplained`` counts the other rules.
    """
    return {
        "by": by,
        "scenario_id": scenario_id,
        "rule": rule,
        "passed": [_passed(each, trigger) for each in passed_over[:EXPLAINED]],
        "unexplained": max(0, len(passed_over) - EXPLAINED),
    }


def _passed(rule: Rule, trigger: Trigger) -> dict[str, Any]:
    found = list(differences(rule.when, trigger))
    return {
        "rule": rule.place,
        "because": str(found[0]) if found else None,
        "differences": [each._asdict() for each in found],
    }


class Call(NamedTuple):
    """A call that a client would make, and the fault that would apply to it."""

    operation: str
    hit: FaultHit | None


def foresee_calls(
    trigger: Trigger, faults: Sequence[Fault], counters: FaultCounters, now: Instant
) -> list[Call]:
    """Foresee which faults apply to the call that starts a pipeline, and then to its first poll.

    ``faults`` include those of the pipeline's scenario. Nothing is counted.
    """
    counters = FaultCounters(dict(counters.matched), dict(counters.applied), dict(counters.windows))
    calls = [("get_pipeline", "GET", "pipelines/1")]
    if trigger.source in _CALLS:
        operation, end = _CALLS[trigger.source]
        calls.insert(0, (operation, "POST", end))
    project = trigger.project_id or trigger.project_path.replace("/", "%2F")
    foreseen = []
    for operation, method, end in calls:
        request = LoggedRequest(
            method,
            f"/projects/{project}/{end}",
            "",
            now,
            operation=operation,
            project_id=trigger.project_id,
            project_path=trigger.project_path,
        )
        if method == "POST":
            request.ref, request.variables = trigger.ref, trigger.variables
        foreseen.append(Call(operation, counters.due(faults, request, now)))
    return foreseen
