"""The timelines of pipelines: the one cache of what is seen.

The rule of the cache: a timeline is kept until somebody writes about its pipeline, or about what
it follows. All writes go through ``world.pipelines``, which drops it here. What hangs on a timeline
(its state until the next change, the answer written of that state) goes with it.

The timelines of equal, untouched pipelines are one: the course of their scenario, which is kept
for as long as the scenario is the same value.
"""

from __future__ import annotations

from itertools import islice, takewhile
from typing import TYPE_CHECKING

from mock_gitlab.engine.bridges import DEEPEST_CHILD, LARGEST_FAMILY, out_of_reach
from mock_gitlab.engine.external import EXTERNAL
from mock_gitlab.engine.model import NotFound, PipelineRecord, split_job_id
from mock_gitlab.engine.timeline import ORPHANED, Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mock_gitlab.engine.external import StatusAct
    from mock_gitlab.engine.failures import FailureReason
    from mock_gitlab.engine.model import Downstream, Duration, Scenario, TerminalStatus
    from mock_gitlab.engine.schedule import Obstacle
    from mock_gitlab.store.pipelines import PipelineTable, StoredPipeline
    from mock_gitlab.store.scenarios import ScenarioTable
    from mock_gitlab.store.statuses import StatusTable

    from .catalog import Catalog

_TIMELINES_KEPT = 1024
_COURSES_KEPT = 64


class Timelines:
    """The timelines of one world, by the numbers of their pipelines.

    ``with_bridges`` are the scenarios with bridges. ``with_posted`` are at least the pipelines for
    which a status was posted; for others the store is not asked.
    """

    def __init__(
        self,
        table: PipelineTable,
        statuses: StatusTable,
        scenarios: ScenarioTable,
        catalog: Catalog,
    ) -> None:
        self._table = table
        self._statuses = statuses
        self._scenarios = scenarios
        self._catalog = catalog
        self._kept: dict[int, Timeline] = {}
        self._courses: dict[tuple[int | None, Duration | None, str | None], Timeline] = {}
        self.with_bridges: frozenset[int] = frozenset()
        self.with_posted = statuses.pipelines()

    # ------------------------------------------------------------------ finding

    def get(self, pipeline_id: int) -> Timeline:
        """Find the timeline of a pipeline; raises NotFound."""
        kept = self._kept.get(pipeline_id)
        if kept is not None:
            return kept
        stored = self._table.get(pipeline_id)
        if stored is None:
            raise NotFound("pipeline")
        return self.of(stored)

    def of(self, stored: StoredPipeline) -> Timeline:
        """Find the timeline of a pipeline whose row has been read."""
        number = stored.record.id
        kept = self._kept.get(number)
        if kept is None:
            if len(self._kept) >= _TIMELINES_KEPT:
                del self._kept[next(iter(self._kept))]
            kept = self._kept[number] = self._play(stored)
        return kept

    def replay(self, stored: StoredPipeline) -> tuple[Timeline, bool]:
        """Compute a timeline again, and return whether it differs from the kept one."""
        before = self._kept.pop(stored.record.id, None)
        timeline = self.of(stored)
        return timeline, before is not None and before.history != timeline.history

    def _play(self, stored: StoredPipeline) -> Timeline:
        """Play a pipeline together with what its bridges have started."""
        record, scenario = stored.record, stored.scenario or ORPHANED
        posted: Sequence[StatusAct] = ()
        if record.id in self.with_posted:
            posted = self._statuses.of_pipeline(record.id)
            if record.scenario_id is None and record.source == "external":
                scenario = EXTERNAL
        if record.scenario_id not in self.with_bridges:
            return Timeline(record, scenario, posted=posted)
        return Timeline(
            record, scenario, self._downstream_of(record, scenario), self._obstacle(record), posted
        )

    def course(
        self, scenario_id: int | None, after: Duration | None, status: TerminalStatus | None
    ) -> Timeline | None:
        """Return the timeline that all untouched pipelines with these values share.

        It is that of a pipeline created at instant 0. ``after`` and ``status`` are the inline
        values of the trigger. None: the scenario has bridges, so each pipeline needs its own.
        """
        if scenario_id in self.with_bridges:
            return None
        behaviour = None if scenario_id is None else self._scenarios.behaviour(scenario_id)
        scenario = behaviour or ORPHANED
        key = scenario_id, after, status
        kept = self._courses.get(key)
        if kept is None or kept.scenario is not scenario:
            if len(self._courses) >= _COURSES_KEPT:
                self._courses.clear()
            kept = self._courses[key] = _undisturbed(scenario, after, status)
        return kept

    # ------------------------------------------------------------------ dropping

    def drop(self, pipeline_id: int) -> None:
        """Drop the timeline of a pipeline, since somebody has written about it."""
        self._kept.pop(pipeline_id, None)

    def drop_all(self) -> None:
        """Drop every timeline."""
        self._kept.clear()

    def drop_scenarios(self, numbers: frozenset[int]) -> None:
        """Drop the timelines that follow one of these scenarios."""
        for pipeline_id, timeline in list(self._kept.items()):
            if timeline.record.scenario_id in numbers:
                del self._kept[pipeline_id]

    # ------------------------------------------------------------------ bridges

    def upstream_of(self, record: PipelineRecord) -> Iterator[PipelineRecord]:
        """Go up from a pipeline to the one that was not started by a bridge."""
        while record.upstream_job_id is not None:
            stored = self._table.get(split_job_id(record.upstream_job_id)[0])
            if stored is None:
                return
            record = stored.record
            yield record

    def _downstream_of(
        self, record: PipelineRecord, scenario: Scenario
    ) -> dict[int, Timeline | None]:
        followed = {
            job.name
            for job in scenario.jobs
            if job.downstream is not None and job.downstream.strategy is not None
        }
        started: dict[int, Timeline | None] = {}
        for stored in self._table.downstream_of(record.id):
            number = stored.record.upstream_job_id
            assert number is not None
            slot = split_job_id(number)[1]
            follows = slot <= len(scenario.jobs) and scenario.jobs[slot - 1].name in followed
            started[number] = self.of(stored) if follows else None
        return started

    def _obstacle(self, record: PipelineRecord) -> Obstacle:
        """Find what keeps the bridges of a pipeline from starting; looked up only if needed."""
        found: list[FailureReason | None] = []

        def obstacle(downstream: Downstream) -> FailureReason | None:
            if not found:
                found.append(self._out_of_reach(record))
            if downstream.project is not None:
                return found[0] or self._unreachable(downstream)
            levels = takewhile(PipelineRecord.is_child, (record, *self.upstream_of(record)))
            too_deep = len(list(islice(levels, DEEPEST_CHILD))) == DEEPEST_CHILD
            return found[0] or ("reached_max_descendant_pipelines_depth" if too_deep else None)

        return obstacle

    def _out_of_reach(self, record: PipelineRecord) -> FailureReason | None:
        family = [record, *self.upstream_of(record)]
        reason = out_of_reach([(each.project_id, each.ref, each.scenario_id) for each in family])
        root = family[-1].id
        if reason is None and self._table.family_size(root, LARGEST_FAMILY) >= LARGEST_FAMILY:
            reason = "reached_max_pipeline_hierarchy_size"
        return reason

    def _unreachable(self, downstream: Downstream) -> FailureReason | None:
        try:
            assert downstream.project is not None
            project = self._catalog.known(downstream.project)
        except NotFound:
            return "downstream_bridge_project_not_found"
        try:
            if project is not None and downstream.ref is not None:
                self._catalog.resolve(project, downstream.ref)
        except NotFound:
            return "downstream_pipeline_creation_failed"
        return None


def _undisturbed(
    scenario: Scenario, after: Duration | None, status: TerminalStatus | None
) -> Timeline:
    record = PipelineRecord(
        0, 0, 0, "", "", "", created_at=0, terminal_after=after, terminal_status=status
    )
    return Timeline(record, scenario)
