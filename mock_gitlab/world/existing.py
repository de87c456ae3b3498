"""The pipelines that the files declare: they exist from the beginning of a world on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mock_gitlab.engine.model import NotFound, PipelineRecord

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Declarations, DeclaredPipeline, Instant, Project
    from mock_gitlab.store.database import Database

    from .catalog import Catalog
    from .clock import Clock
    from .pipelines import Pipelines

_log = logging.getLogger("mock_gitlab")
_BEGUN = "begun"  # the key of meta with the instant at which the world began
Found = tuple["DeclaredPipeline", "Project", str, "Instant"]
"""A declared pipeline with its project, its ref, and the instant of its creation."""


class Existing:
    """Keeps the declared pipelines of one world as the files declare them."""

    def __init__(
        self, database: Database, pipelines: Pipelines, catalog: Catalog, clock: Clock
    ) -> None:
        self._db = database
        self._pipelines = pipelines
        self._catalog = catalog
        self._clock = clock
        self._applied: object = None

    def begin(self) -> None:
        """Note that the world begins now: ages count from here."""
        self._db.remember(_BEGUN, str(self._clock.now()))
        self._applied = None

    def apply(self, declared: Declarations) -> None:
        """Make the declared pipelines be exactly these, within a transaction.

        One that is declared as before keeps what was recorded of it. One that was edited begins
        anew, under its number.
        """
        applied = (
            declared.pipelines,
            declared.default_scenario,
            declared.projects,
            declared.strict,
            declared.seed,
        )
        if applied == self._applied:
            return
        before = self._applied, self._catalog.heads, self._catalog.commits
        self._db.undo_on_rollback(lambda: self._restore(*before))
        stored = self._pipelines.table.declared()
        if declared.pipelines or stored:
            self._replace(declared, stored)
        self._applied = applied

    def _restore(self, applied: object, heads: object, commits: object) -> None:
        self._applied = applied
        self._catalog.heads, self._catalog.commits = heads, commits  # type: ignore[assignment]

    def _replace(self, declared: Declarations, stored: dict[str, int]) -> None:
        found = [found for each in declared.pipelines if (found := self._find(each))]
        self._learn_commits(found)
        wanted = {each[0].key: self._record(declared, each) for each in _in_order(found)}
        for key, number in stored.items():
            record = self._pipelines.timelines.get(number).record
            if key in wanted and _is_like(record, wanted[key]):
                del wanted[key]
                continue
            self._pipelines.delete(number)
            if key in wanted and not wanted[key].id:
                iid = wanted[key].iid or record.iid
                wanted[key] = wanted[key]._replace(id=record.id, iid=iid)
        places = {each.key: each.place for each in declared.pipelines}
        for key, record in wanted.items():
            if not self._pipelines.insert_declared(record, key):
                _log.warning(
                    "%s: the pipeline is left out, another one has its id %s or its iid %s",
                    places[key],
                    record.id or "-",
                    record.iid or "-",
                )

    def _find(self, each: DeclaredPipeline) -> Found | None:
        try:
            project = self._catalog.project(each.project)
            ref, _ = self._catalog.resolve(project, each.ref or project.default_branch)
        except NotFound as error:
            _log.warning("%s: the pipeline is left out: %s", each.place, error.hint or error)
            return None
        begun = self._db.meta_number(_BEGUN)
        if not begun:
            self.begin()
            begun = self._clock.now()
        at = max(0, begun - each.age) if each.created_at is None else each.created_at
        return each, project, ref, at

    def _learn_commits(self, found: list[Found]) -> None:
        """Tell the catalog the declared shas; the newest pipeline of a ref ran on its head."""
        newest: dict[tuple[int, str], tuple[Instant, str | None]] = {}
        commits: dict[int, dict[str, None]] = {}
        for each, project, ref, at in found:
            if at >= newest.get((project.id, ref), (0, None))[0]:
                newest[project.id, ref] = at, each.sha
            if each.sha is not None:
                commits.setdefault(project.id, {})[each.sha] = None
        self._catalog.heads = {key: sha for key, (_, sha) in newest.items() if sha is not None}
        self._catalog.commits = commits

    def _record(self, declared: Declarations, found: Found) -> PipelineRecord:
        each, project, ref, at = found
        scenario = declared.default_scenario if each.scenario_id is None else each.scenario_id
        return PipelineRecord(
            id=each.id or 0,
            iid=each.iid or 0,
            project_id=project.id,
            ref=ref,
            sha=each.sha or self._catalog.sha(project, ref),
            source=each.source,
            created_at=at,
            tag=self._catalog.resolve(project, each.ref or ref)[1],
            name=each.name,
            variables=each.variables,
            scenario_id=scenario,
        )


def _in_order(found: list[Found]) -> list[Found]:
    """Put those with chosen numbers first, and the others in the order of their creation."""
    return sorted(found, key=lambda each: (not (each[0].id or each[0].iid), each[3]))


def _is_like(record: PipelineRecord, wanted: PipelineRecord) -> bool:
    """Return whether a record is still what is wanted; a number of 0 may be any."""
    ids = wanted.id or record.id, wanted.iid or record.iid
    recorded = wanted.numbered(*ids)
    return all(
        getattr(record, name) == getattr(recorded, name)
        for name in (
            "id", "iid", "project_id", "ref", "sha", "source", "created_at", "tag", "name",
            "variables", "scenario_id",
        )
    )  # fmt: skip
