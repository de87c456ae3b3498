"""The Deployments page (https://docs.gitlab.com/api/deployments/)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.environments import ENDS, DeploymentStatus
from mock_gitlab.engine.model import Invalid
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.route import Endpoints

from .environments import (
    EnvironmentBasic,
    LastDeployment,
    check_environment_name,
    present_basic_environment,
    present_deployment,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mock_gitlab.engine.model import Instant, Project
    from mock_gitlab.rest.request import Request
    from mock_gitlab.world.deployments import Deployment as Seen
    from mock_gitlab.world.environments import EnvironmentView

deployments = Endpoints("deployments")

_SHA = re.compile(r"[0-9a-f]{7,64}\Z")
_STATUSES = ("created", "running", "success", "failed", "canceled", "skipped", "blocked")
_SETTABLE = ("running", "success", "failed", "canceled")
_EVENTS = {"running": "run", "success": "succeed", "failed": "drop", "canceled": "cancel"}
_ORDERS: Mapping[str, Callable[[Seen], Any]] = {
    # Numbers do not show the order of creation here, as they do on GitLab.
    "id": lambda each: each.iid,
    "iid": lambda each: each.iid,
    "created_at": lambda each: (each.created_at, each.iid),
    "updated_at": lambda each: (each.updated_at, each.iid),
    "finished_at": lambda each: (each.finished_at or 0, each.iid),
    "ref": lambda each: (each.ref, each.iid),
}


class Deployment(LastDeployment):
    """A deployment."""

    environment: EnvironmentBasic


def _present(
    request: Request, deployment: Seen, known: Mapping[str, EnvironmentView]
) -> Deployment:
    fields: dict[str, Any] = {**present_deployment(request, deployment)}
    environment = present_basic_environment(known[deployment.environment])
    keys = ("id", "iid", "ref", "sha", "created_at", "updated_at", "user", "environment")
    fields["environment"] = environment
    return {key: fields[key] for key in (*keys, "deployable", "status")}  # type: ignore[return-value]  # a test compares the keys


def _single(request: Request, project: Project, deployment: Seen) -> Deployment:
    known = {each.name: each for each in request.world.environments.of(project)}
    return _present(request, deployment, known)


@deployments(
    "GET",
    "/projects/{id}/deployments",
    Param("order_by", Kind.STRING, values=tuple(_ORDERS), default="id"),
    Param("sort", Kind.STRING, values=("asc", "desc"), default="asc"),
    Param("updated_after", Kind.DATETIME, description="Needs `order_by=updated_at`."),
    Param("updated_before", Kind.DATETIME, description="Needs `order_by=updated_at`."),
    Param("finished_after", Kind.DATETIME, description="Needs `order_by=finished_at`."),
    Param("finished_before", Kind.DATETIME, description="Needs `order_by=finished_at`."),
    Param("environment", Kind.STRING, description="The name of an environment."),
    Param("status", Kind.STRING, values=_STATUSES),
    answers=list[Deployment],
    login=Login.FIRST,
    job_token=True,
    paged=True,
)
def list_deployments(request: Request, id: str, **params: Any) -> Page:
    """List the deployments of a project."""
    project = request.project(id)
    _refuse_slow(params)
    look = request.world.deployments.look(project)
    found = [each for each in look.deployments if _is_wanted(each, params)]
    found.sort(key=_ORDERS[params["order_by"]], reverse=params["sort"] == "desc")
    known = {each.name: each for each in request.world.environments.of(project, look)}
    return page_of(request, found, lambda each: _present(request, each, known))


def _refuse_slow(params: dict[str, Any]) -> None:
    """Refuse the combinations that would take GitLab's database too long."""
    updated = params["updated_after"] is not None or params["updated_before"] is not None
    finished = params["finished_after"] is not None or params["finished_before"] is not None
    if updated and finished:
        raise ApiError(Error.TWO_FILTERS_OF_DEPLOYMENTS)
    if updated and params["order_by"] != "updated_at":
        raise ApiError(Error.UPDATED_NOT_SORTED)
    if finished and params["order_by"] != "finished_at":
        raise ApiError(Error.FINISHED_NOT_SORTED)
    if params["order_by"] == "finished_at" and not finished and params["status"] not in ENDS:
        raise ApiError(Error.FINISHED_NOT_FILTERED)
    if finished and params["status"] != "success":
        raise ApiError(Error.FINISHED_NOT_SUCCESSFUL)


def _is_wanted(each: Seen, params: dict[str, Any]) -> bool:
    return (
        params["environment"] in (None, each.environment)
        and params["status"] in (None, each.status)
        and _is_between(each.updated_at, params["updated_after"], params["updated_before"])
        and _is_between(each.finished_at, params["finished_after"], params["finished_before"])
    )


def _is_between(at: Instant | None, after: Instant | None, before: Instant | None) -> bool:
    if after is None and before is None:
        return True
    return at is not None and (after is None or at > after) and (before is None or at < before)


@deployments(
    "GET",
    "/projects/{id}/deployments/{deployment_id}",
    answers=Deployment,
    login=Login.FIRST,
    job_token=True,
)
def get_deployment(request: Request, id: str, deployment_id: int) -> Deployment:
    """Show a deployment."""
    project = request.project(id)
    seen = request.world.deployments.deployment(project, deployment_id)
    return _single(request, project, seen)


@deployments(
    "POST",
    "/projects/{id}/deployments",
    Param("environment", Kind.STRING, required=True, allow_blank=False, example="production"),
    Param("sha", Kind.STRING, required=True, allow_blank=False, example="a" * 40),
    Param("ref", Kind.STRING, required=True, allow_blank=False, example="main"),
    Param("tag", Kind.BOOLEAN, required=True, description="Whether `ref` is a tag.", example=False),
    Param("status", Kind.STRING, required=True, values=_SETTABLE, example="success"),
    answers=Deployment,
    status=201,
    login=Login.FIRST,
    job_token=True,
)
def create_deployment(
    request: Request,
    id: str,
    environment: str,
    sha: str,
    ref: str,
    tag: bool,
    status: DeploymentStatus,
) -> Deployment:
    """Record a deployment that no job has made; the environment is made if it is new."""
    project = request.project(id)
    check_environment_name(environment)
    known = request.world.knows_commit(project, sha) if _SHA.match(sha) else None
    if known is None and (request.world.declared.strict or not _SHA.match(sha)):
        raise ApiError(Error.NO_SUCH_COMMIT)
    catalog = request.world.catalog
    if not (catalog.has_tag(project, ref) if tag else catalog.has_branch(project, ref)):
        raise ApiError(Error.NO_SUCH_BRANCH_OR_TAG)
    made = request.world.environments.deploy(
        project, environment, ref, known or sha.ljust(40, "0"), tag=tag, status=status
    )
    return _single(request, project, made)


@deployments(
    "PUT",
    "/projects/{id}/deployments/{deployment_id}",
    Param("status", Kind.STRING, required=True, values=_SETTABLE, example="success"),
    answers=Deployment,
    login=Login.FIRST,
    job_token=True,
)
def update_deployment(
    request: Request, id: str, deployment_id: int, status: DeploymentStatus
) -> Deployment:
    """Change the status of a deployment that no job has made."""
    project = request.project(id)
    try:
        seen = request.world.deployments.update(project, deployment_id, status)
    except Invalid:
        raise ApiError(Error.NO_SUCH_TRANSITION, event=_EVENTS[status]) from None
    return _single(request, project, seen)


@deployments(
    "DELETE",
    "/projects/{id}/deployments/{deployment_id}",
    answers=None,
    status=204,
    login=Login.FIRST,
    job_token=True,
)
def delete_deployment(request: Request, id: str, deployment_id: int) -> None:
    """Delete a deployment that has ended and is not the last of its environment."""
    request.world.deployments.delete(request.project(id), deployment_id)


@deployments(
    "GET",
    "/projects/{id}/deployments/{deployment_id}/merge_requests",
    answers=list[dict[str, Any]],
    login=Login.FIRST,
    job_token=True,
    paged=True,
)
def list_deployment_merge_requests(request: Request, id: str, deployment_id: int) -> Page:
    """List the merge requests of a deployment: none, since the mock has none."""
    request.world.deployments.deployment(request.project(id), deployment_id)
    nothing: list[dict[str, Any]] = []
    return page_of(request, nothing, lambda each: each)
