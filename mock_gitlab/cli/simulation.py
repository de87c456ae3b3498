"""The timeline of a scenario that starts at 0, with the pipelines that its bridges start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mock_gitlab.engine.bridges import out_of_reach
from mock_gitlab.engine.matching import Trigger, next_of_sequence
from mock_gitlab.engine.model import (
    NEVER,
    Action,
    Downstream,
    PipelineRecord,
    Project,
    Scenario,
)
from mock_gitlab.engine.rule_index import RuleIndex
from mock_gitlab.engine.texts import split_ref
from mock_gitlab.engine.timeline import Timeline

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Declarations, Instant

FindScenario = Callable[[Downstream], Scenario | None]
"""Finds the scenario of the pipeline that a bridge starts."""


def scenario_finder(declared: Declarations) -> FindScenario:
    """Make a function that finds scenarios as a server does whose rules have not matched yet."""
    rules = RuleIndex(rule for rule in declared.rules if rule.respond is None)

    def find(downstream: Downstream) -> Scenario | None:
        number = downstream.scenario_id
        if number is None:
            rule = rules.choose(_trigger_of(declared, downstream))
            number = None if rule is None else next_of_sequence(rule, 0)
        found = declared.declared(declared.default_scenario if number is None else number)
        return None if found is None else found.scenario

    return find


def _trigger_of(declared: Declarations, downstream: Downstream) -> Trigger:
    name = downstream.project
    project = next((p for p in declared.projects if name in (p.path, str(p.id))), Project(0, name))
    ref, tag = split_ref(downstream.ref or project.default_branch)
    return Trigger(
        project_id=project.id,
        project_path=project.path,
        ref=ref,
        tag=bool(tag),
        source="pipeline",
        username=declared.user.username,
        variables={variable.key: variable.value for variable in downstream.variables},
        inputs={},
    )


def simulate(scenario: Scenario, find: FindScenario, retries: int = 0) -> Timeline:
    """Play a scenario and retry it ``retries`` times, each time when nothing more happens."""
    timeline = _play(scenario, find)
    for _ in range(retries):
        retry = Action("retry", last_change(timeline))
        if not timeline.affects(retry):
            break
        timeline = _play(scenario, find, actions=(*timeline.record.actions, retry))
    return timeline


def last_change(timeline: Timeline) -> Instant:
    """Return the instant of the last change."""
    return max((change.at for change in timeline.changes(-1, None)), default=0)


def _play(
    scenario: Scenario,
    find: FindScenario,
    created_at: Instant = 0,
    upstream: tuple[tuple[str, int], ...] = (),
    actions: tuple[Action, ...] = (),
) -> Timeline:
    """Play a scenario; ``upstream`` are the project and scenario of each pipeline above it."""
    record = PipelineRecord(
        id=1, iid=1, project_id=1, ref="main", sha="", source="trigger", created_at=created_at,
        scenario_id=scenario.scenario_id, actions=actions,
    )  # fmt: skip
    downstreams: dict[int, Timeline | None] = {}
    reason = out_of_reach(upstream)
    while True:
        timeline = Timeline(record, scenario, downstreams, lambda _: reason)
        missing = [
            bridge for bridge in timeline.starting_bridges(NEVER) if bridge[0] not in downstreams
        ]
        if not missing:
            return timeline
        for job_id, at, downstream in missing:
            other = find(downstream) if downstream.strategy else None
            downstreams[job_id] = (
                None
                if other is None
                else _play(other, find, at, (*upstream, (downstream.project, other.scenario_id)))
            )
