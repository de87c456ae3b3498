"""The models of rules, and their conversion to the engine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Discriminator, Field, Tag, model_validator

from mock_gitlab.engine.matching import Rule, TriggerPattern
from mock_gitlab.engine.sources import Source

from .fields import (
    Glob,
    Name,
    ProjectName,
    ScenarioNumber,
    StrictModel,
    TextOrNumber,
    Violation,
    one_or_list,
    refuse,
)
from .responses import ResponseModel
from .wanted import WantedInput, WantedVariable

if TYPE_CHECKING:
    from collections.abc import Iterator

Sources = Annotated[
    Annotated[Source, Tag("~one")] | Annotated[list[Source], Tag("~list"), Field(min_length=1)],
    Discriminator(one_or_list),
]
Scenarios = Annotated[
    Annotated[ScenarioNumber, Tag("~one")]
    | Annotated[list[ScenarioNumber], Tag("~list"), Field(min_length=1)],
    Discriminator(one_or_list),
]


class TriggerWhenModel(StrictModel):
    """The triggers that a rule applies to; a key that is missing matches anything."""

    project: ProjectName | None = Field(
        None, description="Id, path or glob of paths.", examples=["group/*", 42]
    )
    ref: Glob | None = Field(
        None, description="Glob or /regular expression/.", examples=["release/*", "/^v[0-9]+$/"]
    )
    variables: dict[Name, WantedVariable] = Field(
        {},
        description="Globs or /regular expressions/ of their values, or {present: false}.",
        examples=[{"DEPLOY_ENV": "prod", "DEBUG": {"present": False}}],
    )
    source: Sources | None = Field(
        None, description="What starts the pipeline.", examples=["trigger"]
    )
    username: Glob | None = Field(None, description="Glob or /regular expression/.")
    inputs: dict[Name, WantedInput] = Field(
        {},
        description="The values of the inputs; globs for text; or {present: false}.",
        examples=[{"level": 3, "debug": True, "target": {"present": False}}],
    )

    def to_engine(self) -> TriggerPattern:
        """Convert to the engine's type."""
        source = (self.source,) if isinstance(self.source, str) else self.source
        return TriggerPattern(
            project=self.project,
            ref=self.ref,
            variables=tuple(self.variables.items()),
            source=None if source is None else tuple(source),
            username=self.username,
            inputs=tuple(self.inputs.items()),
        )


class RuleModel(StrictModel):
    """What a trigger that matches gets; the first rule that matches decides."""

    when: TriggerWhenModel = Field(
        TriggerWhenModel.model_validate({}),
        description="What it matches; by default every trigger.",
    )
    scenario: Scenarios | None = Field(
        None,
        description="The scenario, or several that are used in turn; the last one repeats.",
        examples=[900, [902, 902, 1]],
    )
    cycle: bool = Field(False, description="Whether several scenarios start over after the last.")
    variables: dict[Name, TextOrNumber] = Field(
        {}, description="Variables that are added to the pipeline."
    )
    name: Name | None = Field(None, description="The name of the pipeline.")
    respond: ResponseModel | None = Field(
        None,
        description="The answer that is sent instead of creating a pipeline.",
        examples=[{"status": 400}],
    )

    @model_validator(mode="after")
    def _contradictions(self) -> Self:
        refuse(self, self._found())
        return self

    def _found(self) -> Iterator[Violation]:
        if self.cycle and not isinstance(self.scenario, list):
            yield ("cycle",), "needs a list of scenarios"
        for other in ("scenario", "variables", "name"):
            if self.respond is not None and getattr(self, other):
                yield (other,), "cannot be combined with respond"
        if self.respond is not None and self.respond.lacks_status():
            yield ("respond",), "needs a status"


def rule_from(model: RuleModel, place: str) -> Rule:
    """Convert to a rule without a key, for ``keyed``. ``place`` is "file:line", for messages."""
    scenario = model.scenario
    return Rule(
        key="",
        when=model.when.to_engine(),
        scenarios=(scenario,) if isinstance(scenario, int) else tuple(scenario or ()),
        cycle=model.cycle,
        variables=tuple(model.variables.items()),
        name=model.name,
        respond=None if model.respond is None else model.respond.to_engine(),
        place=place,
    )
