"""What is declared: scenarios, faults, the configuration in force."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from typing_extensions import TypedDict

from mock_gitlab.config.faults import FaultModel, fault_from
from mock_gitlab.config.rules import RuleModel, rule_from
from mock_gitlab.config.scenarios import ScenarioModel, declared_scenario
from mock_gitlab.engine.instants import timestamp, to_seconds
from mock_gitlab.engine.model import Invalid

from .access import Authenticated, CurrentWorld, OnlyKnownParameters

if TYPE_CHECKING:
    from mock_gitlab.config.live import LiveConfig
    from mock_gitlab.engine.matching import Fault, RequestPattern, Response, Rule, TriggerPattern
    from mock_gitlab.engine.model import DeclaredScenario
    from mock_gitlab.world.world import World

declared = APIRouter(
    prefix="/_mock", tags=["declared"], dependencies=[Authenticated, OnlyKnownParameters]
)


# ---------------------------------------------------------------------------- scenarios


class ScenarioRow(TypedDict):
    """A scenario as the store keeps it; ``definition`` is what somebody wrote."""

    scenario_id: int
    name: str
    terminal_after_seconds: float | None
    terminal_status: str
    never_complete: bool
    source: Literal["builtin", "file", "runtime"]
    file: str | None
    line: int | None
    definition: dict[str, Any]


def _row(declared: DeclaredScenario) -> ScenarioRow:
    scenario = declared.scenario
    return {
        "scenario_id": scenario.scenario_id,
        "name": scenario.name,
        "terminal_after_seconds": to_seconds(scenario.terminal_after),
        "terminal_status": scenario.terminal_status,
        "never_complete": scenario.never_complete,
        "source": declared.source,
        "file": declared.file,
        "line": declared.line,
        "definition": declared.definition,
    }


@declared.get("/scenarios")
async def list_scenarios(
    world: CurrentWorld, source: Literal["builtin", "file", "runtime"] | None = None
) -> list[ScenarioRow]:
    """List the scenarios by number, all or of one source."""
    return [_row(scenario) for scenario in world.scenarios(source)]


@declared.post("/scenarios", status_code=201)
async def create_scenario(world: CurrentWorld, scenario: ScenarioModel) -> ScenarioRow:
    """Declare a scenario at run time; 409 where its number is taken."""
    return _row(world.create_scenario(declared_scenario(scenario, source="runtime")))


@declared.get("/scenarios/{scenario_id}")
async def get_scenario(world: CurrentWorld, scenario_id: int) -> ScenarioRow:
    """Show a scenario."""
    return _row(world.scenario(scenario_id))


@declared.put("/scenarios/{scenario_id}")
async def replace_scenario(
    world: CurrentWorld, scenario: ScenarioModel, scenario_id: int
) -> ScenarioRow:
    """Replace a scenario whole; pipelines that follow it follow the new one."""
    if scenario.scenario_id != scenario_id:
        raise Invalid("scenario_id in the body differs from the one in the path")
    return _row(world.replace_scenario(declared_scenario(scenario, source="runtime")))


@declared.delete("/scenarios/{scenario_id}", status_code=204)
async def delete_scenario(world: CurrentWorld, scenario_id: int) -> None:
    """Delete a scenario; pipelines that followed it keep their inline values."""
    world.delete_scenario(scenario_id)


# ---------------------------------------------------------------------------- faults


class FaultRow(TypedDict):
    """A fault in force, and what it says in the words of a file.

    ``matched`` counts the requests that it matched, ``applied`` those to which it was applied.
    """

    key: str
    source: Literal["file", "runtime"]
    place: str
    matched: int
    applied: int
    definition: dict[str, Any]


def _fault_row(world: World, fault: Fault) -> FaultRow:
    return {
        "key": fault.key,
        "source": "runtime" if fault in world.runtime_faults else "file",
        "place": fault.place,
        "matched": world.fault_counters.matched.get(fault.key, 0),
        "applied": world.fault_counters.applied.get(fault.key, 0),
        "definition": _written_fault(fault),
    }


def _written_fault(fault: Fault) -> dict[str, Any]:
    limit = fault.limit
    return _without_defaults(
        when=_written_pattern(fault.when),
        times=fault.times,
        skip=fault.skip or None,
        every=None if fault.every == 1 else fault.every,
        respond=_written_response(fault.respond),
        delay=to_seconds(fault.delay) or None,
        limit=None if limit is None else {"requests": limit.requests, "per": to_seconds(limit.per)},
        **({fault.body: to_seconds(fault.slow) or True} if fault.body else {}),
    )


def _written_pattern(pattern: TriggerPattern | RequestPattern) -> dict[str, Any]:
    maps = ("variables", "inputs")
    return _without_defaults(
        **{k: dict(v) if k in maps else v for k, v in asdict(pattern).items() if v != ()}
    )


def _written_response(response: Response | None) -> dict[str, Any] | None:
    if response is None:
        return None
    return {"status": response.status, "headers": dict(response.headers), "body": response.body}


def _without_defaults(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


@declared.get("/faults")
async def list_faults(world: CurrentWorld) -> list[FaultRow]:
    """List the faults in force, in the order in which they are tried."""
    return [_fault_row(world, fault) for fault in world.faults()]


@declared.post("/faults", status_code=201)
async def create_fault(world: CurrentWorld, fault: FaultModel) -> FaultRow:
    """Declare a fault at run time; it is tried before those of the files."""
    return _fault_row(world, world.runtime_faults.add(fault_from(fault, place="")))


@declared.delete("/faults", status_code=204)
async def delete_faults(world: CurrentWorld, key: str | None = None) -> None:
    """Remove the faults declared at run time, all or one."""
    world.runtime_faults.remove(key)


# ---------------------------------------------------------------------------- rules


class RuleRow(TypedDict):
    """A rule in force and how many pipelines it has caught in this world."""

    key: str
    source: Literal["file", "runtime"]
    place: str
    when: dict[str, Any]
    scenarios: list[int]
    cycle: bool
    variables: dict[str, str]
    name: str | None
    respond: dict[str, Any] | None
    matches: int


def _rule_row(world: World, rule: Rule) -> RuleRow:
    return {
        "key": rule.key,
        "source": "runtime" if rule in world.runtime_rules else "file",
        "place": rule.place,
        "when": _written_pattern(rule.when),
        "scenarios": list(rule.scenarios),
        "cycle": rule.cycle,
        "variables": dict(rule.variables),
        "name": rule.name,
        "respond": _written_response(rule.respond),
        "matches": world.rule_matches(rule),
    }


@declared.get("/rules")
async def list_rules(world: CurrentWorld) -> list[RuleRow]:
    """List the rules in force, in the order in which they are tried."""
    return [_rule_row(world, rule) for rule in world.rules()]


@declared.post("/rules", status_code=201)
async def create_rule(world: CurrentWorld, rule: RuleModel) -> RuleRow:
    """Declare a rule at run time; it is tried before those of the files."""
    return _rule_row(world, world.add_rule(rule_from(rule, place="")))


@declared.delete("/rules", status_code=204)
async def delete_rules(world: CurrentWorld, key: str | None = None) -> None:
    """Remove the rules declared at run time, all or one."""
    world.runtime_rules.remove(key)


# ---------------------------------------------------------------------------- configuration


class Failure(TypedDict):
    """A mistake of the last attempt to load the files."""

    file: str
    line: int
    column: int
    where: str
    what: str


class Configuration(TypedDict):
    """What is in force, and what the last attempt to change it met."""

    file: str | None
    files: list[str]
    loaded_at: str
    watching: list[str]
    strict: bool
    seed: str | None
    default_scenario: int
    scenarios: int
    rules: list[RuleRow]
    faults: int
    projects: list[dict[str, Any]]
    warnings: list[str]
    errors: list[Failure]


def _configuration(world: World, live: LiveConfig) -> Configuration:
    loaded, declared = live.current, world.declared
    mistakes = live.last_failure.mistakes if live.last_failure is not None else ()
    return {
        "file": None if live.path is None else str(live.path),
        "files": [str(file) for file in loaded.files],
        "loaded_at": timestamp(live.loaded_at),
        "watching": [str(path) for path in live.watched()] if loaded.settings.watch else [],
        "strict": declared.strict,
        "seed": declared.seed,
        "default_scenario": declared.default_scenario,
        "scenarios": len(declared.scenarios),
        "rules": [_rule_row(world, rule) for rule in world.rules()],
        "faults": len(declared.faults),
        "projects": [
            {"id": p.id, "path": p.path, "default_branch": p.default_branch}
            for p in declared.projects
        ],
        "warnings": [str(warning) for warning in loaded.warnings],
        "errors": [
            {"file": m.file, "line": m.line, "column": m.column, "where": m.where, "what": m.what}
            for m in mistakes
        ],
    }


@declared.get("/config")
async def get_config(request: Request, world: CurrentWorld) -> Configuration:
    """Show the configuration in force and the mistakes of the last attempt to change it."""
    return _configuration(world, request.app.live)


@declared.post("/config/reload", responses={422: {"description": "The files have mistakes."}})
async def reload_config(request: Request, world: CurrentWorld) -> Any:
    """Read the files again now; on a mistake the last good configuration stays in force."""
    live: LiveConfig = request.app.live
    if await live.reload_now():
        return _configuration(world, live)
    return JSONResponse({"detail": _configuration(world, live)["errors"]}, 422)
