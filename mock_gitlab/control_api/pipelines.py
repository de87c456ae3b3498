"""``/_mock/pipelines``: pipelines with what GitLab's API hides."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query
from pydantic import Field, model_validator
from typing_extensions import TypedDict

from mock_gitlab.config.fields import StrictModel, mistake
from mock_gitlab.config.scalars import all_as_written
from mock_gitlab.engine.instants import timestamp, to_seconds
from mock_gitlab.engine.statuses import STOPPABLE
from mock_gitlab.world.jobs import JobView

from .access import CurrentWorld, control_router
from .changes import ChangeRow, change_row

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Environment, PipelineRecord
    from mock_gitlab.engine.states import JobState, StatusState
    from mock_gitlab.world.pipelines import PipelineView
    from mock_gitlab.world.world import World

router = control_router("pipelines")


class ActionRow(TypedDict):
    """An action on a pipeline or on one of its jobs."""

    action: str
    at: str
    job_id: int | None


class EnvironmentRow(TypedDict):
    """The environment that a job deploys to; ``auto_stop_in`` is in seconds."""

    name: str
    url: str | None
    action: str
    tier: str | None
    auto_stop_in: float | None
    on_stop: str | None


class JobRow(TypedDict):
    """A job, what GitLab's API hides of it, and the token that it has while it runs.

    ``needs`` is null for a job that waits for the stages before. ``permitted`` are the actions that
    GitLab would allow now. ``downstream`` is the pipeline that a bridge has started.
    """

    id: int
    name: str
    stage: str
    status: str
    token: str
    when: str
    needs: list[str] | None
    allow_failure: bool
    failure_reason: str | None
    retried: bool
    permitted: list[str]
    downstream: int | None
    interruptible: bool
    environment: EnvironmentRow | None


class ArtifactRow(TypedDict):
    """An artifact, and its size in bytes."""

    path: str
    size: int


class JobDetail(JobRow):
    """A single job, with its log so far, and its artifacts."""

    pipeline_id: int
    project_id: int
    trace: str
    artifacts: list[ArtifactRow]


class ExternalStatusRow(TypedDict):
    """A status of the pipeline's commit; ``posted`` is false if the scenario declares it."""

    id: int
    name: str
    status: str
    retried: bool
    target_url: str | None
    description: str | None
    posted: bool


class PipelineRow(TypedDict):
    """A pipeline with what GitLab's API hides."""

    id: int
    iid: int
    project_id: int
    project: str
    ref: str
    sha: str
    source: str
    name: str | None
    status: str
    created_at: str
    updated_at: str
    variables: dict[str, str]
    scenario_id: int | None
    terminal_after_seconds: float | None
    terminal_status: str | None
    polls: int
    matched: dict[str, Any] | None
    actions: list[ActionRow]
    upstream_job_id: int | None


class TestCounts(TypedDict):
    """How many tests of a pipeline went how, as far as their jobs have finished."""

    total: int
    success: int
    failed: int
    error: int
    skipped: int


class PipelineDetail(PipelineRow):
    """A single pipeline, with its jobs and its past and future changes."""

    jobs: list[JobRow]
    external_statuses: list[ExternalStatusRow]
    test_report: TestCounts | None
    timeline: list[ChangeRow]


def _row(view: PipelineView) -> PipelineRow:
    record = view.record
    return {
        "id": record.id,
        "iid": record.iid,
        "project_id": record.project_id,
        "project": view.project.path,
        "ref": record.ref,
        "sha": record.sha,
        "source": record.source,
        "name": record.name,
        "status": view.state.status,
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(view.state.updated_at),
        "variables": {variable.key: variable.value for variable in record.variables},
        "scenario_id": record.scenario_id,
        "terminal_after_seconds": to_seconds(record.terminal_after),
        "terminal_status": record.terminal_status,
        "polls": record.polls,
        "matched": _choice(record),
        "actions": [
            {"action": action.name, "at": timestamp(action.at), "job_id": action.job_id}
            for action in record.actions
        ],
        "upstream_job_id": record.upstream_job_id,
    }


def _choice(record: PipelineRecord) -> dict[str, Any] | None:
    choice = record.choice
    if choice is None:
        return None
    return {"by": choice.by, "scenario_id": record.scenario_id, "rule": choice.rule}


def _detail(world: World, view: PipelineView) -> PipelineDetail:
    changes = view.timeline.changes(view.record.created_at - 1, None)
    return {
        **_row(view),
        "matched": all_as_written(world.explain(view.record), world.declared.variables),
        "jobs": [_job_row(world, JobView(view, job)) for job in view.state.jobs],
        "external_statuses": [_status_row(status) for status in view.state.external],
        "test_report": _test_counts(view),
        "timeline": [change_row(change) for change in changes],
    }


def _status_row(status: StatusState) -> ExternalStatusRow:
    return {
        "id": status.id,
        "name": status.name,
        "status": status.status,
        "retried": status.retried,
        "target_url": status.target_url,
        "description": status.description,
        "posted": status.posted,
    }


def _test_counts(view: PipelineView) -> TestCounts | None:
    suites = view.timeline.test_suites(view.now)
    went = [case.status for suite in suites for case in suite.cases]
    if not suites:
        return None
    return {
        "total": len(went),
        "success": went.count("success"),
        "failed": went.count("failed"),
        "error": went.count("error"),
        "skipped": went.count("skipped"),
    }


def _job_row(world: World, view: JobView) -> JobRow:
    pipeline, job = view
    return {
        "id": job.id,
        "name": job.name,
        "stage": job.stage,
        "status": job.status,
        "token": world.jobs.token(job.id),
        "when": job.spec.when,
        "needs": None if job.spec.needs is None else list(job.spec.needs),
        "allow_failure": job.allow_failure,
        "failure_reason": job.failure_reason,
        "retried": job.retried,
        "permitted": _permitted(job),
        "downstream": _downstream(world, job),
        "interruptible": job.spec.interruptible,
        "environment": _environment(
            world.deployments.environment_of(pipeline.project, pipeline.record, job)
        ),
    }


def _permitted(job: JobState) -> list[str]:
    actions = {
        "play": job.is_playable,
        "cancel": not job.retried and job.status in STOPPABLE,
        "retry": job.is_retryable,
        "erase": job.is_erasable,
    }
    return [action for action, permitted in actions.items() if permitted]


def _downstream(world: World, job: JobState) -> int | None:
    started = world.pipelines.downstream_of(job.id) if job.is_bridge else None
    return None if started is None else started.record.id


def _environment(environment: Environment | None) -> EnvironmentRow | None:
    if environment is None:
        return None
    return {
        "name": environment.name,
        "url": environment.url,
        "action": environment.action,
        "tier": environment.tier,
        "auto_stop_in": to_seconds(environment.auto_stop_in),
        "on_stop": environment.on_stop,
    }


@router.get("/pipelines")
async def list_pipelines(
    world: CurrentWorld,
    project_id: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[PipelineRow]:
    """List the pipelines of all projects or of one, newest first."""
    return [_row(view) for view in islice(world.pipelines.every(project_id), limit)]


@router.get("/pipelines/{id}")
async def get_pipeline(world: CurrentWorld, id: int) -> PipelineDetail:
    """Show a pipeline with its variables, matched rule, actions, and future changes."""
    return _detail(world, world.pipelines.pipeline_of_any_project(id))


@router.get("/jobs/{id}")
async def get_job(world: CurrentWorld, id: int) -> JobDetail:
    """Show a job with its pipeline and its log; no fault applies."""
    view = world.jobs.job_of_any_project(id)
    record = view.pipeline.record
    return {
        **_job_row(world, view),
        "pipeline_id": record.id,
        "project_id": record.project_id,
        "trace": view.job.trace(view.pipeline.now),
        "artifacts": [{"path": each.path, "size": each.size} for each in view.job.artifacts],
    }


class ActionBody(StrictModel):
    """What somebody does to a pipeline, or to one of its jobs."""

    action: Literal["cancel", "retry", "play", "erase"] = Field(description="What is done.")
    job: int | str | None = Field(
        None,
        description="The job, by number or name (then its newest attempt); none: the pipeline.",
        examples=["deploy"],
    )

    @model_validator(mode="after")
    def _needs_a_job(self) -> ActionBody:
        if self.job is None and self.action in ("play", "erase"):
            raise mistake(f"{self.action} needs job")
        return self


@router.post("/pipelines/{id}/actions")
async def act_on_pipeline(world: CurrentWorld, id: int, body: ActionBody) -> PipelineDetail:
    """Do what a user of GitLab does: cancel, retry, play or erase. The journal does not show it."""
    view = world.pipelines.pipeline_of_any_project(id)
    job_id = None if body.job is None else world.jobs.newest(view, body.job).job.id
    return _detail(world, world.act(view.project, id, body.action, job_id))


@router.delete("/pipelines/{id}", status_code=204)
async def delete_pipeline(world: CurrentWorld, id: int) -> None:
    """Delete a pipeline."""
    world.pipelines.delete(world.pipelines.pipeline_of_any_project(id).record.id)


@router.delete("/pipelines")
async def delete_pipelines(world: CurrentWorld, project_id: int) -> dict[str, int]:
    """Delete the pipelines of a project, and return how many there were."""
    return {"deleted": world.pipelines.delete_all(project_id)}
