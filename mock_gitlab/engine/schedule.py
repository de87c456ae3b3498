"""Play the jobs of a pipeline through time, by GitLab's rules.

A pipeline without jobs is played as one job that mirrors it. The past is never rewritten: what an
instant shows does not depend on anything recorded for a later one.
"""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from .course import (
    Course,
    all_waits_before,
    fails_before_its_start,
    has_no_times,
    plan_of_job,
    plan_of_pipeline,
    polled_at,
    retry_follows,
    waits_before,
)
from .model import job_id
from .stages import LiveRun, Slot, Stages
from .statuses import COMPLETED, PREPARATORY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .failures import FailureReason
    from .model import Downstream, Instant, PipelineRecord, Scenario, TerminalStatus
    from .statuses import JobStatus, PipelineStatus

    History = Sequence[tuple[Instant, PipelineStatus]]
    """The statuses of a pipeline, each with the instant at which it begins, in order."""
    Obstacle = Callable[[Downstream], FailureReason | None]
    """Returns why a bridge cannot start its pipeline, or None if it can."""


_QUEUED_OR_RUNNING = PREPARATORY | {"pending", "running"}
_ENDING = COMPLETED | {"canceling"}


def free(_: Downstream) -> FailureReason | None:
    """Let every bridge start its pipeline."""
    return None


def deleted_downstreams(record: PipelineRecord) -> dict[int, History]:
    """Return the histories of downstream pipelines that were deleted, by the bridge's number."""
    return {
        action.job_id: action.shown
        for action in record.actions
        if action.name == "delete_downstream" and action.job_id is not None
    }


class Schedule:
    """Plays a pipeline up to any instant. At one instant, scheduled events come before actions."""

    def __init__(
        self,
        record: PipelineRecord,
        scenario: Scenario,
        downstreams: Mapping[int, History],
        obstacle: Obstacle,
    ) -> None:
        self.record = record
        self.mirrors = not scenario.jobs
        self.now = record.created_at
        self.cancelled = False
        self._scenario = scenario
        self._downstreams = downstreams
        self._obstacle = obstacle
        self._events: list[tuple[Instant, int, int, LiveRun, Callable[[LiveRun], None]]] = []
        self._sequence = 0
        self._deadline: Instant | None = None
        self._waiting = 0  # the number of latest runs with the status "created"
        self._started_at: Instant | None = None
        self._instants: list[Instant] = []
        self._statuses: list[PipelineStatus] = []
        self._stages = Stages(scenario)
        self.slots = self._stages.slots
        self._processed_from = self.now if self.mirrors else self.now + scenario.created
        self._waits_end = {} if self.mirrors else _ends_of_waits(scenario, self._processed_from)
        for slot in self.slots:
            self.add_run(slot)
        self.set_deadline()
        self.process()

    def course(self) -> Course:
        """Return everything that has been played."""
        runs = sorted((run for slot in self.slots for run in slot.runs), key=lambda run: run.id)
        floor = polled_at(self.record, self.polls_needed())
        return Course(
            runs,
            self._instants,
            self._statuses,
            self._started_at,
            self.record.created_at if floor is None else floor,
        )

    # ------------------------------------------------------------------ time

    def play_until(self, end: Instant | None) -> None:
        """Play all events up to and at ``end``, which is the present then; None: all there are."""
        while True:
            instants = [event[0] for event in self._events[:1]]
            if self._deadline is not None:
                instants.append(self._deadline)
            if not instants or (end is not None and min(instants) > end):
                break
            self.now = max(self.now, min(instants))
            self.process()
        self.now = self.now if end is None else max(self.now, end)

    def process(self) -> None:
        """Let everything happen that is due now, and note the status of the pipeline."""
        self._process_events()
        if self._deadline is not None and self._deadline <= self.now:
            self._deadline = None
            self.expire()
        self.note()

    def _process_events(self) -> None:
        events = self._events
        while True:
            while events and events[0][0] <= self.now:
                _, _, epoch, run, happen = heappop(events)
                if run.epoch == epoch:
                    happen(run)
            if not (self._waiting and self._admit_due()):
                return

    def _later(self, instant: Instant, run: LiveRun, happen: Callable[[LiveRun], None]) -> None:
        self._sequence += 1
        heappush(self._events, (instant, self._sequence, run.epoch, run, happen))

    def note(self) -> None:
        """Note the status of the pipeline, if it has changed."""
        status = self._status()
        if not self._statuses or self._statuses[-1] != status:
            self._instants.append(self.now)
            self._statuses.append(status)

    def has_ended(self) -> bool:
        """Return whether no job runs or waits."""
        return self._stages.composite() in COMPLETED

    def _status(self) -> PipelineStatus:
        status = self._stages.composite()
        if status not in COMPLETED:
            return status
        if self.cancelled:
            return "canceled"
        if self.mirrors:
            return status
        if self._scenario.never_complete:
            return "running"
        return self.record.terminal_status or status

    # ------------------------------------------------------------------ limits

    def polls_needed(self) -> int | None:
        """Return how many reads end the current attempt; None: no number of them does."""
        if self.mirrors:
            return self.slots[0].run.plan.polls
        return None if self._scenario.never_complete else self._scenario.terminal_after_polls

    def set_deadline(self) -> None:
        """Set the instant at which the time limit or reads end all running jobs."""
        polled = polled_at(self.record, self.polls_needed())
        instants = [] if polled is None else [polled]
        if not self.mirrors:
            limit = self.record.terminal_after
            limit = self._scenario.terminal_after if limit is None else limit
            instants += [] if limit is None else [self.now + limit]
        self._deadline = min(instants, default=None)

    def expire(self) -> None:
        """End the running jobs and skip the waiting ones, as at the deadline."""
        if self.has_ended():
            return
        for slot in self.slots:
            run = slot.run
            if run.status in _QUEUED_OR_RUNNING or (self.mirrors and run.status == "created"):
                self._end(run, run.final if self.mirrors else self._limit_status())
            elif run.status not in _ENDING and not self.mirrors:
                self.interrupt(run, "skipped")

    def _limit_status(self) -> TerminalStatus:
        return self.record.terminal_status or self._scenario.terminal_status

    # ------------------------------------------------------------------ a run

    def add_run(self, slot: Slot) -> None:
        """Add the next run of a job."""
        attempt = len(slot.runs)
        plan = (
            plan_of_pipeline(self.record, self._scenario, attempt)
            if self.mirrors
            else plan_of_job(slot.job, attempt)
        )
        number = job_id(self.record.id, slot.index, attempt)
        before = slot.run.bits[slot.run.status] if attempt else 0
        slot.run = LiveRun(number, slot.index, attempt, plan, self.now)
        slot.runs.append(slot.run)
        self._stages.changed(slot, before)
        self._waiting += 1

    def _step(self, run: LiveRun, status: JobStatus) -> None:
        self._waiting += (status == "created") - (run.status == "created")
        before = run.bits[run.status]
        run.step(self.now, status)
        self._stages.changed(self.slots[run.slot - 1], before)

    def interrupt(self, run: LiveRun, status: JobStatus) -> None:
        """Change the status of a run and drop the events that were scheduled for it."""
        self._withdraw(run)
        self._step(run, status)

    def _withdraw(self, run: LiveRun) -> None:
        run.epoch += 1
        run.verdict = None

    def queue(self, run: LiveRun) -> None:
        """Make a run wait for whatever it needs, at last a runner, and start it then."""
        self._withdraw(run)
        spec, ends, at = run.plan.spec, self._waits_end, self.now
        for status, wait in all_waits_before(spec) if ends else waits_before(spec):
            until = max(at + wait, ends.get(status, at))
            if until > at or status == "pending":
                self._at(at, run, self._entering(status))
            at = until
        self._at(at, run, self._start)

    def _at(self, instant: Instant, run: LiveRun, happen: Callable[[LiveRun], None]) -> None:
        """Let something happen at an instant, now if that has come."""
        if instant <= self.now:
            happen(run)
        else:
            self._later(instant, run, happen)

    def _entering(self, status: JobStatus) -> Callable[[LiveRun], None]:
        return lambda run: self._step(run, status)

    def cancel(self, run: LiveRun) -> None:
        """Cancel a run; one that is running may take its time to end."""
        grace = run.plan.spec.canceling
        if grace and run.status == "running":
            self.interrupt(run, "canceling")
            self._later(self.now + grace, run, self._entering("canceled"))
        else:
            self.interrupt(run, "canceled")

    def _begin(self, run: LiveRun) -> None:
        self._step(run, "running")
        if self._started_at is None and not has_no_times(run.plan, run.final):
            self._started_at = self.now

    def _start(self, run: LiveRun) -> None:
        downstream, duration = run.plan.spec.downstream, run.plan.duration
        if downstream is not None and run.id not in self._downstreams:
            if run.final == "failed":  # declared to fail: it starts nothing
                self.interrupt(run, "failed")
                return
            reason = self._obstacle(downstream)
            if reason is not None:
                self._drop(run, reason)
                return
        if downstream is None and fails_before_its_start(run.plan, run.final):
            self._fail(run)
            return
        self._begin(run)
        if downstream is not None and downstream.strategy == "depend":
            self._follow(run)
        elif downstream is not None:
            self._end(run, "success")
        elif duration == 0:
            self._finish(run)
        elif duration is not None:
            self._later(self.now + duration, run, self._finish)

    def _finish(self, run: LiveRun) -> None:
        """End a run as it was going to; a retry may follow."""
        if run.final == "failed":
            self._fail(run)
        else:
            self._end(run)

    def _fail(self, run: LiveRun) -> None:
        self.interrupt(run, "failed")
        if not self.mirrors and retry_follows(run.plan.spec, run.attempt):
            self.run_again(self.slots[run.slot - 1])

    def run_again(self, slot: Slot) -> None:
        """Retry the latest run of a job, without waiting for anything."""
        slot.run.retried_at = self.now
        slot.run.epoch += 1
        self.add_run(slot)
        slot.run.immediate = True

    def _end(self, run: LiveRun, status: TerminalStatus | None = None) -> None:
        if run.status != "running":
            self._begin(run)
        self.interrupt(run, status or run.final)
        if run.status == "manual":
            run.final = "success"

    def _drop(self, run: LiveRun, reason: FailureReason) -> None:
        run.plan = run.plan._replace(spec=replace(run.plan.spec, failure_reason=reason))
        self.interrupt(run, "failed")

    def _follow(self, run: LiveRun) -> None:
        for instant, status in self._downstreams.get(run.id, ()):
            shown: JobStatus = status if status in COMPLETED or status == "manual" else "running"
            self._later(max(instant, self.now), run, self._mirroring(shown))

    def _mirroring(self, status: JobStatus) -> Callable[[LiveRun], None]:
        def mirror(run: LiveRun) -> None:
            if run.status != status:
                revived = run.status in COMPLETED
                self._step(run, status)
                if revived:
                    self.revive_dependents(self.slots[run.slot - 1])

        return mirror

    # ------------------------------------------------------------------ which job is next

    def _admit_due(self) -> bool:
        """Queue or skip the jobs whose turn has come; return False if there are none."""
        moved = False
        for slot, previous in self._stages.due():
            self._admit(slot, previous)
            moved = True
        return moved

    def _admit(self, slot: Slot, previous: PipelineStatus) -> None:
        run, verdict = slot.run, slot.verdict(previous)
        until = max(self.now + run.plan.spec.created, self._processed_from)
        if verdict == "skipped":
            self.interrupt(run, "skipped")
        elif run.verdict != verdict:  # else it waits already
            self._withdraw(run)
            run.verdict = verdict
            self._at(until, run, self._carry_out)

    def _carry_out(self, run: LiveRun) -> None:
        if run.verdict == "manual":
            self._step(run, "manual")
        elif run.verdict == "delayed":
            self._step(run, "scheduled")
            self._later(self.now + run.plan.spec.start_in, run, self.queue)
        else:
            self.queue(run)

    def revive_dependents(self, slot: Slot) -> None:
        """Process again the jobs that were skipped because of a job that now runs once more."""
        for other in self._stages.dependents(slot) - {slot}:
            self.reconsider(other.run)

    def reconsider(self, run: LiveRun) -> None:
        """Make a run wait for its turn again, if it was skipped or has only just been created."""
        if run.status == "skipped":
            self.interrupt(run, "created")
        elif run.status == "created":
            self._withdraw(run)


def _ends_of_waits(scenario: Scenario, at: Instant) -> dict[JobStatus, Instant]:
    """Return the instants before which no job leaves a status; empty if there are none."""
    ends: dict[JobStatus, Instant] = {}
    for status, wait in all_waits_before(scenario):
        at += wait
        ends[status] = at
    return ends if any(wait for _, wait in all_waits_before(scenario)) else {}
