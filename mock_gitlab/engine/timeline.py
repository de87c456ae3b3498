"""What a pipeline shows at any instant, and when that changes next."""

from __future__ import annotations

from bisect import bisect_right
from types import MappingProxyType
from typing import TYPE_CHECKING

from .actions import course_of
from .course import visible
from .external import EXTERNAL, NO_ROWS, combined, rows_of
from .model import NEVER, NotAllowed, NotFound, Scenario
from .schedule import deleted_downstreams, free
from .states import Change, JobState, PipelineState, StatusState, Window, busy, state_of
from .statuses import CANCELABLE, COMPLETED, FINISHED, STOPPABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .external import StatusAct
    from .model import Action, Downstream, Instant, PipelineRecord, TestSuite
    from .schedule import History, Obstacle
    from .statuses import JobStatus, PipelineStatus

__all__ = ["ORPHANED", "Change", "JobState", "PipelineState", "Timeline", "Window"]

ORPHANED = Scenario(scenario_id=-1, name="deleted")
"""Replaces a deleted scenario: success at once, unless the trigger gave other values."""

_NOTHING_STARTED: Mapping[int, Timeline | None] = MappingProxyType({})


class Timeline:
    """A pipeline at any instant, as a function of what is declared and what is recorded.

    Reading it changes nothing. Before its creation a pipeline shows its first state. An action
    takes effect at its own instant, so a clock that is set back shows the past. An end caused by
    reads (``terminal_after_polls``) remains whatever the clock shows.

    The values that the trigger gave override those of the scenario and of its attempts, field by
    field. With jobs, ``terminal_after`` and ``terminal_after_polls`` are limits that end whatever
    is still running. The time limit counts from the creation or the last retry.

    ``downstreams`` holds the pipelines that bridges have started, by the bridge's number. It holds
    None for one whose bridge does not wait for it. A bridge that has not started a pipeline fails
    if ``obstacle`` returns a reason.

    ``posted`` are the statuses that were posted for the pipeline. ``_course`` is what its jobs do,
    and ``_begins`` and ``_statuses`` are its own statuses, with what was posted.
    """

    __slots__ = (
        "__weakref__",
        "_begins",
        "_course",
        "_first",
        "_instants",
        "_rows",
        "_since",
        "_state",
        "_statuses",
        "_until",
        "record",
        "scenario",
    )

    def __init__(
        self,
        record: PipelineRecord,
        scenario: Scenario,
        downstreams: Mapping[int, Timeline | None] = _NOTHING_STARTED,
        obstacle: Obstacle = free,
        posted: Sequence[StatusAct] = (),
    ) -> None:
        self.record = record
        self.scenario = scenario
        histories: dict[int, History] = {**deleted_downstreams(record)}
        for number, other in downstreams.items():
            histories[number] = () if other is None else other.history
        rows, ended_by = NO_ROWS
        if posted or scenario.external_statuses:
            rows, ended_by = rows_of(record, scenario.external_statuses, posted)
        self._rows = rows
        course = self._course = course_of(record, scenario, histories, obstacle, ended_by)
        self._begins, self._statuses = course.instants, course.statuses
        if rows:
            self._begins, self._statuses = combined(course, rows, alone=scenario is EXTERNAL)
        self._first = max(record.created_at, self._course.floor)
        self._instants: list[Instant] | None = None
        self._state: PipelineState | None = None
        self._since: Instant = 0
        self._until: Instant | None = None

    @property
    def history(self) -> list[tuple[Instant, PipelineStatus]]:
        """The statuses of the pipeline, each with the instant at which it begins, in order."""
        instants, statuses = visible(self._begins, self._statuses)
        return list(zip(instants, statuses, strict=True))

    # ------------------------------------------------------------------ at an instant

    def at(self, now: Instant) -> PipelineState:
        """Return the state at ``now``: the same object until something changes."""
        now = max(now, self._first)
        if self._state is not None and self._since <= now:
            if self._until is None:
                self._until = self._holds_before(self._since)
            if now < self._until:
                return self._state
        self._since, self._until, self._state = now, None, self._look(now)
        return self._state

    def _look(self, now: Instant) -> PipelineState:
        place = bisect_right(self._begins, now) - 1
        status, since = self._statuses[place], self._begins[place]
        jobs = tuple([state_of(run, now) for run in self._course.runs if run.instants[0] <= now])
        created, started = self.record.created_at, self._started_at(jobs, now)
        external = self._external(now) if self._rows else ()
        finished = since if status in FINISHED else None
        return PipelineState(
            status,
            created,
            started,
            finished,
            self._updated_at(since, now),
            None if started is None or finished is None else busy(jobs) // 1000,
            None if started is None else (started - created) // 1000 or None,
            self._coverage(status, jobs, external),
            status == "success" and any(job.is_warning for job in jobs),
            self.scenario.yaml_errors,
            jobs,
            external,
        )

    def _external(self, now: Instant) -> tuple[StatusState, ...]:
        found = [row.at(now) for row in self._rows]
        return tuple(sorted(state for state in found if state is not None))

    def _holds_before(self, now: Instant) -> Instant:
        """Return the first instant after ``now`` at which the state may change."""
        renamed = self.record.renamed_at
        later = [] if renamed is None or renamed <= now else [renamed]
        for run in self._course.runs:
            later += run.changes_after(now)
        for row in self._rows:
            later += [at for at in row.instants() if at > now]
        return min(later, default=NEVER)

    def job(self, job_id: int, now: Instant) -> JobState | None:
        """Return one run; None if it does not exist, or not yet."""
        now = max(now, self._first)
        for run in self._course.runs:
            if run.id == job_id and run.instants[0] <= now:
                return state_of(run, now)
        return None

    def window(self, now: Instant) -> Window:
        """Return the status and how long it stays the same. This is much cheaper than ``at``.

        At ``until`` perhaps only ``updated_at`` changes.
        """
        begins, now = self._begins, max(now, self._first)
        place = bisect_right(begins, now) - 1
        status = self._statuses[place]
        until = begins[place + 1] if place + 1 < len(begins) else None
        renamed = self.record.renamed_at
        if renamed is not None and renamed > now and (until is None or renamed < until):
            until = renamed
        return Window(status, self._updated_at(begins[place], now), until)

    def test_suites(self, now: Instant) -> tuple[TestSuite, ...]:
        """List the suites whose job has succeeded or failed, or whose pipeline has ended."""
        if not self.scenario.test_suites:
            return ()
        state = self.at(now)
        return tuple(suite for suite in self.scenario.test_suites if _reported(suite, state))

    def counts_polls(self, now: Instant) -> bool:
        """Return whether a read at ``now`` counts for ``terminal_after_polls``."""
        scenario, course = self.scenario, self._course
        if scenario.terminal_after_polls is None and not scenario.attempts:
            return False
        at = max(now, self._first)
        # What was posted does not matter here: reads end jobs, and nothing else.
        status = course.statuses[bisect_right(course.instants, at) - 1]
        if scenario.jobs:
            wanted = scenario.terminal_after_polls is not None and not scenario.never_complete
            return wanted and status not in COMPLETED
        latest = [run for run in course.runs if run.instants[0] <= at][-1]
        if latest.plan.polls is None:
            return False
        return status in CANCELABLE

    # ------------------------------------------------------------------ through time

    def next_change(self, after: Instant) -> Instant | None:
        """Return the first instant after ``after`` at which a status changes or a run is added."""
        if self._instants is None:
            self._instants = sorted({change.at for change in self._all_changes()})
        place = bisect_right(self._instants, max(after, self._first))
        return self._instants[place] if place < len(self._instants) else None

    def changes(self, after: Instant, until: Instant | None) -> list[Change]:
        """List the changes after ``after``, up to and at ``until`` (None: all), in order.

        At one instant the runs come first, by id, and the pipeline last.
        """
        found = [
            change
            for change in self._all_changes()
            if change.at > after and (until is None or change.at <= until)
        ]
        found.sort(key=lambda change: change.at)
        return found

    def starting_bridges(self, until: Instant) -> list[tuple[int, Instant, Downstream]]:
        """List the bridges that start up to ``until``, each with its instant, in order."""
        found = [
            (run.id, run.instants[run.statuses.index("running")], run.plan.spec.downstream)
            for run in self._course.runs
            if run.plan.spec.downstream is not None and "running" in run.statuses
        ]
        found = [bridge for bridge in found if bridge[1] <= until]
        return sorted(found, key=lambda bridge: bridge[:2][::-1])

    # ------------------------------------------------------------------ actions

    def permits(self, action: Action) -> None:
        """Raise an error if GitLab would not allow an action at its instant.

        A cancel, a retry and a deletion of artifacts of the whole pipeline are always allowed.

        Raises:
            NotFound: the job does not exist at that instant.
            NotAllowed: "Job is not retryable", "Unplayable Job" or "Job is not erasable!".
        """
        if action.job_id is None and action.name in ("cancel", "retry", "delete_artifacts"):
            return
        job = None if action.job_id is None else self.job(action.job_id, action.at)
        if job is None:
            raise NotFound("job")
        if action.name == "retry" and not job.is_retryable:
            raise NotAllowed("Job is not retryable")
        if action.name == "play" and not job.is_playable:
            raise NotAllowed("Unplayable Job")
        if action.name == "erase" and not job.is_erasable:
            raise NotAllowed("Job is not erasable!")

    def affects(self, action: Action) -> bool:
        """Return whether an action changes anything.

        A cancel changes nothing after the end, a retry nothing without a job that failed or was
        canceled, a deletion of artifacts nothing without artifacts, and keeping them nothing if
        they do not expire.
        """
        if action.name == "delete_artifacts":
            jobs = self.at(action.at).jobs
            return any(job.artifacts for job in jobs if action.job_id in (None, job.id))
        if action.job_id is not None:
            job = self.job(action.job_id, action.at)
            if action.name == "keep_artifacts":
                return job is not None and bool(job.artifacts) and job.expires_at is not None
            if action.name not in ("cancel", "force_cancel"):
                return True
            stops = STOPPABLE | ({"canceling"} if action.name == "force_cancel" else set())
            return job is not None and not job.retried and job.status in stops
        state = self.at(action.at)
        if action.name == "retry":
            return any(job.is_retryable and job.status != "success" for job in state.jobs)
        return not state.finished and state.status != "canceling"

    # ------------------------------------------------------------------ private

    def _started_at(self, jobs: Iterable[JobState], now: Instant) -> Instant | None:
        """Return when the pipeline started; None if it did not."""
        starts = [job.started_at for job in jobs if job.started_at is not None]
        if self._rows:
            seen = zip(self._begins, self._statuses, strict=True)
            starts += [at for at, status in seen if status == "running" and at <= now][:1]
            return min(starts, default=None)
        if starts and self.scenario.jobs:
            return self._course.started_at  # that job may wait once more, and show no start
        return min(starts, default=None)

    def _updated_at(self, since: Instant, now: Instant) -> Instant:
        renamed = self.record.renamed_at
        return since if renamed is None or renamed > now else max(since, renamed)

    def _coverage(
        self, status: PipelineStatus, jobs: Iterable[JobState], external: Iterable[StatusState]
    ) -> float | None:
        if self.scenario.coverage is not None:
            return self.scenario.coverage if status in COMPLETED else None
        found = [
            job.spec.coverage
            for job in jobs
            if job.spec.coverage is not None and job.finished_at is not None and not job.retried
        ]
        found += [
            each.coverage for each in external if each.coverage is not None and not each.retried
        ]
        return sum(found) / len(found) if found else None

    def _all_changes(self) -> Iterable[Change]:
        course = self._course
        for run in course.runs:
            yield from _changes_of(run.id, run.plan.spec.name, run.instants, run.statuses)
        for row in self._rows:
            instants, statuses = [s.at for s in row.steps], [s.status for s in row.steps]
            yield from _changes_of(row.id, row.name, instants, statuses)
        yield from _changes_of(None, "pipeline", self._begins, self._statuses)


def _changes_of(
    job_id: int | None, name: str, instants: Sequence[Instant], statuses: Sequence[JobStatus]
) -> Iterable[Change]:
    before: JobStatus | None = None
    for at, after in zip(*visible(instants, statuses), strict=True):
        yield Change(at, job_id, name, before, after)
        before = after


def _reported(suite: TestSuite, state: PipelineState) -> bool:
    jobs = [
        job for job in state.jobs if suite.name in (job.name, job.base_name) and not job.retried
    ]
    if not jobs:
        return state.finished
    return all(job.started_at is not None and job.status in ("success", "failed") for job in jobs)
