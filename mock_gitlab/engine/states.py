"""What is seen of a pipeline, of its jobs and of what changes with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .course import leaves_artifacts
from .statuses import COMPLETED, FINISHED

if TYPE_CHECKING:
    from .course import Run
    from .failures import FailureReason
    from .model import Artifact, Duration, Instant, JobSpec
    from .statuses import JobStatus, PipelineStatus

_SPREAD = re.compile(r" \d+/\d+\Z")


class JobState(NamedTuple):
    """One run of a job at an instant.

    ``queued_at`` is when it became pending; ``finished_at`` when it came to an end after having
    run, or was canceled; ``emptied_at`` when its artifacts alone were deleted. ``spec`` has the
    fields of its attempt merged in.
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
    allow_failure: bool
    retried: bool
    failure_reason: FailureReason | None
    spec: JobSpec

    @property
    def base_name(self) -> str:
        """The name as declared, without what ``parallel`` has added."""
        return _SPREAD.sub("", self.name)

    @property
    def is_bridge(self) -> bool:
        """Whether it starts a pipeline elsewhere."""
        return self.spec.downstream is not None

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """What it has left; nothing before it has run to its own end, or once it is deleted."""
        left = leaves_artifacts(self.spec, self.status, started=self.started_at is not None)
        kept = self.erased_at is None and self.emptied_at is None
        return self.spec.artifacts if left and kept else ()

    def duration(self, now: Instant) -> float | None:
        """Count the seconds from its start to its end, or to now; None: it never started."""
        return _seconds(self.started_at, self.finished_at, now)

    def queued_duration(self, now: Instant) -> float | None:
        """Count the seconds from being queued to its start or end, or to now; None: never queued.

        A job that ended in the queue has stopped waiting.
        """
        left = self.finished_at if self.started_at is None else self.started_at
        return _seconds(self.queued_at, left, now)

    def trace(self, now: Instant) -> str:
        """Show what its log holds by now: in proportion to the time that it has run.

        A log that is still being written ends with a complete line.
        """
        if self.started_at is None or self.erased_at is not None:
            return ""
        text, length = self.spec.trace, self.spec.duration
        elapsed = max(0, (now if self.finished_at is None else self.finished_at) - self.started_at)
        if self.status in ("success", "failed") or elapsed >= length:
            return text
        written = len(text) * elapsed // length
        return text[: text.rfind("\n", 0, written) + 1]


class PipelineState(NamedTuple):
    """A pipeline at an instant.

    ``duration`` and ``queued_duration`` are whole seconds; ``jobs`` holds all runs there are,
    those that were retried too, by ascending id.
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
    jobs: tuple[JobState, ...]

    @property
    def finished(self) -> bool:
        """Whether nothing more happens unless somebody asks for it."""
        return self.status in COMPLETED

    def moved(self, span: Duration) -> PipelineState:
        """See what a pipeline shows that was created so much later and is alike in all else.

        Without its jobs: they have numbers of their own.
        """
        return PipelineState(
            self.status,
            self.created_at + span,
            _moved(self.started_at, span),
            _moved(self.finished_at, span),
            self.updated_at + span,
            self.duration,
            self.queued_duration,
            self.coverage,
            self.has_warnings,
            (),
        )


class Window(NamedTuple):
    """A pipeline's status and ``updated_at``, which hold until just before ``until``.

    ``until`` of None: for ever, if nothing is done to the pipeline.
    """

    status: PipelineStatus
    updated_at: Instant
    until: Instant | None


@dataclass(frozen=True, slots=True)
class Change:
    """A status that changed, of a job or (``job_id`` of None) of the pipeline.

    ``before`` is None where the job or the pipeline is new.
    """

    at: Instant
    job_id: int | None
    name: str
    before: JobStatus | None
    after: JobStatus


def state_of(run: Run, now: Instant) -> JobState:
    """See a run that exists; the steps up to now say when it was queued, started and ended."""
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
        elif status == "created":
            queued = started = finished = None
        elif started is not None or status in FINISHED:
            finished = instant
    spec = run.plan.spec
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
        run.erased_at if run.erased_at is not None and run.erased_at <= now else None,
        run.emptied_at if run.emptied_at is not None and run.emptied_at <= now else None,
        spec.allow_failure,
        run.retried_at is not None and run.retried_at <= now,
        (spec.failure_reason or "script_failure") if status == "failed" else None,
        spec,
    )


def _moved(instant: Instant | None, span: Duration) -> Instant | None:
    return None if instant is None else instant + span


def _seconds(begins: Instant | None, ends: Instant | None, now: Instant) -> float | None:
    if begins is None:
        return None
    return max(0, (now if ends is None else ends) - begins) / 1000
