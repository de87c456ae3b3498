"""Lists of pipelines: pages, and the stored statuses that they filter by."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

from mock_gitlab.engine.instants import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.engine.model import Instant
    from mock_gitlab.engine.statuses import PipelineStatus
    from mock_gitlab.engine.timeline import Timeline
    from mock_gitlab.store.database import Database
    from mock_gitlab.store.status_index import (
        Filter,
        Member,
        PipelineRow,
        StatusIndex,
    )

    from .timelines import Timelines


class Listing:
    """The lists of one world."""

    def __init__(self, database: Database, index: StatusIndex, timelines: Timelines) -> None:
        self._db = database
        self._index = index
        self._timelines = timelines

    def page(
        self, wanted: Filter, now: Instant, limit: int, offset: int
    ) -> tuple[list[PipelineRow], int | None]:
        """List a page of a project's pipelines, and count them all.

        The count is None for more than 10,000 (``COUNTED_UP_TO``).

        Raises:
            StoreUnavailable: the filter asks for statuses that cannot be stored now.
        """
        assert wanted.project_id is not None
        if wanted.asks_for_status:
            with self._db.nowait():
                self.refresh(wanted.project_id, now)
        total = self._index.count(wanted)
        if total is not None and total <= offset:
            return [], total
        return self._fresh(self._index.page(wanted, limit, offset), now), total

    def _fresh(self, rows: list[PipelineRow], now: Instant) -> list[PipelineRow]:
        """Return the rows with their present status, and store it if the store allows that."""
        at = timestamp(now)
        stale = [row.id for row in rows if row.status_until is not None and row.status_until <= at]
        if not stale:
            return rows
        fresh = {number: self._timelines.get(number).window(now) for number in stale}
        with self._db.best_effort(), self._db.transaction():
            self._index.store(
                (window.status, window.updated_at, window.until, number)
                for number, window in fresh.items()
            )
        return [
            row._replace(
                status=fresh[row.id].status, updated_at=timestamp(fresh[row.id].updated_at)
            )
            if row.id in fresh
            else row
            for row in rows
        ]

    def refresh(self, project_id: int, now: Instant) -> None:
        """Store the present status of a project's pipelines where the stored one is stale."""
        if not self._index.is_stale(project_id, now):
            return
        with self._db.transaction():
            found = [
                row
                for cohort, members in self._index.stale_cohorts(project_id, now).items()
                if (course := self._timelines.course(*cohort)) is not None
                for row in _statuses(course, members, now)
            ]
            # In the order of the file, so that each of its pages is written once.
            self._index.store(sorted(found, key=itemgetter(3)))
            for stored in self._index.stale(project_id, now):
                window = self._timelines.of(stored).window(now)
                row = window.status, window.updated_at, window.until, stored.record.id
                self._index.store([row])


def _statuses(
    course: Timeline, members: list[Member], now: Instant
) -> Iterator[tuple[PipelineStatus, Instant, Instant | None, int]]:
    """Compute the statuses of equal pipelines from one timeline."""
    windows = [course.window(0)]
    while windows[-1].until is not None:
        windows.append(course.window(windows[-1].until))
    begins = [0, *(window.until for window in windows if window.until is not None)]
    for member in members:
        window = windows[bisect_right(begins, max(0, now - member.created_at)) - 1]
        until = None if window.until is None else member.created_at + window.until
        yield window.status, member.created_at + window.updated_at, until, member.id
