"""Pipelines and their variables (https://docs.gitlab.com/api/pipelines/)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import (
    TERMINAL_STATUSES,
    NotAllowed,
    NotFound,
    RejectedByRule,
    Variable,
)
from mock_gitlab.engine.sources import SOURCES
from mock_gitlab.engine.statuses import STATUSES, detailed
from mock_gitlab.rest.body import BadParameters
from mock_gitlab.rest.endpoint import Endpoints
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.rendering import Cached, Page
from mock_gitlab.rest.request import Request
from mock_gitlab.store.status_index import Filter
from mock_gitlab.world.creation import PipelineRequest

from .users import UserBasic, present_user

if TYPE_CHECKING:
    from mock_gitlab.engine.model import PipelineRecord, Project, TriggerToken
    from mock_gitlab.store.status_index import PipelineRow
    from mock_gitlab.world.pipelines import CreatedPipeline, PipelineView

pipelines = Endpoints("pipelines")

_BEFORE_SHA = "0" * 40
_SCOPES = {
    "running": ("running",),
    "pending": ("pending",),
    "finished": ("success", "failed", "canceled"),
    "branches": None,
    "tags": None,
}
_NAME_LIMIT = 255
PAYLOAD = "TRIGGER_PAYLOAD"

MOCK_PARAMS = (
    Param(
        "scenario_id",
        Kind.INTEGER,
        description="Mock only: the scenario that the pipeline follows.",
        example=900,
    ),
    Param(
        "terminal_after_seconds",
        Kind.NUMBER,
        minimum=0,
        maximum=1_000_000_000,
        description="Mock only: when the pipeline ends, whatever its scenario says.",
        example=5,
    ),
    Param(
        "terminal_status",
        Kind.STRING,
        values=TERMINAL_STATUSES,
        description="Mock only: how the pipeline ends, whatever its scenario says.",
    ),
)
"""What a trigger may say to the mock alone."""


# ---------------------------------------------------------------------------- pipeline


class PipelineBasic(TypedDict):
    """A pipeline inside another object."""

    id: int
    iid: int
    project_id: int
    sha: str
    ref: str
    status: str
    source: str
    created_at: str
    updated_at: str
    web_url: str


class PipelineListItem(PipelineBasic):
    """A pipeline in a list."""

    name: str | None


class DetailedStatus(TypedDict):
    """How GitLab's pages show a status."""

    icon: str
    text: str
    label: str
    group: str
    tooltip: str
    has_details: bool
    details_path: str
    illustration: None
    favicon: str


class Pipeline(PipelineBasic):
    """A pipeline as trigger, create, retry and cancel answer it."""

    before_sha: str
    tag: bool
    yaml_errors: str | None
    user: UserBasic
    started_at: str | None
    finished_at: str | None
    committed_at: str | None
    duration: int | None
    queued_duration: int | None
    coverage: str | None
    detailed_status: DetailedStatus
    archived: bool


class PipelineWithName(Pipeline):
    """A single pipeline."""

    name: str | None


def present_basic(request: Request, seen: PipelineView | CreatedPipeline) -> PipelineBasic:
    """Show a pipeline inside another object."""
    record, state = seen.record, seen.state
    return {
        "id": record.id,
        "iid": record.iid,
        "project_id": record.project_id,
        "sha": record.sha,
        "ref": record.ref,
        "status": state.status,
        "source": record.source,
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(state.updated_at),
        "web_url": f"{request.site}{_path(seen.project, record.id)}",
    }


def present(request: Request, seen: PipelineView | CreatedPipeline) -> Pipeline:
    """Show a pipeline."""
    record, state = seen.record, seen.state
    _note(request, record)
    return {
        **present_basic(request, seen),
        "before_sha": _BEFORE_SHA,
        "tag": record.tag,
        "yaml_errors": None,
        "user": present_user(request),
        "started_at": timestamp(state.started_at),
        "finished_at": timestamp(state.finished_at),
        "committed_at": None,
        "duration": state.duration,
        "queued_duration": state.queued_duration,
        "coverage": None if state.coverage is None else f"{state.coverage:.2f}",
        "detailed_status": _present_status(seen),
        "archived": False,
    }


def _note(request: Request, record: PipelineRecord) -> None:
    """Tell the journal which pipeline a call is about."""
    request.logged.pipeline_id, request.logged.scenario_id = record.id, record.scenario_id


def present_with_name(request: Request, seen: PipelineView) -> PipelineWithName:
    """Show a single pipeline."""
    return {**present(request, seen), "name": seen.record.name}


def _present_status(seen: PipelineView | CreatedPipeline) -> DetailedStatus:
    words = detailed(seen.state.status, seen.state.has_warnings)
    return {
        "icon": words.icon,
        "text": words.text,
        "label": words.label,
        "group": words.group,
        "tooltip": words.label,
        "has_details": False,
        "details_path": _path(seen.project, seen.record.id),
        "illustration": None,
        "favicon": f"/assets/ci_favicons/favicon_{words.icon}.png",
    }


def _present_row(site: str, project: Project, row: PipelineRow) -> PipelineListItem:
    return {
        "id": row.id,
        "iid": row.iid,
        "project_id": row.project_id,
        "sha": row.sha,
        "ref": row.ref,
        "status": row.status,
        "source": row.source,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "web_url": f"{site}{_path(project, row.id)}",
        "name": row.name,
    }


def _path(project: Project, number: int) -> str:
    return f"/{project.path}/-/pipelines/{number}"


@pipelines(
    "GET", "/projects/{id}/pipelines/latest", Param("ref", Kind.STRING), answers=PipelineWithName
)
def get_latest_pipeline(request: Request, id: str, ref: str | None) -> PipelineWithName:
    """Show the newest pipeline of a ref, by default of the default branch."""
    project = request.project(id)
    try:
        return present_with_name(
            request, request.world.pipelines.latest(project, ref or project.default_branch)
        )
    except NotFound:
        # GitLab asks whether one may read no pipeline at all, and the answer is no.
        raise NotAllowed("forbidden") from None


@pipelines(
    "GET", "/projects/{id}/pipelines/{pipeline_id}", answers=PipelineWithName, job_token=True
)
def get_pipeline(request: Request, id: str, pipeline_id: int) -> Cached:
    """Show a pipeline as it is at this moment."""
    seen = request.world.pipelines.pipeline(request.project(id), pipeline_id, polled=True)
    _note(request, seen.record)
    key = seen.state, seen.project, request.world.declared.user, request.site
    return Cached(seen.timeline, key, lambda: present_with_name(request, seen))


@pipelines(
    "GET",
    "/projects/{id}/pipelines",
    Param("scope", Kind.STRING, values=tuple(_SCOPES)),
    Param("status", Kind.STRING, values=STATUSES),
    Param("ref", Kind.STRING),
    Param("sha", Kind.STRING),
    Param("yaml_errors", Kind.BOOLEAN),
    Param("username", Kind.STRING),
    Param("updated_before", Kind.DATETIME),
    Param("updated_after", Kind.DATETIME),
    Param("created_before", Kind.DATETIME),
    Param("created_after", Kind.DATETIME),
    Param("name", Kind.STRING),
    Param(
        "order_by",
        Kind.STRING,
        values=("id", "status", "ref", "updated_at", "user_id"),
        default="id",
    ),
    Param("sort", Kind.STRING, values=("asc", "desc"), default="desc"),
    Param("source", Kind.STRING, values=SOURCES),
    answers=list[PipelineListItem],
    paged=True,
    job_token=True,
)
def list_pipelines(request: Request, id: str, **asked: Any) -> Page:
    """List a project's pipelines."""
    project = request.project(id)
    rows, total = request.world.pipelines.page(
        _filter(request, project, asked), request.limit + 1, request.offset
    )
    site = request.site
    shown = [_present_row(site, project, row) for row in rows[: request.limit]]
    return Page(shown, total, more=len(rows) > request.limit)


def _filter(request: Request, project: Project, asked: dict[str, Any]) -> Filter:
    scope, status, username = asked["scope"], asked["status"], asked["username"]
    statuses = [set(_SCOPES[scope] or STATUSES)] if scope else []
    statuses += [{status}] if status else []
    somebody_else = bool(username) and username != request.world.declared.user.username
    return Filter(
        project_id=project.id,
        statuses=sorted(set.intersection(*statuses)) if statuses else None,
        ref=asked["ref"] or None,
        sha=asked["sha"] or None,
        name=asked["name"] or None,
        source=asked["source"],
        created_after=asked["created_after"],
        created_before=asked["created_before"],
        updated_after=asked["updated_after"],
        updated_before=asked["updated_before"],
        newest_of=scope if scope in ("branches", "tags") else None,
        nothing=asked["yaml_errors"] is True or somebody_else,
        # Every pipeline is of the one user.
        order_by="id" if asked["order_by"] == "user_id" else asked["order_by"],
        descending=asked["sort"] == "desc",
    )


@pipelines(
    "POST",
    "/projects/{id}/pipeline",
    Param("ref", Kind.STRING, required=True, description="A branch or tag.", example="main"),
    Param(
        "variables",
        Kind.ARRAY_OF_HASHES,
        items=(
            Param("key", Kind.STRING),
            Param("value", Kind.STRING),
            Param("variable_type", Kind.STRING, values=("env_var", "file"), default="env_var"),
        ),
        description="Variables of the pipeline.",
        example=[{"key": "DEPLOY_ENV", "value": "prod"}],
    ),
    Param("inputs", Kind.HASH, description="Inputs of the pipeline."),
    *MOCK_PARAMS,
    answers=Pipeline,
    status=201,
)
def create_pipeline(
    request: Request, id: str, ref: str, variables: list[dict[str, str]] | None, **asked: Any
) -> Pipeline:
    """Create a pipeline."""
    project = request.project(id)
    given = tuple(
        Variable(v["key"] or "", v["value"] or "", v["variable_type"])  # type: ignore[arg-type]  # checked by the parameter
        for v in variables or ()
    )
    _refuse_duplicates(given)
    return present(request, start(request, project, ref, "api", given, asked))


def start(
    request: Request,
    project: Project,
    ref: str,
    source: str,
    variables: tuple[Variable, ...],
    asked: dict[str, Any],
    token: TriggerToken | None = None,
) -> CreatedPipeline:
    """Start a pipeline with what was asked for, the mock's own parameters included."""
    after = asked["terminal_after_seconds"]
    order = PipelineRequest(
        ref=ref,
        source=source,
        variables=variables,
        inputs=asked["inputs"],
        scenario_id=asked["scenario_id"],
        terminal_after=None if after is None else round(after * 1000),
        terminal_status=asked["terminal_status"],
        token=token,
    )
    try:
        started = request.world.trigger(project, order)
    except RejectedByRule as declined:
        request.logged.rule = declined.rule
        raise
    request.logged.rule = started.record.choice and started.record.choice.rule
    return started


def _refuse_duplicates(variables: tuple[Variable, ...]) -> None:
    keys = [variable.key for variable in variables]
    twice = sorted({key for key in keys if keys.count(key) > 1}, key=keys.index)
    if twice:
        word = "name" if len(twice) == 1 else "names"
        what = f"Duplicate variable {word}: {', '.join(twice)}"
        raise BadParameters(400, {"message": {"base": [what]}})


@pipelines("POST", "/projects/{id}/pipelines/{pipeline_id}/retry", answers=Pipeline, status=201)
def retry_pipeline(request: Request, id: str, pipeline_id: int) -> Pipeline:
    """Give the failed and canceled jobs of a pipeline a new attempt."""
    return present(request, request.world.act(request.project(id), pipeline_id, "retry"))


@pipelines("POST", "/projects/{id}/pipelines/{pipeline_id}/cancel", answers=Pipeline)
def cancel_pipeline(request: Request, id: str, pipeline_id: int) -> Pipeline:
    """Cancel what a pipeline still has to do."""
    return present(request, request.world.act(request.project(id), pipeline_id, "cancel"))


@pipelines("DELETE", "/projects/{id}/pipelines/{pipeline_id}", answers=None, status=204)
def delete_pipeline(request: Request, id: str, pipeline_id: int) -> None:
    """Delete a pipeline."""
    project = request.project(id)
    request.refuse_if_modified(
        request.world.pipelines.pipeline(project, pipeline_id).state.updated_at
    )
    request.world.pipelines.delete(pipeline_id)


@pipelines(
    "PUT",
    "/projects/{id}/pipelines/{pipeline_id}/metadata",
    Param("name", Kind.STRING, required=True, description="1 to 255 characters; null for none."),
    answers=PipelineWithName,
    job_token=True,
)
def update_pipeline_metadata(
    request: Request, id: str, pipeline_id: int, name: str
) -> PipelineWithName:
    """Name a pipeline."""
    project = request.project(id)
    request.world.pipelines.pipeline(project, pipeline_id)
    unnamed = request.given["name"] is None
    problem = "" if unnamed else _problem_of(name)
    if problem:
        what = f"Failed to update pipeline - Name is {problem}"
        raise BadParameters(400, {"message": what})
    request.world.pipelines.rename(pipeline_id, None if unnamed else name)
    return present_with_name(request, request.world.pipelines.pipeline(project, pipeline_id))


def _problem_of(name: str) -> str:
    if not name:
        return "too short (minimum is 1 character)"
    return f"too long (maximum is {_NAME_LIMIT} characters)" if len(name) > _NAME_LIMIT else ""


# ---------------------------------------------------------------------------- variables


class PipelineVariable(TypedDict):
    """A variable of a pipeline."""

    variable_type: str
    key: str
    value: str
    raw: bool


def _present_variable(variable: Variable) -> PipelineVariable:
    return {
        "variable_type": variable.variable_type,
        "key": variable.key,
        "value": variable.value,
        "raw": variable.raw,
    }


@pipelines(
    "GET", "/projects/{id}/pipelines/{pipeline_id}/variables", answers=list[PipelineVariable]
)
def list_pipeline_variables(request: Request, id: str, pipeline_id: int) -> list[PipelineVariable]:
    """List the variables that a pipeline was started with."""
    record = request.world.pipelines.pipeline(request.project(id), pipeline_id).record
    return [_present_variable(v) for v in (*record.variables, *_payload(record))]


def _payload(record: PipelineRecord) -> tuple[Variable, ...]:
    """Give the file variable in which the jobs find what was sent, where nothing else was kept."""
    if record.source not in ("trigger", "pipeline") or record.upstream_job_id is not None:
        return ()
    if any(variable.key == PAYLOAD for variable in record.variables):
        return ()
    return (payload_of(record.ref, record.project_id, record.variables, {}),)


def payload_of(
    ref: str, project_id: int, variables: tuple[Variable, ...], more: dict[str, Any]
) -> Variable:
    """Make the file variable in which GitLab hands the trigger's own parameters to the jobs."""
    sent = {"ref": ref, "id": str(project_id), "variables": {v.key: v.value for v in variables}}
    return Variable(PAYLOAD, json.dumps(sent | more, separators=(",", ":")), "file")
