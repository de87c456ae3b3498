"""``/_mock/requests``: the requests to the GitLab API that came in."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query
from fastapi.responses import JSONResponse, Response
from typing_extensions import TypedDict

from mock_gitlab.config.faults import PathGlob
from mock_gitlab.config.fields import OperationName
from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.matching import RequestPattern

from .access import CurrentWorld, control_router
from .answers import Answer, answer_of, read, reason_of
from .masking import Masking

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.world.journal import Control, LoggedRequest
    from mock_gitlab.world.world import World

router = control_router("requests")


class RequestRow(TypedDict):
    """A request to the GitLab API, and its answer.

    ``duration_ms`` is real time. ``does`` is what the fault did. ``reason`` is why the request was
    refused.
    """

    id: int
    world: str
    at: str
    method: str
    path: str
    query: str
    operation: str | None
    project_id: int | None
    pipeline_id: int | None
    ref: str | None
    variables: dict[str, str]
    parameters: dict[str, Any]
    scenario_id: int | None
    rule: str | None
    fault: str | None
    does: str | None
    status: int | None
    outcome: str
    duration_ms: float
    reason: str | None
    answer: Answer | None


class ControlRow(TypedDict):
    """A request under ``/_mock`` that has changed something."""

    id: int
    at: str
    method: str
    path: str
    query: str
    body: Any
    status: int
    client: str


def request_row(request: LoggedRequest, masking: Masking, world: str) -> RequestRow:
    """Present a request to a world, given by its name, without its secrets."""
    return {
        "id": request.id,
        "world": world,
        "at": timestamp(request.at),
        "method": request.method,
        "path": masking.path(request.path),
        "query": masking.query(request.query, request.path),
        "operation": request.operation,
        "project_id": request.project_id,
        "pipeline_id": request.pipeline_id,
        "ref": None if request.ref is None else masking.text(request.ref),
        "variables": masking.mapping(request.variables),
        "parameters": masking.mapping(request.parameters),
        "scenario_id": request.scenario_id,
        "rule": request.rule,
        "fault": request.fault,
        "does": request.does,
        "status": request.status,
        "outcome": request.outcome,
        "duration_ms": round(request.duration_ms, 3),
        "reason": reason_of(request, masking),
        "answer": answer_of(request, masking),
    }


@router.get("/requests", response_model=list[RequestRow])
async def list_requests(
    world: CurrentWorld,
    method: str | None = None,
    path: PathGlob | None = None,
    operation: OperationName | None = None,
    project_id: int | None = None,
    status: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000_000)] = 1000,
) -> Response:
    """List the requests to the GitLab API, newest first."""
    project = None if project_id is None else str(project_id)
    pattern = RequestPattern(method, path, operation, project, status=status)
    found = world.journal.find(pattern)[:limit]
    # What requests have sent may be large, so that a thread writes it.
    return await _written(world, partial(request_row, world=world.name), found)


async def _written(
    world: World, present: Callable[[Any, Masking], Any], entries: list[Any]
) -> Response:
    masking = Masking(world.declared.token)
    return await asyncio.to_thread(lambda: JSONResponse([present(e, masking) for e in entries]))


@router.delete("/requests", status_code=204)
async def delete_requests(world: CurrentWorld) -> None:
    """Forget the requests so far."""
    world.journal.clear()


@router.get("/controls", response_model=list[ControlRow])
async def list_controls(
    world: CurrentWorld, limit: Annotated[int, Query(ge=1, le=1_000_000)] = 100
) -> Response:
    """List the requests under ``/_mock`` that have changed something, newest first."""
    return await _written(world, _control_row, list(islice(world.journal.controls(), limit)))


def _control_row(control: Control, masking: Masking) -> ControlRow:
    return {
        "id": control.id,
        "at": timestamp(control.at),
        "method": control.method,
        "path": masking.path(control.path),
        "query": masking.query(control.query),
        "body": read(control.body, masking),
        "status": control.status,
        "client": masking.text(control.client),
    }
