"""A timeline drawn as text: a row for each job, with a bar over the seconds and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.engine.external import STAGE
from mock_gitlab.engine.preview import last_change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_gitlab.engine.model import Duration, Instant, Scenario
    from mock_gitlab.engine.states import JobState, PipelineState, StatusState
    from mock_gitlab.engine.timeline import Timeline

_MARKS = {"pending": ".", "scheduled": ":", "running": "=", "manual": "?"}
_LEGEND = "= running  . pending  : delayed  ? waits to be played"
_MORE_MARKS = {"waiting_for_resource": "w", "preparing": "p", "waiting_for_callback": "c"}
_MORE_LEGEND = "w waits for a resource  p prepared  c waits for a callback"


def draw(scenario: Scenario, timeline: Timeline, width: int) -> str:
    """Draw the timeline of a scenario; ``width`` is the number of columns of the bars."""
    last = last_change(timeline)
    state = timeline.at(last)
    shown = max(last, 1000) if state.finished else max(last * 5 // 4, 10_000)
    columns = [shown * column // width for column in range(width)]
    labels = ("pipeline", *map(_label, state.jobs), *map(_label_of_status, state.external))
    label_width = max(map(len, labels))

    def row(label: str, statuses: Iterable[str], end: str) -> str:
        marks = {**_MARKS, **_MORE_MARKS}
        bar = "".join(marks.get(status, " ") for status in statuses)
        return f"{label:<{label_width}} |{bar}| {end}"

    jobs = sorted(state.jobs, key=lambda job: (job.slot, job.attempt))
    return "\n".join(
        (
            f"{scenario.scenario_id}: {scenario.name}",
            f"{'':<{label_width}}  0{_time(shown):>{width - 1}}",
            *(row(_label(job), _statuses(timeline, job, columns), _job_end(job)) for job in jobs),
            *(
                row(_label_of_status(each), _posted(timeline, each, columns), _status_end(each))
                for each in state.external
            ),
            row(
                "pipeline",
                (timeline.window(at).status for at in columns),
                _pipeline_end(scenario, state),
            ),
            _LEGEND,
            *([_MORE_LEGEND] if _shows_more(timeline) else []),
        )
    )


def _shows_more(timeline: Timeline) -> bool:
    return any(change.after in _MORE_MARKS for change in timeline.changes(-1, None))


def _label(job: JobState) -> str:
    return f"{job.stage}/{job.name}"


def _statuses(timeline: Timeline, job: JobState, columns: Iterable[Instant]) -> Iterable[str]:
    states = (timeline.job(job.id, at) for at in columns)
    return ("created" if state is None else state.status for state in states)


def _label_of_status(status: StatusState) -> str:
    return f"{STAGE}/{status.name}"


def _posted(timeline: Timeline, status: StatusState, columns: Iterable[Instant]) -> Iterator[str]:
    for at in columns:
        rows = {each.id: each.status for each in timeline.at(at).external}
        yield rows.get(status.id, "created")


def _status_end(status: StatusState) -> str:
    retried = ", retried" if status.retried else ""
    return f"{status.status}{_at(status.finished_at)}{retried}"


def _time(since_start: Duration) -> str:
    seconds = since_start / 1000
    if seconds < 120:
        return f"{seconds:g}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if rest else f"{minutes}m"


def _job_end(job: JobState) -> str:
    allowed = ", allowed to fail" if job.allow_failure and job.status == "failed" else ""
    retried = ", retried" if job.retried else ""
    return f"{job.status}{_at(job.finished_at)}{allowed}{retried}"


def _pipeline_end(scenario: Scenario, state: PipelineState) -> str:
    if state.finished:
        return f"{state.status}{_at(state.finished_at)}"
    if scenario.terminal_after_polls is not None and not scenario.never_complete:
        return f"{scenario.terminal_status} after {scenario.terminal_after_polls} polls"
    return "never ends" if state.status == "running" else f"waits: {state.status}"


def _at(finished_at: Instant | None) -> str:
    return "" if finished_at is None else f" at {_time(finished_at)}"
