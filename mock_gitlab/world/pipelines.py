"""The pipelines of one world: recorded in the store, seen through their timelines.

Whatever is written about a pipeline is written here, so that what was kept of it is dropped.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.model import Action, NotFound, PipelineRecord, split_job_id
from mock_gitlab.store.pipelines import PipelineTable
from mock_gitlab.store.status_index import Filter, StatusIndex
from mock_gitlab.store.statuses import StatusTable

from .bridges import Bridges
from .listing import Listing
from .timelines import Timelines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_gitlab.engine.external import StatusAct
    from mock_gitlab.engine.model import Instant, Project
    from mock_gitlab.engine.timeline import PipelineState, Timeline
    from mock_gitlab.store.database import Database
    from mock_gitlab.store.scenarios import ScenarioTable
    from mock_gitlab.store.status_index import PipelineRow

    from .catalog import Catalog
    from .clock import Clock


SUCCESSES_SEARCHED = 100
"""Among how many successful pipelines of a ref artifacts are searched, as on GitLab."""


class PipelineView(NamedTuple):
    """A pipeline at an instant: what was recorded of it and what is seen of it."""

    project: Project
    record: PipelineRecord
    timeline: Timeline
    state: PipelineState
    now: Instant


class CreatedPipeline(NamedTuple):
    """A pipeline that has just been recorded, as it is seen at first; jobs may be left out."""

    project: Project
    record: PipelineRecord
    state: PipelineState


class Pipelines:
    """The pipelines of one world."""

    def __init__(
        self, database: Database, scenarios: ScenarioTable, catalog: Catalog, clock: Clock
    ) -> None:
        self._db = database
        self._scenarios = scenarios
        self._catalog = catalog
        self._clock = clock
        self.table = PipelineTable(database)
        self.index = StatusIndex(database)
        self.statuses = StatusTable(database)
        self.timelines = Timelines(self.table, self.statuses, scenarios, catalog)
        self.bridges = Bridges(database, self.table, scenarios, self.timelines)
        self.bridges.changed = self._changed
        self._listing = Listing(database, self.index, self.timelines)
        self._rolled_back = False
        self.touched: set[int] | None = None  # what was written about, if somebody wants to know
        database.after_every_rollback(self._forget)

    # ------------------------------------------------------------------ writing

    @contextmanager
    def _writing(self, record: PipelineRecord) -> Iterator[None]:
        """Write about a pipeline; afterwards nothing that was kept of it is left."""
        with self._db.transaction():
            yield
            self._changed(record)

    def _changed(self, record: PipelineRecord) -> None:
        """Drop what is kept of a pipeline and of those above it, whose course may depend on it."""
        for each in (record, *self.timelines.upstream_of(record)):
            self.timelines.drop(each.id)
            self.index.invalidate(each.id)
            self.bridges.expect(each)
            if self.touched is not None:
                self.touched.add(each.id)

    def add(self, project: Project, record: PipelineRecord) -> CreatedPipeline:
        """Record a new pipeline, which gets its ``id`` and ``iid`` here, and see it."""
        # Equal pipelines begin the same way, so one timeline serves all of them.
        course = self.timelines.course(
            record.scenario_id, record.terminal_after, record.terminal_status
        )
        record = self.insert(record)
        now = self.start_due_bridges()
        if course is None:
            state = self.timelines.get(record.id).at(now)
        else:
            state = course.at(now - record.created_at).moved(record.created_at)
        return CreatedPipeline(project, record, state)

    def insert(self, record: PipelineRecord) -> PipelineRecord:
        """Record a new pipeline without seeing it, and return it with its numbers."""
        record = self.table.insert(record)
        self.index.added(record.source)
        self.bridges.expect(record)
        return record

    def insert_declared(self, record: PipelineRecord, key: str) -> bool:
        """Record a pipeline that the files declare; False if its numbers are taken."""
        number = self.table.insert_declared(record, key)
        if number is None:
            return False
        self.index.added(record.source)
        self.bridges.expect(self.timelines.get(number).record)
        return True

    def append(self, view: PipelineView, action: Action) -> None:
        """Record an action on a pipeline or one of its jobs."""
        with self._writing(view.record):
            self.table.append_action(view.record.id, action, fresh_attempt=action.name == "retry")

    def post_status(self, record: PipelineRecord, act: StatusAct) -> None:
        """Record a status that somebody posts for a pipeline."""
        with self._writing(record):
            self.statuses.insert(record.id, act)
            self.timelines.with_posted.add(record.id)

    def rename(self, pipeline_id: int, name: str | None) -> None:
        """Record a new name; raises NotFound."""
        with self._writing(self.timelines.get(pipeline_id).record):
            self.table.rename(pipeline_id, name, self._clock.now())

    def delete(self, pipeline_id: int) -> None:
        """Delete a pipeline; raises NotFound."""
        now = self.start_due_bridges()
        with self._db.transaction():
            self._leave_history(self.timelines.get(pipeline_id).record, now)
            below = self.table.downstream_of(pipeline_id)
            self.table.delete(pipeline_id)
            self.timelines.drop(pipeline_id)
            for stored in below:
                self._ancestor_deleted(stored.record)

    def _ancestor_deleted(self, record: PipelineRecord) -> None:
        """Look again at what a pipeline's bridges may start, which depends on its ancestors."""
        self._changed(record)
        for stored in self.table.downstream_of(record.id):
            self._ancestor_deleted(stored.record)

    def delete_all(self, project_id: int) -> int:
        """Delete a project's pipelines, and return how many there were."""
        now = self.start_due_bridges()
        with self._db.transaction():
            for stored in self.table.started_by_bridges(project_id):
                self._leave_history(stored.record, now)
            deleted = self.table.delete_all(project_id)
            self.timelines.drop_all()
            self.bridges_changed()  # descendants elsewhere have lost their ancestors
        return deleted

    def _leave_history(self, record: PipelineRecord, now: Instant) -> None:
        """Record for the bridge of a pipeline to be deleted what that has shown so far."""
        number = record.upstream_job_id
        if number is None:
            return
        shown = tuple(entry for entry in self.timelines.get(record.id).history if entry[0] <= now)
        action = Action("delete_downstream", now, number, shown)
        with self._writing(record):
            self.table.append_action(split_job_id(number)[0], action, fresh_attempt=False)

    def clear(self) -> None:
        """Delete everything that was recorded; numbers start again at 1."""
        self._db.clear()
        self.table.restart_numbers()
        self.timelines.drop_all()

    # ------------------------------------------------------------------ seeing

    def pipeline(self, project: Project, number: int, *, polled: bool = False) -> PipelineView:
        """See a pipeline; ``polled`` counts the poll if its scenario goes by polls.

        Raises:
            NotFound: the project has no such pipeline.
        """
        now = self.start_due_bridges()
        timeline = self.timelines.get(number)
        record = timeline.record
        if record.project_id != project.id:
            raise NotFound("pipeline")
        if polled and timeline.counts_polls(now):
            with self._writing(record):
                self.table.count_poll(number, now)
            return self.pipeline(project, number)
        return PipelineView(project, record, timeline, timeline.at(now), now)

    def pipeline_of_any_project(self, number: int) -> PipelineView:
        """See a pipeline by its number alone; raises NotFound."""
        now = self.start_due_bridges()
        return self._view(self.timelines.get(number), now)

    def latest(self, project: Project, ref: str) -> PipelineView:
        """See the newest pipeline of a ref, but for child pipelines; raises NotFound."""
        self.start_due_bridges()
        number = self.index.newest(project.id, ref)
        if number is None:
            raise NotFound("pipeline")
        return self.pipeline(project, number)

    def latest_of_commit(self, project: Project, sha: str) -> PipelineView | None:
        """See the newest pipeline of a commit, but for child pipelines."""
        self.start_due_bridges()
        wanted = Filter(project_id=project.id, sha=sha, children=not self.index.has_children)
        rows = self.index.page(wanted, 1, 0)
        return self.pipeline(project, rows[0].id) if rows else None

    def of_commit(self, project: Project, sha: str, newest: int) -> list[PipelineRow]:
        """List the newest pipelines of a commit, newest first."""
        self.start_due_bridges()
        return self.index.page(Filter(project_id=project.id, sha=sha), newest, 0)

    def successes(self, project: Project, ref: str) -> Iterator[PipelineView]:
        """See the newest successful pipelines of a ref, but for child pipelines, newest first."""
        wanted = Filter(project_id=project.id, ref=ref, statuses=("success",))
        for row in self.page(wanted, SUCCESSES_SEARCHED, 0)[0]:
            view = self.pipeline(project, row.id)
            if self.top_of(view.record).id == row.id:
                yield view

    def top_of(self, record: PipelineRecord) -> PipelineRecord:
        """Return the topmost parent of a child pipeline; a pipeline without a parent is its own.

        The parent of a child pipeline has started it in the same project.
        """
        for above in self.timelines.upstream_of(record):
            if above.project_id != record.project_id:
                break
            record = above
        return record

    def family_of(self, view: PipelineView) -> Iterator[PipelineView]:
        """See a pipeline and its child pipelines, those that its bridges start in its project."""
        yield view
        for job in view.state.jobs:
            child = self.downstream_of(job.id) if job.is_bridge else None
            if child is not None and child.project.id == view.project.id:
                yield from self.family_of(child)

    def downstream_of(self, job_number: int) -> PipelineView | None:
        """See the pipeline that a bridge has started."""
        now = self.start_due_bridges()
        stored = self.table.started_by(job_number)
        if stored is None or stored.record.created_at > now:
            return None
        return self._view(self.timelines.of(stored), now)

    def every(
        self, project_id: int | None = None, newest: int | None = None
    ) -> Iterator[PipelineView]:
        """See all pipelines, or a project's, newest first, from a number on downwards."""
        now = self.start_due_bridges()
        for stored in self.table.each(project_id, newest):
            yield self._view(self.timelines.of(stored), now)

    def with_artifacts(self, project_id: int) -> Iterator[PipelineView]:
        """See the pipelines of a project whose scenarios declare artifacts."""
        now = self.start_due_bridges()
        for stored in self.table.of_scenarios(self._scenarios.having("artifacts"), project_id):
            yield self._view(self.timelines.of(stored), now)

    def with_environments(self, project_id: int, newest: int) -> Iterator[PipelineView]:
        """See the newest pipelines of a project whose scenarios have environments, newest first."""
        now, scenarios = self.start_due_bridges(), self._scenarios.having("environment")
        if scenarios:
            for stored in self.table.newest_of_scenarios(scenarios, project_id, newest):
                yield self._view(self.timelines.of(stored), now)

    def count_with_environments(self, project_id: int) -> int:
        """Count the pipelines of a project whose scenarios have environments."""
        return self.table.count_of_scenarios(self._scenarios.having("environment"), project_id)

    def page(self, wanted: Filter, limit: int, offset: int) -> tuple[list[PipelineRow], int | None]:
        """List a page of a project's pipelines, and count them all (None: more than 10,000)."""
        return self._listing.page(wanted, self.start_due_bridges(), limit, offset)

    def _view(self, timeline: Timeline, now: Instant) -> PipelineView:
        project = self._catalog.project_of_record(timeline.record.project_id)
        return PipelineView(project, timeline.record, timeline, timeline.at(now), now)

    # ------------------------------------------------------------------ following what changes

    def start_due_bridges(self) -> Instant:
        """Start the pipelines of all bridges that are due, and return the time."""
        if self._rolled_back:
            self.bridges.expect_all()
            self._rolled_back = False
        now = self._clock.now()
        if self.bridges.is_due(now):
            # What cannot be stored now is started later, at its own instant all the same.
            with self._db.best_effort():
                self.bridges.start_due(now)
        return now

    def refresh(self) -> Instant:
        """Store the present status of every pipeline, and return the time."""
        now = self.start_due_bridges()
        for project_id in self.table.projects():
            self._listing.refresh(project_id, now)
        return now

    def invalidate_after(self, instant: Instant) -> None:
        """Mark as stale the statuses that began after an instant: the clock went back to it."""
        self.index.invalidate_after(instant)

    def scenarios_changed(self, numbers: Iterable[int]) -> None:
        """Drop what is kept of the pipelines that follow these scenarios.

        The same is done for those whose bridges have started such a pipeline.
        """
        self.bridges.find()
        changed = frozenset(numbers)
        if not changed:
            return
        self.timelines.drop_scenarios(changed)
        self.index.invalidate_scenarios(changed)
        self.bridges.expect_followers(changed)
        for upstream in self.table.upstream_of_scenarios(changed):
            self.timelines.drop(upstream.record.id)
            self.index.invalidate(upstream.record.id)
            self.bridges.expect(upstream.record)

    def bridges_changed(self) -> None:
        """Drop what is kept of all pipelines with bridges: others are within their reach now."""
        self.bridges.expect_all()
        self.timelines.drop_scenarios(self.timelines.with_bridges)
        self.index.invalidate_scenarios(self.timelines.with_bridges)

    def _forget(self) -> None:
        """Drop what may have been read of rows that were rolled back."""
        self.timelines.drop_all()
        self._rolled_back = True
