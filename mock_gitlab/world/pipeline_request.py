"""What a client, or a bridge, asks for when it creates a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mock_gitlab.engine.matching import Trigger
from mock_gitlab.engine.model import Variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_gitlab.engine.matching import Rule
    from mock_gitlab.engine.model import Duration, Project, TerminalStatus, TriggerToken

    from .bridges import BridgeStart


class PipelineRequest(NamedTuple):
    """What a client asks for when it triggers or creates a pipeline.

    ``sha`` is the commit of a child pipeline; others run for the head of their ref.
    """

    ref: str
    source: str
    variables: tuple[Variable, ...] = ()
    inputs: Mapping[str, Any] | None = None
    scenario_id: int | None = None
    terminal_after: Duration | None = None
    terminal_status: TerminalStatus | None = None
    token: TriggerToken | None = None
    upstream: BridgeStart | None = None
    sha: str | None = None

    def variables_with(self, rule: Rule | None) -> tuple[Variable, ...]:
        """List the variables of the pipeline: those asked for beat those that the rule adds."""
        if rule is None or not rule.variables:
            return self.variables
        given = {variable.key for variable in self.variables}
        return (*self.variables, *(Variable(k, v) for k, v in rule.variables if k not in given))

    def trigger(self, project: Project, tag: bool, username: str) -> Trigger:
        """See the request as rules do; ``ref`` is a short name by now."""
        return Trigger(
            project_id=project.id,
            project_path=project.path,
            ref=self.ref,
            tag=tag,
            source=self.source,
            username=username,
            variables={variable.key: variable.value for variable in self.variables},
            inputs=self.inputs or {},
        )

    def chosen_by(self, rule: Rule | None) -> Literal["request", "rule", "default"]:
        """Say what chooses the scenario; ``rule`` is the one that matches."""
        if self.scenario_id is not None:
            return "request"
        return "default" if rule is None else "rule"
