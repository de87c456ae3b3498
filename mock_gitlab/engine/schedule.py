"""How the jobs of a pipeline take their course, moment by moment, as GitLab would process them.

One mechanism plays them all, the job that mirrors a pipeline without jobs too. The past is never
rewritten: what is computed for a moment depends on nothing that was recorded for a later one.
"""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from .course import (
    Course,
    course_undisturbed,
    is_erasable,
    is_retryable,
    leaves_artifacts,
    may_play_again,
    plan_of_job,
    plan_of_pipeline,
    polled_at,
    waits_for_play,
)
from .model import TerminalStatus, job_id, split_job_id
from .stages import LiveRun, Slot, Stages
from .statuses import CANCELABLE, COMPLETED, STOPPABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .failures import FailureReason
    from .model import Action, Downstream, Instant, PipelineRecord, Scenario
    from .statuses import JobStatus, PipelineStatus

    History = Sequence[tuple[Instant, PipelineStatus]]
    """What a pipeline shows from which moment on, in order."""
    Obstacle = Callable[[Downstream], FailureReason | None]
    """Names the failure_reason of a bridge that cannot start its pipeline."""


def free(_: Downstream) -> FailureReason | None:
    """Let every bridge start its pipeline."""
    return None


def course_of(
    record: PipelineRecord,
    scenario: Scenario,
    downstreams: Mapping[int, History],
    obstacle: Obstacle = free,
) -> Course:
    """Play a pipeline to its end; ``downstreams`` holds what bridges have started, by job id."""
    if scenario.jobs or record.actions:
        return Simulation(record, scenario, downstreams, obstacle).play()
    return course_undisturbed(record, scenario)


def deleted_downstreams(record: PipelineRecord) -> dict[int, History]:
    """List what bridges had started and somebody has deleted, with what it had shown by then."""
    return {
        action.job_id: action.shown
        for action in record.actions
        if action.name == "delete_downstream" and action.job_id is not None
    }


class Simulation:
    """Plays a pipeline: what is scheduled happens first at each moment, then what was done."""

    def __init__(
        self,
        record: PipelineRecord,
        scenario: Scenario,
        downstreams: Mapping[int, History],
        obstacle: Obstacle = free,
    ) -> None:
        self._record = record
        self._scenario = scenario
        self._downstreams = downstreams
        self._obstacle = obstacle
        self._mirrors = not scenario.jobs
        self._now = record.created_at
        self._events: list[tuple[Instant, int, int, LiveRun, Callable[[LiveRun], None]]] = []
        self._sequence = 0
        self._deadline: Instant | None = None
        self._waiting = 0  # how many latest runs are merely created
        self._cancelled = False
        self._started_at: Instant | None = None
        self._moments: list[Instant] = []
        self._statuses: list[PipelineStatus] = []
        self._stages = Stages(scenario)
        self._slots = self._stages.slots
        self._earliest = self._now if self._mirrors else self._now + scenario.pending

    def play(self) -> Course:
        """Play everything that will happen if nothing more is done."""
        for slot in self._slots:
            self._add_run(slot)
        self._arm()
        self._process_due()
        for action in sorted(self._record.actions, key=lambda action: action.at):
            self._play_until(action.at)
            self._now = max(action.at, self._now)
            self._apply(action)
            self._note()
            self._process_due()
        self._play_until(None)
        runs = sorted((run for slot in self._slots for run in slot.runs), key=lambda run: run.id)
        floor = polled_at(self._record, self._threshold())
        return Course(
            runs,
            self._moments,
            self._statuses,
            self._started_at,
            self._record.created_at if floor is None else floor,
        )

    # ------------------------------------------------------------------ time

    def _play_until(self, end: Instant | None) -> None:
        while True:
            moments = [event[0] for event in self._events[:1]]
            if self._deadline is not None:
                moments.append(self._deadline)
            if not moments or (end is not None and min(moments) > end):
                return
            self._now = max(self._now, min(moments))
            self._process_due()

    def _process_due(self) -> None:
        """Let everything happen that is due now, and note what has become of the pipeline."""
        self._process_events()
        if self._deadline is not None and self._deadline <= self._now:
            self._deadline = None
            self._expire()
        self._note()

    def _process_events(self) -> None:
        events = self._events
        while True:
            while events and events[0][0] <= self._now:
                _, _, epoch, run, happen = heappop(events)
                if run.epoch == epoch:
                    happen(run)
            if not (self._waiting and self._process()):
                return

    def _later(self, moment: Instant, run: LiveRun, happen: Callable[[LiveRun], None]) -> None:
        self._sequence += 1
        heappush(self._events, (moment, self._sequence, run.epoch, run, happen))

    def _note(self) -> None:
        status = self._status()
        if not self._statuses or self._statuses[-1] != status:
            self._moments.append(self._now)
            self._statuses.append(status)

    def _status(self) -> PipelineStatus:
        status = self._stages.composite()
        if status not in COMPLETED:
            return status
        if self._cancelled:
            return "canceled"
        if self._mirrors:
            return status
        if self._scenario.never_complete:
            return "running"
        return self._record.terminal_status or status

    # ------------------------------------------------------------------ limits

    def _threshold(self) -> int | None:
        if self._mirrors:
            return self._slots[0].run.plan.polls
        return None if self._scenario.never_complete else self._scenario.terminal_after_polls

    def _arm(self) -> None:
        """Set the moment at which whatever is under way comes to its end."""
        polled = polled_at(self._record, self._threshold())
        moments = [] if polled is None else [polled]
        if not self._mirrors:
            limit = self._record.terminal_after
            limit = self._scenario.terminal_after if limit is None else limit
            moments += [] if limit is None else [self._now + limit]
        self._deadline = min(moments, default=None)

    def _expire(self) -> None:
        if self._stages.composite() in COMPLETED:
            return
        for slot in self._slots:
            run = slot.run
            if run.status in ("pending", "running"):
                self._end(run, run.final if self._mirrors else self._limit_status())
            elif run.status not in COMPLETED and not self._mirrors:
                self._interrupt(run, "skipped")

    def _limit_status(self) -> TerminalStatus:
        return self._record.terminal_status or self._scenario.terminal_status

    # ------------------------------------------------------------------ a run

    def _add_run(self, slot: Slot) -> None:
        attempt = len(slot.runs)
        plan = (
            plan_of_pipeline(self._record, self._scenario, attempt)
            if self._mirrors
            else plan_of_job(slot.job, attempt)
        )
        number = job_id(self._record.id, slot.index, attempt)
        before = slot.run.bits[slot.run.status] if attempt else 0
        slot.run = LiveRun(number, slot.index, attempt, plan, self._now)
        slot.runs.append(slot.run)
        self._stages.changed(slot, before)
        self._waiting += 1

    def _step(self, run: LiveRun, status: JobStatus) -> None:
        self._waiting += (status == "created") - (run.status == "created")
        before = run.bits[run.status]
        run.step(self._now, status)
        self._stages.changed(self._slots[run.slot - 1], before)

    def _interrupt(self, run: LiveRun, status: JobStatus) -> None:
        """Take on a status by force: what the run still had before it no longer happens."""
        run.epoch += 1
        self._step(run, status)

    def _queue(self, run: LiveRun) -> None:
        self._interrupt(run, "pending")
        starts = max(self._now + run.plan.pending, self._earliest)
        if starts <= self._now:
            self._start(run)
        else:
            self._later(starts, run, self._start)

    def _begin(self, run: LiveRun) -> None:
        self._step(run, "running")
        if self._started_at is None:
            self._started_at = self._now

    def _start(self, run: LiveRun) -> None:
        downstream, duration = run.plan.spec.downstream, run.plan.duration
        if downstream is not None and run.id not in self._downstreams:
            reason = self._obstacle(downstream)
            if reason is not None:
                self._drop(run, reason)
                return
        self._begin(run)
        if downstream is not None and downstream.strategy == "depend":
            self._follow(run)
        elif downstream is not None:
            self._end(run, "success")
        elif duration == 0:
            self._end(run, run.final)
        elif duration is not None:
            self._later(self._now + duration, run, self._end)

    def _end(self, run: LiveRun, status: TerminalStatus | None = None) -> None:
        if run.status == "pending":
            self._begin(run)
        self._interrupt(run, status or run.final)
        if run.status == "manual":
            run.final = "success"

    def _drop(self, run: LiveRun, reason: FailureReason) -> None:
        run.plan = run.plan._replace(spec=replace(run.plan.spec, failure_reason=reason))
        self._interrupt(run, "failed")

    def _follow(self, run: LiveRun) -> None:
        for moment, status in self._downstreams.get(run.id, ()):
            shown: JobStatus = status if status in COMPLETED or status == "manual" else "running"
            self._later(max(moment, self._now), run, self._mirroring(shown))

    def _mirroring(self, status: JobStatus) -> Callable[[LiveRun], None]:
        def mirror(run: LiveRun) -> None:
            if run.status != status:
                fresh = run.status in COMPLETED
                self._step(run, status)
                if fresh:
                    self._revive_dependents(self._slots[run.slot - 1])

        return mirror

    # ------------------------------------------------------------------ which job is next

    def _process(self) -> bool:
        """Admit or skip the jobs whose turn has come; False: there are none."""
        moved = False
        for slot, previous in self._stages.due():
            self._admit(slot, previous)
            moved = True
        return moved

    def _admit(self, slot: Slot, previous: PipelineStatus) -> None:
        verdict = slot.verdict(previous)
        if verdict == "go":
            self._queue(slot.run)
        elif verdict == "delayed":
            self._step(slot.run, "scheduled")
            self._later(self._now + slot.job.start_in, slot.run, self._queue)
        else:
            self._step(slot.run, verdict)

    def _revive_dependents(self, slot: Slot) -> None:
        """Have what was skipped because of a job processed again, now that it runs anew."""
        for other in self._stages.dependents(slot) - {slot}:
            if other.run.status == "skipped":
                self._interrupt(other.run, "created")

    # ------------------------------------------------------------------ what was done

    def _apply(self, action: Action) -> None:
        """Do what was recorded, where it is still possible: the scenario may have changed since."""
        if action.job_id is None:
            if action.name == "cancel":
                self._cancel_all()
            elif action.name == "retry":
                self._retry_all()
            elif action.name == "delete_artifacts":
                for each in self._slots:
                    for one in each.runs:
                        self._empty(each, one)
            return
        slot, run = self._find(action.job_id)
        if slot is None or run is None or action.name == "delete_downstream":
            return
        doing: dict[str, Callable[[Slot, LiveRun], None]] = {
            "cancel": self._cancel,
            "retry": self._retry,
            "play": self._play,
            "erase": self._erase,
            "delete_artifacts": self._empty,
        }
        doing[action.name](slot, run)

    def _find(self, number: int) -> tuple[Slot | None, LiveRun | None]:
        pipeline_id, index, attempt = split_job_id(number)
        if pipeline_id != self._record.id or not 0 < index <= len(self._slots):
            return None, None
        slot = self._slots[index - 1]
        return slot, slot.runs[attempt] if attempt < len(slot.runs) else None

    def _cancel_all(self) -> None:
        """Stop the pipeline. It is cancelled even where, as declared now, it had ended before."""
        self._cancelled = True
        latest = [slot.run for slot in self._slots]
        alive = [run for run in latest if run.status in CANCELABLE]
        gates = [run for run in latest if run.status == "manual" and not _may_fail(run)]
        for run in alive or gates or _last_to_finish(latest):
            self._interrupt(run, "canceled")
        for run in gates:
            if run.status == "manual":
                self._interrupt(run, "skipped")

    def _retry_all(self) -> None:
        if not any(self._retryable(slot.run) for slot in self._slots):
            self._catch_up_with_polls()
        again = [slot for slot in self._slots if self._retryable(slot.run)]
        if not again:
            return
        for slot in self._slots:
            if slot.run.status == "skipped":
                self._interrupt(slot.run, "created")
        for slot in again:
            self._run_again(slot)
        self._arm()

    def _retryable(self, run: LiveRun) -> bool:
        return run.status != "success" and is_retryable(run.status, run.attempt, retried=False)

    def _run_again(self, slot: Slot) -> None:
        slot.run.retried_at = self._now
        slot.run.epoch += 1
        self._add_run(slot)
        self._cancelled = False

    def _cancel(self, slot: Slot, run: LiveRun) -> None:
        if self._mirrors and run is slot.run:
            self._cancel_all()
        elif run is slot.run and run.status in STOPPABLE:
            self._interrupt(run, "canceled")

    def _retry(self, slot: Slot, run: LiveRun) -> None:
        if run is slot.run and run.status in CANCELABLE:
            self._catch_up_with_polls()
        if is_retryable(run.status, run.attempt, run is not slot.run):
            self._run_again(slot)
            slot.run.immediate = True
            self._revive_dependents(slot)
            self._arm()

    def _play(self, slot: Slot, run: LiveRun) -> None:
        if run is not slot.run:
            return
        spec, status = run.plan.spec, run.status
        if not waits_for_play(spec, status, _has_started(run)):
            if may_play_again(spec, status, run.attempt, retried=False):
                self._retry(slot, run)
            return
        self._queue(run)
        self._revive_dependents(slot)
        if self._mirrors:
            self._arm()

    def _erase(self, _: Slot, run: LiveRun) -> None:
        erased, emptied = run.erased_at is not None, run.emptied_at is not None
        if is_erasable(
            run.plan.spec, run.status, started=_has_started(run), erased=erased, emptied=emptied
        ):
            run.erased_at = self._now

    def _empty(self, _: Slot, run: LiveRun) -> None:
        kept = run.erased_at is None and run.emptied_at is None
        if kept and leaves_artifacts(run.plan.spec, run.status, started=_has_started(run)):
            run.emptied_at = self._now

    def _catch_up_with_polls(self) -> None:
        # A retry starts the count of looks anew, so those before it are no longer known. That it
        # was possible shows that they had sufficed.
        if self._threshold() is not None:
            self._expire()
            self._note()


def _may_fail(run: LiveRun) -> bool:
    return run.plan.spec.allow_failure


def _has_started(run: LiveRun) -> bool:
    return "running" in run.statuses


def _last_to_finish(runs: list[LiveRun]) -> list[LiveRun]:
    ran = [run for run in runs if _has_started(run)] or runs
    last = max(run.moments[-1] for run in ran)
    return [run for run in ran if run.moments[-1] == last]
