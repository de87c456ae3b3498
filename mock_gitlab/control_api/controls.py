"""What happens: pipelines, the clock, reset, sandboxes, health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import AliasChoices, Field, model_validator
from typing_extensions import TypedDict

from mock_gitlab.config.fields import (
    DurationField,
    InstantField,
    StrictModel,
    TextOrNumber,
    mistake,
)
from mock_gitlab.engine.instants import timestamp, to_seconds
from mock_gitlab.engine.model import ClockSetting
from mock_gitlab.version import __version__

from .access import AllWorlds, Authenticated, CurrentWorld, OnlyKnownParameters

if TYPE_CHECKING:
    from mock_gitlab.world.pipelines import PipelineView
    from mock_gitlab.world.world import World

health = APIRouter(prefix="/_mock", tags=["health"])
controls = APIRouter(
    prefix="/_mock", tags=["controls"], dependencies=[Authenticated, OnlyKnownParameters]
)


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


def _pipeline(world: World, seen: PipelineView) -> PipelineRow:
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
        "terminal_after_seconds": to_seconds(record.terminal_after),
        "terminal_status": record.terminal_status,
        "polls": record.polls,
        "matched": world.explain(record),
        "actions": [
            {"action": action.name, "at": timestamp(action.at), "job_id": action.job_id}
            for action in record.actions
        ],
        "upstream_job_id": record.upstream_job_id,
    }


def _detail(world: World, seen: PipelineView) -> PipelineDetail:
    return {
        **_pipeline(world, seen),
        "jobs": [
            {
                "id": job.id,
                "name": job.name,
                "stage": job.stage,
                "status": job.status,
                "token": world.jobs.token(job.id),
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
        found.append(_pipeline(world, seen))
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


class ClockBody(StrictModel):
    """Where to set the clock, and whether it stands still; either may be left out.

    A sandbox's clock may be written as in mock.yaml too, with ``start``.
    """

    now: InstantField | None = Field(
        None,
        validation_alias=AliasChoices("now", "start"),
        description="ISO 8601; without an offset it is UTC.",
        examples=["2026-01-01T00:00:00Z"],
    )
    frozen: bool | None = Field(None, description="Whether it stands still.")

    def over(self, declared: ClockSetting) -> ClockSetting:
        """Take what is said here, and the rest as it is declared."""
        return ClockSetting(
            declared.start if self.now is None else self.now,
            declared.frozen if self.frozen is None else self.frozen,
        )


_FARTHEST = 1e12  # seconds; no clock goes as far


class AdvanceBody(StrictModel):
    """How far to move: a number of seconds, or a duration such as ``5m``."""

    seconds: float | None = Field(
        None,
        description="Below zero: back.",
        examples=[300],
        allow_inf_nan=False,
        ge=-_FARTHEST,
        le=_FARTHEST,
    )
    duration: DurationField | None = Field(
        None, description="Seconds, or text such as ``5m``.", examples=["5m"]
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> AdvanceBody:
        if (self.seconds is None) == (self.duration is None):
            raise mistake("give either seconds or duration")
        return self

    @property
    def span(self) -> int:
        """The way in milliseconds."""
        if self.duration is not None:
            return self.duration
        assert self.seconds is not None
        return round(self.seconds * 1000)


class NextBody(StrictModel):
    """Whose next change to jump to; nothing means anybody's."""

    project_id: int | None = Field(default=None, description="Of this project alone.")
    pipeline_id: int | None = Field(default=None, description="Of this pipeline alone.")


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


# ---------------------------------------------------------------------------- reset, sandboxes


@controls.post("/reset", status_code=204)
async def reset(world: CurrentWorld, worlds: AllWorlds) -> None:
    """Make the world as new; the default world only where ``allow_reset`` is set."""
    worlds.reset(world)


class SandboxBody(StrictModel):
    """A sandbox to make, perhaps with a clock or a seed of its own."""

    name: str = Field(description="Letters, digits and ``. _ ~ -``, at most 128.")
    clock: ClockBody | None = Field(
        None, description="As in PUT /_mock/clock; what is left out is as declared."
    )
    seed: Annotated[TextOrNumber, Field(min_length=1)] | None = Field(
        None, description="In place of the declared one."
    )


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
    clock = None if body.clock is None else body.clock.over(worlds.declared.clock)
    made = worlds.create(body.name, clock=clock, seed=body.seed)
    return _sandbox(request, body.name, made)


@controls.delete("/sandboxes/{name}", status_code=204)
async def delete_sandbox(worlds: AllWorlds, name: str) -> None:
    """Drop a sandbox with all that is in it."""
    worlds.delete(name)
