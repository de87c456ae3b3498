"""``/_mock/sandboxes`` and ``/_mock/reset``: isolated worlds, and worlds made new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Request
from pydantic import Field
from typing_extensions import TypedDict

from mock_gitlab.config.fields import StrictModel, TextOrNumber

from .access import AllWorlds, CurrentWorld, control_router
from .clock import ClockBody, ClockRow, clock_row

if TYPE_CHECKING:
    from mock_gitlab.world.world import World

router = control_router("sandboxes")


class SandboxBody(StrictModel):
    """A sandbox to make, optionally with a clock or a seed of its own."""

    name: str = Field(description="Letters, digits and ``. _ ~ -``, at most 128.")
    clock: ClockBody | None = Field(
        None, description="As in PUT /_mock/clock; what is left out is as declared."
    )
    seed: Annotated[TextOrNumber, Field(min_length=1)] | None = Field(
        None, description="In place of the declared one."
    )


class SandboxRow(TypedDict):
    """A sandbox and its URL."""

    name: str
    url: str
    clock: ClockRow


def _row(request: Request, name: str, world: World) -> SandboxRow:
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return {"name": name, "url": f"{origin}/sandbox/{name}", "clock": clock_row(world)}


@router.post("/reset", status_code=204)
async def reset(world: CurrentWorld, worlds: AllWorlds) -> None:
    """Make the world as new; the default world only if ``allow_reset`` is set."""
    worlds.reset(world)


@router.get("/sandboxes")
async def list_sandboxes(request: Request, worlds: AllWorlds) -> list[SandboxRow]:
    """List the sandboxes, the least recently used first."""
    return [_row(request, name, worlds.find(name)) for name in worlds.names()]


@router.post("/sandboxes", status_code=201)
async def create_sandbox(request: Request, worlds: AllWorlds, body: SandboxBody) -> SandboxRow:
    """Make a sandbox; one with default options is also made by its first use."""
    clock = None if body.clock is None else body.clock.over(worlds.declared.clock)
    made = worlds.create(body.name, clock=clock, seed=body.seed)
    return _row(request, body.name, made)


@router.delete("/sandboxes/{name}", status_code=204)
async def delete_sandbox(worlds: AllWorlds, name: str) -> None:
    """Delete a sandbox with everything in it."""
    worlds.delete(name)
