"""What the runs of a pipeline's jobs are to do, and which statuses they go through in doing it.

A pipeline without jobs has one all the same, which mirrors it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .model import ATTEMPTS_LIMIT, JobSpec, TerminalStatus, job_id
from .statuses import BLOCKED, COMPLETED, RETRYABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import Duration, Instant, PipelineRecord, Scenario
    from .statuses import JobStatus, PipelineStatus

# ---------------------------------------------------------------------------- to do


class Plan(NamedTuple):
    """What one run of a job is to do; ``duration`` of None: it does not end by itself.

    ``polls`` is how many looks end the run early, for the job that mirrors a pipeline.
    """

    spec: JobSpec
    pending: Duration
    duration: Duration | None
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
    after: Duration | None,
    status: TerminalStatus,
    endless: bool,
    pending: Duration,
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


# ---------------------------------------------------------------------------- gone through


class Run:
    """One run of a job and its statuses. Several statuses may begin at the same instant."""

    __slots__ = (
        "attempt",
        "emptied_at",
        "erased_at",
        "id",
        "instants",
        "plan",
        "retried_at",
        "slot",
        "status",
        "statuses",
    )

    def __init__(self, number: int, slot: int, attempt: int, plan: Plan, at: Instant) -> None:
        self.id = number
        self.slot = slot
        self.attempt = attempt
        self.plan = plan
        self.instants: list[Instant] = [at]
        self.statuses: list[JobStatus] = ["created"]
        self.status: JobStatus = "created"
        self.retried_at: Instant | None = None
        self.erased_at: Instant | None = None
        self.emptied_at: Instant | None = None

    def changes_after(self, instant: Instant) -> list[Instant]:
        """List when something happens to it after an instant: of its steps only the next.

        A retry is the first step of another run.
        """
        steps = self.instants[bisect_right(self.instants, instant) :][:1]
        later = (self.erased_at, self.emptied_at)
        return steps + [at for at in later if at is not None and at > instant]

    def step(self, at: Instant, status: JobStatus) -> None:
        """Take on a status."""
        self.instants.append(at)
        self.statuses.append(status)
        self.status = status


class Course(NamedTuple):
    """All that a pipeline goes through: its runs by ascending id, and its own steps.

    ``instants`` and ``statuses`` are the pipeline's; ``started_at`` is the first start of any run.
    What is seen never lies before ``floor``: looks have ended the pipeline at that instant.
    """

    runs: Sequence[Run]
    instants: list[Instant]
    statuses: list[PipelineStatus]
    started_at: Instant | None
    floor: Instant


def course_undisturbed(record: PipelineRecord, scenario: Scenario) -> Course:
    """Write down the course of a pipeline without jobs to which nothing was done.

    The same as its simulation, several times faster.
    """
    plan = plan_of_pipeline(record, scenario, 0)
    begins = record.created_at
    starts, polled = begins + plan.pending, polled_at(record, plan.polls)
    ends = polled if plan.duration is None else starts + plan.duration
    if polled is not None and ends is not None:
        ends = min(ends, polled)
        starts = min(starts, ends)
    run = Run(job_id(record.id, 1, 0), 1, 0, plan, begins)
    run.instants = [begins, begins, starts]
    run.statuses = ["created", "pending", "running"]
    if ends is not None:
        run.instants.append(ends)
        run.statuses.append(plan.spec.status)
    run.status = run.statuses[-1]
    instants, statuses = visible(run.instants, run.statuses)
    return Course([run], instants, statuses, starts, begins if polled is None else polled)


def visible(
    instants: Sequence[Instant], statuses: Sequence[PipelineStatus]
) -> tuple[list[Instant], list[PipelineStatus]]:
    """Reduce steps to what can be seen: the last of each instant, where it differs from before."""
    seen_at: list[Instant] = []
    seen: list[PipelineStatus] = []
    last = len(instants) - 1
    for place, instant in enumerate(instants):
        status = statuses[place]
        settled = place == last or instants[place + 1] != instant
        if settled and not (seen and seen[-1] == status):
            seen_at.append(instant)
            seen.append(status)
    return seen_at, seen


def polled_at(record: PipelineRecord, threshold: int | None) -> Instant | None:
    """Tell when looks have ended the present attempt, if that many are enough."""
    if threshold is None or record.polled_at is None or record.polls < threshold:
        return None
    return max(record.polled_at, record.created_at)


def is_retryable(run_status: JobStatus, attempt: int, retried: bool) -> bool:
    """Tell whether a run may be followed by another."""
    return run_status in RETRYABLE and not retried and attempt < ATTEMPTS_LIMIT


def waits_for_play(spec: JobSpec, status: JobStatus, started: bool) -> bool:
    """Tell whether a run waits to be started by hand.

    A bridge may also be manual because the pipeline that it has started is.
    """
    return status in BLOCKED and not (started and spec.downstream is not None)


def may_play_again(spec: JobSpec, status: JobStatus, attempt: int, retried: bool) -> bool:
    """Tell whether to play a run is to retry it, as for a manual job that is over."""
    return spec.when in ("manual", "delayed") and is_retryable(status, attempt, retried)


def is_erasable(
    spec: JobSpec, status: JobStatus, *, started: bool, erased: bool, emptied: bool
) -> bool:
    """Tell whether a run has left something that can be erased."""
    left = spec.trace or (spec.artifacts and not emptied)
    return status in COMPLETED and started and not erased and bool(left)


def leaves_artifacts(spec: JobSpec, status: JobStatus, *, started: bool) -> bool:
    """Tell whether a run has left artifacts: it has run to its own end."""
    return started and status in ("success", "failed") and bool(spec.artifacts)
