"""Shapes the generated OpenAPI document."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from mock_gitlab.rest.endpoint import NUMBERS, GitLabRoute, Login

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fastapi import FastAPI

    from mock_gitlab.rest.endpoint import Endpoint

_DESCRIPTION = """\
A test double for GitLab CI. GitLab's endpoints are served with and without `/api/v4`; the paths
under `/_mock` belong to the author of a test. `/sandbox/{name}` before any path picks an isolated
world. API.md is the contract in prose."""
_REF = "#/components/schemas/{model}"
_FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_GITLAB_SERVERS = [
    {"url": "/api/v4", "description": "as GitLab has it"},
    {"url": "/", "description": "without the prefix"},
]
_CONTROL_SERVERS = [{"url": "/"}]
_SECURITY = {
    "PrivateToken": {"type": "apiKey", "in": "header", "name": "PRIVATE-TOKEN"},
    "Bearer": {"type": "http", "scheme": "bearer"},
    "JobToken": {"type": "apiKey", "in": "header", "name": "JOB-TOKEN"},
}
_ERRORS = {
    400: "The parameters, or what they ask for, cannot be taken.",
    401: "The token is missing or wrong.",
    403: "Not allowed.",
    404: "Not found.",
    405: "Not in this way: too far to turn pages, or an order that no cursor follows.",
    409: "A conflict.",
    412: "Changed since.",
    413: "The body is too large.",
    415: "No such content type is read.",
    422: "Cannot be processed.",
    429: "Too many requests.",
    503: "The store cannot be written now.",
}
_CONTROL_ERRORS = (401, 403, 404, 409, 413, 503)
_ERROR_SCHEMA = {
    "title": "Error",
    "description": "GitLab's errors: of the parameters under `error`, else under `message`.",
    "type": "object",
    "properties": {
        "message": {"anyOf": [{"type": "string"}, {"type": "object"}]},
        "error": {"type": "string"},
    },
}
_PATH_PARAMS = {
    "id": "The number of a project, or its URL-encoded full path (`group%2Fapp`).",
    "pipeline_id": "The number of a pipeline.",
    "job_id": "The number of a job.",
    "trigger_id": "The number of a trigger token.",
    "ref": "A branch or tag.",
    "ref_name": "A branch or tag.",
    "artifact_path": "A file in the archive.",
    "branch": "The URL-encoded name of a branch.",
    "tag": "The URL-encoded name of a tag.",
    "sha": "A commit's sha, or the name of a branch or tag.",
}
_PAGE_HEADERS = ("X-Page", "X-Per-Page", "X-Next-Page", "X-Prev-Page", "Link")


def document(app: FastAPI, routes: Sequence[GitLabRoute]) -> dict[str, Any]:
    """Make the document of an application whose GitLab endpoints are ``routes``."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary="GitLab CI for tests: trigger, poll, and declare what happens.",
        description=_DESCRIPTION,
        routes=[route for route in app.routes if not isinstance(route, GitLabRoute)],
    )
    made["servers"] = _GITLAB_SERVERS
    for path in made["paths"].values():
        path["servers"] = _CONTROL_SERVERS
        for operation in path.values():
            if isinstance(operation, dict):
                operation["responses"] = {**_failures(_CONTROL_ERRORS), **operation["responses"]}
                if "health" not in operation["tags"]:
                    operation.setdefault("security", [{"PrivateToken": []}, {"Bearer": []}])
    _add_gitlab(made, [route.gitlab for route in routes], routes)
    return made


def _add_gitlab(
    made: dict[str, Any], endpoints: list[Endpoint], routes: Sequence[GitLabRoute]
) -> None:
    shapes = [
        (endpoint.name, "serialization", TypeAdapter(endpoint.answers))
        for endpoint in endpoints
        if endpoint.answers not in (None, bytes, str)
    ]
    schemas, shared = TypeAdapter.json_schemas(shapes, ref_template=_REF)  # type: ignore[arg-type]  # the modes are literals
    components = made.setdefault("components", {})
    components["securitySchemes"] = _SECURITY
    known = components.setdefault("schemas", {})
    known["Error"] = _ERROR_SCHEMA
    for name, schema in shared.get("$defs", {}).items():
        known[name] = _closed(schema)
    answers = {name: schema for (name, _), schema in schemas.items()}
    for endpoint, route in zip(endpoints, routes, strict=True):
        path = made["paths"].setdefault(route.path_format, {})
        path[endpoint.method.lower()] = _operation(endpoint, route, answers.get(endpoint.name))


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "object" and "properties" in schema:
        return {**schema, "additionalProperties": False}
    return schema


def _operation(
    endpoint: Endpoint, route: GitLabRoute, answer: dict[str, Any] | None
) -> dict[str, Any]:
    said = inspect.cleandoc(endpoint.function.__doc__ or "")
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.page_doc],
        "summary": said.partition("\n")[0],
        "parameters": _parameters(endpoint, route),
        "responses": {str(endpoint.status): _success(endpoint, answer), **_failures(_ERRORS)},
        "security": _security(endpoint),
    }
    if endpoint.method in ("POST", "PUT") and endpoint.params:
        operation["requestBody"] = _body(endpoint)
    return operation


def _parameters(endpoint: Endpoint, route: GitLabRoute) -> list[dict[str, Any]]:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMS[name],
            "schema": {"type": "integer" if name in NUMBERS else "string"},
        }
        for name in route.param_convertors
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
        return {"description": "Done; no body."}
    if endpoint.answers is bytes:
        kind, answer = "application/octet-stream", {"type": "string", "format": "binary"}
    elif endpoint.answers is str:
        kind, answer = "text/plain", {"type": "string"}
    else:
        kind = "application/json"
    made: dict[str, Any] = {"description": "As asked.", "content": {kind: {"schema": answer}}}
    if endpoint.paged:
        made["headers"] = {name: {"schema": {"type": "string"}} for name in _PAGE_HEADERS}
    return made


def _failures(statuses: Iterable[int]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        str(status): {"description": _ERRORS[status], "content": content} for status in statuses
    }


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if endpoint.login is Login.NEVER:
        return [{}, {"PrivateToken": []}, {"Bearer": []}]
    accepted: list[dict[str, list[str]]] = [{"PrivateToken": []}, {"Bearer": []}]
    return [*accepted, {"JobToken": []}] if endpoint.job_token else accepted
