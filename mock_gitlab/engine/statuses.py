"""GitLab's statuses of pipelines and jobs, and the rules that combine many into one."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PipelineStatus = Literal[
    "created",
    "waiting_for_resource",
    "preparing",
    "waiting_for_callback",
    "pending",
    "running",
    "success",
    "failed",
    "canceling",
    "canceled",
    "skipped",
    "manual",
    "scheduled",
]
JobStatus = PipelineStatus
STATUSES: tuple[PipelineStatus, ...] = get_args(PipelineStatus)

COMPLETED: frozenset[PipelineStatus] = frozenset({"success", "failed", "canceled", "skipped"})
"""Nothing more happens unless a request causes it."""
FINISHED: frozenset[PipelineStatus] = frozenset({"success", "failed", "canceled"})
"""Completed, but not skipped: a pipeline with one of these has a ``finished_at``."""
BLOCKED: frozenset[PipelineStatus] = frozenset({"manual", "scheduled"})
"""Waiting for a person or a delay."""
PREPARATORY: frozenset[PipelineStatus] = frozenset(
    {"waiting_for_resource", "preparing", "waiting_for_callback"}
)
"""Before the wait for a runner."""
EXECUTING: frozenset[PipelineStatus] = frozenset({"running", "canceling"})
"""The token of a job is valid during these."""
CANCELABLE: frozenset[PipelineStatus] = frozenset(STATUSES) - COMPLETED - {"manual", "canceling"}
"""A cancel of the pipeline stops jobs with these."""
STOPPABLE = CANCELABLE | {"manual"}
"""A cancel of the job itself stops it during these."""
RETRYABLE = FINISHED
"""A job can be retried after these."""

# ---------------------------------------------------------------------------- combining

_BIT: dict[str, int] = {status: 1 << place for place, status in enumerate(STATUSES)}
_WARN = 1 << len(STATUSES)
_IGNORED = _WARN << 1

BITS: Mapping[JobStatus, int] = {status: _BIT[status] for status in STATUSES}
"""The bit of each status of a job, for ``status_of_bits``."""
BITS_ALLOWED: Mapping[JobStatus, int] = {
    **BITS,
    "failed": _WARN,
    "canceled": _WARN,
    "manual": _IGNORED,
}
"""The same for a job that is allowed to fail."""
BITS_FAILURE_ALLOWED: Mapping[JobStatus, int] = {**BITS, "failed": _WARN}
"""The same for a job that is allowed to fail with some exit codes only."""


def composite(jobs: Iterable[tuple[JobStatus, bool]], dag: bool = False) -> PipelineStatus | None:
    """Combine the statuses of jobs, each with its ``allow_failure``; None if there are no jobs.

    With ``dag`` the jobs are the needs of another job: a skipped one decides, and the result is
    "pending" until all are complete.
    """
    bits = 0
    for status, allow_failure in jobs:
        bits |= (BITS_ALLOWED if allow_failure else BITS)[status]
    return status_of_bits(bits, dag)


@lru_cache(maxsize=4096)
def status_of_bits(bits: int, dag: bool = False) -> PipelineStatus | None:
    """Combine statuses like ``composite``, given the union of their bits."""
    if not bits:
        return None
    if dag and bits & (_BIT["skipped"] | _IGNORED):
        return "skipped"
    if dag and bits & ~_COMPLETE:
        return "pending"
    for only, status in _ONLY:
        if not bits & ~only:
            return status
    return next((status for some, status in _ANY if bits & some), "failed")


def _bits(*statuses: JobStatus) -> int:
    return sum(BITS[status] for status in statuses)


_LENIENT = _WARN | _IGNORED
_COMPLETE = _bits("success", "failed", "canceled", "skipped") | _WARN
_ONLY: tuple[tuple[int, PipelineStatus], ...] = (
    (_bits("skipped") | _IGNORED, "skipped"),
    (_bits("success", "skipped") | _LENIENT, "success"),
    (_bits("created") | _LENIENT, "created"),
    (_bits("preparing") | _LENIENT, "preparing"),
    (_bits("canceled", "success", "skipped") | _LENIENT, "canceled"),
    (_bits("pending", "created", "skipped") | _LENIENT, "pending"),
)
_ANY: tuple[tuple[int, PipelineStatus], ...] = (
    (_bits("running", "pending"), "running"),
    (_bits("waiting_for_resource"), "waiting_for_resource"),
    (_bits("waiting_for_callback"), "waiting_for_callback"),
    (_bits("manual"), "manual"),
    (_bits("scheduled"), "scheduled"),
    (_bits("preparing"), "preparing"),
    (_bits("created"), "running"),
    (_bits("canceling"), "canceling"),
)

# ---------------------------------------------------------------------------- details


class DetailedStatus(NamedTuple):
    """How GitLab's pages show a status of a pipeline."""

    icon: str
    text: str
    label: str
    group: str


_PASSED_WITH_WARNINGS = DetailedStatus(
    "status_warning", "Warning", "passed with warnings", "success-with-warnings"
)
_DETAILS: Mapping[PipelineStatus, DetailedStatus] = {
    "created": DetailedStatus("status_created", "Created", "created", "created"),
    "waiting_for_resource": DetailedStatus(
        "status_pending", "Waiting", "waiting for resource", "waiting-for-resource"
    ),
    "waiting_for_callback": DetailedStatus(
        "status_pending", "Waiting", "waiting for callback", "waiting-for-callback"
    ),
    "preparing": DetailedStatus("status_preparing", "Preparing", "preparing", "preparing"),
    "pending": DetailedStatus("status_pending", "Pending", "pending", "pending"),
    "running": DetailedStatus("status_running", "Running", "running", "running"),
    "success": DetailedStatus("status_success", "Passed", "passed", "success"),
    "failed": DetailedStatus("status_failed", "Failed", "failed", "failed"),
    "canceling": DetailedStatus("status_canceled", "Canceling", "canceling", "canceling"),
    "canceled": DetailedStatus("status_canceled", "Canceled", "canceled", "canceled"),
    "skipped": DetailedStatus("status_skipped", "Skipped", "skipped", "skipped"),
    "manual": DetailedStatus("status_manual", "Blocked", "waiting for manual action", "manual"),
    "scheduled": DetailedStatus(
        "status_scheduled", "Delayed", "waiting for delayed job", "scheduled"
    ),
}


def detailed(status: PipelineStatus, has_warnings: bool = False) -> DetailedStatus:
    """Return the details of a status; ``has_warnings`` matters only for success."""
    if has_warnings and status == "success":
        return _PASSED_WITH_WARNINGS
    return _DETAILS[status]
