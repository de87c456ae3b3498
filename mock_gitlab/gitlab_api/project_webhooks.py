"""The Project webhooks page (https://docs.gitlab.com/api/project_webhooks/)."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from mock_gitlab.engine.hooks import (
    EVENTS,
    MOST_OF_PROJECT,
    SENT,
    HookSpec,
    excess,
    is_signing_token,
    without_password,
)
from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import Invalid, NotFound
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_gitlab.engine.model import Project
    from mock_gitlab.store.hooks import Delivery, Hook

project_webhooks = Endpoints("project_webhooks")

_MOST_EVENTS = 20
"""How many events a page may have."""
_PAIR = (Param("key", Kind.STRING, required=True), Param("value", Kind.STRING, required=True))
_FIELDS = (
    "name",
    "description",
    "token",
    "signing_token",
    "enable_ssl_verification",
    "push_events_branch_filter",
    "branch_filter_strategy",
    "custom_webhook_template",
)
_PARAMS = (
    Param("name", Kind.STRING, description="Its name."),
    Param("description", Kind.STRING, description="Its description."),
    Param("token", Kind.STRING, description="Its secret, sent as `X-Gitlab-Token`."),
    Param(
        "signing_token",
        Kind.STRING,
        description="Its key for signatures: `whsec_` and 32 bytes in base64.",
    ),
    Param("enable_ssl_verification", Kind.BOOLEAN, description="Whether to check certificates."),
    Param("push_events_branch_filter", Kind.STRING, description="Kept; no push is sent."),
    Param(
        "branch_filter_strategy",
        Kind.STRING,
        values=("wildcard", "regex", "all_branches"),
        description="Kept; no push is sent.",
    ),
    Param(
        "custom_webhook_template",
        Kind.STRING,
        description="JSON to send instead, with `{{object_attributes.status}}` and the like.",
    ),
    Param("custom_headers", Kind.ARRAY_OF_HASHES, items=_PAIR, description="Further headers."),
    Param(
        "url_variables",
        Kind.ARRAY_OF_HASHES,
        items=_PAIR,
        description="Values for `{words}` in the URL.",
    ),
    *(Param(event, Kind.BOOLEAN, description="Whether it wants these events.") for event in EVENTS),
)
_URL = Param(
    "url",
    Kind.STRING,
    description="A loopback host, or one of `webhook_hosts`.",
    example="http://127.0.0.1:9/hook",
)


class Key(TypedDict):
    """The name of a header or variable; its value is never shown."""

    key: str


class HookShape(TypedDict):
    """A webhook. A list has no ``url_variables`` and no ``custom_headers``."""

    id: int
    url: str
    name: str | None
    description: str | None
    created_at: str
    push_events: bool
    tag_push_events: bool
    merge_requests_events: bool
    repository_update_events: bool
    enable_ssl_verification: bool
    alert_status: str
    disabled_until: str | None
    url_variables: NotRequired[list[Key]]
    push_events_branch_filter: str | None
    branch_filter_strategy: str
    custom_webhook_template: str | None
    custom_headers: NotRequired[list[Key]]
    project_id: int
    issues_events: bool
    confidential_issues_events: bool
    note_events: bool
    confidential_note_events: bool
    pipeline_events: bool
    wiki_page_events: bool
    deployment_events: bool
    feature_flag_events: bool
    job_events: bool
    releases_events: bool
    milestone_events: bool
    emoji_events: bool
    resource_access_token_events: bool
    resource_deploy_token_events: bool
    vulnerability_events: bool
    token_present: bool
    signing_token_present: bool


def _keys(pairs: Iterable[tuple[str, str]]) -> list[Key]:
    return [{"key": key} for key, _ in pairs]


def _present(request: Request, project: Project, hook: Hook, *, listed: bool = False) -> HookShape:
    spec = hook.spec
    alert = request.world.hooks.alert(hook)
    until = hook.disabled_until if alert == "temporarily_disabled" else None
    on = {event: event in spec.events for event in EVENTS}
    secret = {} if listed else {"url_variables": _keys(spec.url_variables)}
    more = {} if listed else {"custom_headers": _keys(spec.custom_headers)}
    fields: dict[str, Any] = {
        "id": hook.id,
        "url": without_password(spec.url),
        "name": spec.name,
        "description": spec.description,
        "created_at": timestamp(hook.created_at),
        **{event: on.pop(event) for event in EVENTS[:4]},
        "enable_ssl_verification": spec.enable_ssl_verification,
        "alert_status": alert,
        "disabled_until": timestamp(until),
        **secret,
        "push_events_branch_filter": spec.push_events_branch_filter,
        "branch_filter_strategy": spec.branch_filter_strategy,
        "custom_webhook_template": spec.custom_webhook_template,
        **more,
        "project_id": project.id,
        **on,
        "token_present": bool(spec.token),
        "signing_token_present": bool(spec.signing_token),
    }
    return fields  # type: ignore[return-value]  # a test compares the keys


def _over(spec: HookSpec, params: dict[str, Any]) -> HookSpec:
    """Return a hook with what a request gives in its place; raises an ApiError."""
    given = {name: value for name, value in params.items() if value is not None}
    changed: dict[str, Any] = {name: given[name] for name in _FIELDS if name in given}
    for name in ("custom_headers", "url_variables"):
        if name in given:
            changed[name] = tuple((each["key"], each["value"]) for each in given[name])
    on = {event for event in EVENTS if given.get(event, event in spec.events)}
    if "url" in given and given["url"] != spec.url:
        changed = {"token": None, **changed, "url": given["url"]}  # as on GitLab
    if changed.get("signing_token") and not is_signing_token(changed["signing_token"]):
        raise ApiError(Error.INVALID_SIGNING_TOKEN)
    return replace(spec, events=frozenset(on), **changed)


@project_webhooks(
    "GET", "/projects/{id}/hooks", answers=list[HookShape], login=Login.FIRST, paged=True
)
def list_hooks(request: Request, id: str) -> Page:
    """List the webhooks of a project."""
    project = request.project(id)
    hooks = request.world.hooks.select(project)
    return page_of(request, hooks, lambda hook: _present(request, project, hook, listed=True))


@project_webhooks("GET", "/projects/{id}/hooks/{hook_id}", answers=HookShape, login=Login.FIRST)
def get_hook(request: Request, id: str, hook_id: int) -> HookShape:
    """Show a webhook."""
    return _present(request, request.project(id), _hook(request, id, hook_id))


def _hook(request: Request, id: str, hook_id: int) -> Hook:
    return request.world.hooks.hook(request.project(id), hook_id)


@project_webhooks(
    "POST",
    "/projects/{id}/hooks",
    replace(_URL, required=True),
    *_PARAMS,
    answers=HookShape,
    status=201,
    login=Login.FIRST,
)
def create_hook(request: Request, id: str, **params: Any) -> HookShape:
    """Add a webhook."""
    project = request.project(id)
    spec = _checked(_over(HookSpec(params["url"]), params))
    if len(request.world.hooks.select(project)) >= MOST_OF_PROJECT:
        raise ApiError(Error.TOO_MANY_HOOKS, limit=MOST_OF_PROJECT)
    try:
        made = request.world.hooks.create(project, spec, request.site)
        return _present(request, project, made)
    except Invalid as error:
        raise ApiError(Error.INVALID_URL, "its host is not in webhook_hosts") from error


@project_webhooks(
    "PUT",
    "/projects/{id}/hooks/{hook_id}",
    _URL,
    *_PARAMS,
    answers=HookShape,
    login=Login.FIRST,
)
def update_hook(request: Request, id: str, hook_id: int, **params: Any) -> HookShape:
    """Change a webhook."""
    hook = _hook(request, id, hook_id)
    if all(value is None for value in params.values()):
        raise ApiError(Error.NO_PARAMETERS)
    _update(request, hook, _over(hook.spec, params))
    return _present(request, request.project(id), _hook(request, id, hook_id))


def _checked(spec: HookSpec) -> HookSpec:
    """Return a hook that is no larger than GitLab allows; raises an ApiError."""
    found = excess(spec)
    if found is not None:
        attribute, problem = found
        raise ApiError(Error.HOOK_TOO_LARGE, attribute=attribute, problem=problem)
    return spec


def _update(request: Request, hook: Hook, spec: HookSpec) -> None:
    try:
        request.world.hooks.update(hook, _checked(spec))
    except Invalid as error:
        raise ApiError(Error.INVALID_URL, "its host is not in webhook_hosts") from error


@project_webhooks(
    "DELETE",
    "/projects/{id}/hooks/{hook_id}",
    answers=None,
    status=204,
    login=Login.FIRST,
)
def delete_hook(request: Request, id: str, hook_id: int) -> None:
    """Delete a webhook."""
    request.world.hooks.delete(_hook(request, id, hook_id))


def _hide(request: Request) -> None:
    """Keep the value out of the journal."""
    request.logged.parameters = {"value": "[MASKED]"}


_VALUE = Param("value", Kind.STRING, required=True, description="Its value.")


@project_webhooks(
    "PUT",
    "/projects/{id}/hooks/{hook_id}/custom_headers/{key}",
    _VALUE,
    answers=None,
    status=204,
    login=Login.FIRST,
)
def set_hook_header(request: Request, id: str, hook_id: int, key: str, value: str) -> None:
    """Set a custom header of a webhook."""
    hook = _hook(request, id, hook_id)
    _hide(request)
    pairs = {**dict(hook.spec.custom_headers), key: value}
    _update(request, hook, replace(hook.spec, custom_headers=tuple(pairs.items())))


@project_webhooks(
    "DELETE",
    "/projects/{id}/hooks/{hook_id}/custom_headers/{key}",
    answers=None,
    status=204,
    login=Login.FIRST,
)
def delete_hook_header(request: Request, id: str, hook_id: int, key: str) -> None:
    """Delete a custom header of a webhook."""
    hook = _hook(request, id, hook_id)
    pairs = _without(dict(hook.spec.custom_headers), key)
    _update(request, hook, replace(hook.spec, custom_headers=pairs))


def _without(pairs: dict[str, str], key: str) -> tuple[tuple[str, str], ...]:
    if pairs.pop(key, None) is None:
        raise NotFound("hook")
    return tuple(pairs.items())


@project_webhooks(
    "PUT",
    "/projects/{id}/hooks/{hook_id}/url_variables/{key}",
    _VALUE,
    answers=None,
    status=204,
    login=Login.FIRST,
)
def set_hook_url_variable(request: Request, id: str, hook_id: int, key: str, value: str) -> None:
    """Set a variable in the URL of a webhook."""
    hook = _hook(request, id, hook_id)
    _hide(request)
    pairs = {**dict(hook.spec.url_variables), key: value}
    _update(request, hook, replace(hook.spec, url_variables=tuple(pairs.items())))


@project_webhooks(
    "DELETE",
    "/projects/{id}/hooks/{hook_id}/url_variables/{key}",
    answers=None,
    status=204,
    login=Login.FIRST,
)
def delete_hook_url_variable(request: Request, id: str, hook_id: int, key: str) -> None:
    """Delete a variable in the URL of a webhook."""
    hook = _hook(request, id, hook_id)
    pairs = _without(dict(hook.spec.url_variables), key)
    _update(request, hook, replace(hook.spec, url_variables=pairs))


# ---------------------------------------------------------------------------- what was sent


class Sent(TypedDict):
    """The answer to a good test."""

    message: str


class Resent(TypedDict):
    """What the receiver answered to a request that was sent again."""

    response_status: int | str


class HookEvent(TypedDict):
    """A request that was sent, and its answer."""

    id: int
    url: str
    trigger: str
    request_headers: dict[str, str]
    request_data: Any
    response_headers: dict[str, str]
    response_body: str
    execution_duration: float
    response_status: str
    created_at: str


async def _send(request: Request, hook: Hook, delivery: Delivery) -> dict[str, Any]:
    """Send a delivery now, and return the response."""
    await request.scope["app"].couriers().of(request.world).send(hook, delivery)
    sent = request.world.hooks.delivery(hook, delivery.id)
    assert sent.response is not None
    return sent.response


@project_webhooks(
    "POST",
    "/projects/{id}/hooks/{hook_id}/test/{trigger}",
    answers=Sent,
    status=201,
    login=Login.FIRST,
    delivers=True,
)
def test_hook(request: Request, id: str, hook_id: int, trigger: str) -> Awaitable[Sent]:
    """Send a webhook of the newest pipeline, job or deployment, as a test."""
    project = request.project(id)
    hook = request.world.hooks.hook(project, hook_id)
    if trigger not in SENT:
        raise ApiError(Error.INVALID_PARAMETERS, problems="trigger does not have a valid value")
    delivery = request.world.hooks.test(hook, project, trigger)

    async def send() -> Sent:
        response = await _send(request, hook, delivery)
        if not response["ok"]:
            raise ApiError(Error.HOOK_TEST_FAILED, response=response["body"])
        return {"message": "201 Created"}

    return send()


@project_webhooks(
    "GET",
    "/projects/{id}/hooks/{hook_id}/events",
    Param(
        "status",
        Kind.STRING,
        description="A code, `successful`, `client_failure` or `server_failure`; "
        "several with commas.",
    ),
    answers=list[HookEvent],
    login=Login.FIRST,
    paged=True,
)
def list_hook_events(request: Request, id: str, hook_id: int, status: str | None) -> Page:
    """List what was sent to a webhook, newest first."""
    hook = _hook(request, id, hook_id)
    if request.limit > _MOST_EVENTS:
        raise ApiError(Error.INVALID_PARAMETERS, problems="per_page does not have a valid value")
    wanted = (status or "").replace(" ", "").split(",")
    sent = [each for each in request.world.hooks.sent_to(hook) if _is_wanted(each, wanted)]
    return page_of(request, sent, _present_event)


def _is_wanted(delivery: Delivery, wanted: list[str]) -> bool:
    assert delivery.response is not None
    code = str(delivery.response["status"])
    kinds = {"2": "successful", "4": "client_failure", "5": "server_failure"}
    return wanted == [""] or bool({code, kinds.get(code[:1], "server_failure")} & set(wanted))


def _read(body: str) -> Any:
    """Read a body; what a template has made may be no JSON, and is shown as text."""
    try:
        return json.loads(body)
    except ValueError:
        return body


def _present_event(delivery: Delivery) -> HookEvent:
    response = delivery.response
    assert response is not None
    return {
        "id": delivery.id,
        "url": response["url"],
        "trigger": delivery.event.event.replace("_events", "_hooks"),
        "request_headers": response["request_headers"],
        "request_data": _read(delivery.body),
        "response_headers": response["headers"],
        "response_body": response["body"],
        "execution_duration": response["duration"],
        "response_status": str(response["status"]),
        "created_at": timestamp(delivery.event.at),
    }


@project_webhooks(
    "POST",
    "/projects/{id}/hooks/{hook_id}/events/{event_id}/resend",
    answers=Resent,
    status=201,
    login=Login.FIRST,
    delivers=True,
)
def resend_hook_event(request: Request, id: str, hook_id: int, event_id: int) -> Awaitable[Resent]:
    """Send a request to a webhook once more, with the same Idempotency-Key."""
    hook = _hook(request, id, hook_id)
    delivery = request.world.hooks.resend(request.world.hooks.delivery(hook, event_id))

    async def send() -> Resent:
        response = await _send(request, hook, delivery)
        if not response["ok"]:
            raise ApiError(Error.HOOK_TEST_FAILED, response=response["body"])
        return {"response_status": response["status"]}

    return send()
