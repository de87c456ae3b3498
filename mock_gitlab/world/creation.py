"""Orders: what is asked for when a pipeline is to start, and what the rules make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_gitlab.engine.matching import Choice, Trigger, choose
from mock_gitlab.engine.model import Variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_gitlab.engine.matching import Rule
    from mock_gitlab.engine.model import Duration, Project, TerminalStatus, TriggerToken, User
    from mock_gitlab.world.bridges import BridgeStart


class PipelineRequest(NamedTuple):
    """What a client asks for when it triggers or creates a pipeline."""

    ref: str
    source: str
    variables: tuple[Variable, ...] = ()
    inputs: Mapping[str, Any] | None = None
    scenario_id: int | None = None
    terminal_after: Duration | None = None
    terminal_status: TerminalStatus | None = None
    token: TriggerToken | None = None
    upstream: BridgeStart | None = None

    def choose(self, project: Project, user: User, rules: tuple[Rule, ...]) -> Choice:
        """Find the rule that picks the scenario; a scenario that is asked for needs none."""
        if not rules or self.scenario_id is not None:
            return Choice(None, [])
        arrived = Trigger(
            project_id=project.id,
            project_path=project.path,
            ref=self.ref,
            source=self.source,
            username=user.username,
            variables={variable.key: variable.value for variable in self.variables},
            inputs=self.inputs or {},
        )
        return choose(rules, arrived)

    def variables_under(self, rule: Rule | None) -> tuple[Variable, ...]:
        """List the variables of the pipeline; what is asked for beats what the rule adds."""
        if rule is None or not rule.variables:
            return self.variables
        given = {variable.key for variable in self.variables}
        return (*self.variables, *(Variable(k, v) for k, v in rule.variables if k not in given))

    def explain(self, choice: Choice, number: int | None) -> str:
        """Write down for /_mock which rule picked the scenario, and why none before it did."""
        rule = choice.rule
        by = "request" if self.scenario_id is not None else "default" if rule is None else "rule"
        return json.dumps(
            {
                "by": by,
                "scenario_id": number,
                "rule": None if rule is None else rule.place,
                "passed": [
                    {
                        "rule": passed.rule.place,
                        "differences": [difference._asdict() for difference in passed.differences],
                    }
                    for passed in choice.passed
                ],
                "unexplained": choice.unexplained,
            }
        )
