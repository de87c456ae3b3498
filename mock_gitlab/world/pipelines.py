"""Pipelines: the pipelines of one world, recorded in the store and seen through their timelines.

The store also keeps the status that was last computed, with the moment until which it holds, so
that lists can filter by it. It is a copy, refreshed before a list is read; what a pipeline shows
is always the timeline's word.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.model import Instant, NotFound, PipelineRecord, Scenario
from mock_gitlab.engine.timeline import ORPHANED, PipelineState, Timeline, Window
from mock_gitlab.store.database import StoreUnavailable
from mock_gitlab.store.pipelines import UNTIL, Cohort, PipelineTable
from mock_gitlab.store.scenarios import ScenarioTable, span
from mock_gitlab.world.bridges import Bridges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_gitlab.engine.model import Action, Duration, Project, TerminalStatus
    from mock_gitlab.engine.statuses import PipelineStatus
    from mock_gitlab.store.database import Database, Row
    from mock_gitlab.store.status_index import Filter, PipelineRow
    from mock_gitlab.world.catalog import Catalog
    from mock_gitlab.world.clock import Clock

_TIMELINES_KEPT = 512
_COURSES_KEPT = 64


class PipelineView(NamedTuple):
    """A pipeline at a moment: what was recorded of it and what is seen of it."""

    project: Project
    record: PipelineRecord
    timeline: Timeline
    state: PipelineState
    now: Instant


class CreatedPipeline(NamedTuple):
    """A pipeline that has just been recorded, as it is seen at first; its jobs may be left out."""

    project: Project
    record: PipelineRecord
    state: PipelineState


class Pipelines:
    """The pipelines of one world."""

    def __init__(
        self, database: Database, scenarios: ScenarioTable, catalog: Catalog, clock: Clock
    ) -> None:
        self._db = database
        self._rows = PipelineTable(database)
        self._scenarios = scenarios
        self._catalog = catalog
        self._clock = clock
        self._timelines: OrderedDict[int, tuple[Row, Timeline]] = OrderedDict()
        self._courses: dict[tuple[int | None, Duration | None, str | None], Timeline] = {}
        self._rollbacks = database.rollbacks
        self.bridges = Bridges(database, self._rows, scenarios, catalog)

    # ------------------------------------------------------------------ recording

    def add(self, project: Project, record: PipelineRecord, scenario: Scenario) -> CreatedPipeline:
        """Record a new pipeline, whose ``id`` and ``iid`` are given here, and see it."""
        record = self.insert(record)
        return CreatedPipeline(
            project, record, self._first_state(record, scenario, self.start_due_bridges())
        )

    def _first_state(
        self, record: PipelineRecord, scenario: Scenario, now: Instant
    ) -> PipelineState:
        """See a new pipeline; those alike begin alike, so that one course is played for all."""
        if record.scenario_id in self.bridges.scenarios:
            return self.bridges.timeline(record, scenario).at(now)
        alike = self._alike(
            scenario, record.scenario_id, record.terminal_after, record.terminal_status
        )
        return alike.at(now - record.created_at).moved(record.created_at)

    def _alike(
        self,
        scenario: Scenario,
        number: int | None,
        after: Duration | None,
        status: TerminalStatus | None,
    ) -> Timeline:
        """Play a pipeline that was created at moment 0 and that nobody touches, once for all."""
        key = number, after, status
        kept = self._courses.get(key)
        if kept is None or kept.scenario is not scenario:
            if len(self._courses) >= _COURSES_KEPT:
                self._courses.clear()
            kept = self._courses[key] = _undisturbed(scenario, after, status)
        return kept

    def append(self, seen: PipelineView, action: Action) -> None:
        """Record something that was done to a pipeline or one of its jobs."""
        with self._db.transaction():
            self._rows.append_action(seen.record.id, action, fresh_attempt=action.name == "retry")
            self.bridges.changed(seen.record)

    def rename(self, pipeline_id: int, name: str | None) -> None:
        """Record a new name."""
        self._rows.rename(pipeline_id, name, self._clock.now())

    def delete(self, pipeline_id: int) -> None:
        """Forget a pipeline."""
        with self._db.transaction():
            self.bridges.part(self.pipeline_of_any_project(pipeline_id).record, self._clock.now())
            self._rows.delete(pipeline_id)

    def delete_all(self, project_id: int | None = None) -> int:
        """Forget all pipelines, or a project's, and say how many."""
        now = self.start_due_bridges()
        with self._db.transaction():
            for stored in () if project_id is None else self._rows.started_by_bridges(project_id):
                self.bridges.part(stored.record, now)
            return self._rows.delete_all(project_id)

    def insert(self, record: PipelineRecord) -> PipelineRecord:
        """Record a new pipeline without looking at it."""
        record = record.numbered(*self._rows.insert(record))
        self.bridges.added(record)
        return record

    def _scenario(self, number: int | None) -> Scenario:
        return (None if number is None else self._scenarios.behaviour(number)) or ORPHANED

    # ------------------------------------------------------------------ seeing

    def pipeline(self, project: Project, number: int, *, looked: bool = False) -> PipelineView:
        """See a pipeline; ``looked`` counts the look where its scenario goes by polls.

        Raises:
            NotFound: the project has no such pipeline.
        """
        now = self.start_due_bridges()
        row = self._rows.of_project(project.id, number)
        if row is None:
            raise NotFound("pipeline")
        seen = self._see(project, row, now)
        if not (looked and seen.timeline.counts_polls(now)):
            return seen
        with self._db.transaction():
            self._rows.count_poll(number, now)
            self.bridges.changed(seen.record)
        return self.pipeline(project, number)

    def pipeline_of_any_project(self, number: int) -> PipelineView:
        """See a pipeline by its number alone; raises NotFound."""
        now = self.start_due_bridges()
        return self._see_somewhere(self._row(number), now)

    def latest(self, project: Project, ref: str) -> PipelineView:
        """See the newest pipeline of a ref; raises NotFound."""
        now = self.start_due_bridges()
        row = self._rows.newest(project.id, ref)
        if row is None:
            raise NotFound("pipeline")
        return self._see(project, row, now)

    def downstream_of(self, job_number: int) -> PipelineView | None:
        """See the pipeline that a bridge has started."""
        now = self.start_due_bridges()
        row = self._rows.started_by(job_number)
        seen = None if row is None else self._see_somewhere(row, now)
        return None if seen is None or seen.record.created_at > now else seen

    def every(
        self, project_id: int | None = None, newest: int | None = None
    ) -> Iterator[PipelineView]:
        """See all pipelines, or a project's, newest first, from a number on downwards."""
        now = self.start_due_bridges()
        for row in self._rows.each(project_id, newest):
            yield self._see_somewhere(row, now)

    def timeline(self, number: int) -> Timeline:
        """Find the timeline of a pipeline, whenever it begins; raises NotFound."""
        return self._play(self._row(number))

    def course(self, cohort: Cohort) -> Timeline | None:
        """Play a pipeline of a cohort that begins at moment 0.

        None: each of them goes its own way, as the pipelines do that its bridges start.
        """
        if cohort.scenario_id in self.bridges.scenarios:
            return None
        return self._alike(
            self._scenario(cohort.scenario_id),
            cohort.scenario_id,
            span(cohort.terminal_after_seconds),
            cohort.terminal_status,
        )

    def leaving_artifacts(self, project_id: int) -> Iterator[PipelineView]:
        """See the pipelines of a project whose scenarios declare artifacts."""
        now = self.start_due_bridges()
        for stored in self._rows.of_scenarios(self._scenarios.having("artifacts"), project_id):
            yield self._see_somewhere(stored.row, now)

    def branches(self, project_id: int) -> list[str]:
        """Name the branches that pipelines ran on."""
        return self._rows.refs(project_id, tags=False)

    def tags(self, project_id: int) -> list[str]:
        """Name the tags that pipelines ran on."""
        return self._rows.refs(project_id, tags=True)

    def _see_somewhere(self, row: Row, now: Instant) -> PipelineView:
        return self._see(self._catalog.project_of_record(row[2]), row, now)

    def _see(self, project: Project, row: Row, now: Instant) -> PipelineView:
        timeline = self._play(row)
        return PipelineView(project, timeline.record, timeline, timeline.at(now), now)

    def _row(self, number: int) -> Row:
        row = self._rows.recent(number)
        if row is None:
            raise NotFound("pipeline")
        return row

    def _play(self, row: Row) -> Timeline:
        kept = self._timelines.get(row[0])
        if kept is not None and kept[0] is row:
            return kept[1]
        if kept is not None and _course_of(kept[0]) == _course_of(row):
            timeline = kept[1]
        else:
            stored = self._rows.read(row)
            timeline = self.bridges.timeline(stored.record, stored.scenario or ORPHANED)
        self._keep(row, timeline)
        return timeline

    def _keep(self, row: Row, timeline: Timeline) -> None:
        if timeline.record.scenario_id in self.bridges.scenarios:
            return  # it depends on other rows as well
        self._timelines[row[0]] = (row, timeline)
        if len(self._timelines) > _TIMELINES_KEPT:
            self._timelines.popitem(last=False)

    # ------------------------------------------------------------------ stored statuses

    def page(self, wanted: Filter, limit: int, offset: int) -> tuple[list[PipelineRow], int | None]:
        """List a page of a project's pipelines, and count them all (None: more than 10,000)."""
        assert wanted.project_id is not None
        now = self.start_due_bridges()
        if wanted.asks_for_status:
            try:
                with self._db.nowait():
                    self._refresh(wanted.project_id, now)
            except StoreUnavailable:
                return self._page_of_a_copy(wanted, now, limit, offset)
        total = self._rows.count(wanted)
        if total is not None and total <= offset:
            return [], total
        rows = self._rows.page(wanted, limit, offset)
        return self._freshened(rows, now), total

    def _freshened(self, rows: list[PipelineRow], now: Instant) -> list[PipelineRow]:
        stale = [row.id for row in rows if row.status_until is not None and row.status_until <= now]
        if not stale:
            return rows
        fresh: dict[int, Window] = {}
        # Kept for lists to come, if the store can be written now.
        with self._db.best_effort(), self._db.transaction():
            fresh = self._windows(stale, now)
            self._rows.store_statuses(
                (window.status, window.updated_at, window.until, number)
                for number, window in fresh.items()
            )
        fresh = fresh or self._windows(stale, now)
        return [
            row._replace(status=fresh[row.id].status, updated_at=fresh[row.id].updated_at)
            if row.id in fresh
            else row
            for row in rows
        ]

    def _windows(self, numbers: Iterable[int], now: Instant) -> dict[int, Window]:
        found = ((number, self._rows.of_any_project(number)) for number in numbers)
        return {number: self._play(row).window(now) for number, row in found if row is not None}

    def _page_of_a_copy(
        self, wanted: Filter, now: Instant, limit: int, offset: int
    ) -> tuple[list[PipelineRow], int | None]:
        """List a page where statuses cannot be stored: reading goes on, if more slowly."""
        assert wanted.project_id is not None
        copied = self._db.copy()
        try:
            other = Pipelines(copied, ScenarioTable(copied), self._catalog, self._clock)
            other.bridges.scenarios = self.bridges.scenarios  # they start nothing in there
            other._refresh(wanted.project_id, now)
            return other._rows.page(wanted, limit, offset), other._rows.count(wanted)
        finally:
            copied.close()

    def invalidate_scenarios(self, numbers: Iterable[int]) -> None:
        """Compute anew, when next needed, what follows these scenarios or hangs on one that may."""
        self._rows.invalidate_scenarios([*numbers, *self.bridges.scenarios])

    def invalidate_after(self, moment: Instant) -> None:
        """Compute anew, when next needed, the statuses that began after ``moment``."""
        self._rows.invalidate_after(moment)

    def refresh(self) -> Instant:
        """Have every stored status be the present one, and tell the time."""
        now = self.start_due_bridges()
        for project_id in self._rows.projects():
            self._refresh(project_id, now)
        return now

    def _refresh(self, project_id: int, now: Instant) -> None:
        if not self._rows.any_stale(project_id, now):
            return
        with self._db.transaction():
            found = [
                row
                for cohort, members in self._rows.stale_cohorts(project_id, now).items()
                if (course := self.course(cohort)) is not None
                for row in _statuses(course, members, now)
            ]
            # In the order of the file, so that each of its pages is written once.
            self._rows.store_statuses(sorted(found, key=itemgetter(3)))
            for stored in self._rows.stale(project_id, now):
                timeline = self.bridges.timeline(stored.record, stored.scenario or ORPHANED)
                self._rows.store_status(stored.record.id, timeline.window(now))

    # ------------------------------------------------------------------ bridges

    def look_for_bridges(self) -> None:
        """Learn which scenarios start pipelines elsewhere; call it when scenarios have changed."""
        self.bridges.learn()
        self._timelines.clear()

    def start_due_bridges(self) -> Instant:
        """Start what the bridges that have begun by now were to start, and tell the time."""
        if self._rollbacks != self._db.rollbacks:
            self._reread()
        now = self._clock.now()
        if self.bridges.is_due(now):
            # What cannot be stored now starts at its own moment too, but is seen from then on.
            with self._db.best_effort():
                self.bridges.start_due(now)
        return now

    def _reread(self) -> None:
        """Look again at what may have been taken back."""
        self._rollbacks = self._db.rollbacks
        self._catalog.reread()
        self.look_for_bridges()


def _course_of(row: Row) -> tuple[Row, Row]:
    """Leave out of a row what was computed from the rest of it."""
    return row[: UNTIL - 1], row[UNTIL + 1 :]


def _statuses(
    course: Timeline, members: list[tuple[int, Instant]], now: Instant
) -> Iterator[tuple[PipelineStatus, Instant, Instant | None, int]]:
    """Take many alike pipelines through one timeline: their courses differ only in when."""
    windows = [course.window(0)]
    while windows[-1].until is not None:
        windows.append(course.window(windows[-1].until))
    begins = [0, *(window.until for window in windows if window.until is not None)]
    for number, created_at in members:
        window = windows[bisect_right(begins, max(0, now - created_at)) - 1]
        until = None if window.until is None else created_at + window.until
        yield window.status, created_at + window.updated_at, until, number


def _undisturbed(
    scenario: Scenario, after: Duration | None, status: TerminalStatus | None
) -> Timeline:
    record = PipelineRecord(
        0, 0, 0, "", "", "", created_at=0, terminal_after=after, terminal_status=status
    )
    return Timeline(record, scenario)
