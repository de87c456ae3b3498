"""Decide which jobs of a pipeline run next, by GitLab's rules for stages and needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .course import Run
from .model import JobSpec
from .statuses import (
    BITS,
    BITS_ALLOWED,
    BITS_FAILURE_ALLOWED,
    CANCELABLE,
    COMPLETED,
    status_of_bits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .course import Plan
    from .model import Instant, Scenario
    from .statuses import JobStatus, PipelineStatus

Verdict = Literal["skipped", "manual", "delayed", "go"]
"""What happens to a run whose turn has come."""
_MIRROR = JobSpec(name="pipeline")
_UNDER_WAY = sum(BITS[status] for status in CANCELABLE)
_VALID: Mapping[str, tuple[PipelineStatus, ...]] = {
    "on_success": ("success", "skipped"),
    "manual": ("success", "skipped"),
    "delayed": ("success", "skipped"),
    "on_failure": ("failed",),
    "always": ("success", "failed", "skipped"),
}


class LiveRun(Run):
    """A run while it is played.

    An event that was scheduled for it happens only if ``epoch`` is still the same. ``final`` is the
    status that it will end with. ``immediate`` starts it without waiting for anything. ``verdict``
    is what happens to it once it has been created for long enough.
    """

    __slots__ = ("bits", "epoch", "final", "immediate", "verdict")

    def __init__(self, number: int, slot: int, attempt: int, plan: Plan, at: Instant) -> None:
        super().__init__(number, slot, attempt, plan, at)
        self.bits = _bits_of(plan.spec)
        self.epoch = 0
        self.final = plan.spec.status
        self.immediate = False
        self.verdict: Verdict | None = None


def _bits_of(job: JobSpec) -> Mapping[JobStatus, int]:
    if not job.allow_failure:
        return BITS
    return BITS_FAILURE_ALLOWED if job.allowed_exit_codes else BITS_ALLOWED


class StatusUnion:
    """The statuses of some latest runs, as the union of their bits."""

    __slots__ = ("_counts", "bits")

    def __init__(self) -> None:
        self.bits = 0
        self._counts: dict[int, int] = {}

    def change(self, before: int, after: int) -> None:
        """Replace the bit of one run by another; with ``before`` of 0 add a run."""
        if before:
            self._counts[before] -= 1
            if not self._counts[before]:
                self.bits &= ~before
        self._counts[after] = self._counts.get(after, 0) + 1
        self.bits |= after


class Slot:
    """A job and its runs; ``run`` is the latest.

    ``needed`` holds the statuses of the jobs that it needs, ``needed_by`` the jobs that need it.
    """

    __slots__ = (
        "index",
        "job",
        "needed",
        "needed_by",
        "needs_others",
        "run",
        "runs",
        "stage",
        "unions",
    )

    def __init__(self, index: int, job: JobSpec, stage: int) -> None:
        self.index = index
        self.job = job
        self.stage = stage
        self.needs_others = job.needs is not None
        self.needed = StatusUnion()
        self.needed_by: list[Slot] = []
        self.unions: list[StatusUnion] = []
        self.run: LiveRun
        self.runs: list[LiveRun] = []

    def verdict(self, previous: PipelineStatus) -> Verdict:
        """Decide what happens to the latest run, given the status of what it waited for."""
        when = self.job.when
        needs_success = self.needs_others and when != "always"
        if previous not in _VALID[when] or (needs_success and previous == "skipped"):
            return "skipped"
        if self.run.immediate or (when == "delayed" and not self.job.start_in):
            return "go"
        return when if when in ("manual", "delayed") else "go"

    def status_of_needs(self) -> PipelineStatus:
        """Return the one status of all jobs that it needs."""
        bits = self.needed.bits
        if bits & _UNDER_WAY and self.job.when == "always":
            return "pending"  # else one skipped job would start it while others still run
        return status_of_bits(bits, dag=True) or "success"


class Stages:
    """The slots of a pipeline, by stages and needs.

    ``changed`` is called for every change, so that ``due`` examines only what has changed. The
    first ``_judged`` stages were examined already, and nothing before them has changed since.
    ``_affected`` holds the slots with a change in their needs.
    """

    def __init__(self, scenario: Scenario) -> None:
        jobs = scenario.jobs or (_MIRROR,)
        order = _order(scenario, jobs)
        self.slots = [Slot(index, job, order[job.stage]) for index, job in enumerate(jobs, 1)]
        self._stages: list[list[Slot]] = [[] for _ in order]
        self._all = StatusUnion()
        self._unions = [StatusUnion() for _ in order]
        self._before = [0 for _ in order]
        self._judged = 0
        self._affected: set[Slot] = set()
        named: dict[str, list[Slot]] = {}
        for slot in self.slots:
            self._stages[slot.stage].append(slot)
            slot.unions += [self._all, self._unions[slot.stage]]
            named.setdefault(slot.job.name, []).append(slot)
        for slot in self.slots:
            for name in slot.job.needs or ():
                for needed in named.get(name, ()):
                    needed.needed_by.append(slot)
                    needed.unions.append(slot.needed)

    def composite(self) -> PipelineStatus:
        """Return the one status of all latest runs."""
        status = status_of_bits(self._all.bits)
        assert status is not None  # there is always a slot
        return status

    def changed(self, slot: Slot, before: int) -> None:
        """Record that the latest run of a slot had the bit ``before``; with 0 it is new."""
        run = slot.run
        after = run.bits[run.status]
        for union in slot.unions:
            union.change(before, after)
        created = run.status == "created"
        self._judged = min(self._judged, slot.stage if created else slot.stage + 1)
        self._affected.update(slot.needed_by)
        if created and slot.needs_others:
            self._affected.add(slot)

    def due(self) -> Iterator[tuple[Slot, PipelineStatus]]:
        """Yield the slots whose turn has come, each with the status of what it waited for.

        Changes that the caller makes between two slots are taken into account.
        """
        while True:
            yield from self._due_by_stage()
            if not self._affected:
                return
            affected, self._affected = self._affected, set()
            for slot in sorted(affected, key=lambda slot: slot.index):
                if slot.run.status == "created":
                    previous = slot.status_of_needs()
                    if previous in COMPLETED:
                        yield slot, previous

    def _due_by_stage(self) -> Iterator[tuple[Slot, PipelineStatus]]:
        while self._judged < len(self._stages):
            place = self._judged
            if place:
                self._before[place] = self._before[place - 1] | self._unions[place - 1].bits
            earlier = status_of_bits(self._before[place]) or "success"
            if earlier not in COMPLETED:
                return
            self._judged += 1
            for slot in self._stages[place]:
                if slot.run.status == "created" and not slot.needs_others:
                    yield slot, earlier

    def dependents(self, slot: Slot) -> set[Slot]:
        """Return this slot and all that wait for it, directly or not."""
        affected, waiting = {slot}, [slot]
        first = len(self._stages)
        while waiting:
            one = waiting.pop()
            found = set(one.needed_by)
            if one.stage < first:
                first = one.stage
                found |= {s for s in self.slots if s.stage > first and not s.needs_others}
            waiting += found - affected
            affected |= found
        return affected


def _order(scenario: Scenario, jobs: Sequence[JobSpec]) -> dict[str, int]:
    """Number the stages that have jobs, in their order."""
    stages = dict.fromkeys([".pre", *scenario.stages, *(job.stage for job in jobs)])
    stages.pop(".post", None)
    used = {job.stage for job in jobs}
    return {
        stage: place
        for place, stage in enumerate(stage for stage in [*stages, ".post"] if stage in used)
    }
