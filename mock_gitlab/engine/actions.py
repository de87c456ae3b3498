"""Carry out what was done to a pipeline while it is played: cancel, retry, play, erase.

An action that is no longer possible changes nothing: the scenario may have been edited since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .course import (
    Course,
    course_undisturbed,
    is_erasable,
    is_retryable,
    leaves_artifacts,
    may_play_again,
    waits_for_play,
)
from .external import EXTERNAL
from .model import split_job_id
from .schedule import Schedule, free
from .statuses import CANCELABLE, STOPPABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from .model import Action, PipelineRecord, Scenario
    from .schedule import History, Obstacle
    from .stages import LiveRun, Slot


def course_of(
    record: PipelineRecord,
    scenario: Scenario,
    downstreams: Mapping[int, History],
    obstacle: Obstacle = free,
    spared: Collection[Action] = (),
) -> Course:
    """Play a pipeline to its end.

    ``downstreams`` holds the histories of the pipelines that bridges have started, by the bridge's
    number. The actions in ``spared`` are cancels that ended a posted status: they do nothing to
    jobs that have all ended.
    """
    if scenario.yaml_errors is not None:
        return Course([], [record.created_at], ["failed"], None, record.created_at)
    if scenario is EXTERNAL:
        return Course([], [record.created_at], ["created"], None, record.created_at)
    if scenario.jobs or record.actions:
        return simulate(record, scenario, downstreams, obstacle, spared)
    return course_undisturbed(record, scenario)


def simulate(
    record: PipelineRecord,
    scenario: Scenario,
    downstreams: Mapping[int, History],
    obstacle: Obstacle = free,
    spared: Collection[Action] = (),
) -> Course:
    """Play a pipeline to its end, carrying out its actions on the way.

    "delete_downstream" needs no work here: ``downstreams`` holds the deleted history.
    """
    schedule = Schedule(record, scenario, downstreams, obstacle)
    for action in sorted(record.actions, key=lambda action: action.at):
        schedule.play_until(action.at)
        if action in spared and schedule.has_ended():
            continue
        _perform(schedule, action)
        schedule.note()
        schedule.process()
    schedule.play_until(None)
    return schedule.course()


def _perform(schedule: Schedule, action: Action) -> None:
    if action.job_id is None:
        if action.name in _ON_PIPELINE:
            _ON_PIPELINE[action.name](schedule)
        return
    found = _find(schedule, action.job_id)
    if found is not None and action.name in _ON_JOB:
        _ON_JOB[action.name](schedule, *found)


def _find(schedule: Schedule, number: int) -> tuple[Slot, LiveRun] | None:
    pipeline_id, index, attempt = split_job_id(number)
    if pipeline_id != schedule.record.id or not 0 < index <= len(schedule.slots):
        return None
    slot = schedule.slots[index - 1]
    return (slot, slot.runs[attempt]) if attempt < len(slot.runs) else None


# ---------------------------------------------------------------------------- on a pipeline


def _cancel_all(schedule: Schedule) -> None:
    """Cancel the pipeline, even if an edited scenario makes it end before."""
    schedule.cancelled = True
    latest = [slot.run for slot in schedule.slots]
    alive = [run for run in latest if run.status in CANCELABLE]
    gates = [run for run in latest if run.status == "manual" and not run.plan.spec.allow_failure]
    ending = any(run.status == "canceling" for run in latest)
    for run in alive or ([] if ending else gates or _last_to_finish(latest)):
        schedule.cancel(run)
    for run in gates:
        if run.status == "manual":
            schedule.interrupt(run, "skipped")


def _last_to_finish(runs: list[LiveRun]) -> list[LiveRun]:
    ran = [run for run in runs if _has_started(run)] or runs
    last = max(run.instants[-1] for run in ran)
    return [run for run in ran if run.instants[-1] == last]


def _retry_all(schedule: Schedule) -> None:
    if not any(_is_worth_a_retry(slot.run) for slot in schedule.slots):
        _catch_up_with_polls(schedule)
    again = [slot for slot in schedule.slots if _is_worth_a_retry(slot.run)]
    if not again:
        return
    for slot in schedule.slots:
        schedule.reconsider(slot.run)
    for slot in again:
        _run_again(schedule, slot)
    schedule.set_deadline()


def _is_worth_a_retry(run: LiveRun) -> bool:
    return run.status != "success" and is_retryable(run.status, run.attempt, retried=False)


def _run_again(schedule: Schedule, slot: Slot) -> None:
    schedule.run_again(slot)
    slot.run.immediate = False
    schedule.cancelled = False


def _catch_up_with_polls(schedule: Schedule) -> None:
    # A retry resets the count of reads, so the reads before it are forgotten. Since the retry was
    # possible, they must have ended the pipeline.
    if schedule.polls_needed() is not None:
        schedule.expire()
        schedule.note()


def _empty_all(schedule: Schedule) -> None:
    for slot in schedule.slots:
        for run in slot.runs:
            _empty(schedule, slot, run)


# ---------------------------------------------------------------------------- on a job


def _cancel(schedule: Schedule, slot: Slot, run: LiveRun) -> None:
    if schedule.mirrors and run is slot.run:
        _cancel_all(schedule)
    elif run is slot.run and run.status in STOPPABLE:
        schedule.cancel(run)


def _force_cancel(schedule: Schedule, slot: Slot, run: LiveRun) -> None:
    _cancel(schedule, slot, run)
    if run is slot.run and run.status == "canceling":
        schedule.interrupt(run, "canceled")


def _retry(schedule: Schedule, slot: Slot, run: LiveRun) -> None:
    if run is slot.run and run.status in CANCELABLE:
        _catch_up_with_polls(schedule)
    if is_retryable(run.status, run.attempt, run is not slot.run):
        _run_again(schedule, slot)
        slot.run.immediate = True
        schedule.revive_dependents(slot)
        schedule.set_deadline()


def _play(schedule: Schedule, slot: Slot, run: LiveRun) -> None:
    if run is not slot.run:
        return
    spec, status = run.plan.spec, run.status
    if waits_for_play(spec, status, _has_started(run)):
        schedule.queue(run)
        schedule.revive_dependents(slot)
        if schedule.mirrors:
            schedule.set_deadline()
    elif may_play_again(spec, status, run.attempt, retried=False):
        _retry(schedule, slot, run)


def _erase(schedule: Schedule, _: Slot, run: LiveRun) -> None:
    erased, emptied = run.erased_at is not None, run.emptied_at is not None
    if is_erasable(
        run.plan.spec, run.status, started=_has_started(run), erased=erased, emptied=emptied
    ):
        run.erased_at = schedule.now


def _empty(schedule: Schedule, _: Slot, run: LiveRun) -> None:
    """Delete the artifacts of a run."""
    kept = run.erased_at is None and run.emptied_at is None
    if kept and leaves_artifacts(run.plan.spec, run.status, started=_has_started(run)):
        run.emptied_at = schedule.now


def _keep(schedule: Schedule, _: Slot, run: LiveRun) -> None:
    """Keep the artifacts of a run from expiring."""
    expires = run.expires_at()
    if expires is not None and schedule.now < expires:
        run.kept_at = schedule.now


def _has_started(run: LiveRun) -> bool:
    return "running" in run.statuses


_ON_PIPELINE: dict[str, Callable[[Schedule], None]] = {
    "cancel": _cancel_all,
    "retry": _retry_all,
    "delete_artifacts": _empty_all,
}
_ON_JOB: dict[str, Callable[[Schedule, Slot, LiveRun], None]] = {
    "cancel": _cancel,
    "force_cancel": _force_cancel,
    "retry": _retry,
    "play": _play,
    "erase": _erase,
    "delete_artifacts": _empty,
    "keep_artifacts": _keep,
}
