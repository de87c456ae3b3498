"""A scenario drawn over time: a row a job, a bar over the seconds, its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.bridges import out_of_reach
from mock_gitlab.engine.matching import Trigger, choose, next_of_sequence
from mock_gitlab.engine.model import Action, Downstream, PipelineRecord, Project, Scenario
from mock_gitlab.engine.timeline import Timeline

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Declarations, Instant
    from mock_gitlab.engine.timeline import JobState, PipelineState

_MARKS = {"created": " ", "pending": ".", "scheduled": ":", "running": "=", "manual": "?"}
_FOR_EVER: Instant = 2**62


Find = Callable[[Downstream], Scenario | None]
"""Finds the scenario of what a bridge starts."""


def finder(declared: Declarations) -> Find:
    """Find the scenarios of bridges as the server would, whose rules have caught nothing yet."""
    rules = [rule for rule in declared.rules if rule.respond is None]

    def find(downstream: Downstream) -> Scenario | None:
        number = downstream.scenario_id
        if number is None:
            rule = choose(rules, _arriving(declared, downstream))
            number = None if rule is None else next_of_sequence(rule, 0)
        found = declared.declared(declared.default_scenario if number is None else number)
        return None if found is None else found.scenario

    return find


def _arriving(declared: Declarations, downstream: Downstream) -> Trigger:
    name = downstream.project
    project = next((p for p in declared.projects if name in (p.path, str(p.id))), Project(0, name))
    return Trigger(
        project_id=project.id,
        project_path=project.path,
        ref=downstream.ref or project.default_branch,
        source="pipeline",
        username=declared.user.username,
        variables={variable.key: variable.value for variable in downstream.variables},
        inputs={},
    )


def timeline_of(scenario: Scenario, find: Find, retries: int = 0) -> Timeline:
    """Play a scenario that is retried so often, each time as soon as nothing more happens."""
    timeline = _play(scenario, find)
    for _ in range(retries):
        retry = Action("retry", _end_of(timeline))
        if not timeline.affects(retry):
            break
        timeline = _play(scenario, find, actions=(*timeline.record.actions, retry))
    return timeline


def _end_of(timeline: Timeline) -> Instant:
    return max((change.at for change in timeline.changes(-1, None)), default=0)


def _play(
    scenario: Scenario,
    find: Find,
    created_at: Instant = 0,
    above: tuple[tuple[str, int], ...] = (),
    actions: tuple[Action, ...] = (),
) -> Timeline:
    """Play a scenario with the pipelines that its bridges start."""
    record = PipelineRecord(
        id=1, iid=1, project_id=1, ref="main", sha="", source="trigger", created_at=created_at,
        scenario_id=scenario.scenario_id, actions=actions,
    )  # fmt: skip
    downstreams: dict[int, Timeline | None] = {}
    reason = out_of_reach(above)
    while True:
        timeline = Timeline(record, scenario, downstreams, lambda _: reason)
        missing = [
            bridge
            for bridge in timeline.starting_bridges(_FOR_EVER)
            if bridge[0] not in downstreams
        ]
        if not missing:
            return timeline
        for job_id, at, downstream in missing:
            other = find(downstream) if downstream.strategy else None
            downstreams[job_id] = (
                None
                if other is None
                else _play(other, find, at, (*above, (downstream.project, other.scenario_id)))
            )


def as_json(scenario: Scenario, find: Find, retries: int = 0) -> dict[str, Any]:
    """Tell the course of a scenario that nobody interferes with otherwise; times in seconds.

    ``ends_at`` is None where it never ends by time alone.
    """
    timeline = timeline_of(scenario, find, retries)
    changes, last = timeline.changes(-1, None), _end_of(timeline)
    state = timeline.at(last)
    return {
        "scenario_id": scenario.scenario_id,
        "name": scenario.name,
        "status": state.status,
        "ends_at": last / 1000 if state.finished else None,
        "terminal_after_polls": scenario.terminal_after_polls,
        "jobs": [_job(job) for job in state.jobs],
        "changes": [
            {"at": change.at / 1000, "job": change.name, "status": change.after}
            for change in changes
            if change.job_id is not None
        ],
        "pipeline": [
            {"at": change.at / 1000, "status": change.after}
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
        "queued_at": _seconds(job.queued_at),
        "started_at": _seconds(job.started_at),
        "finished_at": _seconds(job.finished_at),
    }


def _seconds(moment: Instant | None) -> float | None:
    return None if moment is None else moment / 1000


def as_chart(scenario: Scenario, find: Find, width: int = 50, retries: int = 0) -> str:
    """Draw the course of a scenario that nobody interferes with otherwise, as text."""
    timeline = timeline_of(scenario, find, retries)
    last = _end_of(timeline)
    state = timeline.at(last)
    span = max(last, 1000) if state.finished else max(last * 5 // 4, 10_000)
    label = max(len("pipeline"), *(len(_label(job)) for job in state.jobs))
    lines = [f"{scenario.scenario_id}: {scenario.name}", _scale(label, span, width)]
    for job in sorted(state.jobs, key=lambda job: (job.slot, job.attempt)):
        cells = "".join(
            _MARKS.get(_status(timeline.job(job.id, at)), " ") for at in _moments(span, width)
        )
        lines.append(f"{_label(job):<{label}} |{cells}| {_end(job)}")
    cells = _pipeline_cells(timeline, span, width)
    lines.append(f"{'pipeline':<{label}} |{cells}| {_verdict(scenario, state)}")
    lines.append("= running  . pending  : delayed  ? waits to be played")
    return "\n".join(lines)


def _label(job: JobState) -> str:
    return f"{job.stage}/{job.name}"


def _moments(span: int, width: int) -> list[Instant]:
    return [span * column // width for column in range(width)]


def _status(job: JobState | None) -> str:
    return "created" if job is None else job.status


def _pipeline_cells(timeline: Timeline, span: int, width: int) -> str:
    return "".join(_MARKS.get(timeline.window(at).status, " ") for at in _moments(span, width))


def _scale(label: int, span: int, width: int) -> str:
    end = _clock(span)
    return f"{'':<{label}}  0{end:>{width - 1}}"


def _clock(span: int) -> str:
    seconds = span / 1000
    if seconds < 120:
        return f"{seconds:g}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if rest else f"{minutes}m"


def _end(job: JobState) -> str:
    at = "" if job.finished_at is None else f" at {_clock(job.finished_at)}"
    allowed = ", allowed to fail" if job.allow_failure and job.status == "failed" else ""
    return f"{job.status}{at}{allowed}{', retried' if job.retried else ''}"


def _verdict(scenario: Scenario, state: PipelineState) -> str:
    if state.finished:
        at = "" if state.finished_at is None else f" at {_clock(state.finished_at)}"
        return f"{state.status}{at}"
    if scenario.terminal_after_polls is not None and not scenario.never_complete:
        return f"{scenario.terminal_status} after {scenario.terminal_after_polls} polls"
    return "never ends" if state.status == "running" else f"waits: {state.status}"
