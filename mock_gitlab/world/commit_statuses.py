"""The statuses of commits: those of their pipelines' jobs, and those that somebody has posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.external import STATUSES_LIMIT, StatusAct, may_become
from mock_gitlab.engine.model import (
    Invalid,
    NotAllowed,
    NotFound,
    PipelineRecord,
    job_id,
    split_job_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.engine.model import PostedState, Project
    from mock_gitlab.engine.states import JobState, StatusState
    from mock_gitlab.store.database import Database

    from .catalog import Catalog
    from .clock import Clock
    from .pipelines import Pipelines, PipelineView

PIPELINES_SEARCHED = 100
"""Among how many pipelines of a commit, the newest, statuses are found, as on GitLab."""
STATUSES_SEARCHED = 900
"""After how many statuses a list ends before."""
PIPELINE_IS_FULL = "The number of jobs has exceeded the limit"


class StatusView(NamedTuple):
    """A status at an instant, with its pipeline: that of a job, or a posted one."""

    pipeline: PipelineView
    status: JobState | StatusState


class Place(NamedTuple):
    """Where a status goes: into a row of a pipeline, or of a new one if that is None.

    ``status`` is what the row is now; None for a new row.
    """

    project: Project
    sha: str
    ref: str
    name: str
    pipeline: PipelineView | None
    number: int = 0
    status: str | None = None


class CommitStatuses:
    """The statuses of commits in one world."""

    def __init__(
        self, database: Database, pipelines: Pipelines, catalog: Catalog, clock: Clock
    ) -> None:
        self._db = database
        self._pipelines = pipelines
        self._catalog = catalog
        self._clock = clock

    # ------------------------------------------------------------------ seeing

    def of_commit(
        self, project: Project, sha: str, ref: str | None = None, pipeline_id: int | None = None
    ) -> Iterator[StatusView]:
        """See the statuses of a commit, of the newest pipeline first."""
        seen = 0
        for view in self._views(project, sha, ref, pipeline_id):
            yield from (StatusView(view, job) for job in view.state.jobs)
            yield from (StatusView(view, status) for status in view.state.external)
            seen += len(view.state.jobs) + len(view.state.external)
            if seen >= STATUSES_SEARCHED:
                return

    def _views(
        self, project: Project, sha: str, ref: str | None, pipeline_id: int | None
    ) -> Iterator[PipelineView]:
        """See the pipelines of a commit, newest first."""
        if pipeline_id is None:
            for row in self._pipelines.of_commit(project, sha, PIPELINES_SEARCHED):
                if ref in (None, row.ref):
                    yield self._pipelines.pipeline(project, row.id)
            return
        try:
            view = self._pipelines.pipeline(project, pipeline_id)
        except NotFound:
            return
        if view.record.sha == sha and ref in (None, view.record.ref):
            yield view

    # ------------------------------------------------------------------ posting

    def place(
        self,
        project: Project,
        sha: str,
        ref: str | None,
        branch: str | None,
        name: str,
        pipeline_id: int | None,
    ) -> Place:
        """Find where a status goes; ``branch`` is the one that contains the commit.

        Raises:
            NotFound: there is no ref, or no such pipeline.
            NotAllowed: the chosen pipeline is full.
        """
        view = next(self._views(project, sha, ref, pipeline_id), None)
        ref = ref or (branch if view is None else view.record.ref)
        if not ref:
            raise NotFound("ref of a status")
        if view is None:
            if pipeline_id is not None:
                raise NotFound("pipeline of a status")
            return Place(project, sha, ref, name, None)
        row = _open_row(view, name)
        if row is not None:
            number = split_job_id(row.id)[2]
            return Place(project, sha, ref, name, view, number, row.status)
        new = self._next_number(view)
        if new is None and pipeline_id is not None:
            raise NotAllowed(PIPELINE_IS_FULL)
        return Place(project, sha, ref, name, None if new is None else view, new or 0)

    def post(
        self,
        place: Place,
        state: PostedState,
        target_url: str | None = None,
        description: str | None = None,
        coverage: float | None = None,
    ) -> StatusView:
        """Record a status, and see it.

        Raises:
            Invalid: the row that it goes into cannot become this.
        """
        if place.status is not None and not may_become(place.status, state):
            raise Invalid(f"{state} cannot follow {place.status}")
        with self._db.transaction():
            known = place.pipeline
            record = self._create(place) if known is None else known.record
            act = StatusAct(
                max(self._clock.now(), record.created_at),
                place.number,
                place.name,
                state,
                target_url,
                description,
                coverage,
                len(record.actions),
            )
            self._pipelines.post_status(record, act)
        view = self._pipelines.pipeline(place.project, record.id)
        number = job_id(record.id, 0, place.number)
        return StatusView(view, next(each for each in view.state.external if each.id == number))

    def _next_number(self, view: PipelineView) -> int | None:
        """Return the number of a new row; None if the pipeline is full."""
        acts = self._pipelines.statuses.of_pipeline(view.record.id)
        number = 1 + max((act.number for act in acts), default=-1)
        room = STATUSES_LIMIT - len(view.timeline.scenario.external_statuses)
        return number if number < room else None

    def _create(self, place: Place) -> PipelineRecord:
        """Record a pipeline that only statuses have."""
        project, catalog = place.project, self._catalog
        is_branch = catalog.has_branch(project, place.ref)
        return self._pipelines.insert(
            PipelineRecord(
                id=0,
                iid=0,
                project_id=project.id,
                ref=place.ref,
                sha=place.sha,
                source="external",
                created_at=self._clock.now(),
                tag=not is_branch and catalog.has_tag(project, place.ref),
            )
        )


def _open_row(view: PipelineView, name: str) -> StatusState | None:
    """Find the posted row of a name that can still change, the newest of several."""
    found = [
        each for each in view.state.external if each.posted and each.is_open and each.name == name
    ]
    return max(found, default=None, key=lambda each: (each.created_at, each.id))
