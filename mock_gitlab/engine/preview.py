"""What a scenario will do: the timeline of a pipeline that starts at 0, and of what it starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .bridges import out_of_reach
from .instants import to_seconds
from .matching import Trigger, next_of_sequence
from .model import NEVER, Action, Downstream, Invalid, PipelineRecord, Project, Scenario
from .rule_index import RuleIndex
from .sources import CHILD_SOURCE
from .texts import split_ref
from .timeline import Timeline

if TYPE_CHECKING:
    from .model import Declarations, Instant
    from .timeline import JobState

FindScenario = Callable[[Downstream], Scenario | None]
"""Finds the scenario of the pipeline that a bridge starts."""
MOST_PIPELINES = 100
"""How many pipelines one preview plays."""
MOST_JOBS = 1000
"""How many jobs these pipelines may have in all."""


def scenario_finder(
    declared: Declarations, behaviour: Callable[[int], Scenario | None]
) -> FindScenario:
    """Make a function that finds scenarios as a server does whose rules have not matched yet.

    ``behaviour`` finds a scenario by its number.
    """
    rules = RuleIndex(rule for rule in declared.rules if rule.respond is None)

    def find(downstream: Downstream) -> Scenario | None:
        number = downstream.scenario_id
        if number is None:
            rule = rules.choose(_trigger_of(declared, downstream))
            number = None if rule is None else next_of_sequence(rule, 0)
        return behaviour(declared.default_scenario if number is None else number)

    return find


def _trigger_of(declared: Declarations, downstream: Downstream) -> Trigger:
    name = downstream.project or ""
    project = next((p for p in declared.projects if name in (p.path, str(p.id))), Project(0, name))
    ref, tag = split_ref(downstream.ref or project.default_branch)
    return Trigger(
        project_id=project.id,
        project_path=project.path,
        ref=ref,
        tag=bool(tag),
        source=CHILD_SOURCE if downstream.project is None else "pipeline",
        username=declared.user.username,
        variables={variable.key: variable.value for variable in downstream.variables},
        inputs={},
    )


def preview(
    scenario: Scenario, find: FindScenario, retries: int = 0, actions: tuple[Action, ...] = ()
) -> Timeline:
    """Play a scenario and retry it ``retries`` times, each time when nothing more happens.

    ``actions`` are done to it, too.

    Raises:
        Invalid: its bridges start more than MOST_PIPELINES pipelines, or MOST_JOBS jobs.
    """
    timeline = _Play(find).play(scenario, actions=actions)
    for _ in range(retries):
        retry = Action("retry", last_change(timeline))
        if not timeline.affects(retry):
            break
        timeline = _Play(find).play(scenario, actions=(*timeline.record.actions, retry))
    return timeline


def last_change(timeline: Timeline) -> Instant:
    """Return the instant of the last change."""
    return max((change.at for change in timeline.changes(-1, None)), default=0)


class _Play:
    """Plays a scenario and what its bridges start."""

    def __init__(self, find: FindScenario) -> None:
        self._find = find
        self._played = self._jobs = 0

    def play(
        self,
        scenario: Scenario,
        created_at: Instant = 0,
        upstream: tuple[tuple[str, int], ...] = (),
        actions: tuple[Action, ...] = (),
    ) -> Timeline:
        """Play a scenario; ``upstream`` are the project and scenario of each pipeline above it."""
        self._count(len(scenario.jobs))
        record = PipelineRecord(
            id=1, iid=1, project_id=1, ref="main", sha="", source="trigger", created_at=created_at,
            scenario_id=scenario.scenario_id, actions=actions,
        )  # fmt: skip
        downstreams: dict[int, Timeline | None] = {}
        reason = out_of_reach(upstream)
        while True:
            timeline = Timeline(record, scenario, downstreams, lambda _: reason)
            missing = [
                bridge
                for bridge in timeline.starting_bridges(NEVER)
                if bridge[0] not in downstreams
            ]
            if not missing:
                return timeline
            for job_id, at, downstream in missing:
                downstreams[job_id] = self._start(downstream, at, upstream)

    def _start(
        self, downstream: Downstream, at: Instant, upstream: tuple[tuple[str, int], ...]
    ) -> Timeline | None:
        found = self._find(downstream) if downstream.strategy else None
        if found is None:
            return None
        parents = upstream[-1][0] if upstream else ""
        project = parents if downstream.project is None else downstream.project
        return self.play(found, at, (*upstream, (project, found.scenario_id)))

    def _count(self, jobs: int) -> None:
        self._played += 1
        self._jobs += jobs
        if self._played > MOST_PIPELINES:
            raise Invalid(f"the bridges start more than {MOST_PIPELINES} pipelines")
        if self._jobs > MOST_JOBS:
            raise Invalid(f"the bridges start pipelines with more than {MOST_JOBS} jobs in all")


# ---------------------------------------------------------------------------- as JSON


def describe(scenario: Scenario, timeline: Timeline) -> dict[str, Any]:
    """Describe the timeline of a scenario as a JSON value; times are in seconds.

    ``ends_at`` is None if the pipeline does not end by itself.
    """
    changes, last = timeline.changes(-1, None), last_change(timeline)
    state = timeline.at(last)
    return {
        "scenario_id": scenario.scenario_id,
        "name": scenario.name,
        "status": state.status,
        "ends_at": to_seconds(last) if state.finished else None,
        "terminal_after_polls": scenario.terminal_after_polls,
        "jobs": [_job(job) for job in state.jobs],
        "changes": [
            {"at": to_seconds(change.at), "job": change.name, "status": change.after}
            for change in changes
            if change.job_id is not None
        ],
        "pipeline": [
            {"at": to_seconds(change.at), "status": change.after}
            for change in changes
            if change.job_id is None
        ],
    }


def _job(job: JobState) -> dict[str, Any]:
    return {
        "name": job.name,
        "stage": job.stage,
        "status": job.status,
        "retried": job.retried,
        "allow_failure": job.allow_failure,
        "queued_at": to_seconds(job.queued_at),
        "started_at": to_seconds(job.started_at),
        "finished_at": to_seconds(job.finished_at),
    }
