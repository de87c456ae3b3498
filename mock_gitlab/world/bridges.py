"""Bridges: jobs that start pipelines in other projects.

Each starts at its own instant, even if nobody polls until later. They start in the order of their
instants, so the result does not depend on when somebody polls.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.model import NEVER
from mock_gitlab.engine.schedule import deleted_downstreams

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.engine.model import Downstream, Instant, PipelineRecord
    from mock_gitlab.store.database import Database
    from mock_gitlab.store.pipelines import PipelineTable
    from mock_gitlab.store.scenarios import ScenarioTable

    from .timelines import Timelines

_UNKNOWN: Instant = -NEVER


class BridgeStart(NamedTuple):
    """A bridge that starts a pipeline, and when."""

    job_id: int
    at: Instant
    downstream: Downstream


class Bridges:
    """The bridges of one world, and when the next of them may start something.

    ``start`` records the pipeline that a bridge starts. ``changed`` is told of a pipeline whose
    course has changed because others have filled up its family.
    """

    start: Callable[[BridgeStart], None]
    changed: Callable[[PipelineRecord], None]

    def __init__(
        self,
        database: Database,
        table: PipelineTable,
        scenarios: ScenarioTable,
        timelines: Timelines,
    ) -> None:
        self._db = database
        self._table = table
        self._scenarios = scenarios
        self._timelines = timelines
        self._due: dict[int, Instant] = {}
        self._queue: list[tuple[Instant, int]] = []

    def find(self) -> frozenset[int]:
        """Find the scenarios with bridges."""
        numbers = frozenset(self._scenarios.having("downstream"))
        self._timelines.with_bridges = numbers
        return numbers

    def expect_all(self) -> None:
        """Find the scenarios with bridges, and mark all their pipelines to be looked at."""
        numbers = self.find()
        pipelines = self._table.of_scenarios(numbers) if numbers else []
        self._due.clear()
        self._queue.clear()
        for stored in pipelines:
            self._expect(stored.record.id, _UNKNOWN)

    def expect_followers(self, numbers: frozenset[int]) -> None:
        """Mark the pipelines with bridges that follow one of these scenarios to be looked at."""
        bridging = numbers & self._timelines.with_bridges
        for stored in self._table.of_scenarios(bridging) if bridging else ():
            self._expect(stored.record.id, _UNKNOWN)

    def expect(self, record: PipelineRecord) -> None:
        """Look at a new or changed pipeline when bridges are started next."""
        if record.scenario_id in self._timelines.with_bridges:
            self._expect(record.id, _UNKNOWN)

    def is_due(self, now: Instant) -> bool:
        """Return whether a bridge may have started something by now."""
        return bool(self._queue) and self._queue[0][0] <= now

    def next_due(self) -> Instant | None:
        """Return when a bridge may start something next, None for never.

        Start first what is due already.
        """
        while self._queue and self._due.get(self._queue[0][1]) != self._queue[0][0]:
            heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def start_due(self, now: Instant) -> None:
        """Start the pipelines of all bridges that are due by now."""
        while self.is_due(now):
            instant, number = heappop(self._queue)
            if self._due.get(number) != instant:
                continue
            del self._due[number]
            try:
                self._look_at(number, instant)
            except BaseException:
                self._expect(number, _UNKNOWN)  # what it had started was rolled back
                raise

    def _expect(self, number: int, instant: Instant) -> None:
        self._due[number] = instant
        heappush(self._queue, (instant, number))

    def _look_at(self, number: int, instant: Instant) -> None:
        """Start what a pipeline's bridges start at this instant, or find out when they do."""
        stored = self._table.get(number)
        if stored is None:
            return
        record = stored.record
        timeline, differs = self._timelines.replay(stored)
        if differs:  # the family has grown too large since
            self.changed(record)
        started = {s.record.upstream_job_id for s in self._table.downstream_of(number)}
        started |= deleted_downstreams(record).keys()
        waiting: dict[Instant, list[tuple[int, Downstream]]] = defaultdict(list)
        for job_id, at, downstream in timeline.starting_bridges(NEVER):
            if job_id not in started:
                waiting[at].append((job_id, downstream))
        if instant in waiting:
            with self._db.transaction():
                for job_id, downstream in waiting[instant]:
                    self.start(BridgeStart(job_id, instant, downstream))
                self.changed(record)
        elif waiting:
            self._expect(number, min(waiting))
