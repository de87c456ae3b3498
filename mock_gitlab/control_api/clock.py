"""``/_mock/clock``: read, set, move, freeze and resume the clock of a world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AliasChoices, Field, model_validator
from typing_extensions import TypedDict

from mock_gitlab.config.fields import DurationField, InstantField, StrictModel, mistake
from mock_gitlab.engine.instants import from_seconds, timestamp
from mock_gitlab.engine.model import ClockSetting
from mock_gitlab.engine.statuses import PipelineStatus
from mock_gitlab.world.lookahead import Awaited

from .access import CurrentWorld, control_router
from .changes import ChangeRow, change_row

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Duration
    from mock_gitlab.world.world import World

router = control_router("clock")

_FARTHEST = 1e12  # seconds; no clock goes as far


class ClockRow(TypedDict):
    """The clock of a world."""

    now: str
    frozen: bool


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

    def over(self, declared: ClockSetting) -> ClockSetting:
        """Return the declared setting with what the body gives in its place."""
        return ClockSetting(
            declared.start if self.now is None else self.now,
            declared.frozen if self.frozen is None else self.frozen,
        )


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
        default=None, description="Number or name of the job that is to have the status."
    )

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
    return {"now": timestamp(world.clock.now()), "frozen": world.clock.frozen}


@router.get("/clock")
async def get_clock(world: CurrentWorld) -> ClockRow:
    """Read the clock."""
    return clock_row(world)


@router.put("/clock")
async def set_clock(world: CurrentWorld, body: ClockBody) -> ClockRow:
    """Set the clock, also to an earlier time; every status follows."""
    instant = world.clock.now() if body.now is None else body.now
    world.move_clock(lambda clock: clock.set(instant, frozen=body.frozen))
    return clock_row(world)


@router.post("/clock/advance")
async def advance_clock(world: CurrentWorld, body: AdvanceBody) -> ClockRow:
    """Move the clock by a duration."""
    world.move_clock(lambda clock: clock.advance(body.in_milliseconds()))
    return clock_row(world)


@router.post("/clock/freeze")
async def freeze_clock(world: CurrentWorld) -> ClockRow:
    """Stop the clock."""
    world.move_clock(lambda clock: clock.freeze())
    return clock_row(world)


@router.post("/clock/resume")
async def resume_clock(world: CurrentWorld) -> ClockRow:
    """Let the clock run on."""
    world.move_clock(lambda clock: clock.resume())
    return clock_row(world)


@router.post("/clock/next")
async def jump_to_next_change(world: CurrentWorld, body: NextBody | None = None) -> Jump:
    """Jump to the next visible change, or until a status, and list what has changed."""
    wanted = body or NextBody()
    if wanted.until is None or wanted.pipeline_id is None:
        changed = world.jump(wanted.project_id, wanted.pipeline_id)
    else:
        changed = world.wait_until(wanted.pipeline_id, Awaited(wanted.until, wanted.job))
    return {
        **clock_row(world),
        "changes": [
            {**change_row(change), "pipeline_id": pipeline_id, "project_id": project_id}
            for pipeline_id, project_id, change in changed
        ],
    }
