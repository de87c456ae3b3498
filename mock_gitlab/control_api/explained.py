"""What a pipeline would get, as ``POST /_mock/explain`` and ``mock-gitlab explain`` show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from mock_gitlab.config.scalars import all_as_written

from .definitions import response_definition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_gitlab.world.explaining import Call
    from mock_gitlab.world.pipeline_request import PipelineRequest
    from mock_gitlab.world.world import World


class ExplainedScenario(TypedDict):
    """The scenario that would be followed; ``place`` is where a file declares it."""

    scenario_id: int
    name: str
    place: str | None


class ForeseenCall(TypedDict):
    """A call, the place of the fault that would apply to it, and what that fault does."""

    operation: str
    fault: str | None
    does: str | None


class Explained(TypedDict):
    """What a pipeline would get, and why.

    ``project_id`` is null if the project gets its number by its first use. ``variables`` include
    those that the rule adds. ``scenario`` is null if the rule answers instead, with ``respond``.
    ``calls`` are the one that creates the pipeline, and its first poll. ``summary`` is for people.
    """

    project_id: int | None
    project: str
    ref: str
    tag: bool
    source: str
    variables: dict[str, str]
    name: str | None
    scenario: ExplainedScenario | None
    respond: dict[str, Any] | None
    matched: dict[str, Any]
    calls: list[ForeseenCall]
    summary: str


def explained(world: World, project: str, wanted: PipelineRequest) -> Explained:
    """Explain what a request would get in a project, given by number or path.

    Values from the environment are hidden.

    Raises:
        NotFound: the project, the ref, or the scenario that is asked for.
    """
    preview = world.preview(project, wanted)
    rule, trigger = preview.rule, preview.trigger
    number = preview.scenario_id
    shown: Explained = {
        "project_id": trigger.project_id or None,
        "project": trigger.project_path,
        "ref": trigger.ref,
        "tag": trigger.tag,
        "source": trigger.source,
        "variables": {variable.key: variable.value for variable in preview.variables},
        "name": None if rule is None else rule.name,
        "scenario": None if number is None else _scenario(world, number),
        "respond": None if rule is None else response_definition(rule.respond),
        "matched": preview.explanation,
        "calls": [_call(call) for call in world.foresee_calls(preview)],
        "summary": "",
    }
    hidden: Explained = all_as_written(shown, world.declared.variables)
    hidden["summary"] = _summary(hidden)
    return hidden


def _scenario(world: World, number: int) -> ExplainedScenario:
    declared = world.scenario(number)
    place = None if declared.file is None else f"{declared.file}:{declared.line}"
    return {"scenario_id": number, "name": declared.scenario.name, "place": place}


def _call(call: Call) -> ForeseenCall:
    hit = call.hit
    return {
        "operation": call.operation,
        "fault": None if hit is None else hit.fault.place,
        "does": None if hit is None else str(hit),
    }


def chosen_by(matched: Mapping[str, Any]) -> str:
    """Say in words what has chosen a scenario; ``matched`` is what an explanation begins with."""
    words = {
        "request": "named by the request",
        "rule": f"by the rule at {matched['rule']}",
        "default": "the default: no rule matches",
    }
    return words[matched["by"]]


def _summary(shown: Explained) -> str:
    scenario, why = shown["scenario"], chosen_by(shown["matched"])
    if scenario is None:
        assert shown["respond"] is not None
        return f"answer {shown['respond']['status']} and no pipeline, {why}"
    return f"scenario {scenario['scenario_id']} ({scenario['name']}), {why}"
