"""Where each job of a pipeline has its place, and when its turn has come, by GitLab's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .course import Run
from .model import JobSpec
from .statuses import BITS, BITS_ALLOWED, CANCELABLE, COMPLETED, status_of_bits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .course import Plan
    from .model import Moment, Scenario
    from .statuses import PipelineStatus

_MIRROR = JobSpec(name="pipeline")
_VALID: Mapping[str, tuple[PipelineStatus, ...]] = {
    "on_success": ("success", "skipped"),
    "manual": ("success", "skipped"),
    "delayed": ("success", "skipped"),
    "on_failure": ("failed",),
    "always": ("success", "failed", "skipped"),
}


class LiveRun(Run):
    """A run while it is played. What is scheduled for it counts only within one ``epoch``.

    ``final`` is the status at which it will end; ``immediate`` makes it wait for nobody.
    """

    __slots__ = ("bits", "epoch", "final", "immediate")

    def __init__(self, number: int, slot: int, attempt: int, plan: Plan, at: Moment) -> None:
        super().__init__(number, slot, attempt, plan, at)
        self.bits = BITS_ALLOWED if plan.spec.allow_failure else BITS
        self.epoch = 0
        self.final = plan.spec.status
        self.immediate = False


class Slot:
    """The place of a job in its pipeline, and its runs, of which ``run`` is the latest."""

    __slots__ = ("index", "job", "needs", "run", "runs", "stage")

    def __init__(self, index: int, job: JobSpec, stage: int) -> None:
        self.index = index
        self.job = job
        self.stage = stage
        self.needs: list[Slot] | None = None
        self.run: LiveRun
        self.runs: list[LiveRun] = []

    def verdict(self, previous: PipelineStatus) -> Literal["skipped", "manual", "delayed", "go"]:
        """Judge what becomes of the latest run, given the status of what it waited for."""
        when = self.job.when
        needs_success = self.needs is not None and when != "always"
        if previous not in _VALID[when] or (needs_success and previous == "skipped"):
            return "skipped"
        if self.run.immediate or (when == "delayed" and not self.job.start_in):
            return "go"
        return when if when in ("manual", "delayed") else "go"


class Stages:
    """The slots of a pipeline, in their stages and tied to what they need."""

    def __init__(self, scenario: Scenario) -> None:
        jobs = scenario.jobs or (_MIRROR,)
        order = _order(scenario)
        self.slots = [Slot(index, job, order[job.stage]) for index, job in enumerate(jobs, 1)]
        by_stage: list[list[Slot]] = [[] for _ in order]
        for slot in self.slots:
            by_stage[slot.stage].append(slot)
        self._stages = [stage for stage in by_stage if stage]
        if any(job.needs is not None for job in jobs):
            self._tie()

    def _tie(self) -> None:
        named: dict[str, list[Slot]] = {}
        for slot in self.slots:
            named.setdefault(slot.job.name, []).append(slot)
        for slot in self.slots:
            if slot.job.needs is not None:
                slot.needs = [needed for name in slot.job.needs for needed in named.get(name, ())]

    def composite(self) -> PipelineStatus:
        """Say the statuses of the latest runs as one."""
        bits = 0
        for slot in self.slots:
            bits |= slot.run.bits[slot.run.status]
        status = status_of_bits(bits)
        assert status is not None  # there is always a slot
        return status

    def due(self) -> Iterator[tuple[Slot, PipelineStatus]]:
        """Go through the slots whose turn has come, with the status of what they waited for.

        What is done to one on the way counts for those after it.
        """
        bits = 0
        for stage in self._stages:
            earlier = status_of_bits(bits) or "success"
            for slot in stage:
                if slot.run.status == "created":
                    previous = earlier if slot.needs is None else _status_of_needs(slot)
                    if previous in COMPLETED:
                        yield slot, previous
            for slot in stage:
                bits |= slot.run.bits[slot.run.status]

    def dependents(self, slot: Slot) -> set[Slot]:
        """Find the slots that wait for this one, directly or not; it is among them."""
        affected: set[Slot] = set()
        found = {slot}
        while not found <= affected:
            affected |= found
            first = min(other.stage for other in affected)
            found = {
                other
                for other in self.slots
                if (
                    other.stage > first
                    if other.needs is None
                    else not affected.isdisjoint(other.needs)
                )
            }
        return affected


def _order(scenario: Scenario) -> dict[str, int]:
    if not scenario.jobs:
        return {_MIRROR.stage: 0}
    stages = dict.fromkeys([".pre", *scenario.stages, *(job.stage for job in scenario.jobs)])
    stages.pop(".post", None)
    return {stage: place for place, stage in enumerate([*stages, ".post"])}


def _status_of_needs(slot: Slot) -> PipelineStatus:
    bits = 0
    under_way = False
    for needed in slot.needs or ():
        bits |= needed.run.bits[needed.run.status]
        under_way = under_way or needed.run.status in CANCELABLE
    if under_way and slot.job.when == "always":
        return "pending"  # one that was skipped would start it while another still runs
    return status_of_bits(bits, dag=True) or "success"
