"""Lookahead: when something visible changes next, and what has changed by then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.instants import LATEST
from mock_gitlab.engine.model import job_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_gitlab.engine.model import Instant
    from mock_gitlab.engine.timeline import Change, Timeline
    from mock_gitlab.store.database import Database
    from mock_gitlab.world.pipelines import Pipelines


class Changed(NamedTuple):
    """A change of visible state, and the pipeline that it happened to."""

    pipeline_id: int
    project_id: int
    change: Change


class Awaited(NamedTuple):
    """A status of a pipeline, or of one of its jobs, given by number or name."""

    status: str
    job: int | str | None = None

    def is_reached_by(self, change: Change) -> bool:
        """Return whether a change leads to it."""
        if change.after != self.status:
            return False
        return (
            change.job_id is None if self.job is None else self.job in (change.job_id, change.name)
        )


class NothingToCome(Exception):
    """Nothing changes any more by time alone."""


class Lookahead:
    """Looks ahead in the pipelines of one world."""

    def __init__(self, pipelines: Pipelines, database: Database) -> None:
        self._pipelines = pipelines
        self._db = database

    def jump(
        self,
        to: Callable[[Instant], None],
        project_id: int | None = None,
        pipeline_id: int | None = None,
        until: Awaited | None = None,
    ) -> list[Changed]:
        """Go ``to`` the next visible change: of any pipeline, of a project's, or of one pipeline.

        With ``until`` it is the next change that leads to this status.

        Returns all that has changed on the way, of any pipeline, in the order of time. If nothing
        will change, it goes nowhere and returns nothing.
        """
        before = self._pipelines.refresh()
        newest = self._pipelines.table.newest_number()
        moving = list(self._moving())
        try:
            with self._db.transaction():
                instant = self._next_change(before, moving, newest, project_id, pipeline_id, until)
                to(instant)
        except NothingToCome:
            return []
        # A pipeline started during the jump can change pipelines that do not share a timeline.
        courses = [course if course.shared else self._alone(course.number) for course in moving]
        courses += self._started(newest)
        found = [each for course in courses for each in course.changes(before, instant)]
        return sorted(found, key=lambda each: (each.change.at, each.pipeline_id))

    def next_moment(self) -> Instant | None:
        """Return when something changes next, of any pipeline; None if nothing will."""
        before = self._pipelines.refresh()
        instants = (course.next_change(before) for course in self._moving())
        found = min((instant for instant in instants if instant is not None), default=LATEST)
        return found if found < LATEST else None

    def _next_change(
        self,
        before: Instant,
        moving: list[_Course],
        newest: int,
        project_id: int | None,
        pipeline_id: int | None,
        until: Awaited | None,
    ) -> Instant:
        """Find the instant of the next change.

        Bridges that are due earlier start their pipelines, since these may change first.

        Raises:
            NothingToCome: nothing will change; what bridges have started is to be rolled back.
        """
        anywhere = project_id is None and pipeline_id is None
        while True:
            wanted = moving if anywhere else self._moving(project_id, pipeline_id)
            instants = [course.next_change(before, until) for course in wanted]
            if pipeline_id is None:
                started = self._started(newest)
                instants += [new.begins for new in started if project_id in (None, new.project_id)]
            found = min((instant for instant in instants if instant is not None), default=None)
            bridge = self._pipelines.bridges.next_due()
            if bridge is not None and bridge >= LATEST:
                bridge = None  # no clock gets there
            if found is not None and (bridge is None or found <= bridge):
                return found
            if bridge is None:
                raise NothingToCome
            # This raises if the store fails; otherwise the loop would never end.
            self._pipelines.bridges.start_due(bridge)

    def _moving(
        self, project_id: int | None = None, pipeline_id: int | None = None
    ) -> Iterator[_Course]:
        """Give the courses of what may change by time alone; pipelines alike share a timeline."""
        index = self._pipelines.index
        for cohort, members in index.moving_cohorts(project_id, pipeline_id).items():
            timeline = self._pipelines.timelines.course(*cohort)
            for member in members:
                if timeline is None:
                    yield self._alone(member.id)
                else:
                    yield _Course(member.id, member.project_id, member.created_at, timeline)
        for number in index.moving_alone(project_id, pipeline_id):
            yield self._alone(number)

    def _started(self, newest: int) -> list[_Course]:
        return [self._alone(number) for number in self._pipelines.table.numbers_after(newest)]

    def _alone(self, number: int) -> _Course:
        timeline = self._pipelines.timelines.get(number)
        record = timeline.record
        return _Course(number, record.project_id, record.created_at, timeline)


class _Course(NamedTuple):
    """A pipeline with its own timeline, or a shared one: of number 0, created at instant 0."""

    number: int
    project_id: int
    begins: Instant
    timeline: Timeline

    @property
    def shared(self) -> bool:
        return self.timeline.record.id == 0

    def next_change(self, after: Instant, until: Awaited | None = None) -> Instant | None:
        if until is not None:
            coming = (each.change for each in self.changes(after, LATEST))
            return next((change.at for change in coming if until.is_reached_by(change)), None)
        shift = self.begins if self.shared else 0
        found = self.timeline.next_change(after - shift)
        return None if found is None else found + shift

    def changes(self, after: Instant, until: Instant) -> Iterator[Changed]:
        if not self.shared:
            for change in self.timeline.changes(after, until):
                yield Changed(self.number, self.project_id, change)
            return
        first = self.next_change(after)
        if first is not None and first <= until:
            for change in self.timeline.changes(after - self.begins, until - self.begins):
                yield Changed(self.number, self.project_id, self._mine(change))

    def _mine(self, change: Change) -> Change:
        number = None if change.job_id is None else job_id(self.number, 0, 0) + change.job_id
        return replace(change, at=change.at + self.begins, job_id=number)
