"""``/_mock/verify``: whether the expected requests came in, and if not, what came near."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

from fastapi.responses import JSONResponse
from pydantic import Field, field_validator, model_validator
from typing_extensions import TypedDict

from mock_gitlab.config.faults import RequestWhenModel
from mock_gitlab.config.fields import WHOLE, Glob, Name, mistake
from mock_gitlab.config.wanted import WantedVariable
from mock_gitlab.engine.matching import Difference

from .access import CurrentWorld, control_router
from .masking import Masking
from .requests import RequestRow, request_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.engine.matching import NearMiss, RequestPattern
    from mock_gitlab.world.world import World

router = control_router("requests", changes=False)

_MATCHES_SHOWN = 3


class DifferenceRow(TypedDict):
    """A condition that a request did not meet."""

    what: str
    wanted: Any
    got: Any


class NearMissRow(TypedDict):
    """A request that almost matched; ``request`` is the newest of ``count`` that were alike."""

    request: RequestRow
    count: int
    differences: list[DifferenceRow]


class Verification(TypedDict):
    """Whether the requests are as expected.

    ``operations`` counts all requests by operation, if none was for the expected operation.
    """

    verified: bool
    expected: str
    count: int
    message: str
    matched: list[RequestRow]
    near_misses: list[NearMissRow]
    operations: dict[str, int]


class Bounds(NamedTuple):
    """How many requests are expected: as numbers and in words."""

    fewest: int
    most: int | None
    words: str


Times = Annotated[int, Field(ge=0), WHOLE]


class VerifyBody(RequestWhenModel):
    """Which requests are expected, and how many; without a number: at least one."""

    project_id: int | None = Field(None, description="Its number; goes without ``project``.")
    ref: Glob | None = Field(None, description="Glob or /regular expression/.")
    variables: dict[Name, WantedVariable] = Field(
        {}, description="Globs or /regular expressions/ of their values, or {present: false}."
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
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise mistake("at_least is more than at_most")
        return self

    def to_engine(self) -> RequestPattern:
        """Make the pattern that the requests must match."""
        return replace(
            super().to_engine(),
            project=self.project if self.project_id is None else str(self.project_id),
            ref=self.ref,
            variables=tuple(self.variables.items()),
            status=self.status,
        )

    def bounds(self) -> Bounds:
        """Return how many requests are expected."""
        if self.times is not None:
            return Bounds(self.times, self.times, f"exactly {self.times}")
        if self.at_least is None and self.at_most is None:
            return Bounds(1, None, "at least 1")
        named = (("at least", self.at_least), ("at most", self.at_most))
        words = " and ".join(f"{name} {count}" for name, count in named if count is not None)
        return Bounds(self.at_least or 0, self.at_most, words)


@router.post("/verify", responses={409: {"model": Verification}})
async def verify(world: CurrentWorld, body: VerifyBody) -> Any:
    """Check which requests came in: 200 if they are as expected, else 409 with the near misses."""
    verification = _verify(world, body)
    return verification if verification["verified"] else JSONResponse(verification, 409)


def _verify(world: World, body: VerifyBody) -> Verification:
    pattern, bounds, masking = body.to_engine(), body.bounds(), Masking(world.declared.token)
    found = world.journal.find(pattern)
    too_few = len(found) < bounds.fewest
    too_many = bounds.most is not None and len(found) > bounds.most
    operations = world.journal.operations() if too_few else {}
    wanted = body.operations()
    never_requested = bool(wanted) and not operations.keys() & set(wanted)
    missed = world.journal.near_misses(pattern) if too_few and not never_requested else []
    verification: Verification = {
        "verified": not (too_few or too_many),
        "expected": bounds.words,
        "count": len(found),
        "message": "",
        "matched": [
            request_row(request, masking, world.name) for request in found[:_MATCHES_SHOWN]
        ],
        "near_misses": [_near_miss_row(miss, masking, world.name) for miss in missed],
        "operations": operations if never_requested else {},
    }
    lines = [f"{_expected(bounds)}, found {len(found)}", *_lines(verification)]
    if too_few:
        lines += _nothing_near(verification, " or ".join(wanted))
    return {**verification, "message": "\n".join(lines)}


def _near_miss_row(miss: NearMiss, masking: Masking, world: str) -> NearMissRow:
    return {
        "request": request_row(miss.request, masking, world),
        "count": miss.times,
        "differences": [_difference_row(each, masking) for each in miss.differences],
    }


def _difference_row(difference: Difference, masking: Masking) -> DifferenceRow:
    what, wanted, got = difference
    name = what.partition(".")[2]  # of a variable, as in variables.DEPLOY_ENV
    shown = masking.path(got) if what == "path" else masking.value(name, got)
    return {"what": what, "wanted": wanted, "got": shown}


# ---------------------------------------------------------------------------- the message


def _expected(bounds: Bounds) -> str:
    highest = bounds.most or bounds.fewest
    return f"expected {bounds.words} matching {'request' if highest == 1 else 'requests'}"


def _lines(verification: Verification) -> Iterator[str]:
    for request in verification["matched"]:
        yield f"matched: {_in_words(request)} at {request['at']}"
    for miss in verification["near_misses"]:
        alike = f", the last of {miss['count']}" if miss["count"] > 1 else ""
        yield f"near miss: {_in_words(miss['request'])}{alike}"
        for each in miss["differences"]:
            yield f"  {Difference(**each)}"


def _nothing_near(verification: Verification, operation: str) -> Iterator[str]:
    if verification["operations"]:
        counts = verification["operations"].items()
        others = ", ".join(f"{name} {'once' if n == 1 else f'{n} times'}" for name, n in counts)
        yield f"{operation} was never requested; requested were {others}"
    elif not verification["near_misses"]:
        yield f"no {'other ' if verification['count'] else ''}requests came in"


def _in_words(request: RequestRow) -> str:
    answered = request["outcome"] if request["status"] is None else request["status"]
    applied = "" if request["fault"] is None else f", fault {request['fault']}"
    reason = "" if request["reason"] is None else f": {request['reason']}"
    return f"{request['method']} {request['path']} ({answered}{applied}{reason})"
