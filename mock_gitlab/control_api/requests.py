"""The journal: which calls came in, and whether they are those that were expected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Self

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field, field_validator, model_validator
from typing_extensions import TypedDict

from mock_gitlab.config.faults import PathGlob, RequestWhenModel
from mock_gitlab.config.fields import WHOLE, Glob, Name, OperationName, Wanted, mistake
from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.matching import RequestPattern

from .access import Authenticated, CurrentWorld, OnlyKnownParameters
from .masking import Masking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.engine.matching import Difference, NearMiss
    from mock_gitlab.world.journal import LoggedRequest
    from mock_gitlab.world.world import World

requests = APIRouter(
    prefix="/_mock", tags=["requests"], dependencies=[Authenticated, OnlyKnownParameters]
)

_SHOWN = 3


class RequestRow(TypedDict):
    """A call to the GitLab API; ``duration_ms`` is real time."""

    id: int
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
    status: int | None
    outcome: str
    duration_ms: float


class DifferenceRow(TypedDict):
    """A condition that a call did not meet."""

    what: str
    wanted: Any
    got: Any


class NearMissRow(TypedDict):
    """A call that came near, what differed, and how many were alike; ``request`` is the newest."""

    request: RequestRow
    count: int
    differences: list[DifferenceRow]


class Verification(TypedDict):
    """What the journal says to an expectation."""

    verified: bool
    expected: str
    count: int
    message: str
    matched: list[RequestRow]
    near_misses: list[NearMissRow]
    operations: dict[str, int]


Times = Annotated[int, Field(ge=0), WHOLE]


class VerifyBody(RequestWhenModel):
    """Which calls are expected, and how many; without a number at least one."""

    project_id: int | None = Field(None, description="Its number; goes without ``project``.")
    ref: Glob | None = Field(None, description="Glob or /regular expression/.")
    variables: dict[Name, Wanted] = Field(
        {}, description="Globs or /regular expressions/; true: present, false: absent."
    )
    status: Annotated[int, WHOLE] | None = Field(None, description="The status of the answer.")
    times: Times | None = Field(None, description="Exactly so many.")
    at_least: Times | None = Field(None, description="So many or more.")
    at_most: Times | None = Field(None, description="So many or fewer.")

    @field_validator("method", mode="before")
    @classmethod
    def _in_capitals(cls, method: Any) -> Any:
        return method.upper() if isinstance(method, str) else method

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if self.times is not None and (self.at_least, self.at_most) != (None, None):
            raise mistake("times goes without at_least and at_most")
        if None not in (self.project, self.project_id):
            raise mistake("project goes without project_id")
        if None not in (self.at_least, self.at_most) and self.bounds()[0] > (self.at_most or 0):
            raise mistake("at_least is more than at_most")
        return self

    def to_engine(self) -> RequestPattern:
        """Say the same as a pattern."""
        return replace(
            super().to_engine(),
            project=self.project if self.project_id is None else str(self.project_id),
            ref=self.ref,
            variables=tuple(self.variables.items()),
            status=self.status,
        )

    def bounds(self) -> tuple[int, int | None, str]:
        """Give the fewest and the most calls expected, and both in words."""
        if self.times is not None:
            return self.times, self.times, f"exactly {self.times}"
        if self.at_least is None and self.at_most is None:
            return 1, None, "at least 1"
        words = [
            f"{word} {number}"
            for word, number in (("at least", self.at_least), ("at most", self.at_most))
            if number is not None
        ]
        return self.at_least or 0, self.at_most, " and ".join(words)

    def in_words(self) -> str:
        """Say how many calls are expected."""
        fewest, most, bounds = self.bounds()
        return f"expected {bounds} matching {'call' if (most or fewest) == 1 else 'calls'}"


def _request(request: LoggedRequest, masking: Masking) -> RequestRow:
    return {
        "id": request.id,
        "at": timestamp(request.at),
        "method": request.method,
        "path": masking.path(request.path),
        "query": masking.query(request.query),
        "operation": request.operation,
        "project_id": request.project_id,
        "pipeline_id": request.pipeline_id,
        "ref": None if request.ref is None else masking.text(request.ref),
        "variables": masking.mapping(request.variables),
        "parameters": masking.mapping(request.parameters),
        "scenario_id": request.scenario_id,
        "rule": request.rule,
        "fault": request.fault,
        "status": request.status,
        "outcome": request.outcome,
        "duration_ms": round(request.duration_ms, 3),
    }


@requests.get("/requests")
async def list_requests(
    world: CurrentWorld,
    method: str | None = None,
    path: PathGlob | None = None,
    operation: OperationName | None = None,
    project_id: int | None = None,
    status: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000_000)] = 1000,
) -> list[RequestRow]:
    """List the calls to the GitLab API, newest first."""
    project = None if project_id is None else str(project_id)
    pattern = RequestPattern(method, path, operation, project, status=status)
    masking = Masking(world.declared.token)
    return [_request(request, masking) for request in world.journal.find(pattern)[:limit]]


@requests.delete("/requests", status_code=204)
async def delete_requests(world: CurrentWorld) -> None:
    """Forget the calls so far."""
    world.journal.clear()


@requests.post("/verify", responses={409: {"model": Verification}})
async def verify(world: CurrentWorld, body: VerifyBody) -> Any:
    """Check an expectation against the journal: 200 when it holds, 409 with the nearest misses."""
    shown = _verification(world, body)
    return shown if shown["verified"] else JSONResponse(shown, 409)


def _verification(world: World, body: VerifyBody) -> Verification:
    pattern, masking = body.to_engine(), Masking(world.declared.token)
    found = world.journal.find(pattern)
    fewest, most, expected = body.bounds()
    too_few, too_many = len(found) < fewest, most is not None and len(found) > most
    matched = [_request(request, masking) for request in found[:_SHOWN]]
    calls = world.journal.operations() if too_few else {}
    never = pattern.operation is not None and pattern.operation not in calls
    missed = world.journal.near_misses(pattern) if too_few and not never else []
    misses = [_near_miss(miss, masking) for miss in missed]
    lines = [f"{body.in_words()}, found {len(found)}"]
    lines += [f"matched: {_in_words(request)} at {request['at']}" for request in matched]
    lines += [line for miss in misses for line in _miss_in_words(miss)]
    if too_few and never and calls:
        lines.append(f"{pattern.operation} was never called; seen were {_counted(calls)}")
    elif too_few and not misses:
        lines.append(f"no {'other ' if found else ''}calls were made")
    return {
        "verified": not (too_few or too_many),
        "expected": expected,
        "count": len(found),
        "message": "\n".join(lines),
        "matched": matched,
        "near_misses": misses,
        "operations": calls if never else {},
    }


def _miss_in_words(miss: NearMissRow) -> Iterator[str]:
    alike = f", the last of {miss['count']}" if miss["count"] > 1 else ""
    yield f"near miss: {_in_words(miss['request'])}{alike}"
    for each in miss["differences"]:
        yield f"  {each['what']}: wanted {each['wanted']!r}, got {each['got']!r}"


def _counted(calls: dict[str, int]) -> str:
    return ", ".join(f"{name} {'once' if n == 1 else f'{n} times'}" for name, n in calls.items())


def _near_miss(miss: NearMiss, masking: Masking) -> NearMissRow:
    return {
        "request": _request(miss.request, masking),
        "count": miss.times,
        "differences": [
            {
                "what": each.what,
                "wanted": each.wanted,
                "got": _got(each, masking),
            }
            for each in miss.differences
        ],
    }


def _got(difference: Difference, masking: Masking) -> Any:
    if difference.what == "path":
        return masking.path(difference.got)
    return masking.value(difference.what.partition(".")[2], difference.got)


def _in_words(request: RequestRow) -> str:
    answered = request["outcome"] if request["status"] is None else request["status"]
    applied = "" if request["fault"] is None else f", fault {request['fault']}"
    return f"{request['method']} {request['path']} ({answered}{applied})"
