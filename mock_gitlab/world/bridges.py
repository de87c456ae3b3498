"""Bridges: the pipelines that jobs start elsewhere, each at its own moment, however late one looks.

They are started in the order of their moments, so that nothing depends on who looked when.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.bridges import LARGEST_FAMILY, out_of_reach
from mock_gitlab.engine.model import Action, Downstream, Instant, NotFound, Scenario, split_job_id
from mock_gitlab.engine.schedule import deleted_downstreams
from mock_gitlab.engine.timeline import ORPHANED, Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_gitlab.engine.failures import FailureReason
    from mock_gitlab.engine.model import PipelineRecord
    from mock_gitlab.engine.schedule import Obstacle
    from mock_gitlab.store.database import Database
    from mock_gitlab.store.pipelines import PipelineTable
    from mock_gitlab.store.scenarios import ScenarioTable
    from mock_gitlab.world.catalog import Catalog

_FOR_EVER: Instant = 2**62
_UNKNOWN: Instant = -(2**62)
_TIMELINES_KEPT = 4096


class BridgeStart(NamedTuple):
    """A bridge that begins: what it starts, and when."""

    job_id: int
    at: Instant
    downstream: Downstream


class Bridges:
    """The bridges of one world. ``start`` records the pipeline that one of them starts."""

    def __init__(
        self, database: Database, rows: PipelineTable, scenarios: ScenarioTable, catalog: Catalog
    ) -> None:
        self.start: Callable[[BridgeStart], None]
        self.scenarios: frozenset[int] = frozenset()
        self._db = database
        self._rows = rows
        self._declared = scenarios
        self._catalog = catalog
        self._played: dict[int, Timeline] = {}
        self._due: dict[int, Instant] = {}
        self._queue: list[tuple[Instant, int]] = []

    # ------------------------------------------------------------------ what follows what

    def timeline(self, record: PipelineRecord, scenario: Scenario) -> Timeline:
        """Play a pipeline together with what its bridges have started."""
        if record.scenario_id not in self.scenarios:
            return Timeline(record, scenario)
        kept = self._played.get(record.id)
        if kept is not None and kept.record == record:
            return kept
        if len(self._played) >= _TIMELINES_KEPT:
            self._played.clear()
        played = self._played[record.id] = self._play(record, scenario)
        return played

    def _play(self, record: PipelineRecord, scenario: Scenario) -> Timeline:
        followed = {
            job.name
            for job in scenario.jobs
            if job.downstream is not None and job.downstream.strategy is not None
        }
        started: dict[int, Timeline | None] = {}
        for stored in self._rows.downstream_of(record.id):
            number = stored.record.upstream_job_id
            assert number is not None
            slot = split_job_id(number)[1]
            follows = slot <= len(scenario.jobs) and scenario.jobs[slot - 1].name in followed
            started[number] = (
                self.timeline(stored.record, stored.scenario or ORPHANED) if follows else None
            )
        return Timeline(record, scenario, started, self._obstacle(record))

    def upstream_of(self, record: PipelineRecord) -> Iterator[PipelineRecord]:
        """Go up from a pipeline to the one that was not started by a bridge."""
        while record.upstream_job_id is not None:
            row = self._rows.of_any_project(split_job_id(record.upstream_job_id)[0])
            if row is None:
                return
            record = self._rows.read(row).record
            yield record

    def _obstacle(self, record: PipelineRecord) -> Obstacle:
        """Tell what keeps the bridges of a pipeline from starting; looked up when it matters."""
        found: list[FailureReason | None] = []

        def obstacle(downstream: Downstream) -> FailureReason | None:
            if not found:
                found.append(self._out_of_reach(record))
            return found[0] or self._unreachable(downstream)

        return obstacle

    def _out_of_reach(self, record: PipelineRecord) -> FailureReason | None:
        family = [record, *self.upstream_of(record)]
        reason = out_of_reach([(each.project_id, each.ref, each.scenario_id) for each in family])
        if reason is None and self._rows.family(family[-1].id, LARGEST_FAMILY) >= LARGEST_FAMILY:
            reason = "reached_max_pipeline_hierarchy_size"
        return reason

    def _unreachable(self, downstream: Downstream) -> FailureReason | None:
        try:
            project = self._catalog.known(downstream.project)
        except NotFound:
            return "downstream_bridge_project_not_found"
        try:
            if project is not None and downstream.ref is not None:
                self._catalog.is_tag(project, downstream.ref)
        except NotFound:
            return "downstream_pipeline_creation_failed"
        return None

    # ------------------------------------------------------------------ when they begin

    def learn(self) -> None:
        """Learn which scenarios have bridges; call it when scenarios have changed."""
        self.scenarios = frozenset(self._declared.having("downstream"))
        self._played.clear()
        self._due.clear()
        self._queue.clear()
        for stored in self._rows.of_scenarios(sorted(self.scenarios)) if self.scenarios else ():
            self._expect(stored.record.id, _UNKNOWN)

    def added(self, record: PipelineRecord) -> None:
        """Take note of a new pipeline."""
        if record.scenario_id in self.scenarios:
            self._expect(record.id, _UNKNOWN)

    def changed(self, record: PipelineRecord) -> None:
        """Take note that something else may happen to a pipeline, and so to those above it."""
        self.added(record)
        self._played.pop(record.id, None)
        self._changed_above(record)

    def _changed_above(self, record: PipelineRecord) -> None:
        for upstream in self.upstream_of(record):
            self._played.pop(upstream.id, None)
            self._rows.invalidate(upstream.id)
            self._expect(upstream.id, _UNKNOWN)

    def part(self, record: PipelineRecord, now: Instant) -> None:
        """Leave to a bridge what its pipeline, which is to be deleted, has shown so far."""
        number = record.upstream_job_id
        row = self._rows.of_any_project(record.id)
        if number is None or row is None:
            return
        timeline = self.timeline(record, self._rows.read(row).scenario or ORPHANED)
        shown = tuple(entry for entry in timeline.history if entry[0] <= now)
        action = Action("delete_downstream", now, number, shown)
        self._rows.append_action(split_job_id(number)[0], action, fresh_attempt=False)
        self.changed(record)

    def is_due(self, now: Instant) -> bool:
        """Tell whether a bridge may have begun by now."""
        return bool(self._queue) and self._queue[0][0] <= now

    def next_due(self) -> Instant | None:
        """Tell when a bridge may begin next, once it is settled what has begun; None: never."""
        while self._queue and self._due.get(self._queue[0][1]) != self._queue[0][0]:
            heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def start_due(self, now: Instant) -> None:
        """Start what the bridges that have begun by now were to start."""
        while self.is_due(now):
            moment, number = heappop(self._queue)
            if self._due.get(number) != moment:
                continue
            del self._due[number]
            try:
                self._look(number, moment)
            except BaseException:
                self._expect(number, _UNKNOWN)  # what it had started was taken back
                raise

    def _expect(self, number: int, moment: Instant) -> None:
        self._due[number] = moment
        heappush(self._queue, (moment, number))

    def _look(self, number: int, moment: Instant) -> None:
        """Start what begins in a pipeline at this moment, or find out when something does."""
        row = self._rows.of_any_project(number)
        if row is None:
            return
        stored = self._rows.read(row)
        timeline = self._play(stored.record, stored.scenario or ORPHANED)
        kept = self._played.get(number)
        if kept is not None and kept.history != timeline.history:
            self._changed_above(stored.record)  # others have filled up the family
        self._played[number] = timeline
        begun = {s.record.upstream_job_id for s in self._rows.downstream_of(number)}
        begun |= deleted_downstreams(stored.record).keys()
        waiting: dict[Instant, list[tuple[int, Downstream]]] = defaultdict(list)
        for job_id, at, downstream in timeline.starting_bridges(_FOR_EVER):
            if job_id not in begun:
                waiting[at].append((job_id, downstream))
        if moment not in waiting:
            if waiting:
                self._expect(number, min(waiting))
            return
        with self._db.transaction():
            for job_id, downstream in waiting[moment]:
                self.start(BridgeStart(job_id, moment, downstream))
            self.changed(stored.record)
            self._rows.invalidate(number)
