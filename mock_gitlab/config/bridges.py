"""The models of what a bridge starts: ``downstream``, and ``trigger`` in GitLab's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from mock_gitlab.engine.model import Downstream, Variable

from .fields import (
    AnyJson,
    Name,
    ProjectName,
    ScenarioNumber,
    StrictModel,
    TextOrNumber,
    Violation,
    refuse,
)
from .job_values import one_or_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

Started = Annotated[
    ScenarioNumber | None,
    Field(description="Its scenario; by default the rules choose.", examples=[900]),
]
Strategy = Annotated[
    Literal["depend"] | None,
    Field(description="depend: the bridge shows the status of the pipeline that it starts."),
]


class DownstreamModel(StrictModel):
    """The pipeline that a bridge starts."""

    project: ProjectName = Field(
        description="The project in which it starts: path or id.", examples=["group/deploy", 43]
    )
    scenario: Started = None
    ref: Name | None = Field(None, description="Its ref; by default the project's default branch.")
    strategy: Strategy = None
    variables: dict[Name, TextOrNumber] = Field({}, description="Its variables.")


class TriggerModel(StrictModel):
    """The pipeline that a bridge starts, in the words of ``.gitlab-ci.yml``."""

    project: ProjectName | None = Field(
        None, description="The project in which it starts: path or id.", examples=["group/deploy"]
    )
    branch: Name | None = Field(
        None, description="Its branch or tag; by default the project's default branch."
    )
    include: AnyJson = Field(
        None,
        description="The file of a child pipeline, which starts in the same project for the same "
        "commit. It is not read.",
        examples=["child.yml"],
    )
    scenario: Started = None
    strategy: Strategy = None
    variables: dict[Name, TextOrNumber] = Field({}, description="Its variables.")

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        refuse(self, self._found())
        return self

    def _found(self) -> Iterator[Violation]:
        if self.include is None and self.project is None:
            yield ("project",), "is missing: trigger needs a project or an include"
        if self.include is not None and self.project is not None:
            yield ("include",), "cannot be combined with project"
        if self.include is not None and self.branch is not None:
            yield ("include",), "cannot be combined with branch"


TriggerField = Annotated[
    Annotated[ProjectName, Tag("~one")] | Annotated[TriggerModel, Tag("~mapping")],
    Discriminator(one_or_mapping),
]
"""The pipeline that a bridge starts: its project, or a mapping."""


def downstream_from(written: str | TriggerModel | DownstreamModel | None) -> Downstream | None:
    """Convert ``trigger`` or ``downstream`` to the engine's type."""
    if written is None or isinstance(written, str):
        return None if written is None else Downstream(written)
    return Downstream(
        project=written.project,
        scenario_id=written.scenario,
        ref=written.ref if isinstance(written, DownstreamModel) else written.branch,
        strategy=written.strategy,
        variables=tuple(Variable(*pair) for pair in written.variables.items()),
    )
