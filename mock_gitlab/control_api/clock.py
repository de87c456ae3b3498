"""``/_mock/clock``: read, set, move, freeze and resume the clock of a world."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NotRequired

from fastapi import Request
from pydantic import AliasChoices, Field, model_validator
from typing_extensions import TypedDict

from mock_gitlab.config.fields import DurationField, InstantField, StrictModel, mistake
from mock_gitlab.config.files import Speed
from mock_gitlab.engine.instants import from_seconds, timestamp, to_seconds
from mock_gitlab.engine.model import ClockSetting
from mock_gitlab.engine.statuses import PipelineStatus
from mock_gitlab.world.lookahead import Awaited

from .access import CurrentWorld, control_router
from .changes import ChangeRow, change_row
from .delivered import DELIVER, Deliver, DeliveryRow, delivery_row

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Duration, Instant
    from mock_gitlab.http.deliveries import Courier, Walk
    from mock_gitlab.world.clock import Clock
    from mock_gitlab.world.lookahead import Changed
    from mock_gitlab.world.world import World

router = control_router("clock")

_FARTHEST = 1e12  # seconds; no clock goes as far


class ClockRow(TypedDict):
    """The clock of a world.

    ``speed`` and ``advance_per_poll``, in seconds, are there if they are not the usual ones. If the
    world has webhooks, a move adds what it has delivered, and why it stopped early, if so.
    """

    now: str
    frozen: bool
    speed: NotRequired[float]
    advance_per_poll: NotRequired[float]
    deliveries: NotRequired[list[DeliveryRow]]
    stopped: NotRequired[str]


class ClockBody(StrictModel):
    """Where to set the clock, and whether it stands still; both are optional.

    ``start`` is another name of ``now``, as in mock.yaml.
    """

    now: InstantField | None = Field(
        None,
        validation_alias=AliasChoices("now", "start"),
        description="ISO 8601; without an offset it is UTC.",
        examples=["2026-01-01T00:00:00Z"],
    )
    frozen: bool | None = Field(None, description="Whether it stands still.")
    speed: Speed | None = Field(
        None, description="How many times as fast as real time it runs.", examples=[60]
    )
    advance_per_poll: DurationField | None = Field(
        None, description="How far each read of the API moves it.", examples=["10s"]
    )
    deliver: Deliver = DELIVER

    def over(self, declared: ClockSetting) -> ClockSetting:
        """Return the declared setting with what the body gives in its place."""
        return ClockSetting(
            declared.start if self.now is None else self.now,
            declared.frozen if self.frozen is None else self.frozen,
            declared.speed if self.speed is None else self.speed,
            declared.advance_per_poll if self.advance_per_poll is None else self.advance_per_poll,
        )

    def change(self, clock: Clock) -> None:
        """Change a clock as the body says."""
        clock.set(clock.now() if self.now is None else self.now, frozen=self.frozen)
        if self.speed is not None or self.advance_per_poll is not None:
            clock.pace(speed=self.speed, advance_per_poll=self.advance_per_poll)


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
    deliver: Deliver = DELIVER

    @model_validator(mode="after")
    def _exactly_one(self) -> AdvanceBody:
        if (self.seconds is None) == (self.duration is None):
            raise mistake("give either seconds or duration")
        return self

    def in_milliseconds(self) -> Duration:
        """Return the distance in milliseconds."""
        if self.duration is not None:
            return self.duration
        assert self.seconds is not None
        return from_seconds(self.seconds)


class NextBody(StrictModel):
    """Whose next change to jump to; without a project or pipeline: the next change of all.

    With ``until``: the status to jump to.
    """

    project_id: int | None = Field(default=None, description="Of this project alone.")
    pipeline_id: int | None = Field(default=None, description="Of this pipeline alone.")
    until: PipelineStatus | None = Field(
        default=None,
        description="Jump on until the pipeline has this status; needs ``pipeline_id``.",
    )
    job: int | str | None = Field(
        default=None,
        description="Number or name of the job, or of the posted status, that is to have it.",
    )
    deliver: Deliver = DELIVER

    @model_validator(mode="after")
    def _together(self) -> NextBody:
        if self.until is not None and self.pipeline_id is None:
            raise mistake("until needs pipeline_id")
        if self.job is not None and self.until is None:
            raise mistake("job needs until")
        return self


class ChangeOfPipeline(ChangeRow):
    """A change, and the pipeline that it happened to."""

    pipeline_id: int
    project_id: int


class Jump(ClockRow):
    """The clock after a jump, and the changes on the way; none if there was nothing to jump to."""

    changes: list[ChangeOfPipeline]


def clock_row(world: World) -> ClockRow:
    """Present the clock of a world."""
    clock = world.clock
    row: ClockRow = {"now": timestamp(clock.now()), "frozen": clock.frozen}
    if clock.speed != 1:
        row["speed"] = clock.speed
    if clock.advance_per_poll:
        row["advance_per_poll"] = to_seconds(clock.advance_per_poll)
    return row


def _courier(request: Request, world: World) -> Courier:
    courier: Courier = request.app.couriers().of(world)
    return courier


async def _move(
    request: Request, world: World, change: Callable[[Clock], None], deliver: Deliver = "all"
) -> ClockRow:
    """Move the clock, and deliver to the webhooks of the world, if it has any."""
    if world.hooks.active:
        return _walked(world, await _courier(request, world).move(change, deliver))
    world.move_clock(change)
    return clock_row(world)


def _walked(world: World, walk: Walk) -> ClockRow:
    delivered = [delivery_row(each) for each in world.hooks.made(walk.delivered)]
    row: ClockRow = {**clock_row(world), "deliveries": delivered}
    if walk.stopped is not None:
        row["stopped"] = walk.stopped
    return row


def _destination(world: World, wanted: NextBody) -> Instant | None:
    """Return where to jump to; None for nowhere."""
    if wanted.until is None or wanted.pipeline_id is None:
        return world.foresee_jump(wanted.project_id, wanted.pipeline_id)
    return world.foresee_status(wanted.pipeline_id, Awaited(wanted.until, wanted.job))


def _jump(world: World, wanted: NextBody) -> list[Changed]:
    if wanted.until is None or wanted.pipeline_id is None:
        return world.jump(wanted.project_id, wanted.pipeline_id)
    return world.wait_until(wanted.pipeline_id, Awaited(wanted.until, wanted.job))


@router.get("/clock")
async def get_clock(world: CurrentWorld) -> ClockRow:
    """Read the clock."""
    return clock_row(world)


@router.put("/clock")
async def set_clock(request: Request, world: CurrentWorld, body: ClockBody) -> ClockRow:
    """Set the clock, also to an earlier time; every status follows."""
    return await _move(request, world, body.change, body.deliver)


@router.post("/clock/advance")
async def advance_clock(request: Request, world: CurrentWorld, body: AdvanceBody) -> ClockRow:
    """Move the clock by a duration."""
    return await _move(
        request, world, lambda clock: clock.advance(body.in_milliseconds()), body.deliver
    )


@router.post("/clock/freeze")
async def freeze_clock(request: Request, world: CurrentWorld) -> ClockRow:
    """Stop the clock."""
    return await _move(request, world, lambda clock: clock.freeze())


@router.post("/clock/resume")
async def resume_clock(request: Request, world: CurrentWorld) -> ClockRow:
    """Let the clock run on."""
    return await _move(request, world, lambda clock: clock.resume())


@router.post("/clock/next")
async def jump_to_next_change(
    request: Request, world: CurrentWorld, body: NextBody | None = None
) -> Jump:
    """Jump to the next visible change, or until a status, and list what has changed."""
    wanted = body or NextBody()
    if world.hooks.active:
        walk = await _courier(request, world).jump(_destination(world, wanted), wanted.deliver)
        changed, row = walk.changes, _walked(world, walk)
    else:
        changed, row = _jump(world, wanted), clock_row(world)
    return {
        **row,
        "changes": [
            {**change_row(change), "pipeline_id": pipeline_id, "project_id": project_id}
            for pipeline_id, project_id, change in changed
        ],
    }
