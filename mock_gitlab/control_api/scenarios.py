"""``/_mock/scenarios``: the scenarios in force, and those declared at run time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from mock_gitlab.config.scalars import all_as_written
from mock_gitlab.config.scenarios import ScenarioModel, declared_scenario
from mock_gitlab.engine.instants import to_seconds
from mock_gitlab.engine.model import Invalid
from mock_gitlab.engine.preview import describe

from .access import CurrentWorld, control_router

if TYPE_CHECKING:
    from mock_gitlab.engine.model import DeclaredScenario
    from mock_gitlab.world.world import World

router = control_router("scenarios")

Source = Literal["builtin", "file", "runtime"]


class ScenarioRow(TypedDict):
    """A scenario; ``definition`` is what its author wrote."""

    scenario_id: int
    name: str
    terminal_after_seconds: float | None
    terminal_status: str
    never_complete: bool
    source: Source
    file: str | None
    line: int | None
    definition: dict[str, Any]


class PreviewRow(TypedDict):
    """What the pipeline of a scenario will do; times are seconds since its creation.

    ``ends_at`` is None if it does not end by itself.
    """

    scenario_id: int
    name: str
    status: str
    ends_at: float | None
    terminal_after_polls: int | None
    jobs: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    pipeline: list[dict[str, Any]]


def _row(world: World, declared: DeclaredScenario) -> ScenarioRow:
    scenario, hidden = declared.scenario, world.declared.variables
    return {
        "scenario_id": scenario.scenario_id,
        "name": all_as_written(scenario.name, hidden),
        "terminal_after_seconds": to_seconds(scenario.terminal_after),
        "terminal_status": scenario.terminal_status,
        "never_complete": scenario.never_complete,
        "source": declared.source,
        "file": declared.file,
        "line": declared.line,
        "definition": all_as_written(declared.definition, hidden)
        if hidden
        else declared.definition,
    }


@router.get("/scenarios")
async def list_scenarios(world: CurrentWorld, source: Source | None = None) -> list[ScenarioRow]:
    """List the scenarios by number, all or of one source."""
    return [_row(world, scenario) for scenario in world.scenarios(source)]


@router.post("/scenarios", status_code=201)
async def create_scenario(world: CurrentWorld, scenario: ScenarioModel) -> ScenarioRow:
    """Declare a scenario at run time; 409 if its number exists."""
    return _row(world, world.create_scenario(declared_scenario(scenario, source="runtime")))


@router.get("/scenarios/{scenario_id}")
async def get_scenario(world: CurrentWorld, scenario_id: int) -> ScenarioRow:
    """Show a scenario."""
    return _row(world, world.scenario(scenario_id))


@router.get("/scenarios/{scenario_id}/preview")
async def preview_scenario(world: CurrentWorld, scenario_id: int) -> PreviewRow:
    """Show what a scenario will do over time; nothing is created."""
    played, hidden = world.preview_scenario(scenario_id), world.declared.variables
    # With a thousand jobs the description takes as long as the play: other requests go on.
    shown: PreviewRow = await asyncio.to_thread(lambda: all_as_written(describe(*played), hidden))
    return shown


@router.put("/scenarios/{scenario_id}")
async def replace_scenario(
    world: CurrentWorld, scenario: ScenarioModel, scenario_id: int
) -> ScenarioRow:
    """Replace a whole scenario; its pipelines follow the new one."""
    if scenario.scenario_id != scenario_id:
        raise Invalid("scenario_id in the body differs from the one in the path")
    return _row(world, world.replace_scenario(declared_scenario(scenario, source="runtime")))


@router.delete("/scenarios/{scenario_id}", status_code=204)
async def delete_scenario(world: CurrentWorld, scenario_id: int) -> None:
    """Delete a scenario; its pipelines keep the values that their triggers gave."""
    world.delete_scenario(scenario_id)
