"""The statuses of commits, on the Commits page (https://docs.gitlab.com/api/commits/)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from mock_gitlab.engine.external import EVENTS, POSTED_STATES, STAGE
from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import NAME_LIMIT, Invalid
from mock_gitlab.engine.states import StatusState
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.entities.users import UserBasic, present_user
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.route import Endpoints

from .commits import find_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mock_gitlab.engine.model import PostedState, Project
    from mock_gitlab.rest.request import Request
    from mock_gitlab.world.commit_statuses import Place, StatusView

commit_statuses = Endpoints("commits")

_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+([/?#]\S*)?\Z", re.IGNORECASE)
_OTHER_SCHEME = "is blocked: Only allowed schemes are http, https"
_NO_ADDRESS = "is blocked: URI is invalid"
_TOO_LONG = f"is too long (maximum is {NAME_LIMIT} characters)"
_TAKEN = "has already been taken"
_ORDERS: Mapping[str, Callable[[StatusView], Any]] = {
    "id": lambda view: view.status.id,
    "pipeline_id": lambda view: (view.pipeline.record.id, view.status.id),
}


class CommitStatus(TypedDict):
    """A status of a commit: that of a job or a bridge, or one that was posted."""

    id: int
    sha: str
    ref: str
    status: str
    name: str
    target_url: str | None
    description: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    allow_failure: bool
    coverage: float | None
    pipeline_id: int
    author: UserBasic


def _present(request: Request, view: StatusView) -> CommitStatus:
    record, status = view.pipeline.record, view.status
    if isinstance(status, StatusState):
        target_url, description, coverage = status.target_url, status.description, status.coverage
        allow_failure = False
    else:
        allow_failure = status.allow_failure
        page = f"{request.site}/{view.pipeline.project.path}/-/jobs/{status.id}"
        target_url, description = None if status.is_bridge else page, None
        coverage = None if status.finished_at is None else status.spec.coverage
    return {
        "id": status.id,
        "sha": record.sha,
        "ref": record.ref,
        "status": status.status,
        "name": status.name,
        "target_url": target_url,
        "description": description,
        "created_at": timestamp(status.created_at),
        "started_at": timestamp(status.started_at),
        "finished_at": timestamp(status.finished_at),
        "allow_failure": allow_failure,
        "coverage": coverage,
        "pipeline_id": record.id,
        "author": present_user(request),
    }


# ---------------------------------------------------------------------------- reading


@commit_statuses(
    "GET",
    "/projects/{id}/repository/commits/{sha}/statuses",
    Param("ref", Kind.STRING, description="Only those of pipelines of this branch or tag."),
    Param("stage", Kind.STRING, description="Only those of this stage."),
    Param("name", Kind.STRING, description="Only those with this name."),
    Param("pipeline_id", Kind.INTEGER, description="Only those of this pipeline."),
    Param("all", Kind.BOOLEAN, default=False, description="Also those that newer ones replace."),
    Param("order_by", Kind.STRING, values=tuple(_ORDERS), default="id"),
    Param("sort", Kind.STRING, values=("asc", "desc"), default="asc"),
    answers=list[CommitStatus],
    login=Login.FIRST,
    paged=True,
)
def list_commit_statuses(request: Request, id: str, sha: str, **params: Any) -> Page:
    """List the statuses of a commit: of the jobs of its pipelines, and those that were posted."""
    project, name = request.project(id), decode_segment(sha)
    find_commit(request, project, name)
    of_commit = request.world.statuses.of_commit(
        project, name, params["ref"] or None, params["pipeline_id"]
    )
    found = [view for view in of_commit if _is_wanted(view, params)]
    found.sort(key=_ORDERS[params["order_by"]], reverse=params["sort"] == "desc")
    return page_of(request, found, lambda view: _present(request, view))


def _is_wanted(view: StatusView, params: dict[str, Any]) -> bool:
    status = view.status
    stage = STAGE if isinstance(status, StatusState) else status.stage
    return (
        (params["all"] or not status.retried)
        and params["stage"] in (None, "", stage)
        and params["name"] in (None, "", status.name)
    )


# ---------------------------------------------------------------------------- posting


@commit_statuses(
    "POST",
    "/projects/{id}/statuses/{sha}",
    Param("state", Kind.STRING, required=True, values=POSTED_STATES, example="success"),
    Param("ref", Kind.STRING, description="The branch or tag; by default that of its pipeline."),
    Param("target_url", Kind.STRING, description="An address to show beside the status."),
    Param("description", Kind.STRING, description="A few words to show beside the status."),
    Param("name", Kind.STRING, description="What it is the status of; by default `default`."),
    Param("context", Kind.STRING, description="The same as `name`, as on GitHub."),
    Param("coverage", Kind.NUMBER, description="The coverage in percent."),
    Param("pipeline_id", Kind.INTEGER, description="The pipeline, if the commit has several."),
    answers=CommitStatus,
    status=201,
    login=Login.FIRST,
)
def post_commit_status(
    request: Request, id: str, sha: str, state: PostedState, **params: Any
) -> CommitStatus:
    """Post a status for a commit: change the open one of its name, or add another."""
    project = request.project(id)
    place = _place(request, project, find_commit(request, project, decode_segment(sha)), params)
    for attribute, problem in _problems(place, params):
        raise ApiError(Error.INVALID_COMMIT_STATUS, attribute=attribute, problem=problem)
    try:
        posted = request.world.statuses.post(
            place, state, params["target_url"], params["description"], params["coverage"]
        )
    except Invalid:
        raise ApiError(
            Error.NO_SUCH_STEP_OF_A_STATUS, event=EVENTS[state], state=place.status
        ) from None
    record = posted.pipeline.record
    request.logged.pipeline_id, request.logged.scenario_id = record.id, record.scenario_id
    return _present(request, posted)


def _place(request: Request, project: Project, sha: str, params: dict[str, Any]) -> Place:
    return request.world.statuses.place(
        project,
        sha,
        params["ref"] or None,
        request.world.branch_with(project, sha),
        params["name"] or params["context"] or "default",
        params["pipeline_id"],
    )


def _problems(place: Place, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Find what is wrong with the values of a status, each with the name of its attribute."""
    url = params["target_url"]
    if url is not None and len(url) > NAME_LIMIT:
        yield "target_url", _TOO_LONG
    elif url and not _WEB_ADDRESS.match(url):
        is_web = re.match(r"https?:", url, re.IGNORECASE)
        yield "target_url", _NO_ADDRESS if is_web else _OTHER_SCHEME
    for name in ("ref", "description"):
        if len(params[name] or "") > NAME_LIMIT:
            yield name, _TOO_LONG
    if len(place.name) > NAME_LIMIT:
        yield "name", _TOO_LONG
    elif place.pipeline is not None and place.name in _names_of_jobs(place):
        yield "name", _TAKEN


def _names_of_jobs(place: Place) -> set[str]:
    """Return the names of a pipeline's jobs, which no status can have."""
    assert place.pipeline is not None
    return {job.name for job in place.pipeline.timeline.scenario.jobs}
