"""The Environments page (https://docs.gitlab.com/api/environments/)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired

from typing_extensions import TypedDict

from mock_gitlab.engine.environments import TIERS, is_valid_name
from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import AlreadyExists
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.entities.project_shape import ProjectBasic
from mock_gitlab.rest.entities.projects import present_basic_project
from mock_gitlab.rest.entities.users import UserBasic, present_user
from mock_gitlab.rest.errors import ApiError, Error, invalid
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.route import Endpoints
from mock_gitlab.store.deployments import EnvironmentRecord, EnvironmentSettings

from .jobs import Job, present_job

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Duration, Instant, Project
    from mock_gitlab.rest.request import Request
    from mock_gitlab.world.deployments import Deployment
    from mock_gitlab.world.environments import EnvironmentView

environments = Endpoints("environments")

_SHORTEST_SEARCH = 3
_LONGEST_NAME = 255
_LONGEST_DESCRIPTION = 10_000
_DAY: Duration = 86_400_000
_TEXTS = (
    Param("external_url", Kind.STRING, description="Its address."),
    Param("tier", Kind.STRING, values=TIERS, description="By default GitLab finds it by the name."),
    Param("description", Kind.STRING, description="Its description."),
    Param("auto_stop_setting", Kind.STRING, values=("always", "with_action")),
    Param("slug", Kind.STRING, description="Refused: it follows from the name."),
)


class EnvironmentBasic(TypedDict):
    """An environment, as a deployment shows it."""

    id: int
    name: str
    slug: str
    external_url: str | None
    created_at: str
    updated_at: str


class LastDeployment(TypedDict):
    """A deployment, as its environment shows it."""

    id: int
    iid: int
    ref: str
    sha: str
    created_at: str
    updated_at: str
    user: UserBasic
    deployable: Job | None
    status: Literal["created", "running", "success", "failed", "canceled", "skipped", "blocked"]


class Environment(EnvironmentBasic):
    """An environment. A list shows its ``project``, and a single one its ``last_deployment``."""

    tier: str
    project: NotRequired[ProjectBasic]
    last_deployment: NotRequired[LastDeployment | None]
    state: Literal["available", "stopping", "stopped"]
    auto_stop_at: str | None
    description: str | None
    cluster_agent: None
    kubernetes_namespace: None
    flux_resource_path: None
    auto_stop_setting: str


def present_basic_environment(view: EnvironmentView) -> EnvironmentBasic:
    """Present an environment, as a deployment shows it."""
    return {
        "id": view.id,
        "name": view.name,
        "slug": view.slug,
        "external_url": view.external_url,
        "created_at": timestamp(view.created_at),
        "updated_at": timestamp(view.updated_at),
    }


def present_deployment(request: Request, deployment: Deployment) -> LastDeployment:
    """Present a deployment, as its environment shows it."""
    job = deployment.job
    builds = job is not None and not job.job.is_bridge
    return {
        "id": deployment.id,
        "iid": deployment.iid,
        "ref": deployment.ref,
        "sha": deployment.sha,
        "created_at": timestamp(deployment.created_at),
        "updated_at": timestamp(deployment.updated_at),
        "user": present_user(request),
        "deployable": present_job(request, job) if job is not None and builds else None,
        "status": deployment.status,
    }


def _present(request: Request, view: EnvironmentView, project: Project | None) -> Environment:
    more: dict[str, Any] = {}
    if project is not None:
        more["project"] = present_basic_project(request, project)
    else:
        last = view.last
        more["last_deployment"] = None if last is None else present_deployment(request, last)
    return {
        **present_basic_environment(view),
        "tier": view.tier,
        **more,  # type: ignore[typeddict-item]  # the keys that only one of the two has
        "state": view.state,
        "auto_stop_at": timestamp(view.auto_stop_at),
        "description": view.description,
        "cluster_agent": None,
        "kubernetes_namespace": None,
        "flux_resource_path": None,
        "auto_stop_setting": view.auto_stop_setting,
    }


def _single(request: Request, view: EnvironmentView) -> Environment:
    return _present(request, view, None)


@environments(
    "GET",
    "/projects/{id}/environments",
    Param("name", Kind.STRING, description="The name; excludes `search`."),
    Param("search", Kind.STRING, description="What the name begins with, at least 3 characters."),
    Param("states", Kind.STRING, values=("available", "stopping", "stopped")),
    answers=list[Environment],
    login=Login.FIRST,
    job_token=True,
    paged=True,
)
def list_environments(
    request: Request, id: str, name: str | None, search: str | None, states: str | None
) -> Page:
    """List the environments of a project."""
    project = request.project(id)
    if name is not None and search is not None:
        raise invalid("name, search are mutually exclusive")
    if search is not None and len(search) < _SHORTEST_SEARCH:
        raise ApiError(Error.SEARCH_TOO_SHORT, limit=_SHORTEST_SEARCH)
    found = [
        each
        for each in request.world.environments.of(project)
        if name in (None, each.name)
        and each.name.lower().startswith((search or "").lower())
        and states in (None, each.state)
    ]
    return page_of(request, found, lambda each: _present(request, each, project))


@environments(
    "GET",
    "/projects/{id}/environments/{environment_id}",
    answers=Environment,
    login=Login.FIRST,
    job_token=True,
)
def get_environment(request: Request, id: str, environment_id: int) -> Environment:
    """Show an environment and its last deployment."""
    project = request.project(id)
    return _single(request, request.world.environments.environment(project, environment_id))


@environments(
    "POST",
    "/projects/{id}/environments",
    Param("name", Kind.STRING, required=True, description="Its name.", example="production"),
    *_TEXTS,
    answers=Environment,
    status=201,
    login=Login.FIRST,
    job_token=True,
)
def create_environment(request: Request, id: str, name: str, **params: Any) -> Environment:
    """Make an environment."""
    project = request.project(id)
    check_environment_name(name)
    settings = EnvironmentSettings(**_texts(params))
    wanted = EnvironmentRecord(project.id, name, settings=settings)
    try:
        return _single(request, request.world.environments.create(project, wanted))
    except AlreadyExists:
        raise ApiError(Error.NAME_IS_TAKEN) from None


@environments(
    "PUT",
    "/projects/{id}/environments/{environment_id}",
    *_TEXTS,
    answers=Environment,
    login=Login.FIRST,
    job_token=True,
)
def update_environment(
    request: Request, id: str, environment_id: int, **params: Any
) -> Environment:
    """Change an environment."""
    project = request.project(id)
    changed = _texts(params)
    view = request.world.environments.update(project, environment_id, changed)
    return _single(request, view)


def check_environment_name(name: str) -> None:
    """Raise an ApiError if GitLab does not allow an environment to have this name."""
    if len(name) > _LONGEST_NAME:
        raise ApiError(Error.ENVIRONMENT_NAME_TOO_LONG, limit=_LONGEST_NAME)
    if not is_valid_name(name):
        raise ApiError(Error.ENVIRONMENT_NAME_IS_INVALID)


def _texts(params: dict[str, Any]) -> dict[str, str]:
    if params.pop("slug") is not None:
        raise invalid("slug is automatically generated and cannot be changed")
    given = {name: value for name, value in params.items() if value is not None}
    if len(given.get("external_url", "")) > _LONGEST_NAME:
        raise ApiError(Error.EXTERNAL_URL_TOO_LONG, limit=_LONGEST_NAME)
    if len(given.get("description", "")) > _LONGEST_DESCRIPTION:
        raise ApiError(Error.DESCRIPTION_TOO_LONG, limit=_LONGEST_DESCRIPTION)
    return given


@environments(
    "DELETE",
    "/projects/{id}/environments/{environment_id}",
    answers=None,
    status=204,
    login=Login.FIRST,
    job_token=True,
)
def delete_environment(request: Request, id: str, environment_id: int) -> None:
    """Delete a stopped environment, with its deployments."""
    request.world.environments.delete(request.project(id), environment_id)


@environments(
    "POST",
    "/projects/{id}/environments/stop_stale",
    Param(
        "before",
        Kind.DATETIME,
        required=True,
        description="Stop what has not changed since; between 10 years and a week ago.",
        example="2025-01-01T00:00:00Z",
    ),
    answers=dict[str, str],
    login=Login.FIRST,
    job_token=True,
)
def stop_stale_environments(request: Request, id: str, before: Instant) -> dict[str, str]:
    """Stop the environments that have not changed for long."""
    project, now = request.project(id), request.world.clock.now()
    if not now - 3652 * _DAY <= before <= now - 7 * _DAY:
        raise ApiError(Error.INVALID_DATE)
    request.world.environments.stop_stale(project, before)
    return {"message": "Successfully requested stop for all stale environments"}


@environments(
    "POST",
    "/projects/{id}/environments/{environment_id}/stop",
    Param("force", Kind.BOOLEAN, default=False, description="Without its `on_stop` job."),
    answers=Environment,
    login=Login.FIRST,
    job_token=True,
)
def stop_environment(request: Request, id: str, environment_id: int, force: bool) -> Environment:
    """Stop an environment, by its `on_stop` job if it has one."""
    project = request.project(id)
    view = request.world.environments.stop(project, environment_id, force=bool(force))
    return _single(request, view)
