"""What happens: pipelines, the clock, the journal, verification, reset, sandboxes, health."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from mock_gitlab.config.fields import Duration, Glob, Instant, OperationName, Text
from mock_gitlab.config.patterns import Wanted
from mock_gitlab.engine.matching import RequestPattern
from mock_gitlab.engine.model import ClockSetting
from mock_gitlab.engine.moments import timestamp
from mock_gitlab.store.scenarios import seconds
from mock_gitlab.version import __version__

from .access import AllWorlds, Authenticated, CurrentWorld

if TYPE_CHECKING:
    from mock_gitlab.engine.matching import Difference
    from mock_gitlab.journal import Call
    from mock_gitlab.ledger import Seen
    from mock_gitlab.world import World

health = APIRouter(prefix="/_mock", tags=["health"])
controls = APIRouter(prefix="/_mock", tags=["controls"], dependencies=[Authenticated])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


# ---------------------------------------------------------------------------- health


class Health(TypedDict):
    """Ready to serve."""

    status: Literal["ok"]
    version: str


@health.get("/health")
async def get_health() -> Health:
    """Tell that the mock is ready; needs no token."""
    return {"status": "ok", "version": __version__}


# ---------------------------------------------------------------------------- pipelines


class ActionRow(TypedDict):
    """Something that was done to a pipeline or one of its jobs."""

    action: str
    at: str
    job_id: int | None


class ChangeRow(TypedDict):
    """A change of what is seen, past or to come if nobody does anything."""

    at: str
    job_id: int | None
    name: str
    before: str | None
    after: str


class JobRow(TypedDict):
    """A job, and the token that it would have while it runs."""

    id: int
    name: str
    stage: str
    status: str
    token: str


class PipelineRow(TypedDict):
    """A pipeline with what GitLab's shape hides."""

    id: int
    iid: int
    project_id: int
    project: str
    ref: str
    sha: str
    source: str
    name: str | None
    status: str
    created_at: str
    updated_at: str
    variables: dict[str, str]
    scenario_id: int | None
    terminal_after_seconds: float | None
    terminal_status: str | None
    polls: int
    matched: dict[str, Any] | None
    actions: list[ActionRow]
    upstream_job_id: int | None


class PipelineDetail(PipelineRow):
    """A single pipeline, with its jobs and its course."""

    jobs: list[JobRow]
    timeline: list[ChangeRow]


def _pipeline(seen: Seen) -> PipelineRow:
    record = seen.record
    return {
        "id": record.id,
        "iid": record.iid,
        "project_id": record.project_id,
        "project": seen.project.path,
        "ref": record.ref,
        "sha": record.sha,
        "source": record.source,
        "name": record.name,
        "status": seen.state.status,
        "created_at": timestamp(record.created_at),
        "updated_at": timestamp(seen.state.updated_at),
        "variables": {v.key: v.value for v in record.variables},
        "scenario_id": record.scenario_id,
        "terminal_after_seconds": seconds(record.terminal_after),
        "terminal_status": record.terminal_status,
        "polls": record.polls,
        "matched": None if record.matched is None else json.loads(record.matched),
        "actions": [
            {"action": action.name, "at": timestamp(action.at), "job_id": action.job_id}
            for action in record.actions
        ],
        "upstream_job_id": record.upstream_job_id,
    }


def _detail(world: World, seen: Seen) -> PipelineDetail:
    return {
        **_pipeline(seen),
        "jobs": [
            {
                "id": job.id,
                "name": job.name,
                "stage": job.stage,
                "status": job.status,
                "token": world.job_token(job.id),
            }
            for job in seen.state.jobs
        ],
        "timeline": [
            {
                "at": timestamp(change.at),
                "job_id": change.job_id,
                "name": change.name,
                "before": change.before,
                "after": change.after,
            }
            for change in seen.timeline.changes(seen.record.created_at - 1, None)
        ],
    }


@controls.get("/pipelines")
async def list_pipelines(
    world: CurrentWorld,
    project_id: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[PipelineRow]:
    """List the pipelines that are stored, newest first, of all projects or of one."""
    found = []
    for seen in world.pipelines.every(project_id):
        found.append(_pipeline(seen))
        if len(found) == limit:
            break
    return found


@controls.get("/pipelines/{id}")
async def get_pipeline(world: CurrentWorld, id: int) -> PipelineDetail:
    """Show a pipeline with its variables, matched rule, actions, and its course to come."""
    return _detail(world, world.pipelines.pipeline_of_any_project(id))


@controls.delete("/pipelines/{id}", status_code=204)
async def delete_pipeline(world: CurrentWorld, id: int) -> None:
    """Delete a pipeline."""
    world.pipelines.delete(world.pipelines.pipeline_of_any_project(id).record.id)


@controls.delete("/pipelines")
async def delete_pipelines(world: CurrentWorld, project_id: int) -> dict[str, int]:
    """Delete the pipelines of a project, and say how many there were."""
    return {"deleted": world.pipelines.delete_all(project_id)}


# ---------------------------------------------------------------------------- clock


class ClockRow(TypedDict):
    """The clock of a world."""

    now: str
    frozen: bool


class ClockBody(_Body):
    """Where to set the clock, and whether it stands still; either may be left out.

    A sandbox's clock may be written as in mock.yaml too, with ``start``.
    """

    now: Instant | None = Field(
        None, validation_alias=AliasChoices("now", "start"), examples=["2026-01-01T00:00:00Z"]
    )
    frozen: bool | None = None


_FARTHEST = 1e12  # seconds; no clock goes as far


class AdvanceBody(_Body):
    """How far to move: a number of seconds, or a duration such as ``5m``."""

    seconds: float | None = Field(
        None, examples=[300], allow_inf_nan=False, ge=-_FARTHEST, le=_FARTHEST
    )
    duration: Duration | None = Field(None, examples=["5m"])

    @model_validator(mode="after")
    def _one_of_them(self) -> AdvanceBody:
        if (self.seconds is None) == (self.duration is None):
            raise ValueError("give either seconds or duration")
        return self

    @property
    def span(self) -> int:
        """The way in milliseconds."""
        if self.duration is not None:
            return self.duration
        assert self.seconds is not None
        return round(self.seconds * 1000)


class NextBody(_Body):
    """Whose next change to jump to; nothing means anybody's."""

    project_id: int | None = None
    pipeline_id: int | None = None


class ChangeOfPipeline(ChangeRow):
    """A change, and the pipeline that it happened to."""

    pipeline_id: int
    project_id: int


class Jump(ClockRow):
    """The clock after a jump, and what has changed on the way. Nothing to come: no jump."""

    changes: list[ChangeOfPipeline]


def _clock(world: World) -> ClockRow:
    return {"now": timestamp(world.clock.now()), "frozen": world.clock.frozen}


@controls.get("/clock")
async def get_clock(world: CurrentWorld) -> ClockRow:
    """Read the clock."""
    return _clock(world)


@controls.put("/clock")
async def set_clock(world: CurrentWorld, body: ClockBody) -> ClockRow:
    """Set the clock, back too; every status follows."""
    moment = world.clock.now() if body.now is None else body.now
    world.move_clock(lambda clock: clock.set(moment, frozen=body.frozen))
    return _clock(world)


@controls.post("/clock/advance")
async def advance_clock(world: CurrentWorld, body: AdvanceBody) -> ClockRow:
    """Move the clock by a span of time."""
    world.move_clock(lambda clock: clock.advance(body.span))
    return _clock(world)


@controls.post("/clock/freeze")
async def freeze_clock(world: CurrentWorld) -> ClockRow:
    """Stop the clock."""
    world.move_clock(lambda clock: clock.freeze())
    return _clock(world)


@controls.post("/clock/resume")
async def resume_clock(world: CurrentWorld) -> ClockRow:
    """Let the clock go on."""
    world.move_clock(lambda clock: clock.resume())
    return _clock(world)


@controls.post("/clock/next")
async def jump_to_next_change(world: CurrentWorld, body: NextBody | None = None) -> Jump:
    """Jump to the next moment at which something visible changes, and tell what."""
    wanted = body or NextBody()
    changed = world.jump(wanted.project_id, wanted.pipeline_id)
    return {
        **_clock(world),
        "changes": [
            {
                "at": timestamp(change.at),
                "job_id": change.job_id,
                "name": change.name,
                "before": change.before,
                "after": change.after,
                "pipeline_id": pipeline_id,
                "project_id": project_id,
            }
            for pipeline_id, project_id, change in changed
        ],
    }


# ---------------------------------------------------------------------------- journal


class CallRow(TypedDict):
    """A call to the GitLab API; ``took`` is in milliseconds of real time."""

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
    took: float


class DifferenceRow(TypedDict):
    """A condition that a call did not meet."""

    what: str
    wanted: Any
    got: Any


class NearMissRow(TypedDict):
    """A call that came near, and what differed."""

    call: CallRow
    differences: list[DifferenceRow]


class Verification(TypedDict):
    """What the journal says to an expectation."""

    verified: bool
    expected: str
    count: int
    message: str
    near_misses: list[NearMissRow]


class VerifyBody(_Body):
    """Which calls are expected, and how many; without a number at least one.

    ``path`` is without ``/api/v4`` and may be a glob: ``*`` within a segment, ``**`` over many.
    """

    method: Text | None = None
    path: Text | None = None
    operation: OperationName | None = None
    project: Text | int | None = None
    ref: Glob | None = None
    variables: dict[Text, Wanted] = Field(default_factory=dict)
    status: int | None = None
    times: int | None = Field(None, ge=0)
    at_least: int | None = Field(None, ge=0)
    at_most: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _no_contradiction(self) -> VerifyBody:
        if self.times is not None and (self.at_least, self.at_most) != (None, None):
            raise ValueError("times goes without at_least and at_most")
        return self

    def pattern(self) -> RequestPattern:
        """Say the same as a pattern."""
        return RequestPattern(
            method=self.method,
            path=self.path,
            operation=self.operation,
            project=None if self.project is None else str(self.project),
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


def _call(call: Call) -> CallRow:
    return {
        "id": call.id,
        "at": timestamp(call.at),
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "operation": call.operation,
        "project_id": call.project_id,
        "pipeline_id": call.pipeline_id,
        "ref": call.ref,
        "variables": dict(call.variables),
        "parameters": dict(call.parameters),
        "scenario_id": call.scenario_id,
        "rule": call.rule,
        "fault": call.fault,
        "status": call.status,
        "outcome": call.outcome,
        "took": call.took,
    }


def _difference(found: Difference) -> DifferenceRow:
    return {"what": found.what, "wanted": found.wanted, "got": found.got}


@controls.get("/requests")
async def list_requests(
    world: CurrentWorld,
    method: str | None = None,
    path: str | None = None,
    operation: str | None = None,
    project_id: int | None = None,
    status: int | None = None,
    limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
) -> list[CallRow]:
    """List the calls to the GitLab API, newest first."""
    pattern = RequestPattern(
        method=method,
        path=path,
        operation=operation,
        project=None if project_id is None else str(project_id),
        status=status,
    )
    return [_call(call) for call in world.journal.find(pattern)[:limit]]


@controls.delete("/requests", status_code=204)
async def delete_requests(world: CurrentWorld) -> None:
    """Forget the calls so far."""
    world.journal.clear()


@controls.post("/verify", responses={409: {"model": Verification}})
async def verify(world: CurrentWorld, body: VerifyBody) -> Any:
    """Check an expectation against the journal: 200 when it holds, 409 with the nearest misses."""
    pattern = body.pattern()
    count = len(world.journal.find(pattern))
    fewest, most, expected = body.bounds()
    verified = count >= fewest and (most is None or count <= most)
    missed = [] if verified else world.journal.near_misses(pattern)
    shown: Verification = {
        "verified": verified,
        "expected": expected,
        "count": count,
        "message": _verdict(expected, count, verified, missed),
        "near_misses": [
            {"call": _call(miss.call), "differences": [_difference(d) for d in miss.differences]}
            for miss in missed
        ],
    }
    return shown if verified else JSONResponse(shown, 409)


def _verdict(expected: str, count: int, verified: bool, missed: list[Any]) -> str:
    lines = [f"expected {expected} matching calls, found {count}"]
    if not verified and not missed:
        lines.append("no other calls were made")
    for call, differences in missed:
        lines.append(f"near miss: {call.method} {call.path} ({call.status})")
        lines += [f"  {d.what}: wanted {d.wanted!r}, got {d.got!r}" for d in differences]
    return "\n".join(lines)


# ---------------------------------------------------------------------------- reset, sandboxes


@controls.post("/reset", status_code=204)
async def reset(world: CurrentWorld, worlds: AllWorlds) -> None:
    """Make the world as new; the default world only where ``allow_reset`` is set."""
    worlds.reset(world)


class SandboxBody(_Body):
    """A sandbox to make, perhaps with a clock or a seed of its own."""

    name: str
    clock: ClockBody | None = None
    seed: Text | int | None = None


class SandboxRow(TypedDict):
    """A sandbox and where it is."""

    name: str
    url: str
    clock: ClockRow


def _sandbox(request: Request, name: str, world: World) -> SandboxRow:
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return {"name": name, "url": f"{origin}/sandbox/{name}", "clock": _clock(world)}


@controls.get("/sandboxes")
async def list_sandboxes(request: Request, worlds: AllWorlds) -> list[SandboxRow]:
    """List the sandboxes, the least recently used first."""
    return [_sandbox(request, name, worlds.find(name)) for name in worlds.names()]


@controls.post("/sandboxes", status_code=201)
async def create_sandbox(request: Request, worlds: AllWorlds, body: SandboxBody) -> SandboxRow:
    """Make a sandbox; one with default options also comes to be by its first use."""
    clock = None if body.clock is None else ClockSetting(body.clock.now, bool(body.clock.frozen))
    seed = None if body.seed is None else str(body.seed)
    return _sandbox(request, body.name, worlds.create(body.name, clock=clock, seed=seed))


@controls.delete("/sandboxes/{name}", status_code=204)
async def delete_sandbox(worlds: AllWorlds, name: str) -> None:
    """Drop a sandbox with all that is in it."""
    worlds.delete(name)
