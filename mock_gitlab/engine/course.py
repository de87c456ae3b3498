"""The plan of each run of a job, the statuses that it goes through, and what may be done to it.

A pipeline without jobs has one job all the same, which mirrors it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .failures import BEFORE_THE_START, NOT_RETRIED, USUAL_RETRIES
from .model import ATTEMPTS_LIMIT, WAITS, JobSpec, TerminalStatus, job_id
from .statuses import BLOCKED, COMPLETED, RETRYABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import Duration, Instant, PipelineRecord, Scenario
    from .statuses import JobStatus, PipelineStatus

# ---------------------------------------------------------------------------- plans


class Plan(NamedTuple):
    """What one run of a job will do. With ``duration`` of None it does not end by itself.

    ``mirrors`` is true for the one job that mirrors a pipeline. Only that job has ``polls``, the
    number of reads that end the run.
    """

    spec: JobSpec
    duration: Duration | None
    polls: int | None = None
    mirrors: bool = False


def plan_of_job(job: JobSpec, attempt: int) -> Plan:
    """Make the plan of a job's run from the job and the entry of its ``attempts``."""
    if job.attempts:
        entry = job.attempts[min(attempt, len(job.attempts) - 1)]
        values = {name: getattr(entry, name) for name in entry.__slots__}
        job = replace(job, **{name: value for name, value in values.items() if value is not None})
    if job.timeout is not None:
        job = _timed(job, job.timeout)
    if job.allowed_exit_codes:
        allowed = job.status == "failed" and job.exit_code in job.allowed_exit_codes
        job = replace(job, allow_failure=allowed and job.failure_reason in _EXITED)
    return Plan(job, None if job.never_complete else job.duration)


_EXITED = (None, "script_failure")


def _timed(job: JobSpec, timeout: Duration) -> JobSpec:
    """End a job that takes longer than its timeout."""
    if job.downstream is not None or (job.duration <= timeout and not job.never_complete):
        return job
    return replace(
        job,
        duration=timeout,
        never_complete=False,
        status="failed",
        failure_reason="job_execution_timeout",
    )


def retry_follows(job: JobSpec, attempt: int) -> bool:
    """Return whether GitLab retries a run of a job by itself once it has failed."""
    reason = job.failure_reason or "script_failure"
    if reason in NOT_RETRIED or job.downstream is not None:
        return False
    if job.retry is None:
        return attempt < USUAL_RETRIES.get(reason, 0)
    return attempt < job.retry.max and (not job.retry.when or reason in job.retry.when)


def waits_before(job: JobSpec) -> tuple[tuple[JobStatus, Duration], ...]:
    """List the statuses between created and running, each with how long it lasts."""
    if job.waiting_for_resource or job.preparing or job.waiting_for_callback:
        return all_waits_before(job)
    return (("pending", job.pending),)


def all_waits_before(waiting: JobSpec | Scenario) -> tuple[tuple[JobStatus, Duration], ...]:
    """List the same with those that last no time."""
    return (
        ("waiting_for_resource", waiting.waiting_for_resource),
        ("preparing", waiting.preparing),
        ("waiting_for_callback", waiting.waiting_for_callback),
        ("pending", waiting.pending),
    )


def plan_of_pipeline(record: PipelineRecord, scenario: Scenario, attempt: int) -> Plan:
    """Make the plan of the one job that mirrors a pipeline without jobs.

    The values that the trigger gave override those of every attempt, field by field.
    """
    after, status = scenario.terminal_after, scenario.terminal_status
    endless, waits = scenario.never_complete, _waits(scenario)
    polls = scenario.terminal_after_polls
    if scenario.attempts:
        entry = scenario.attempts[min(attempt, len(scenario.attempts) - 1)]
        after = after if entry.terminal_after is None else entry.terminal_after
        status = entry.terminal_status or status
        endless = endless if entry.never_complete is None else entry.never_complete
        of_entry = zip(waits, _waits(entry), strict=True)
        waits = tuple([usual if own is None else own for usual, own in of_entry])
        polls = polls if entry.terminal_after_polls is None else entry.terminal_after_polls
    after = after if record.terminal_after is None else record.terminal_after
    status = record.terminal_status or status
    return _mirror(after, status, endless, waits, polls, scenario.coverage)


_waits = attrgetter(*WAITS)


@lru_cache(maxsize=1024)
def _mirror(
    after: Duration | None,
    status: TerminalStatus,
    endless: bool,
    waits: tuple[Duration, ...],
    polls: int | None,
    coverage: float | None,
) -> Plan:
    polls = None if endless else polls
    *before, canceling = waits
    duration = None if endless or (after is None and polls is not None) else after or 0
    if duration is not None:
        for place, wait in enumerate(before):
            before[place] = min(wait, duration)
            duration -= before[place]
    held: dict[str, Any] = dict(zip(WAITS, (*before, canceling), strict=True))
    spec = JobSpec(
        name="pipeline",
        duration=duration or 0,
        status=status,
        never_complete=endless,
        coverage=coverage,
        **held,
    )
    return Plan(spec, duration, polls, mirrors=True)


# ---------------------------------------------------------------------------- runs


class Run:
    """One run of a job and its statuses. Several statuses may begin at the same instant."""

    __slots__ = (
        "attempt",
        "emptied_at",
        "erased_at",
        "id",
        "instants",
        "kept_at",
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
        self.kept_at: Instant | None = None

    def changes_after(self, instant: Instant) -> list[Instant]:
        """List the instants of its next status and of the deletions after an instant.

        A retry is not among them: it is the first status of another run.
        """
        steps = self.instants[bisect_right(self.instants, instant) :][:1]
        later = (self.erased_at, self.emptied_at, self.kept_at, self.expires_at())
        return steps + [at for at in later if at is not None and at > instant]

    def expires_at(self) -> Instant | None:
        """Return when its artifacts expire unless somebody keeps them; None if they never do."""
        spec, after = self.plan.spec, self.plan.spec.artifacts_expire_in
        if after is None:
            return None
        started = "running" in self.statuses
        if not leaves_artifacts(spec, self.statuses[-1], started=started):
            return None
        return self.instants[-1] + after

    def step(self, at: Instant, status: JobStatus) -> None:
        """Add a status."""
        self.instants.append(at)
        self.statuses.append(status)
        self.status = status


class Course(NamedTuple):
    """Everything that happens to a pipeline: its runs by ascending id, and its own statuses.

    ``instants`` are those at which its ``statuses`` begin, and ``started_at`` is the first start of
    a run. Nothing before ``floor`` is ever shown: reads have ended the pipeline at that instant.
    """

    runs: Sequence[Run]
    instants: list[Instant]
    statuses: list[PipelineStatus]
    started_at: Instant | None
    floor: Instant


def course_undisturbed(record: PipelineRecord, scenario: Scenario) -> Course:
    """Return the course of a pipeline without jobs and without actions.

    It equals the simulation's course, but is computed several times faster.
    """
    plan = plan_of_pipeline(record, scenario, 0)
    begins, polled = record.created_at, polled_at(record, plan.polls)
    run = Run(job_id(record.id, 1, 0), 1, 0, plan, begins)
    starts = begins + plan.spec.created
    for waiting, wait in waits_before(plan.spec):
        if (wait or waiting == "pending") and (polled is None or starts <= polled):
            run.instants.append(starts)
            run.statuses.append(waiting)
        starts += wait
    ends = polled if plan.duration is None else starts + plan.duration
    if polled is not None and ends is not None:
        ends = min(ends, polled)
        starts = min(starts, ends)
    run.instants.append(starts)
    run.statuses.append("running")
    if ends is not None:
        run.instants.append(ends)
        run.statuses.append(plan.spec.status)
    run.status = run.statuses[-1]
    instants, statuses = visible(run.instants, run.statuses)
    return Course([run], instants, statuses, starts, begins if polled is None else polled)


def visible(
    instants: Sequence[Instant], statuses: Sequence[PipelineStatus]
) -> tuple[list[Instant], list[PipelineStatus]]:
    """Keep the last status of each instant, if it differs from the one before."""
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
    """Return when reads have ended the current attempt; None if they have not."""
    if threshold is None or record.polled_at is None or record.polls < threshold:
        return None
    return max(record.polled_at, record.created_at)


def is_retryable(run_status: JobStatus, attempt: int, retried: bool) -> bool:
    """Return whether a run can be retried."""
    return run_status in RETRYABLE and not retried and attempt < ATTEMPTS_LIMIT


def fails_before_its_start(plan: Plan, final: JobStatus) -> bool:
    """Return whether a run fails for a reason that keeps it from starting."""
    return plan.duration == 0 and final == "failed" and plan.spec.failure_reason in BEFORE_THE_START


def has_no_times(plan: Plan, final: JobStatus) -> bool:
    """Return whether a run is skipped or manual as soon as it starts.

    GitLab has no such job that ran. A bridge has times all the same: it shows its pipeline.
    """
    ends_at_once = plan.duration == 0 and not plan.mirrors
    return ends_at_once and final in ("skipped", "manual") and plan.spec.downstream is None


def waits_for_play(spec: JobSpec, status: JobStatus, started: bool) -> bool:
    """Return whether a run waits for somebody to start it.

    A bridge that has started a pipeline may be manual too, because that pipeline is.
    """
    return status in BLOCKED and not (started and spec.downstream is not None)


def may_play_again(spec: JobSpec, status: JobStatus, attempt: int, retried: bool) -> bool:
    """Return whether playing a run retries it, as for a manual job that has ended."""
    return spec.when in ("manual", "delayed") and is_retryable(status, attempt, retried)


def is_erasable(
    spec: JobSpec, status: JobStatus, *, started: bool, erased: bool, emptied: bool
) -> bool:
    """Return whether a run has a log or artifacts that can be erased."""
    left = spec.trace or (spec.artifacts and not emptied)
    return status in COMPLETED and started and not erased and bool(left)


def leaves_artifacts(spec: JobSpec, status: JobStatus, *, started: bool) -> bool:
    """Return whether a run has artifacts, which it has once it succeeded or failed."""
    return started and status in ("success", "failed") and bool(spec.artifacts)
