"""Timeline: what is seen at a moment; when it changes next."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.model import ATTEMPTS_LIMIT, NotFound, Refused, Scenario, job_id
from mock_gitlab.engine.schedule import Course, Run, attempt_of, mirror_end, mirror_spec, simulate
from mock_gitlab.engine.statuses import CANCELABLE, COMPLETED, FINISHED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mock_gitlab.engine.model import (
        Action,
        Artifact,
        Downstream,
        JobSpec,
        Moment,
        PipelineRecord,
        TestSuite,
    )
    from mock_gitlab.engine.statuses import JobStatus, PipelineStatus

ORPHANED = Scenario(scenario_id=-1, name="deleted")
"""What a pipeline follows whose scenario is gone: its inline values, else success at once."""

_FAILURE_REASON = "script_failure"


@dataclass(frozen=True, slots=True)
class JobState:
    """A run of a job as it is at a moment."""

    id: int
    slot: int
    attempt: int
    name: str
    stage: str
    status: JobStatus
    created_at: Moment
    queued_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None
    erased_at: Moment | None
    allow_failure: bool
    retried: bool
    failure_reason: str | None
    spec: JobSpec

    @property
    def is_bridge(self) -> bool:
        """Whether it starts a pipeline elsewhere instead of running itself."""
        return self.spec.downstream is not None

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The files that it has left: none before its end, after an erase, or if it never ran."""
        ran = self.status in ("success", "failed") and self.started_at is not None
        return self.spec.artifacts if ran and self.erased_at is None else ()

    def duration(self, now: Moment) -> float | None:
        """Seconds from the start to the end, or to ``now``; None if it never started."""
        return _seconds(self.started_at, self.finished_at, now)

    def queued_duration(self, now: Moment) -> float | None:
        """Seconds from the queue to the start, or to ``now``; None if it was never queued."""
        end = self.started_at if self.started_at is not None else self.finished_at
        return _seconds(self.queued_at, end, now)

    def trace(self, now: Moment) -> str:
        """What it has logged: all at its end, before that as many whole lines as time allows."""
        text = self.spec.trace
        if self.erased_at is not None or self.started_at is None:
            return ""
        if self.status in ("success", "failed") or not self.spec.duration:
            return text
        until = now if self.finished_at is None else self.finished_at
        share = max(0, until - self.started_at) / self.spec.duration
        written = text[: int(len(text) * min(1.0, share))]
        return written[: written.rfind("\n") + 1]


@dataclass(frozen=True, slots=True)
class PipelineState:
    """A pipeline as it is at a moment; ``duration`` and ``queued_duration`` in whole seconds."""

    status: PipelineStatus
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    updated_at: Moment
    duration: int | None
    queued_duration: int | None
    coverage: float | None
    has_warnings: bool
    jobs: tuple[JobState, ...]

    @property
    def finished(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.status in COMPLETED


class Window(NamedTuple):
    """A pipeline's status, since when, and the moment before which it holds (None: for good)."""

    status: PipelineStatus
    updated_at: Moment
    until: Moment | None


class Change(NamedTuple):
    """A change of a job's status, or of the pipeline's where ``job_id`` is None."""

    at: Moment
    job_id: int | None
    name: str
    before: JobStatus | None
    after: JobStatus


class Timeline:
    """A pipeline over time.

    ``downstreams`` are the timelines of the pipelines that its bridges have started, by the
    numbers of the bridges. An action takes effect at its own moment, so a clock that is set back
    shows what was then; a time before the pipeline's creation shows its first moment.
    """

    def __init__(
        self,
        record: PipelineRecord,
        scenario: Scenario,
        downstreams: Mapping[int, Timeline] | None = None,
    ) -> None:
        self.record = record
        self.scenario = scenario
        if not scenario.jobs and not record.actions:
            self._course = _undisturbed(record, scenario)
        else:
            followed = {number: line.follow for number, line in (downstreams or {}).items()}
            self._course = simulate(record, scenario, followed)
        self._moments = [moment for moment, _ in self._course.statuses]

    # ------------------------------------------------------------------ at a moment

    def at(self, now: Moment) -> PipelineState:
        """See the pipeline at a moment."""
        now = self._clamp(now)
        status, updated_at, _ = self._window(now)
        jobs = tuple(self._visible(now))
        latest = [job for job in jobs if not job.retried] if len(jobs) > 1 else jobs
        started = [job.started_at for job in jobs if job.started_at is not None]
        started_at = min(started, default=None)
        finished = status in FINISHED
        return PipelineState(
            status=status,
            created_at=self.record.created_at,
            started_at=started_at,
            finished_at=self._began(now) if finished else None,
            updated_at=updated_at,
            duration=_union(latest) if finished else None,
            queued_duration=None
            if started_at is None
            else (started_at - self.record.created_at) // 1000 or None,
            coverage=self._coverage(latest, finished),
            has_warnings=status == "success"
            and any(job.allow_failure and job.status in ("failed", "canceled") for job in latest),
            jobs=jobs,
        )

    def window(self, now: Moment) -> Window:
        """See the pipeline's status alone, and how long it holds without a new action."""
        return self._window(self._clamp(now))

    def follow(self, now: Moment) -> tuple[PipelineStatus, Moment | None]:
        """Tell a bridge upstream how things stand, and when they change."""
        window = self.window(now)
        return window.status, window.until

    def job(self, number: int, now: Moment) -> JobState | None:
        """See one run at a moment; None where there is none of that number yet."""
        now = self._clamp(now)
        for run in self._course.runs:
            if run.created_at <= now and self._number(run) == number:
                return self._state(run, now)
        return None

    def test_suites(self, now: Moment) -> tuple[TestSuite, ...]:
        """List the suites whose jobs have ended; one that no job is named after ends with the pipeline."""
        if not self.scenario.test_suites:
            return ()
        state = self.at(now)
        jobs = {job.name: job for job in state.jobs if not job.retried}
        return tuple(
            suite
            for suite in self.scenario.test_suites
            if (
                jobs[suite.name].status in ("success", "failed")
                if suite.name in jobs
                else state.finished
            )
        )

    def counts_polls(self, now: Moment) -> bool:
        """Tell whether a look at this moment brings the end nearer."""
        if self.scenario.jobs:
            return False
        run = self._course.runs[-1]
        polls = attempt_of(self.scenario, self.record, run.attempt).terminal_after_polls
        if polls is None or self.record.polls >= polls:
            return False
        return self._status_of(run, self._clamp(now)) in ("pending", "running")

    # ------------------------------------------------------------------ over time

    def next_change(self, after: Moment) -> Moment | None:
        """Name the first moment after ``after`` at which something visible differs."""
        seen = self._snapshot(after)
        return next((at for at in self._turns(after) if self._snapshot(at) != seen), None)

    def changes(self, after: Moment, until: Moment | None) -> list[Change]:
        """List what changes after ``after``, up to and with ``until`` (None: ever)."""
        found: list[Change] = []
        seen = self._snapshot(after)
        for at in self._turns(after):
            if until is not None and at > until:
                break
            now = self._snapshot(at)
            found += self._differences(at, seen, now)
            seen = now
        return found

    def starting_bridges(self, until: Moment) -> list[tuple[int, Moment, Downstream]]:
        """List the bridges that have begun by a moment: number, beginning, what they start."""
        return [
            (self._number(run), run.bridged_at, run.spec.downstream)
            for run in self._course.runs
            if run.bridged_at is not None
            and run.spec.downstream is not None
            and run.bridged_at <= until
        ]

    # ------------------------------------------------------------------ what may be done

    def permits(self, action: Action) -> None:
        """Refuse what GitLab would refuse at the action's moment.

        Raises:
            NotFound: there is no such job.
            Refused: it cannot be retried, played or erased as it is.
        """
        if action.job_id is None:
            return
        job = self.job(action.job_id, action.at)
        if job is None:
            raise NotFound("job")
        if action.name == "retry" and (
            job.retried or job.status not in FINISHED or job.attempt >= ATTEMPTS_LIMIT
        ):
            raise Refused("Job is not retryable")
        if action.name == "play" and (job.retried or job.status not in ("manual", "scheduled")):
            raise Refused("Unplayable Job")
        if action.name == "erase" and not (
            job.status in COMPLETED
            and job.erased_at is None
            and (job.trace(action.at) or job.artifacts)
        ):
            raise Refused("Job is not erasable!")

    def affects(self, action: Action) -> bool:
        """Tell whether a permitted action would change anything."""
        if action.job_id is not None:
            job = self.job(action.job_id, action.at)
            return action.name != "cancel" or (job is not None and job.status in CANCELABLE)
        state = self.at(action.at)
        if action.name == "cancel":
            return state.status in CANCELABLE
        return any(
            job.status in ("failed", "canceled")
            and not job.retried
            and job.attempt < ATTEMPTS_LIMIT
            for job in state.jobs
        )

    # ------------------------------------------------------------------ private

    def _clamp(self, now: Moment) -> Moment:
        """See nothing before the creation, nor before the look that ended it."""
        now = max(now, self.record.created_at)
        if self.record.polled_at is not None and self._ended_by_polls():
            now = max(now, self.record.polled_at)
        return now

    def _ended_by_polls(self) -> bool:
        attempt = attempt_of(self.scenario, self.record, self._course.runs[-1].attempt)
        polls = attempt.terminal_after_polls
        return polls is not None and self.record.polls >= polls

    def _window(self, now: Moment) -> Window:
        index = bisect_right(self._moments, now) - 1
        updated_at, status = self._course.statuses[index]
        until = self._moments[index + 1] if index + 1 < len(self._moments) else None
        renamed = self.record.renamed_at
        if renamed is not None:
            if renamed > now:
                until = renamed if until is None else min(until, renamed)
            else:
                updated_at = max(updated_at, renamed)
        return Window(status, updated_at, until)

    def _began(self, now: Moment) -> Moment:
        return self._moments[bisect_right(self._moments, now) - 1]

    def _number(self, run: Run) -> int:
        return job_id(self.record.id, run.slot, run.attempt)

    def _visible(self, now: Moment) -> Iterator[JobState]:
        runs = [run for run in self._course.runs if run.created_at <= now]
        for run in sorted(runs, key=self._number) if len(runs) > 1 else runs:
            yield self._state(run, now)

    @staticmethod
    def _status_of(run: Run, now: Moment) -> JobStatus:
        return next(status for moment, status in reversed(run.history) if moment <= now)

    def _state(self, run: Run, now: Moment) -> JobState:
        queued = started = finished = None
        status: JobStatus = "created"
        for moment, became in run.history:
            if moment > now:
                break
            status, finished = became, None
            if became == "pending":
                queued = moment
            elif became == "running":
                started, queued = moment, moment if queued is None else queued
            elif became in FINISHED:
                finished = moment
        failed = status == "failed"
        return JobState(
            id=self._number(run),
            slot=run.slot,
            attempt=run.attempt,
            name=run.spec.name,
            stage=run.spec.stage,
            status=status,
            created_at=run.created_at,
            queued_at=queued,
            started_at=started,
            finished_at=finished,
            erased_at=run.erased_at if run.erased_at is not None and run.erased_at <= now else None,
            allow_failure=run.spec.allow_failure,
            retried=run.retried_at is not None and run.retried_at <= now,
            failure_reason=(run.spec.failure_reason or _FAILURE_REASON) if failed else None,
            spec=run.spec,
        )

    def _coverage(
        self, latest: list[JobState] | tuple[JobState, ...], finished: bool
    ) -> float | None:
        if self.scenario.coverage is not None:
            return self.scenario.coverage if finished else None
        found = [
            job.spec.coverage
            for job in latest
            if job.spec.coverage is not None and job.finished_at is not None
        ]
        return sum(found) / len(found) if found else None

    def _turns(self, after: Moment) -> list[Moment]:
        """List the moments after ``after`` at which anything may differ."""
        moments = set(self._moments)
        for run in self._course.runs:
            moments.update(moment for moment, _ in run.history)
            if run.retried_at is not None:
                moments.add(run.retried_at)
        return sorted(moment for moment in moments if moment > after)

    def _snapshot(self, now: Moment) -> dict[int | None, tuple[JobStatus, bool]]:
        now = self._clamp(now)
        seen: dict[int | None, tuple[JobStatus, bool]] = {
            self._number(run): (
                self._status_of(run, now),
                run.retried_at is not None and run.retried_at <= now,
            )
            for run in self._course.runs
            if run.created_at <= now
        }
        seen[None] = (self._window(now).status, False)
        return seen

    def _differences(
        self,
        at: Moment,
        before: dict[int | None, tuple[JobStatus, bool]],
        after: dict[int | None, tuple[JobStatus, bool]],
    ) -> list[Change]:
        names: dict[int | None, str] = {self._number(r): r.spec.name for r in self._course.runs}
        names[None] = "pipeline"
        return [
            Change(at, number, names[number], before.get(number, (None,))[0], status)
            for number, (status, _) in after.items()
            if before.get(number, (None,))[0] != status
        ]


def _undisturbed(record: PipelineRecord, scenario: Scenario) -> Course:
    """Make the course of one job to which nothing was done: the simulation's, without its cost."""
    begins = record.created_at
    attempt = attempt_of(scenario, record, 0)
    ends = mirror_end(attempt, record, begins)
    runs_from = begins + (attempt.pending or 0)
    status = attempt.terminal_status or "success"
    run = Run(1, 0, mirror_spec(attempt), begins, ends_at=ends)
    run.history.append((begins, "pending" if runs_from > begins else "running"))
    if runs_from > begins and (ends is None or runs_from < ends):
        run.history.append((runs_from, "running"))
    if ends is not None:
        run.history.append((ends, status))
    statuses = [
        entry for entry, later in pairwise([*run.history, (-1, status)]) if later[0] != entry[0]
    ]
    return Course([run], statuses)


def _seconds(start: Moment | None, end: Moment | None, now: Moment) -> float | None:
    if start is None:
        return None
    return max(0, (now if end is None else end) - start) / 1000


def _union(jobs: list[JobState] | tuple[JobState, ...]) -> int:
    """Add up the time during which any of the jobs ran, in whole seconds."""
    spans = sorted(
        (job.started_at, job.finished_at)
        for job in jobs
        if job.started_at is not None and job.finished_at is not None
    )
    total, reached = 0, 0
    for start, end in spans:
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total // 1000
