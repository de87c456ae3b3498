"""The Pipeline trigger tokens page (https://docs.gitlab.com/api/pipeline_triggers/)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import NotFound, Variable
from mock_gitlab.engine.statuses import EXECUTING
from mock_gitlab.engine.texts import split_ref
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.entities.users import UserBasic, present_user
from mock_gitlab.rest.errors import ApiError, Error, Unauthorized
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

from .pipelines import MOCK_PARAMS, Pipeline, payload_of, present, start

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Duration, Instant, Project, TriggerToken
    from mock_gitlab.world.pipelines import CreatedPipeline

triggers = Endpoints("pipeline_triggers")

_MAX_LIFE: Duration = 366 * 86_400_000


def _variables(sent: dict[str, Any]) -> tuple[Variable, ...] | None:
    """Make variables from a map of texts; None if not every value is a text."""
    if not all(isinstance(value, str) for value in sent.values()):
        return None
    return tuple(Variable(key, value) for key, value in sent.items())


_TRIGGER_PARAMS = (
    Param(
        "ref",
        Kind.STRING,
        required=True,
        allow_blank=False,
        description="The branch or tag to run the pipeline for.",
        example="main",
    ),
    Param(
        "token",
        Kind.STRING,
        required=True,
        forgivable=True,
        description="A trigger token of the project, or the token of a running job. "
        "May be missing if a header authenticates the request, unless the mock is strict.",
    ),
    Param(
        "variables",
        Kind.HASH,
        convert=_variables,
        description="A map of strings.",
        example={"DEPLOY_ENV": "prod"},
    ),
    Param("inputs", Kind.HASH, description="Inputs of the pipeline."),
    *MOCK_PARAMS,
)


_KNOWN = frozenset(
    ("ref", "id", "token", "variables", "private_token", "job_token", "access_token")
).union(param.name for param in MOCK_PARAMS)
"""Parameters that the payload has anyway, or never has. All others are added to it."""


# ---------------------------------------------------------------------------- trigger


def _forgives_no_token(request: Request) -> bool:
    """Accept a missing ``token`` if a header authenticates the request.

    If nothing else is missing, accept it too: the answer is then 401 instead of 400.
    """
    if request.world.declared.strict:
        return False
    return bool(request.given.get("ref")) or _header_authenticates(request)


def _header_authenticates(request: Request) -> bool:
    try:
        return request.log_in()
    except Unauthorized:
        return False


@triggers(
    "POST",
    "/projects/{id}/trigger/pipeline",
    *_TRIGGER_PARAMS,
    answers=Pipeline,
    status=201,
    login=Login.OWN_WAY,
    forgives=_forgives_no_token,
)
def trigger_pipeline(request: Request, id: str, **params: Any) -> Pipeline:
    """Trigger a pipeline with a trigger token."""
    return present(request, _trigger(request, id, params))


@triggers(
    "POST",
    "/projects/{id}/ref/{ref:path}/trigger/pipeline",
    *_TRIGGER_PARAMS,
    answers=Pipeline,
    status=201,
    login=Login.OWN_WAY,
    forgives=_forgives_no_token,
)
def trigger_pipeline_of_ref(request: Request, id: str, **params: Any) -> Pipeline:
    """Trigger a pipeline for the ref in the path."""
    return present(request, _trigger(request, id, params))


def _trigger(request: Request, id: str, params: dict[str, Any]) -> CreatedPipeline:
    token: str | None = params["token"]
    if token is None:
        request.require_login()
    if request.header(b"x-gitlab-event") == "Pipeline Hook":
        raise ApiError(Error.FORBIDDEN)  # a webhook about a pipeline must not start another one
    variables: tuple[Variable, ...] | None = (
        params["variables"] if request.given.get("variables") else ()
    )
    if variables is None:
        raise ApiError(Error.VARIABLES_ARE_NO_MAP)
    try:
        project = request.known_project(id)
    except NotFound:
        raise ApiError(Error.NOT_FOUND) from None
    trigger_token = None if token is None else _check_token(request, project, token)
    source = "pipeline" if request.job is not None else "trigger"
    more = {name: value for name, value in request.given.items() if name not in _KNOWN}
    if more or split_ref(params["ref"])[0] != params["ref"]:
        variables += (payload_of(params["ref"], project.id, variables, more),)
    return start(request, project, params["ref"], source, variables, params, trigger_token)


def _check_token(request: Request, project: Project, token: str) -> TriggerToken | None:
    """Find the trigger token; None if the text is another token that allows the request.

    Raises:
        ApiError: the request is not allowed.
    """
    found = request.world.catalog.find_token(token)
    if found is not None and found.project_id == project.id and not _expired(request, found):
        return found
    job = request.world.jobs.of_token(token)
    if job is not None:
        if job.job.erased_at is not None:
            raise ApiError(Error.JOB_IS_ERASED)
        if job.job.status not in EXECUTING:
            raise ApiError(Error.JOB_IS_NOT_RUNNING)
        request.job = job
        return None
    if request.world.declared.strict:
        raise ApiError(Error.NOT_FOUND, "the mock is strict: the project needs this trigger token")
    if request.is_static_token(token) or _header_authenticates(request):
        return None
    if found is not None:
        raise ApiError(Error.NOT_FOUND, "its trigger token is of another project, or has expired")
    raise Unauthorized("no project has its trigger token")


def _expired(request: Request, token: TriggerToken) -> bool:
    return token.expires_at is not None and token.expires_at <= request.world.clock.now()


# ---------------------------------------------------------------------------- tokens


class Trigger(TypedDict):
    """A trigger token."""

    id: int
    token: str
    description: str
    created_at: str
    updated_at: str
    last_used: str | None
    expires_at: str | None
    owner: UserBasic


def _present(request: Request, token: TriggerToken) -> Trigger:
    return {
        "id": token.id,
        "token": token.token,
        "description": token.description,
        "created_at": timestamp(token.created_at),
        "updated_at": timestamp(token.updated_at),
        "last_used": timestamp(token.last_used),
        "expires_at": timestamp(token.expires_at),
        "owner": present_user(request),
    }


_DESCRIPTION = Param("description", Kind.STRING, required=True, example="release bot")


@triggers(
    "GET",
    "/projects/{id}/triggers",
    answers=list[Trigger],
    login=Login.AFTER_PARAMETERS,
    paged=True,
)
def list_triggers(request: Request, id: str) -> Page:
    """List the trigger tokens of a project."""
    tokens = request.world.catalog.tokens(request.project(id))
    return page_of(request, tokens, lambda token: _present(request, token))


@triggers(
    "GET", "/projects/{id}/triggers/{trigger_id}", answers=Trigger, login=Login.AFTER_PARAMETERS
)
def get_trigger(request: Request, id: str, trigger_id: int) -> Trigger:
    """Show a trigger token."""
    return _present(request, request.world.catalog.token(request.project(id), trigger_id))


@triggers(
    "POST",
    "/projects/{id}/triggers",
    _DESCRIPTION,
    Param("expires_at", Kind.DATETIME),
    answers=Trigger,
    status=201,
    login=Login.AFTER_PARAMETERS,
)
def create_trigger(
    request: Request, id: str, description: str, expires_at: Instant | None
) -> Trigger:
    """Create a trigger token."""
    project = request.project(id)
    now = request.world.clock.now()
    if expires_at is not None and expires_at > now + _MAX_LIFE:
        raise ApiError(Error.EXPIRES_TOO_LATE)
    return _present(
        request, request.world.catalog.create_token(project, description, now, expires_at)
    )


@triggers(
    "PUT",
    "/projects/{id}/triggers/{trigger_id}",
    Param("description", Kind.STRING),
    answers=Trigger,
    login=Login.AFTER_PARAMETERS,
)
def update_trigger(request: Request, id: str, trigger_id: int, description: str | None) -> Trigger:
    """Change the description of a trigger token."""
    project, catalog = request.project(id), request.world.catalog
    if description is None:
        return _present(request, catalog.token(project, trigger_id))
    return _present(
        request, catalog.describe_token(project, trigger_id, description, request.world.clock.now())
    )


@triggers(
    "DELETE",
    "/projects/{id}/triggers/{trigger_id}",
    answers=None,
    status=204,
    login=Login.AFTER_PARAMETERS,
)
def delete_trigger(request: Request, id: str, trigger_id: int) -> None:
    """Delete a trigger token."""
    project = request.project(id)
    request.require_unmodified(request.world.catalog.token(project, trigger_id).updated_at)
    request.world.catalog.delete_token(project, trigger_id)
