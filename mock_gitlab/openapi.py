"""The OpenAPI document: FastAPI's for ``/_mock``, and GitLab's endpoints added to it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from mock_gitlab.rest.endpoint import Login

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fastapi import FastAPI

    from mock_gitlab.rest.endpoint import Endpoint

_DESCRIPTION = """\
A test double for GitLab CI. GitLab's endpoints are served with and without `/api/v4`. The paths
under `/_mock` control the mock. `/sandbox/{name}` before any path selects an isolated world.
API.md describes all of it in prose."""
_REF = "#/components/schemas/{model}"
_FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_GITLAB_SERVERS = [
    {"url": "/api/v4", "description": "as on GitLab"},
    {"url": "/", "description": "without the prefix"},
]
_CONTROL_SERVERS = [{"url": "/"}]
_SECURITY = {
    "PrivateToken": {"type": "apiKey", "in": "header", "name": "PRIVATE-TOKEN"},
    "Bearer": {"type": "http", "scheme": "bearer"},
    "JobToken": {"type": "apiKey", "in": "header", "name": "JOB-TOKEN"},
}
_ERRORS = {
    400: "A parameter is missing or invalid.",
    401: "The token is missing or wrong.",
    403: "Not allowed.",
    404: "Not found.",
    405: "The list cannot be paged in this way.",
    409: "The number or name is in use.",
    412: "The object has changed since.",
    413: "The body is too large.",
    415: "The content type is not supported.",
    422: "The body cannot be processed.",
    429: "Too many requests.",
    503: "The database cannot be read or written at the moment.",
}
_TOKENS: list[dict[str, list[str]]] = [{"PrivateToken": []}, {"Bearer": []}]
_CONTROL_ERRORS = (401, 403, 404, 409, 413, 422, 503)
_ERROR_SCHEMA = {
    "title": "Error",
    "description": "Problems with parameters stand under `error`, others under `message`.",
    "type": "object",
    "properties": {
        "message": {"anyOf": [{"type": "string"}, {"type": "object"}]},
        "error": {"type": "string"},
    },
}
_CONTROL_ERROR_SCHEMA = {
    "title": "ControlError",
    "description": "`detail` lists each mistake with its place, `loc`, and its text, `msg`.",
    "type": "object",
    "required": ["message", "detail"],
    "properties": {
        "message": {"type": "string"},
        "detail": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "loc", "msg"],
                "properties": {
                    "type": {"type": "string"},
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                },
            },
        },
    },
}
_PATH_PARAMS = {
    "id": "The number of a project, or its URL-encoded full path (`group%2Fapp`).",
    "pipeline_id": "The number of a pipeline.",
    "job_id": "The number of a job.",
    "hook_id": "The number of a webhook.",
    "event_id": "The number of what was sent.",
    "environment_id": "The number of an environment.",
    "deployment_id": "The number of a deployment.",
    "group": "The number of a group, or its URL-encoded full path.",
    "namespace": "The number of a namespace, or its URL-encoded full path.",
    "user_id": "The number of a user.",
    "key": "The name of the header or variable.",
    "trigger": "`pipeline_events`, `job_events` or `deployment_events`.",
    "trigger_id": "The number of a trigger token.",
    "ref": "A branch or tag.",
    "ref_name": "A branch or tag.",
    "artifact_path": "The path of a file in the archive.",
    "branch": "The URL-encoded name of a branch.",
    "tag": "The URL-encoded name of a tag.",
    "sha": "The sha of a commit, or the name of a branch or tag.",
}
_PAGE_HEADERS = ("X-Page", "X-Per-Page", "X-Next-Page", "X-Prev-Page", "Link")


def document(app: FastAPI, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Make the document of an application: its own routes, and GitLab's endpoints."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary="GitLab CI for tests: trigger, poll, and declare what happens.",
        description=_DESCRIPTION,
        routes=app.routes,
    )
    made["servers"] = _GITLAB_SERVERS
    for path in made["paths"].values():
        path["servers"] = _CONTROL_SERVERS
        for operation in path.values():
            if isinstance(operation, dict):
                operation["responses"].pop("422", None)
                failures = _failures(_CONTROL_ERRORS, "ControlError")
                operation["responses"] = {**failures, **operation["responses"]}
                if "health" not in operation["tags"]:
                    operation["security"] = _TOKENS
    _add_gitlab(made, endpoints)
    return made


def _add_gitlab(made: dict[str, Any], endpoints: Sequence[Endpoint]) -> None:
    shapes = [
        (endpoint.name, "serialization", TypeAdapter(endpoint.answers))
        for endpoint in endpoints
        if endpoint.answers not in (None, bytes, str)
    ]
    schemas, shared = TypeAdapter.json_schemas(shapes, ref_template=_REF)  # type: ignore[arg-type]  # the modes are literals
    components = made["components"]
    components["securitySchemes"] = _SECURITY
    components["schemas"]["Error"] = _ERROR_SCHEMA
    components["schemas"]["ControlError"] = _CONTROL_ERROR_SCHEMA
    for name, schema in shared["$defs"].items():
        components["schemas"][name] = {**schema, "additionalProperties": False}
    answers = {name: schema for (name, _), schema in schemas.items()}
    for endpoint in endpoints:
        path = made["paths"].setdefault(endpoint.path.replace(":path}", "}"), {})
        path[endpoint.method.lower()] = _operation(endpoint, answers.get(endpoint.name))


def _operation(endpoint: Endpoint, answer: dict[str, Any] | None) -> dict[str, Any]:
    description = inspect.getdoc(endpoint.function) or ""
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.page_doc],
        "summary": description.partition("\n")[0],
        "parameters": _parameters(endpoint),
        "responses": {str(endpoint.status): _success(endpoint, answer), **_failures(_ERRORS)},
        "security": _security(endpoint),
    }
    if endpoint.method in ("POST", "PUT") and endpoint.params:
        operation["requestBody"] = _body(endpoint)
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMS[name],
            "schema": {"type": "integer" if name in endpoint.numbers else "string"},
        }
        for name in endpoint.segments
    ]
    if endpoint.method in ("POST", "PUT"):
        return in_path
    in_query = [
        {
            "name": param.name,
            "in": "query",
            "required": param.required,
            "schema": param.schema(),
            **({"description": param.description} if param.description else {}),
        }
        for param in endpoint.params
    ]
    return in_path + in_query


def _body(endpoint: Endpoint) -> dict[str, Any]:
    params = [param for param in endpoint.params if param.name not in endpoint.named]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {param.name: param.schema() for param in params},
    }
    required = [p.name for p in params if p.required and not p.forgivable]
    if required:
        schema["required"] = required
    return {
        "required": bool(required),
        "content": {form: {"schema": schema} for form in _FORMS},
    }


def _success(endpoint: Endpoint, answer: dict[str, Any] | None) -> dict[str, Any]:
    if endpoint.answers is None:
        return {"description": "Success, without a body."}
    if endpoint.answers is bytes:
        kind, answer = "application/octet-stream", {"type": "string", "format": "binary"}
    elif endpoint.answers is str:
        kind, answer = "text/plain", {"type": "string"}
    else:
        kind = "application/json"
    made: dict[str, Any] = {"description": "Success.", "content": {kind: {"schema": answer}}}
    if endpoint.paged:
        made["headers"] = {name: {"schema": {"type": "string"}} for name in _PAGE_HEADERS}
    return made


def _failures(statuses: Iterable[int], model: str = "Error") -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REF.format(model=model)}}}
    return {
        str(status): {"description": _ERRORS[status], "content": content} for status in statuses
    }


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if endpoint.login is Login.OWN_WAY:
        return [{}, *_TOKENS]
    return [*_TOKENS, {"JobToken": []}] if endpoint.job_token else _TOKENS
