"""What a pipeline and its jobs show at an instant, and what changes from one to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .course import (
    is_erasable,
    is_retryable,
    leaves_artifacts,
    may_play_again,
    waits_for_play,
)
from .statuses import COMPLETED, FINISHED, PREPARATORY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .course import Run
    from .failures import FailureReason
    from .model import Artifact, Duration, Instant, JobSpec, PostedState
    from .statuses import JobStatus, PipelineStatus

_SPREAD = re.compile(r"(?: \d+/\d+|: \[.*\])\Z", re.DOTALL)
OPEN: frozenset[str] = frozenset(("pending", "running"))
"""A posted status with one of these can still change."""
_BEFORE_THE_QUEUE = PREPARATORY | {"created"}


class JobState(NamedTuple):
    """One run of a job at an instant.

    ``queued_at`` is when it became pending. ``finished_at`` is when it ended after it had started,
    or was canceled. ``emptied_at`` is when its artifacts expired or were deleted, but not its log.
    ``expires_at`` is when they expire. ``spec`` includes what the attempt changes.
    """

    id: int
    slot: int
    attempt: int
    name: str
    stage: str
    status: JobStatus
    created_at: Instant
    queued_at: Instant | None
    started_at: Instant | None
    finished_at: Instant | None
    erased_at: Instant | None
    emptied_at: Instant | None
    expires_at: Instant | None
    allow_failure: bool
    retried: bool
    failure_reason: FailureReason | None
    spec: JobSpec

    @property
    def base_name(self) -> str:
        """The declared name, without the suffix of a ``parallel`` job."""
        return _SPREAD.sub("", self.name)

    @property
    def is_bridge(self) -> bool:
        """Whether it starts another pipeline."""
        return self.spec.downstream is not None

    @property
    def is_warning(self) -> bool:
        """Whether it did not succeed, but is allowed to fail."""
        return self.allow_failure and not self.retried and self.status in ("failed", "canceled")

    @property
    def is_retryable(self) -> bool:
        """Whether GitLab would retry it."""
        return is_retryable(self.status, self.attempt, self.retried)

    @property
    def is_playable(self) -> bool:
        """Whether GitLab would start it by hand."""
        waits = waits_for_play(self.spec, self.status, self.started_at is not None)
        again = may_play_again(self.spec, self.status, self.attempt, retried=False)
        return not self.retried and (waits or again)

    @property
    def is_erasable(self) -> bool:
        """Whether GitLab would erase it."""
        return is_erasable(
            self.spec,
            self.status,
            started=self.started_at is not None,
            erased=self.erased_at is not None,
            emptied=self.emptied_at is not None,
        )

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Its artifacts: none before it has succeeded or failed, and none once they are gone."""
        left = leaves_artifacts(self.spec, self.status, started=self.started_at is not None)
        kept = self.erased_at is None and self.emptied_at is None
        return self.spec.artifacts if left and kept else ()

    def duration(self, now: Instant) -> float | None:
        """Return the seconds from its start to its end, or to now; None if it has not started."""
        return _seconds(self.started_at, self.finished_at, now)

    def queued_duration(self, now: Instant) -> float | None:
        """Return the seconds that it waited in the queue; None if it was never queued.

        It waits until it starts, or ends without starting, or until now.
        """
        left = self.finished_at if self.started_at is None else self.started_at
        return _seconds(self.queued_at, left, now)

    def trace(self, now: Instant) -> str:
        """Return its log up to now, in proportion to the time that it has run.

        The log of a running job ends with a complete line.
        """
        if self.started_at is None or self.erased_at is not None:
            return ""
        text, length = self.spec.trace, self.spec.duration
        elapsed = max(0, (now if self.finished_at is None else self.finished_at) - self.started_at)
        if self.status in ("success", "failed") or elapsed >= length:
            return text
        written = len(text) * elapsed // length
        return text[: text.rfind("\n", 0, written) + 1]


class StatusState(NamedTuple):
    """A status that was posted, at an instant. ``posted`` is false if the scenario declares it."""

    id: int
    name: str
    status: PostedState
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    retried: bool
    target_url: str | None
    description: str | None
    coverage: float | None
    posted: bool

    @property
    def is_open(self) -> bool:
        """Whether another act can change it."""
        return self.status in OPEN


class PipelineState(NamedTuple):
    """A pipeline at an instant.

    ``duration`` and ``queued_duration`` are whole seconds. ``jobs`` holds all runs by ascending
    id, retried ones too. ``external`` holds the statuses that others have posted, likewise.
    """

    status: PipelineStatus
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    updated_at: Instant
    duration: int | None
    queued_duration: int | None
    coverage: float | None
    has_warnings: bool
    yaml_errors: str | None
    jobs: tuple[JobState, ...]
    external: tuple[StatusState, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing more happens unless a request causes it."""
        return self.status in COMPLETED

    def moved(self, delay: Duration) -> PipelineState:
        """Return the state of an equal pipeline that was created so much later.

        The jobs are left out, since theirs have other numbers.
        """
        return PipelineState(
            self.status,
            self.created_at + delay,
            _moved(self.started_at, delay),
            _moved(self.finished_at, delay),
            self.updated_at + delay,
            self.duration,
            self.queued_duration,
            self.coverage,
            self.has_warnings,
            self.yaml_errors,
            (),
        )


class Window(NamedTuple):
    """A pipeline's status and ``updated_at``, which stay the same before the instant ``until``.

    With ``until`` of None they stay until something is done to the pipeline.
    """

    status: PipelineStatus
    updated_at: Instant
    until: Instant | None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of status. ``job_id`` is None for the pipeline; ``before`` is None at creation."""

    at: Instant
    job_id: int | None
    name: str
    before: JobStatus | None
    after: JobStatus


def state_of(run: Run, now: Instant) -> JobState:
    """Return the state of a run that exists at ``now``."""
    status: JobStatus = "created"
    queued = started = finished = None
    for place, instant in enumerate(run.instants):
        if instant > now:
            break
        status = run.statuses[place]
        if status == "running":
            started, finished = instant if started is None else started, None
        elif status == "pending":
            queued, started, finished = instant, None, None
        elif status in _BEFORE_THE_QUEUE or _has_not_run(run, status, started, instant):
            queued = started = finished = None
        elif status == "canceling":
            finished = None
        elif started is not None or status in FINISHED:
            finished = instant
    spec = run.plan.spec
    erased, emptied = _past(run.erased_at, now), _past(run.emptied_at, now)
    expires = None
    if spec.artifacts_expire_in is not None and erased is None:
        expires = _expiry(run, now)
        emptied = _past(expires, now) if emptied is None else emptied
    return JobState(
        run.id,
        run.slot,
        run.attempt,
        spec.name,
        spec.stage,
        status,
        run.instants[0],
        queued,
        started,
        finished,
        erased,
        emptied,
        expires,
        spec.allow_failure and (status == "failed" or not spec.allowed_exit_codes),
        run.retried_at is not None and run.retried_at <= now,
        (spec.failure_reason or _usual_reason(spec)) if status == "failed" else None,
        spec,
    )


def _past(at: Instant | None, now: Instant) -> Instant | None:
    """Return an instant once it has come."""
    return None if at is None or at > now else at


def _expiry(run: Run, now: Instant) -> Instant | None:
    """Return when the artifacts of a run expire; None before its end, and once they are kept."""
    ended = run.instants[-1] <= now
    return run.expires_at() if ended and _past(run.kept_at, now) is None else None


def _has_not_run(run: Run, status: JobStatus, started: Instant | None, now: Instant) -> bool:
    """Return whether a run shows no times, since on GitLab no job ran that is skipped or manual.

    A bridge keeps its times, for it shows the status of its pipeline. So does a job that was seen
    running.
    """
    if status not in ("skipped", "manual") or run.plan.spec.downstream is not None:
        return False
    return run.plan.mirrors or started == now


def _usual_reason(spec: JobSpec) -> FailureReason:
    """Return the reason of a job that names none; GitLab has none for a failed downstream."""
    return "script_failure" if spec.downstream is None else "unknown_failure"


def busy(jobs: Iterable[JobState]) -> Duration:
    """Return how long at least one of the latest runs was running."""
    periods = sorted(
        (job.started_at, job.finished_at)
        for job in jobs
        if job.started_at is not None and job.finished_at is not None and not job.retried
    )
    total, covered = 0, min(periods, default=(0, 0))[0]
    for begins, ends in periods:
        total += max(0, ends - max(begins, covered))
        covered = max(covered, ends)
    return total


def _moved(instant: Instant | None, delay: Duration) -> Instant | None:
    return None if instant is None else instant + delay


def _seconds(begins: Instant | None, ends: Instant | None, now: Instant) -> float | None:
    if begins is None:
        return None
    return max(0, (now if ends is None else ends) - begins) / 1000
