"""Who may use ``/_mock`` and for which world; its errors in one table."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Annotated, Any, get_args

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from mock_gitlab.config.fields import did_you_mean
from mock_gitlab.config.messages import explain
from mock_gitlab.engine.model import AlreadyExists, Invalid, MockGitLabError, NotAllowed, NotFound
from mock_gitlab.http.asgi import WORLD
from mock_gitlab.store.errors import StoreUnavailable
from mock_gitlab.world.sandboxes import Worlds
from mock_gitlab.world.world import World

from .masking import Masking

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails


class NotAuthenticated(Exception):
    """The token is missing or wrong."""


async def authenticated(request: Request) -> None:
    """Let in whoever sends the static token, as ``PRIVATE-TOKEN`` or as a bearer."""
    world: World = request.scope[WORLD]
    expected = world.declared.token.encode()
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    sent = [request.headers.get("private-token", ""), bearer if kind.lower() == "bearer" else ""]
    if not any(hmac.compare_digest(token.encode("latin-1"), expected) for token in sent):
        raise NotAuthenticated


async def current_world(request: Request) -> World:
    """Find the world that the address names."""
    world: World = request.scope[WORLD]
    return world


async def all_worlds(request: Request) -> Worlds:
    """Find the default world and its sandboxes."""
    worlds: Worlds = request.app.worlds
    return worlds


async def only_known_parameters(request: Request) -> None:
    """Refuse a misspelt parameter, which would otherwise ask for more than was meant."""
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:
            raise Invalid(f'there is no parameter "{name}"{did_you_mean(name, known)}')


Authenticated = Depends(authenticated)
OnlyKnownParameters = Depends(only_known_parameters)
CurrentWorld = Annotated[World, Depends(current_world)]
AllWorlds = Annotated[Worlds, Depends(all_worlds)]

_STATUS: dict[type[MockGitLabError], int] = {
    NotFound: 404,
    NotAllowed: 403,
    AlreadyExists: 409,
    Invalid: 422,
}


_NO_JSON = {"type": "json_invalid", "loc": ["body"], "msg": "the body is not JSON"}


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, NotFound):
        return JSONResponse({"message": f"404 {error.what.capitalize()} Not Found"}, 404)
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    if status == 422:
        where = "query" if request.method in ("GET", "DELETE") else "body"
        detail = [{"type": "value_error", "loc": [where], "msg": str(error)}]
        return JSONResponse({"detail": detail}, 422)
    return JSONResponse({"message": str(error)}, status)


async def _unauthorized(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"message": "401 Unauthorized"}, 401)


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"message": "503 Service Unavailable"}, 503)


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code != 400:
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
    return JSONResponse({"detail": [_NO_JSON]}, 422)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    # As FastAPI answers, but in the words of the files, and without what was sent.
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if any(isinstance(each["input"], bytes) for each in errors):
        told = "send the body as Content-Type: application/json"
        return JSONResponse({"detail": [{**_NO_JSON, "msg": told}]}, 422)
    masking = Masking(request.scope[WORLD].declared.token)
    model = _model_of_body(request)
    return JSONResponse({"detail": [_detail(each, model, masking) for each in errors]}, 422)


def _model_of_body(request: Request) -> type[BaseModel]:
    body = request.scope["route"].body_field
    model = None if body is None else body.field_info.annotation
    return next((m for m in (model, *get_args(model)) if _is_model(m)), BaseModel)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _detail(error: ErrorDetails, model: type[BaseModel], masking: Masking) -> dict[str, Any]:
    source, *inside = error["loc"]
    name, sent = str(error["loc"][-1]), error["input"]
    shown = masking.value(name, sent) if isinstance(sent, str) else sent
    path, what = explain({**error, "loc": tuple(inside), "input": shown}, model)
    return {"type": error["type"], "loc": [source, *path], "msg": what}


ERROR_ANSWERS: dict[int | type[Exception], Callable[..., Any]] = {
    **dict.fromkeys(_STATUS, _refuse),
    NotAuthenticated: _unauthorized,
    StoreUnavailable: _unavailable,
    RequestValidationError: _invalid,
    HTTPException: _unreadable,
}
"""How ``/_mock`` answers each error, for FastAPI."""
