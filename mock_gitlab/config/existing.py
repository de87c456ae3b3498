"""The pipelines that exist from the beginning on, as mock.yaml declares them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from mock_gitlab.engine.model import LARGEST_NUMBER, DeclaredPipeline, Variable
from mock_gitlab.engine.sources import Source

from .fields import (
    WHOLE,
    DurationField,
    InstantField,
    Matching,
    Name,
    ScenarioNumber,
    StrictModel,
    TextOrNumber,
    Violation,
    refuse,
)

MOST = 1000
"""How many pipelines may be declared; each new world makes them all."""
_Number = Annotated[int, Field(ge=1, le=LARGEST_NUMBER // 100_000), WHOLE]
Sha = Annotated[Name, Matching(r"^[0-9a-f]{40}$", "must have 40 hexadecimal digits")]


class PipelineModel(StrictModel):
    """A pipeline that exists from the beginning on."""

    project: Annotated[TextOrNumber, Field(min_length=1)] = Field(
        description="Its project, by id or path.", examples=["group/app"]
    )
    ref: Name | None = Field(None, description="Its branch or tag; by default the default branch.")
    sha: Sha | None = Field(None, description="Its commit; by default the head of the ref.")
    source: Source = Field("push", description="What has started it.")
    name: Name | None = Field(None, description="Its name.")
    variables: dict[str, TextOrNumber] = Field({}, description="Its variables.")
    scenario: ScenarioNumber | None = Field(
        None, description="The scenario that it follows; by default ``default_scenario``."
    )
    age: DurationField | None = Field(
        None,
        description="How long before the beginning of the world it was created.",
        examples=["2h"],
    )
    created_at: InstantField | None = Field(
        None, description="When it was created, in place of ``age``."
    )
    id: _Number | None = Field(None, description="Its id; by default the next one.")
    iid: _Number | None = Field(None, description="Its iid; by default the next one.")

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if self.age is not None and self.created_at is not None:
            refuse(self, [(("age",), "contradicts created_at")])
        return self


def existing_from(
    models: Iterable[PipelineModel], places: Iterable[str]
) -> tuple[DeclaredPipeline, ...]:
    """Convert entries to the engine's type; ``places`` are their files and lines.

    An entry without an id is named by its project and by how many there were before.
    """
    unnamed: Counter[str] = Counter()
    made = []
    for model, place in zip(models, places, strict=False):
        key = f"id {model.id}"
        if model.id is None:
            unnamed[model.project] += 1
            key = f"{model.project} {unnamed[model.project]}"
        made.append(
            DeclaredPipeline(
                key,
                place,
                model.project,
                model.ref,
                model.sha,
                model.source,
                model.name,
                tuple(Variable(name, value) for name, value in model.variables.items()),
                model.scenario,
                model.age or 0,
                model.created_at,
                model.id,
                model.iid,
            )
        )
    return tuple(made)


def numbers_taken(models: Iterable[PipelineModel]) -> Iterator[Violation]:
    """Find ids that two entries have, and iids that two entries of a project have."""
    ids: set[int] = set()
    iids: set[tuple[str, int]] = set()
    for at, model in enumerate(models):
        if model.id is not None and model.id in ids:
            yield ("pipelines", at, "id"), f"the id {model.id} is taken by an entry above"
        if model.iid is not None and (model.project, model.iid) in iids:
            yield ("pipelines", at, "iid"), f"the iid {model.iid} is taken by an entry above"
        ids.add(model.id or 0)
        iids.add((model.project, model.iid or 0))
