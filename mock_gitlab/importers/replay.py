"""Play the scenario of a recorded pipeline, and compare it with what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.engine.model import Action, Invalid, job_id
from mock_gitlab.engine.preview import preview
from mock_gitlab.engine.statuses import COMPLETED, FINISHED

from .recorded import BY_ITSELF, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.engine.model import Scenario
    from mock_gitlab.engine.preview import FindScenario
    from mock_gitlab.engine.timeline import PipelineState, Timeline

    from .recorded import Made
    from .recording import RecordedRun, Recording

_WAITING = frozenset(
    {
        "created", "waiting_for_resource", "preparing", "waiting_for_callback", "manual",
        "scheduled",
    }
)  # fmt: skip
"""What a run may have been before it was queued; GitLab keeps no times of these."""
_BEFORE_THE_START = _WAITING | {"pending"}
DIFFERENCES_LIMIT = 100
"""The most differences of one pipeline that are listed."""


def retries_by_hand(made: Made) -> list[Action]:
    """List the retries of jobs that somebody asked for, in order."""
    actions = []
    for slot, job in enumerate(made.jobs, 1):
        for attempt in range(job.retries + 1, len(job.runs)):
            number = job_id(1, slot, attempt - 1)
            actions.append(Action("retry", job.runs[attempt].created, number))
    return sorted(actions, key=lambda action: action.at)


def compare(made: Made, scenario: Scenario, find: FindScenario) -> list[str]:
    """Play a scenario with the retries that were recorded, and list the differences."""
    try:
        timeline = preview(scenario, find, actions=tuple(retries_by_hand(made)))
    except Invalid as error:
        return [f"it cannot be played: {error}"]
    found = [*_differences(made, timeline)]
    dropped = len(found) - DIFFERENCES_LIMIT
    return [*found[:DIFFERENCES_LIMIT], *([f"... and {dropped} more"] if dropped > 0 else [])]


def _differences(made: Made, timeline: Timeline) -> Iterator[str]:
    """List what differs first of each run, and of the pipeline, at each recorded moment."""
    moments = made.recording.moments()
    numbers = {
        run.id: job_id(1, slot, attempt)
        for slot, job in enumerate(made.jobs, 1)
        for attempt, run in enumerate(job.runs)
    }
    for now in moments:
        state, last = timeline.at(now), now == moments[-1]
        at = f"at +{seconds(now)}s"
        shown = {job.id: job for job in state.jobs}
        for run in made.recording.runs if made.recording.yaml_errors is None else ():
            played = shown.pop(numbers[run.id], None)
            wanted = _statuses(run, now, last=last)
            status = "absent" if played is None else played.status
            if status not in wanted:
                yield f"{at} the job {run.name} was {_said(wanted)}, and is {status} here"
        if made.jobs:
            for job in shown.values():
                yield f"{at} there was no run {job.attempt + 1} of {job.name}, and is here"
        wanted = _pipeline_statuses(made.recording, now, last=last)
        if state.status not in wanted:
            yield f"{at} the pipeline was {_said(wanted)}, and is {state.status} here"
        if last:
            yield from _at_the_end(made, state)


def _said(statuses: frozenset[str]) -> str:
    if len(statuses) == 1:
        return next(iter(statuses))
    return "not yet running" if "created" in statuses else "under way"


def _statuses(run: RecordedRun, now: int, *, last: bool) -> frozenset[str]:
    """Return the statuses that a run may have had at a moment."""
    if now < run.created:
        soon = run.created - now <= BY_ITSELF  # GitLab takes a moment to make jobs
        return frozenset({"absent", "created"} if soon else {"absent"})
    if run.finished is not None and now >= run.finished:
        return frozenset({run.status})
    if run.started is not None and now >= run.started:
        return frozenset({"running"} | ({run.status} - COMPLETED))
    if run.queued is not None and now >= run.queued:
        return frozenset({"pending"})
    if run.started is None and run.finished is None:
        return frozenset({run.status}) if last else _BEFORE_THE_START | {run.status}
    return _WAITING


def _pipeline_statuses(recording: Recording, now: int, *, last: bool) -> frozenset[str]:
    if last or (recording.finished is not None and now >= recording.finished):
        return frozenset({recording.status})
    if recording.started is not None and now < recording.started:
        return _BEFORE_THE_START | {"running"}  # running as soon as a job of a later stage waits
    return _BEFORE_THE_START | {"running", "canceling", recording.status} | FINISHED


def _at_the_end(made: Made, state: PipelineState) -> Iterator[str]:
    recorded, numbers = made.recording, {job.id: job for job in state.jobs}
    if recorded.finished != state.finished_at and recorded.status in FINISHED:
        was, here = _instant(recorded.finished), _instant(state.finished_at)
        yield f"the pipeline ended {was}, and {here} here"
    for slot, job in enumerate(made.jobs, 1):
        for attempt, run in enumerate(job.runs):
            played = numbers.get(job_id(1, slot, attempt))
            reason = run.failure_reason
            if played is not None and reason not in (None, played.failure_reason):
                yield f"the job {run.name} failed as {reason}, and as {played.failure_reason} here"


def _instant(instant: int | None) -> str:
    return "never" if instant is None else f"at +{seconds(instant)}s"
