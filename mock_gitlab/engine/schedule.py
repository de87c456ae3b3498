"""How the jobs of a pipeline take their course, moment by moment, as GitLab would process them.

A pipeline without jobs is played as one job that mirrors it, so that there is one mechanism. The
past is never rewritten: what is computed for a moment depends on nothing that is recorded later.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from .model import ATTEMPTS_LIMIT, JobSpec, TerminalStatus, job_id, split_job_id
from .statuses import (
    BITS,
    BITS_ALLOWED,
    CANCELABLE,
    COMPLETED,
    PLAYABLE,
    RETRYABLE,
    status_of_bits,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .model import Action, Moment, PipelineRecord, Scenario, Span
    from .statuses import JobStatus, PipelineStatus

    History = Sequence[tuple[Moment, PipelineStatus]]
    """What a pipeline shows from which moment on, in order."""

# ---------------------------------------------------------------------------- plans


class Plan(NamedTuple):
    """What one run of a job is to do; ``duration`` of None: it does not end by itself.

    ``polls`` is how many looks end the run early, for the job that mirrors a pipeline.
    """

    spec: JobSpec
    pending: Span
    duration: Span | None
    polls: int | None = None


def plan_of_job(job: JobSpec, attempt: int) -> Plan:
    """Merge a job and the entry of its ``attempts`` for a run."""
    if job.attempts:
        entry = job.attempts[min(attempt, len(job.attempts) - 1)]
        said = {name: getattr(entry, name) for name in entry.__slots__}
        job = replace(job, **{name: value for name, value in said.items() if value is not None})
    return Plan(job, job.pending, None if job.never_complete else job.duration)


def plan_of_pipeline(record: PipelineRecord, scenario: Scenario, attempt: int) -> Plan:
    """Make the plan of the one job that mirrors a pipeline without jobs.

    Inline values override every attempt, field by field.
    """
    after, status = scenario.terminal_after, scenario.terminal_status
    endless, pending = scenario.never_complete, scenario.pending
    polls = scenario.terminal_after_polls
    if scenario.attempts:
        entry = scenario.attempts[min(attempt, len(scenario.attempts) - 1)]
        after = after if entry.terminal_after is None else entry.terminal_after
        status = entry.terminal_status or status
        endless = endless if entry.never_complete is None else entry.never_complete
        pending = pending if entry.pending is None else entry.pending
        polls = polls if entry.terminal_after_polls is None else entry.terminal_after_polls
    after = after if record.terminal_after is None else record.terminal_after
    status = record.terminal_status or status
    return _mirror(after, status, endless, pending, polls, scenario.coverage)


@lru_cache(maxsize=1024)
def _mirror(
    after: Span | None,
    status: TerminalStatus,
    endless: bool,
    pending: Span,
    polls: int | None,
    coverage: float | None,
) -> Plan:
    polls = None if endless else polls
    if endless or (after is None and polls is not None):
        duration = None
    else:
        pending = min(pending, after or 0)
        duration = (after or 0) - pending
    spec = JobSpec(
        name="pipeline",
        duration=duration or 0,
        status=status,
        pending=pending,
        never_complete=endless,
        coverage=coverage,
    )
    return Plan(spec, pending, duration, polls)


# ---------------------------------------------------------------------------- courses


class Run:
    """One run of a job: which statuses it took on, in steps of which several may share a moment."""

    __slots__ = (
        "attempt",
        "bits",
        "epoch",
        "erased_at",
        "final",
        "id",
        "immediate",
        "moments",
        "plan",
        "retried_at",
        "slot",
        "status",
        "statuses",
    )

    def __init__(self, number: int, slot: int, attempt: int, plan: Plan, at: Moment) -> None:
        self.id = number
        self.slot = slot
        self.attempt = attempt
        self.plan = plan
        self.moments: list[Moment] = [at]
        self.statuses: list[JobStatus] = ["created"]
        self.status: JobStatus = "created"
        self.retried_at: Moment | None = None
        self.erased_at: Moment | None = None
        # what follows is of use only while it is played
        self.bits = BITS_ALLOWED if plan.spec.allow_failure else BITS
        self.epoch = 0
        self.final = plan.spec.status
        self.immediate = False

    def step(self, at: Moment, status: JobStatus) -> None:
        """Take on a status."""
        self.moments.append(at)
        self.statuses.append(status)
        self.status = status


class Course(NamedTuple):
    """All that a pipeline goes through: its runs by ascending id, and its own steps.

    ``moments`` and ``statuses`` are the pipeline's; ``started_at`` is the first start of any run.
    What is seen never lies before ``floor``: looks have ended the pipeline at that moment.
    """

    runs: list[Run]
    moments: list[Moment]
    statuses: list[PipelineStatus]
    started_at: Moment | None
    floor: Moment


def course_of(
    record: PipelineRecord, scenario: Scenario, downstreams: Mapping[int, History]
) -> Course:
    """Play a pipeline to its end; ``downstreams`` holds what bridges have started, by job id."""
    if scenario.jobs or record.actions:
        return Simulation(record, scenario, downstreams).play()
    return course_undisturbed(record, scenario)


def course_undisturbed(record: PipelineRecord, scenario: Scenario) -> Course:
    """Write down the course of a pipeline without jobs to which nothing was done.

    The same as its simulation, several times faster.
    """
    plan = plan_of_pipeline(record, scenario, 0)
    begins = record.created_at
    run = Run(job_id(record.id, 1, 0), 1, 0, plan, begins)
    run.step(begins, "pending")
    polled = _polled_at(record, plan.polls)
    ends = polled if plan.duration is None else begins + plan.pending + plan.duration
    if polled is not None and ends is not None:
        ends = min(ends, polled)
    starts = begins + plan.pending if ends is None else min(begins + plan.pending, ends)
    run.step(starts, "running")
    if ends is not None:
        run.step(ends, plan.spec.status)
    # of the steps at the first moment only the last counts for the pipeline
    first = 3 if ends == begins else 2 if starts == begins else 1
    last = 2 if ends == starts and ends is not None and first != 3 else None
    moments, statuses = run.moments[first:], run.statuses[first:]
    if last is not None:
        del moments[-2], statuses[-2]
    return Course([run], moments, statuses, starts, begins if polled is None else polled)


def _polled_at(record: PipelineRecord, threshold: int | None) -> Moment | None:
    if threshold is None or record.polled_at is None or record.polls < threshold:
        return None
    return max(record.polled_at, record.created_at)


# ---------------------------------------------------------------------------- simulation

_VALID: Mapping[str, tuple[PipelineStatus, ...]] = {
    "on_success": ("success", "skipped"),
    "manual": ("success", "skipped"),
    "delayed": ("success", "skipped"),
    "on_failure": ("failed",),
    "always": ("success", "failed", "skipped"),
}
_SPREAD = re.compile(r" \d+/\d+\Z")


def base_name(name: str) -> str:
    """Name the declared job of which ``parallel`` made this one."""
    return _SPREAD.sub("", name)


def is_retryable(run_status: JobStatus, attempt: int, retried: bool) -> bool:
    """Tell whether a run may be followed by another."""
    return run_status in RETRYABLE and not retried and attempt < ATTEMPTS_LIMIT


def is_erasable(spec: JobSpec, status: JobStatus, started: bool, erased: bool) -> bool:
    """Tell whether a run has left something that can be erased."""
    return status in COMPLETED and started and not erased and bool(spec.trace or spec.artifacts)


class _Slot:
    """The place of a job in its pipeline, and its runs; the last is the latest."""

    __slots__ = ("index", "job", "needs", "run", "runs", "stage")

    def __init__(self, index: int, job: JobSpec, stage: int) -> None:
        self.index = index
        self.job = job
        self.stage = stage
        self.needs: list[_Slot] | None = None
        self.run: Run
        self.runs: list[Run] = []


class Simulation:
    """Plays a pipeline: what is scheduled happens first at each moment, then what was done."""

    def __init__(
        self, record: PipelineRecord, scenario: Scenario, downstreams: Mapping[int, History]
    ) -> None:
        self._record = record
        self._scenario = scenario
        self._downstreams = downstreams
        self._mirrors = not scenario.jobs
        self._now = record.created_at
        self._events: list[tuple[Moment, int, int, Run, Callable[[Run], None]]] = []
        self._sequence = 0
        self._deadline: Moment | None = None
        self._waiting = 0  # how many latest runs are merely created
        self._cancelled = False
        self._started_at: Moment | None = None
        self._moments: list[Moment] = []
        self._statuses: list[PipelineStatus] = []
        self._slots, self._stages = _arrange(scenario)
        self._earliest = self._now if self._mirrors else self._now + scenario.pending

    def play(self) -> Course:
        """Play everything that will happen if nothing more is done."""
        for slot in self._slots:
            self._add_run(slot)
        self._arm()
        self._settle()
        for action in sorted(self._record.actions, key=lambda action: action.at):
            self._play_until(action.at)
            self._now = max(action.at, self._now)
            self._apply(action)
            self._note()
            self._settle()
        self._play_until(None)
        runs = sorted((run for slot in self._slots for run in slot.runs), key=lambda run: run.id)
        floor = _polled_at(self._record, self._threshold())
        return Course(
            runs,
            self._moments,
            self._statuses,
            self._started_at,
            self._record.created_at if floor is None else floor,
        )

    # ------------------------------------------------------------------ time

    def _play_until(self, end: Moment | None) -> None:
        while True:
            moments = [event[0] for event in self._events[:1]]
            if self._deadline is not None:
                moments.append(self._deadline)
            if not moments or (end is not None and min(moments) > end):
                return
            self._now = max(self._now, min(moments))
            self._settle()

    def _settle(self) -> None:
        """Let everything happen that is due now, and note what has become of the pipeline."""
        self._quiesce()
        if self._deadline is not None and self._deadline <= self._now:
            self._deadline = None
            self._expire()
        self._note()

    def _quiesce(self) -> None:
        events = self._events
        while True:
            while events and events[0][0] <= self._now:
                _, _, epoch, run, happen = heappop(events)
                if run.epoch == epoch:
                    happen(run)
            if not (self._waiting and self._process()):
                return

    def _later(self, moment: Moment, run: Run, happen: Callable[[Run], None]) -> None:
        self._sequence += 1
        heappush(self._events, (moment, self._sequence, run.epoch, run, happen))

    def _note(self) -> None:
        status = self._status()
        if not self._statuses or self._statuses[-1] != status:
            self._moments.append(self._now)
            self._statuses.append(status)

    def _status(self) -> PipelineStatus:
        bits = 0
        for slot in self._slots:
            bits |= slot.run.bits[slot.run.status]
        status = status_of_bits(bits)
        assert status is not None
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
        polled = _polled_at(self._record, self._threshold())
        moments = [] if polled is None else [max(polled, self._now)]
        if not self._mirrors:
            limit = self._record.terminal_after
            limit = self._scenario.terminal_after if limit is None else limit
            moments += [] if limit is None else [self._now + limit]
        self._deadline = min(moments, default=None)

    def _expire(self) -> None:
        for slot in self._slots:
            run = slot.run
            if run.status in ("pending", "running"):
                self._end(run, run.final if self._mirrors else self._limit_status())
            elif run.status not in COMPLETED and not self._mirrors:
                self._interrupt(run, "skipped")

    def _limit_status(self) -> TerminalStatus:
        return self._record.terminal_status or self._scenario.terminal_status

    # ------------------------------------------------------------------ a run

    def _add_run(self, slot: _Slot) -> None:
        attempt = len(slot.runs)
        plan = (
            plan_of_pipeline(self._record, self._scenario, attempt)
            if self._mirrors
            else plan_of_job(slot.job, attempt)
        )
        number = job_id(self._record.id, slot.index, attempt)
        slot.run = Run(number, slot.index, attempt, plan, self._now)
        slot.runs.append(slot.run)
        self._waiting += 1

    def _step(self, run: Run, status: JobStatus) -> None:
        self._waiting += (status == "created") - (run.status == "created")
        run.step(self._now, status)

    def _interrupt(self, run: Run, status: JobStatus) -> None:
        """Take on a status by force: what the run still had before it no longer happens."""
        run.epoch += 1
        self._step(run, status)

    def _queue(self, run: Run) -> None:
        self._interrupt(run, "pending")
        starts = max(self._now + run.plan.pending, self._earliest)
        if starts <= self._now:
            self._start(run)
        else:
            self._later(starts, run, self._start)

    def _start(self, run: Run) -> None:
        self._step(run, "running")
        if self._started_at is None:
            self._started_at = self._now
        downstream, duration = run.plan.spec.downstream, run.plan.duration
        if downstream is not None and downstream.strategy == "depend":
            self._follow(run)
        elif downstream is not None:
            self._end(run, "success")
        elif duration == 0:
            self._end(run, run.final)
        elif duration is not None:
            self._later(self._now + duration, run, self._end)

    def _end(self, run: Run, status: TerminalStatus | None = None) -> None:
        if run.status == "pending":
            self._step(run, "running")
            if self._started_at is None:
                self._started_at = self._now
        self._interrupt(run, status or run.final)
        if run.status == "manual":
            run.final = "success"

    def _follow(self, run: Run) -> None:
        for moment, status in self._downstreams.get(run.id, ()):
            shown: JobStatus = status if status in COMPLETED or status == "manual" else "running"
            self._later(max(moment, self._now), run, self._mirroring(shown))

    def _mirroring(self, status: JobStatus) -> Callable[[Run], None]:
        def mirror(run: Run) -> None:
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
        bits = 0
        for stage in self._stages:
            earlier = status_of_bits(bits) or "success"
            for slot in stage:
                if slot.run.status == "created":
                    needs = slot.needs
                    previous = earlier if needs is None else _status_of_needs(needs)
                    if previous in COMPLETED:
                        self._admit(slot, previous)
                        moved = True
            for slot in stage:
                bits |= slot.run.bits[slot.run.status]
        return moved

    def _admit(self, slot: _Slot, previous: PipelineStatus) -> None:
        run, job = slot.run, slot.job
        valid = _VALID[job.when]
        strict = slot.needs is not None and job.when != "always"
        if previous not in valid or (strict and previous == "skipped"):
            self._step(run, "skipped")
        elif job.when == "manual" and not run.immediate:
            self._step(run, "manual")
        elif job.when == "delayed" and not run.immediate and job.start_in:
            self._step(run, "scheduled")
            self._later(self._now + job.start_in, run, self._queue)
        else:
            self._queue(run)

    def _revive_dependents(self, slot: _Slot) -> None:
        """Have what was skipped because of a job processed again, now that it runs anew."""
        affected = {slot.index}
        grown = True
        while grown:
            found = {s.index for s in self._slots if _follows(s, slot, affected)}
            grown = not found <= affected
            affected |= found
        for other in self._slots:
            if other is not slot and other.index in affected and other.run.status == "skipped":
                self._interrupt(other.run, "created")

    # ------------------------------------------------------------------ what was done

    def _apply(self, action: Action) -> None:
        """Do what was recorded, where it is still possible: the scenario may have changed since."""
        if action.job_id is None:
            if action.name == "cancel":
                self._cancel_all()
            elif action.name == "retry":
                self._retry_all()
            return
        slot, run = self._find(action.job_id)
        if slot is None or run is None:
            return
        doing = {
            "cancel": self._cancel,
            "retry": self._retry,
            "play": self._play,
            "erase": self._erase,
        }
        doing[action.name](slot, run)

    def _find(self, number: int) -> tuple[_Slot | None, Run | None]:
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

    def _retryable(self, run: Run) -> bool:
        return run.status != "success" and is_retryable(run.status, run.attempt, retried=False)

    def _run_again(self, slot: _Slot) -> None:
        slot.run.retried_at = self._now
        slot.run.epoch += 1
        self._add_run(slot)
        self._cancelled = False

    def _cancel(self, slot: _Slot, run: Run) -> None:
        if run is slot.run and run.status in CANCELABLE:
            self._interrupt(run, "canceled")

    def _retry(self, slot: _Slot, run: Run) -> None:
        if run is slot.run and run.status in CANCELABLE:
            self._catch_up_with_polls()
        if is_retryable(run.status, run.attempt, run is not slot.run):
            self._run_again(slot)
            slot.run.immediate = True
            self._revive_dependents(slot)
            self._arm()

    def _play(self, slot: _Slot, run: Run) -> None:
        if run is not slot.run or run.status not in PLAYABLE:
            return
        self._cancelled = False
        self._queue(run)
        self._revive_dependents(slot)
        if self._mirrors:
            self._arm()

    def _erase(self, _: _Slot, run: Run) -> None:
        started, erased = "running" in run.statuses, run.erased_at is not None
        if is_erasable(run.plan.spec, run.status, started, erased):
            run.erased_at = self._now

    def _catch_up_with_polls(self) -> None:
        # A retry starts the count of looks anew, so those before it are no longer known. That it
        # was possible shows that they had sufficed.
        if self._threshold() is not None:
            self._expire()
            self._note()


def _arrange(scenario: Scenario) -> tuple[list[_Slot], list[list[_Slot]]]:
    """Place the jobs in their stages and tie them to what they need."""
    if not scenario.jobs:
        slots = [_Slot(1, _MIRROR, 0)]
        return slots, [slots]
    declared = dict.fromkeys([".pre", *scenario.stages, *(job.stage for job in scenario.jobs)])
    declared.pop(".post", None)
    place = {stage: index for index, stage in enumerate([*declared, ".post"])}
    slots = [_Slot(i, job, place[job.stage]) for i, job in enumerate(scenario.jobs, 1)]
    if any(job.needs is not None for job in scenario.jobs):
        _tie(slots)
    stages: list[list[_Slot]] = [[] for _ in place]
    for slot in slots:
        stages[slot.stage].append(slot)
    return slots, [stage for stage in stages if stage]


def _tie(slots: list[_Slot]) -> None:
    named: dict[str, list[_Slot]] = {}
    for slot in slots:
        for name in {slot.job.name, base_name(slot.job.name)}:
            named.setdefault(name, []).append(slot)
    for slot in slots:
        if slot.job.needs is not None:
            slot.needs = [needed for name in slot.job.needs for needed in named.get(name, ())]


def _status_of_needs(needs: Iterable[_Slot]) -> PipelineStatus:
    bits = 0
    for slot in needs:
        bits |= slot.run.bits[slot.run.status]
    return status_of_bits(bits, dag=True) or "success"


def _follows(slot: _Slot, changed: _Slot, affected: set[int]) -> bool:
    if slot.needs is None:
        return slot.stage > changed.stage
    return any(needed.index in affected for needed in slot.needs)


def _may_fail(run: Run) -> bool:
    return run.plan.spec.allow_failure


def _last_to_finish(runs: list[Run]) -> list[Run]:
    ran = [run for run in runs if "running" in run.statuses] or runs
    last = max(run.moments[-1] for run in ran)
    return [run for run in ran if run.moments[-1] == last]


_MIRROR = JobSpec(name="pipeline")
