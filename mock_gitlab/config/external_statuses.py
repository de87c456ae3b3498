"""The model of a status that another CI posts, and the contradictions among several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mock_gitlab.engine.external import DECLARED_LIMIT, may_become
from mock_gitlab.engine.model import ExternalStatus, PostedState
from mock_gitlab.engine.states import OPEN

from .diagnostics import short
from .fields import DurationField, Name, Percent, StrictModel, Violation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence


class ExternalStatusModel(StrictModel):
    """A status that another CI posts for the commit of the pipeline."""

    name: Name = Field(description="What it is the status of.", examples=["ci/jenkins"])
    state: PostedState = Field(description="The state that is posted.")
    after: DurationField = Field(
        0, description="How long after the creation of the pipeline.", examples=["30s"]
    )
    target_url: Name | None = Field(
        None,
        description="The address beside it; by default the one posted before.",
        examples=["https://jenkins.example.com/job/1"],
    )
    description: Name | None = Field(
        None, description="The words beside it; by default those posted before."
    )
    coverage: Percent | None = Field(
        None, description="The coverage in percent; by default the one posted before."
    )

    def to_engine(self) -> ExternalStatus:
        """Convert to the engine's type."""
        return ExternalStatus(
            self.name, self.state, self.after, self.target_url, self.description, self.coverage
        )


ExternalStatuses = Annotated[list[ExternalStatusModel], Field(max_length=DECLARED_LIMIT)]


def contradictions_of_statuses(
    statuses: Sequence[ExternalStatusModel], jobs: Collection[str]
) -> Iterator[Violation]:
    """Find statuses with the name of a job, and steps that GitLab refuses."""
    now: dict[str, PostedState] = {}
    for index, each in sorted(enumerate(statuses), key=lambda found: found[1].after):
        before = now.get(each.name, "success")
        if each.name in jobs:
            yield (index, "name"), f'"{short(each.name)}" is the name of a job'
        elif before in OPEN and not may_become(before, each.state):
            yield (index, "state"), f"cannot follow {before}, which was posted before"
        now[each.name] = each.state
