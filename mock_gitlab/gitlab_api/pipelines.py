"""The Pipelines page (https://docs.gitlab.com/api/pipelines/); test_reports.py has the rest of it.

The module is long because the page is: the shapes that other pages embed, and a dozen endpoints.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import from_seconds, timestamp, to_seconds
from mock_gitlab.engine.model import (
    LONGEST_DURATION,
    NAME_LIMIT,
    TERMINAL_STATUSES,
    InvalidCiFile,
    NotFound,
    RejectedByRule,
    Variable,
)
from mock_gitlab.engine.sources import SOURCES
from mock_gitlab.engine.statuses import STATUSES, detailed
from mock_gitlab.rest.entities.users import UserBasic, present_user
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import Page
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.rendering import Cached
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints
from mock_gitlab.store.status_index import Filter
from mock_gitlab.world.pipeline_request import PipelineRequest

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
_PAYLOAD = "TRIGGER_PAYLOAD"

MOCK_PARAMS = (
    Param(
        "scenario_id",
        Kind.INTEGER,
        description="Only in the mock: the scenario that the pipeline follows.",
        example=900,
    ),
    Param(
        "terminal_after_seconds",
        Kind.NUMBER,
        minimum=0,
        maximum=to_seconds(LONGEST_DURATION),
        description="Only in the mock: when the pipeline ends; beats its scenario.",
        example=5,
    ),
    Param(
        "terminal_status",
        Kind.STRING,
        values=TERMINAL_STATUSES,
        description="Only in the mock: how the pipeline ends; beats its scenario.",
    ),
)
"""Parameters that GitLab does not have, for the endpoints that create a pipeline."""


# ---------------------------------------------------------------------------- pipeline


class PipelineBasic(TypedDict):
    """A pipeline as other objects embed it."""

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
    """A status as GitLab's web pages show it."""

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
    """The answer of trigger, create, retry and cancel."""

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
    """The answer of the endpoints that read or rename one pipeline."""

    name: str | None


def present_basic(request: Request, pipeline: PipelineView | CreatedPipeline) -> PipelineBasic:
    """Present a pipeline as other objects embed it."""
    record, state = pipeline.record, pipeline.state
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
        "web_url": f"{request.site}{_path(pipeline.project, record.id)}",
    }


def present(request: Request, pipeline: PipelineView | CreatedPipeline) -> Pipeline:
    """Present a pipeline for trigger, create, retry and cancel."""
    record, state = pipeline.record, pipeline.state
    _note(request, record)
    return {
        **present_basic(request, pipeline),
        "before_sha": _BEFORE_SHA,
        "tag": record.tag,
        "yaml_errors": state.yaml_errors,
        "user": present_user(request),
        "started_at": timestamp(state.started_at),
        "finished_at": timestamp(state.finished_at),
        "committed_at": None,
        "duration": state.duration,
        "queued_duration": state.queued_duration,
        "coverage": None if state.coverage is None else f"{state.coverage:.2f}",
        "detailed_status": _present_status(pipeline),
        "archived": False,
    }


def _note(request: Request, record: PipelineRecord) -> None:
    """Note for the journal which pipeline the request is about."""
    request.logged.pipeline_id, request.logged.scenario_id = record.id, record.scenario_id


def present_with_name(request: Request, pipeline: PipelineView) -> PipelineWithName:
    """Present a pipeline for the endpoints that read or rename one."""
    return {**present(request, pipeline), "name": pipeline.record.name}


def _present_status(pipeline: PipelineView | CreatedPipeline) -> DetailedStatus:
    words = detailed(pipeline.state.status, pipeline.state.has_warnings)
    return {
        "icon": words.icon,
        "text": words.text,
        "label": words.label,
        "group": words.group,
        "tooltip": words.label,
        "has_details": False,
        "details_path": _path(pipeline.project, pipeline.record.id),
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
        # GitLab checks the permission to read the pipeline, which nobody has if there is none.
        raise ApiError(Error.FORBIDDEN) from None


@pipelines(
    "GET", "/projects/{id}/pipelines/{pipeline_id}", answers=PipelineWithName, job_token=True
)
def get_pipeline(request: Request, id: str, pipeline_id: int) -> Cached:
    """Show a pipeline as it is now."""
    pipeline = request.world.pipelines.pipeline(request.project(id), pipeline_id, polled=True)
    _note(request, pipeline.record)
    key = pipeline.state, pipeline.project, request.world.declared.user, request.site
    return Cached(pipeline.timeline, key, lambda: present_with_name(request, pipeline))


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
def list_pipelines(request: Request, id: str, **params: Any) -> Page:
    """List a project's pipelines."""
    project = request.project(id)
    rows, total = request.world.pipelines.page(
        _filter(request, project, params), request.limit + 1, request.offset
    )
    site = request.site
    shown = [_present_row(site, project, row) for row in rows[: request.limit]]
    return Page(shown, total, more=len(rows) > request.limit)


def _filter(request: Request, project: Project, params: dict[str, Any]) -> Filter:
    scope, status, username = params["scope"], params["status"], params["username"]
    statuses = [set(_SCOPES[scope] or STATUSES)] if scope else []
    statuses += [{status}] if status else []
    other_user = bool(username) and username != request.world.declared.user.username
    return Filter(
        project_id=project.id,
        statuses=sorted(set.intersection(*statuses)) if statuses else None,
        ref=params["ref"] or None,
        sha=params["sha"] or None,
        name=params["name"] or None,
        source=params["source"],
        created_after=params["created_after"],
        created_before=params["created_before"],
        updated_after=params["updated_after"],
        updated_before=params["updated_before"],
        newest_of=scope if scope in ("branches", "tags") else None,
        yaml_errors=params["yaml_errors"],
        nothing=other_user,
        children=bool(params["source"]) or not request.world.pipelines.index.has_children,
        # All pipelines belong to the only user.
        order_by="id" if params["order_by"] == "user_id" else params["order_by"],
        descending=params["sort"] == "desc",
    )


class SentVariables(NamedTuple):
    """The variables of a request, and the keys that it has more than once."""

    variables: tuple[Variable, ...]
    twice: list[str]


def _variables(rows: list[dict[str, Any]]) -> SentVariables:
    keys = Counter(row["key"] or "" for row in rows)
    return SentVariables(
        tuple(Variable(row["key"] or "", row["value"] or "", row["variable_type"]) for row in rows),
        [key for key, count in keys.items() if count > 1],
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
        convert=_variables,
        description="Variables of the pipeline.",
        example=[{"key": "DEPLOY_ENV", "value": "prod"}],
    ),
    Param("inputs", Kind.HASH, description="Inputs of the pipeline."),
    *MOCK_PARAMS,
    answers=Pipeline,
    status=201,
)
def create_pipeline(
    request: Request, id: str, ref: str, variables: SentVariables | None, **params: Any
) -> Pipeline:
    """Create a pipeline."""
    project = request.project(id)
    sent = variables or SentVariables((), [])
    if sent.twice:
        error = Error.DUPLICATE_VARIABLE if len(sent.twice) == 1 else Error.DUPLICATE_VARIABLES
        raise ApiError(error, names=", ".join(sent.twice))
    return present(request, start(request, project, ref, "api", sent.variables, params))


def start(
    request: Request,
    project: Project,
    ref: str,
    source: str,
    variables: tuple[Variable, ...],
    params: dict[str, Any],
    token: TriggerToken | None = None,
) -> CreatedPipeline:
    """Create a pipeline, with the parameters that only the mock has.

    Raises:
        ApiError: its CI file is invalid. A trigger leaves a failed pipeline all the same.
    """
    wanted = PipelineRequest(
        ref=ref,
        source=source,
        variables=variables,
        inputs=params["inputs"],
        scenario_id=params["scenario_id"],
        terminal_after=from_seconds(params["terminal_after_seconds"]),
        terminal_status=params["terminal_status"],
        token=token,
    )
    try:
        created = request.world.trigger(project, wanted)
    except RejectedByRule as rejected:
        request.logged.rule = rejected.rule
        raise
    except InvalidCiFile as invalid:
        raise ApiError(Error.CI_FILE_IS_INVALID, errors=invalid.errors) from None
    request.logged.rule = created.record.choice and created.record.choice.rule
    if created.state.yaml_errors is not None:
        _note(request, created.record)
        raise ApiError(Error.FAILED_FOR_ITS_CI_FILE, errors=created.state.yaml_errors)
    return created


@pipelines("POST", "/projects/{id}/pipelines/{pipeline_id}/retry", answers=Pipeline, status=201)
def retry_pipeline(request: Request, id: str, pipeline_id: int) -> Pipeline:
    """Retry the failed and canceled jobs of a pipeline."""
    return present(request, request.world.act(request.project(id), pipeline_id, "retry"))


@pipelines("POST", "/projects/{id}/pipelines/{pipeline_id}/cancel", answers=Pipeline)
def cancel_pipeline(request: Request, id: str, pipeline_id: int) -> Pipeline:
    """Cancel the jobs of a pipeline that have not finished."""
    return present(request, request.world.act(request.project(id), pipeline_id, "cancel"))


@pipelines("DELETE", "/projects/{id}/pipelines/{pipeline_id}", answers=None, status=204)
def delete_pipeline(request: Request, id: str, pipeline_id: int) -> None:
    """Delete a pipeline."""
    project = request.project(id)
    pipeline = request.world.pipelines.pipeline(project, pipeline_id)
    request.require_unmodified(pipeline.state.updated_at)
    request.world.pipelines.delete(pipeline_id)


@pipelines(
    "PUT",
    "/projects/{id}/pipelines/{pipeline_id}/metadata",
    Param(
        "name",
        Kind.STRING,
        required=True,
        description=f"1 to {NAME_LIMIT} characters; null removes the name.",
    ),
    answers=PipelineWithName,
    job_token=True,
)
def update_pipeline_metadata(
    request: Request, id: str, pipeline_id: int, name: str
) -> PipelineWithName:
    """Change the name of a pipeline."""
    project = request.project(id)
    request.world.pipelines.pipeline(project, pipeline_id)
    new_name = None if request.given["name"] is None else name
    if new_name is not None:
        _check_name(new_name)
    request.world.pipelines.rename(pipeline_id, new_name)
    return present_with_name(request, request.world.pipelines.pipeline(project, pipeline_id))


def _check_name(name: str) -> None:
    if not name:
        raise ApiError(Error.NAME_TOO_SHORT)
    if len(name) > NAME_LIMIT:
        raise ApiError(Error.NAME_TOO_LONG, limit=NAME_LIMIT)


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
    """List the variables that a pipeline was created with."""
    record = request.world.pipelines.pipeline(request.project(id), pipeline_id).record
    return [_present_variable(v) for v in (*record.variables, *_payload(record))]


def _payload(record: PipelineRecord) -> tuple[Variable, ...]:
    """Make the payload of a triggered pipeline, unless it is stored with the pipeline."""
    if record.source not in ("trigger", "pipeline") or record.upstream_job_id is not None:
        return ()
    if any(variable.key == _PAYLOAD for variable in record.variables):
        return ()
    return (payload_of(record.ref, record.project_id, record.variables, {}),)


def payload_of(
    ref: str, project_id: int, variables: tuple[Variable, ...], more: dict[str, Any]
) -> Variable:
    """Make the file variable in which the jobs of a pipeline find the trigger's parameters."""
    sent = {"ref": ref, "id": str(project_id), "variables": {v.key: v.value for v in variables}}
    return Variable(_PAYLOAD, json.dumps(sent | more, separators=(",", ":")), "file")
