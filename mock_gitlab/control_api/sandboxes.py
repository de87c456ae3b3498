"""``/_mock/sandboxes`` and ``/_mock/reset``: isolated worlds, and worlds made new."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, Self

from fastapi import Request
from pydantic import Field, field_validator, model_validator
from typing_extensions import TypedDict

from mock_gitlab.config.existing import MOST, PipelineModel, existing_from, numbers_taken
from mock_gitlab.config.fields import ScenarioNumber, StrictModel, TextOrNumber, mistake, refuse
from mock_gitlab.config.files import JournalLimit, UserModel
from mock_gitlab.config.projects import ProjectModel

from .access import AllWorlds, CurrentWorld, control_router
from .clock import ClockBody, ClockRow, clock_row

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Declarations, DeclaredPipeline
    from mock_gitlab.world.world import World

router = control_router("sandboxes")


class SandboxBody(StrictModel):
    """A sandbox to make, with what it has for itself; the rest is as the files declare it."""

    name: str = Field(description="Letters, digits and ``. _ ~ -``, at most 128.")
    clock: ClockBody | None = Field(
        None, description="As in PUT /_mock/clock; what is left out is as declared."
    )
    seed: Annotated[TextOrNumber, Field(min_length=1)] | None = Field(
        None, description="In place of the declared one."
    )
    strict: bool | None = Field(None, description="Whether only declared projects and refs exist.")
    default_scenario: ScenarioNumber | None = Field(
        None, description="It may be declared later, at run time."
    )
    user: UserModel | None = Field(None, description="The user of the token.")
    projects: list[ProjectModel] | None = Field(None, description="In place of the declared ones.")
    pipelines: Annotated[list[PipelineModel], Field(max_length=MOST)] | None = Field(
        None, description="In place of the declared ones."
    )
    journal: JournalLimit | None = Field(None, description="How many requests its journal keeps.")

    @field_validator("projects")
    @classmethod
    def _no_contradiction(cls, projects: list[ProjectModel] | None) -> list[ProjectModel] | None:
        for what, values in (
            ("id", [each.id for each in projects or ()]),
            ("path", [each.path for each in projects or ()]),
            ("token", [t.token for each in projects or () for t in each.trigger_tokens]),
        ):
            if len(set(values)) < len(values):
                raise mistake(f"two have the same {what}")
        return projects

    @model_validator(mode="after")
    def _no_number_twice(self) -> Self:
        refuse(self, numbers_taken(self.pipelines or ()))
        return self

    def own(self, declared: Declarations) -> dict[str, Any]:
        """Return the fields of Declarations that the sandbox has for itself."""
        clock, user, projects = self.clock, self.user, self.projects
        fields = {
            "clock": None if clock is None else clock.over(declared.clock),
            "seed": self.seed,
            "strict": self.strict,
            "default_scenario": self.default_scenario,
            "user": None if user is None else user.to_engine(),
            "projects": None if projects is None else tuple(each.to_engine() for each in projects),
            "pipelines": self._pipelines(),
            "journal_limit": self.journal,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _pipelines(self) -> tuple[DeclaredPipeline, ...] | None:
        if self.pipelines is None:
            return None
        places = (f"sandbox {self.name}: pipelines[{at}]" for at in count())
        return existing_from(self.pipelines, places)


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
    made = worlds.create(body.name, body.own(worlds.declared))
    return _row(request, body.name, made)


@router.delete("/sandboxes/{name}", status_code=204)
async def delete_sandbox(worlds: AllWorlds, name: str) -> None:
    """Delete a sandbox with everything in it."""
    worlds.delete(name)
