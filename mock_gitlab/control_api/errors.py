"""How ``/_mock`` answers each error, in one table for FastAPI."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, get_args

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from mock_gitlab.config.diagnostics import short, where
from mock_gitlab.config.messages import explain
from mock_gitlab.engine.model import AlreadyExists, Invalid, NotAllowed, NotFound
from mock_gitlab.http.asgi import WORLD, control_error
from mock_gitlab.store.errors import StoreUnavailable

from .access import NotAuthenticated
from .masking import Masking

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request
    from pydantic_core import ErrorDetails

    Answer = Callable[[Request, Any], JSONResponse]

_log = logging.getLogger("mock_gitlab")
_MOST_DETAILS = 100
"""How many mistakes are explained; nobody reads more."""
_NOT_JSON = {"type": "json_invalid", "loc": ["body"], "msg": "the body is not JSON"}


def _message(status: int, text: str) -> JSONResponse:
    return JSONResponse(control_error(text), status)


def _details(*details: dict[str, Any]) -> JSONResponse:
    lines = (f"{where(each['loc'][1:]) or each['loc'][0]}: {each['msg']}" for each in details)
    return JSONResponse({"message": "\n".join(lines), "detail": details}, 422)


def _invalid(request: Request, error: Invalid) -> JSONResponse:
    where = "query" if request.method in ("GET", "DELETE") else "body"
    what = _masking(request).text(str(error))
    return _details({"type": "value_error", "loc": [where], "msg": what})


def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    if error.status_code == 400:
        return _details(_NOT_JSON)
    what = f"{error.status_code} {error.detail}"
    return JSONResponse(control_error(what), error.status_code, error.headers)


def _invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer in FastAPI's shape, but with the messages of the files and without what was sent."""
    errors = error.errors()[:_MOST_DETAILS]
    masking = _masking(request)
    model = _model_of_body(request)
    return _details(*(_detail(each, model, masking) for each in errors))


def _not_found(request: Request, error: NotFound) -> JSONResponse:
    hint = f" - {_masking(request).text(error.hint)}" if error.hint else ""
    return _message(404, f"404 {error.what.capitalize()} Not Found{hint}")


def _unavailable(_: Request, error: StoreUnavailable) -> JSONResponse:
    _log.error("the store is unavailable: %s", error)
    return _message(503, "503 Service Unavailable")


def _masking(request: Request) -> Masking:
    return Masking(request.scope[WORLD].declared.token)


def _model_of_body(request: Request) -> type[BaseModel]:
    body = request.scope["route"].body_field
    model = None if body is None else body.field_info.annotation
    return next((each for each in (model, *get_args(model)) if _is_model(each)), BaseModel)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _detail(error: ErrorDetails, model: type[BaseModel], masking: Masking) -> dict[str, Any]:
    if error["type"] == "json_invalid":
        return _NOT_JSON
    source, *inside = error["loc"]
    name, sent = str(error["loc"][-1]), error["input"]
    shown = masking.value(name, sent) if isinstance(sent, str) else sent
    path, what = explain({**error, "loc": tuple(inside), "input": shown}, model)
    shown_path = [short(masking.text(step)) if isinstance(step, str) else step for step in path]
    return {"type": error["type"], "loc": [source, *shown_path], "msg": masking.text(what)}


def _handler(answer: Answer) -> Callable[..., Any]:
    async def handle(request: Request, error: Exception) -> JSONResponse:
        return answer(request, error)

    return handle


_ANSWERS: dict[type[Exception], Answer] = {
    NotFound: _not_found,
    NotAllowed: lambda _, error: _message(403, str(error)),
    AlreadyExists: lambda _, error: _message(409, str(error)),
    Invalid: _invalid,
    NotAuthenticated: lambda *_: _message(401, "401 Unauthorized"),
    StoreUnavailable: _unavailable,
    RequestValidationError: _invalid_request,
    HTTPException: _http_error,
}
ERROR_HANDLERS: dict[int | type[Exception], Callable[..., Any]] = {
    error: _handler(answer) for error, answer in _ANSWERS.items()
}
"""What FastAPI calls for each error."""
