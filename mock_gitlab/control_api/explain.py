"""``/_mock/explain``: what a pipeline would get, and why, without creating it."""

from __future__ import annotations

from pydantic import Field

from mock_gitlab.config.fields import AnyJson, Name, ScenarioNumber, StrictModel, Text, TextOrNumber
from mock_gitlab.engine.model import Variable
from mock_gitlab.engine.sources import Source
from mock_gitlab.world.pipeline_request import PipelineRequest

from .access import CurrentWorld, control_router
from .explained import Explained, explained

router = control_router("rules", changes=False)


class ExplainBody(StrictModel):
    """The pipeline that somebody would create."""

    project: TextOrNumber = Field(description="Its number or full path.", examples=["group/app"])
    ref: Text = Field(description="A branch or tag.", examples=["main"])
    source: Source = Field("trigger", description="What starts it.")
    variables: dict[Name, TextOrNumber] = Field({}, description="Its variables.")
    inputs: dict[Name, AnyJson] = Field({}, description="Its inputs.")
    scenario_id: ScenarioNumber | None = Field(
        None, description="The scenario that the request names."
    )


@router.post("/explain")
async def explain(world: CurrentWorld, body: ExplainBody) -> Explained:
    """Say which scenario a pipeline would get, and why, and which faults come next.

    Nothing is created, and nothing counts as a match. 404 if there is no such project or ref.
    """
    wanted = PipelineRequest(
        ref=body.ref,
        source=body.source,
        variables=tuple(Variable(key, value) for key, value in body.variables.items()),
        inputs=body.inputs or None,
        scenario_id=body.scenario_id,
    )
    return explained(world, body.project, wanted)
