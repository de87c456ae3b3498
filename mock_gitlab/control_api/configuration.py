"""``/_mock/config``: the configuration in force, and reading the files again."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import JSONResponse
from typing_extensions import TypedDict

from mock_gitlab.config.scalars import all_as_written
from mock_gitlab.engine.instants import timestamp

from .access import CurrentWorld, control_router
from .rules import RuleRow, rule_row

if TYPE_CHECKING:
    from mock_gitlab.config.live import LiveConfig
    from mock_gitlab.world.world import World

router = control_router("configuration")


class MistakeRow(TypedDict):
    """A mistake that the last attempt to load the files has met."""

    file: str
    line: int
    column: int
    where: str
    what: str


class Configuration(TypedDict):
    """The configuration in force; ``errors`` are the mistakes of the last attempt to change it."""

    file: str
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
    errors: list[MistakeRow]


def _configuration(world: World, live: LiveConfig) -> Configuration:
    loaded, declared = live.current, world.declared
    hidden = declared.variables
    return {
        "file": str(live.path),
        "files": [str(file) for file in loaded.files],
        "loaded_at": timestamp(live.loaded_at),
        "watching": [str(path) for path in live.watched()] if loaded.settings.watch else [],
        "strict": declared.strict,
        "seed": all_as_written(declared.seed, hidden),
        "default_scenario": declared.default_scenario,
        "scenarios": len(declared.scenarios),
        "rules": [rule_row(world, rule) for rule in world.all_rules()],
        "faults": len(declared.faults),
        "projects": [
            {
                "id": p.id,
                "path": all_as_written(p.path, hidden),
                "default_branch": all_as_written(p.default_branch, hidden),
            }
            for p in declared.projects
        ],
        "warnings": [str(warning) for warning in loaded.warnings],
        "errors": _mistakes(live),
    }


def _mistakes(live: LiveConfig) -> list[MistakeRow]:
    failure = live.last_failure
    rows: list[Any] = [] if failure is None else [asdict(each) for each in failure.mistakes]
    return rows


@router.get("/config")
async def get_config(request: Request, world: CurrentWorld) -> Configuration:
    """Show the configuration in force and the mistakes of the last attempt to change it."""
    return _configuration(world, request.app.live)


@router.post("/config/reload", responses={422: {"description": "The files have mistakes."}})
async def reload_config(request: Request, world: CurrentWorld) -> Any:
    """Read the files again now; if they have mistakes, the last good configuration stays."""
    live: LiveConfig = request.app.live
    if await live.reload_now():
        return _configuration(world, live)
    mistakes = _mistakes(live)
    detail = [
        {"type": "mistake", "loc": ["file", row["file"], row["line"]], "msg": row["what"], **row}
        for row in mistakes
    ]
    return JSONResponse({"message": str(live.last_failure), "detail": detail}, 422)
