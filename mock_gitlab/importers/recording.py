"""A recorded pipeline: what GitLab's API told about it, with times from its creation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast, get_args

from mock_gitlab.engine.failures import FailureReason
from mock_gitlab.engine.instants import from_datetime
from mock_gitlab.engine.sources import CHILD_SOURCE
from mock_gitlab.engine.statuses import COMPLETED, STATUSES, JobStatus

from .places import CannotImport, Place, short

if TYPE_CHECKING:
    from collections.abc import Mapping

_REASONS: frozenset[str] = frozenset(get_args(FailureReason))


@dataclass(frozen=True, slots=True)
class Pages:
    """What the API answered about one pipeline. ``at`` is where that lies, for messages.

    What could not be read is empty. ``downstream`` has the pipelines that it started, by number.
    """

    at: str
    pipeline: Any
    jobs: Any = ()
    bridges: Any = ()
    variables: Any = ()
    report: Any = None
    traces: Mapping[int, str] = field(default_factory=dict)
    downstream: Mapping[int, Pages] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run of a job. Instants are milliseconds from the creation of the pipeline."""

    id: int
    name: str
    stage: str
    status: JobStatus
    created: int
    queued: int | None
    started: int | None
    finished: int | None
    allow_failure: bool
    failure_reason: str | None
    coverage: float | None
    tags: tuple[str, ...]
    trace: str
    # number, project (None: a child pipeline) and status of the pipeline that a bridge has started
    downstream: tuple[int, int | None, str] | None = None
    bridge: bool = False

    @property
    def end(self) -> int | None:
        """When it ended; one without times ended no later than it was created, as far as known."""
        if self.status not in COMPLETED:
            return None
        return self.created if self.finished is None else self.finished


@dataclass(frozen=True, slots=True)
class Recording:
    """A pipeline with all runs of its jobs, by number. ``finished`` counts from its creation."""

    at: str
    id: int
    project: str
    ref: str
    status: JobStatus
    started: int | None
    finished: int | None
    coverage: float | None
    yaml_errors: str | None
    runs: tuple[RecordedRun, ...]
    variables: tuple[tuple[str, str], ...]
    suites: tuple[Mapping[str, Any], ...]
    downstream: Mapping[int, Recording]

    def moments(self) -> list[int]:
        """List the instants at which something is known to have happened, in order."""
        found = {0, self.started, self.finished}
        for run in self.runs:
            found |= {run.created, run.queued, run.started, run.finished}
        return sorted(at for at in found if at is not None)


def read_recording(pages: Pages) -> Recording:
    """Check what the API answered.

    Raises:
        CannotImport: it is not what GitLab answers.
    """
    reader = _Reader(f"{pages.at}/pipeline.json")
    pipeline = reader.mapping(pages.pipeline, "the pipeline")
    created = reader.instant(pipeline, "created_at")
    if created is None:
        raise reader.wrong("created_at", "is missing")
    jobs = _Reader(f"{pages.at}/jobs.json").runs(pages.jobs, created, pages.traces)
    bridges = _Reader(f"{pages.at}/bridges.json").runs(pages.bridges, created, {}, bridge=True)
    return Recording(
        at=pages.at,
        id=reader.number(pipeline, "id"),
        project=str(reader.number(pipeline, "project_id")),
        ref=reader.text(pipeline, "ref"),
        status=reader.status(pipeline),
        started=_since(created, reader.instant(pipeline, "started_at")),
        finished=_since(created, reader.instant(pipeline, "finished_at")),
        coverage=reader.decimal(pipeline, "coverage"),
        yaml_errors=reader.optional_text(pipeline, "yaml_errors"),
        runs=tuple(sorted((*jobs, *bridges), key=lambda run: run.id)),
        variables=_Reader(f"{pages.at}/variables.json").variables(pages.variables),
        suites=_Reader(f"{pages.at}/test_report.json").suites(pages.report),
        downstream={number: read_recording(each) for number, each in pages.downstream.items()},
    )


def _since(created: int, instant: int | None) -> int | None:
    return None if instant is None else max(0, instant - created)


class _Reader:
    """Reads the values of one file, and names it in errors."""

    def __init__(self, file: str) -> None:
        self._place = Place(file)

    def wrong(self, key: str, what: str) -> CannotImport:
        return CannotImport(self._place, f"{key} {what}")

    def mapping(self, value: Any, what: str) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        raise self.wrong(what, f"must be an object, not {short(repr(value))}")

    def items(self, value: Any, what: str) -> list[Mapping[str, Any]]:
        if not isinstance(value, list | tuple):
            raise self.wrong(what, f"must be a list, not {short(repr(value))}")
        return [dict(self.mapping(each, f"each of {what}")) for each in value]

    def text(self, item: Mapping[str, Any], key: str) -> str:
        value = item.get(key)
        if isinstance(value, str) and value:
            return value
        raise self.wrong(key, f"must be text, not {short(repr(value))}")

    def optional_text(self, item: Mapping[str, Any], key: str) -> str | None:
        return self.text(item, key) if item.get(key) else None

    def number(self, item: Mapping[str, Any], key: str) -> int:
        value = item.get(key)
        if type(value) is int and value > 0:
            return value
        raise self.wrong(key, f"must be a whole number above 0, not {short(repr(value))}")

    def decimal(self, item: Mapping[str, Any], key: str) -> float | None:
        value = item.get(key)
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise self.wrong(key, f"must be a number, not {short(repr(value))}") from None
        if 0 <= number < 1e9:
            return number
        raise self.wrong(key, f"must be a number from 0 to 1e9, not {short(repr(value))}")

    def instant(self, item: Mapping[str, Any], key: str) -> int | None:
        value = item.get(key)
        if value is None:
            return None
        try:
            return from_datetime(datetime.fromisoformat(value))
        except (TypeError, ValueError):
            what = f"must be a time such as 2026-01-01T00:00:00.000Z, not {short(repr(value))}"
            raise self.wrong(key, what) from None

    def status(self, item: Mapping[str, Any]) -> JobStatus:
        value = item.get("status")
        if value in STATUSES:
            return cast("JobStatus", value)
        raise self.wrong("status", f"is none of GitLab's: {short(repr(value))}")

    def runs(
        self, listed: Any, created: int, traces: Mapping[int, str], *, bridge: bool = False
    ) -> list[RecordedRun]:
        found = self.items(listed, "the list of jobs")
        return [self._run(each, created, traces, bridge=bridge) for each in found]

    def _run(
        self, job: Mapping[str, Any], created: int, traces: Mapping[int, str], *, bridge: bool
    ) -> RecordedRun:
        number = self.number(job, "id")
        started = _since(created, self.instant(job, "started_at"))
        finished = _since(created, self.instant(job, "finished_at"))
        reason = self.optional_text(job, "failure_reason")
        tags = job.get("tag_list") or ()
        return RecordedRun(
            id=number,
            name=self.text(job, "name"),
            stage=self.text(job, "stage"),
            status=self.status(job),
            created=_since(created, self.instant(job, "created_at")) or 0,
            queued=self._queued(job, started, finished),
            started=started,
            finished=finished,
            allow_failure=job.get("allow_failure") is True,
            failure_reason=reason if reason in _REASONS else None,
            coverage=self.decimal(job, "coverage"),
            tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
            trace=traces.get(number, ""),
            downstream=self._downstream(job) if bridge else None,
            bridge=bridge,
        )

    def _queued(
        self, job: Mapping[str, Any], started: int | None, finished: int | None
    ) -> int | None:
        """Return when a run was queued: its wait lasted until it started, or ended without."""
        left = finished if started is None else started
        waited = self.decimal(job, "queued_duration")
        if left is None:
            return None
        if waited is None:
            return started
        return max(0, left - round(waited * 1000))

    def _downstream(self, bridge: Mapping[str, Any]) -> tuple[int, int | None, str] | None:
        found = bridge.get("downstream_pipeline")
        if found is None:
            return None
        pipeline = self.mapping(found, "downstream_pipeline")
        number, project = self.number(pipeline, "id"), self.number(pipeline, "project_id")
        child = pipeline.get("source") == CHILD_SOURCE
        return number, None if child else project, self.status(pipeline)

    def variables(self, listed: Any) -> tuple[tuple[str, str], ...]:
        found = self.items(listed, "the list of variables")
        return tuple((self.text(each, "key"), str(each.get("value") or "")) for each in found)

    def suites(self, report: Any) -> tuple[Mapping[str, Any], ...]:
        if report is None:
            return ()
        listed = self.mapping(report, "the report").get("test_suites") or ()
        suites = self.items(listed, "test_suites")
        for suite in suites:
            self.text(suite, "name")
            for case in self.items(suite.get("test_cases") or (), "test_cases"):
                self.text(case, "name")
        return tuple(suites)
