"""``/_mock/faults``: the faults in force, and those declared at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from mock_gitlab.config.faults import FaultModel, fault_from
from mock_gitlab.config.scalars import all_as_written

from .access import CurrentWorld, control_router
from .definitions import Switch, fault_definition

if TYPE_CHECKING:
    from mock_gitlab.engine.matching import Fault
    from mock_gitlab.world.world import World

router = control_router("faults")


class FaultRow(TypedDict):
    """A fault; ``definition`` has the keys of a file.

    ``matched`` counts the requests that it matched, ``applied`` those to which it was applied.
    """

    key: str
    source: Literal["file", "runtime"]
    place: str
    enabled: bool
    matched: int
    applied: int
    definition: dict[str, Any]


def _row(world: World, fault: Fault) -> FaultRow:
    return {
        "key": fault.key,
        "source": "runtime" if fault in world.runtime_faults else "file",
        "place": fault.place,
        "enabled": world.runtime_faults.is_on(fault.key),
        "matched": world.fault_counters.matched.get(fault.key, 0),
        "applied": world.fault_counters.applied.get(fault.key, 0),
        "definition": all_as_written(fault_definition(fault), world.declared.variables),
    }


@router.get("/faults")
async def list_faults(world: CurrentWorld) -> list[FaultRow]:
    """List the faults in the order in which they are tried, also those that are switched off."""
    return [_row(world, fault) for fault in world.all_faults()]


@router.post("/faults", status_code=201)
async def create_fault(world: CurrentWorld, fault: FaultModel) -> FaultRow:
    """Declare a fault at run time; it is tried before those of the files."""
    return _row(world, world.runtime_faults.add(fault_from(fault, place="")))


@router.patch("/faults")
async def switch_fault(world: CurrentWorld, key: str, switch: Switch) -> FaultRow:
    """Switch a fault on or off in this world, wherever it is declared."""
    return _row(world, world.switch_fault(key, on=switch.enabled))


@router.delete("/faults", status_code=204)
async def delete_faults(world: CurrentWorld, key: str | None = None) -> None:
    """Delete the faults declared at run time, all or one."""
    world.runtime_faults.remove(key)
