"""``explain``: say which scenario a pipeline would get, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.sources import SOURCES

from .command import (
    MISTAKES,
    SUCCESS,
    add_command,
    add_config_option,
    cannot,
    load_declarations,
    name_and_value,
    scenario_number,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from mock_gitlab.control_api.explained import Explained


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "explain", run, "say what a pipeline would get, and why")
    add_config_option(parser)
    parser.add_argument("--project", required=True, help="its number or full path")
    parser.add_argument("--ref", required=True, help="a branch or tag")
    parser.add_argument(
        "--var",
        action="append",
        type=name_and_value,
        default=[],
        metavar="NAME=VALUE",
        help="a variable of the pipeline; may be given again",
    )
    parser.add_argument(
        "--input",
        action="append",
        type=_input,
        default=[],
        metavar="NAME=VALUE",
        help="an input, as JSON or as text; may be given again",
    )
    parser.add_argument(
        "--source",
        choices=SOURCES,
        default="trigger",
        metavar="SOURCE",
        help="what starts it: trigger (the default), api, push, schedule, web, ...",
    )
    parser.add_argument(
        "--scenario", type=scenario_number, metavar="N", help="a scenario that is asked for"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _input(text: str) -> tuple[str, Any]:
    name, value = name_and_value(text)
    from pydantic_core import from_json

    try:
        return name, from_json(value, allow_inf_nan=False)
    except ValueError:
        return name, value


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation; 1 if there is no such project, ref or scenario."""
    from mock_gitlab.control_api.explained import explained
    from mock_gitlab.engine.model import NotFound, Variable
    from mock_gitlab.store.database import Database
    from mock_gitlab.world.clock import Clock
    from mock_gitlab.world.pipeline_request import PipelineRequest
    from mock_gitlab.world.world import World

    wanted = PipelineRequest(
        ref=arguments.ref,
        source=arguments.source,
        variables=tuple(Variable(name, value) for name, value in dict(arguments.var).items()),
        inputs=dict(arguments.input) or None,
        scenario_id=arguments.scenario,
    )
    declared = load_declarations(arguments)
    world = World(Database(":memory:"), declared, Clock())
    try:
        found = explained(world, arguments.project, wanted)
    except NotFound as error:
        raise cannot(f"{error}: {error.hint}" if error.hint else str(error), MISTAKES) from error
    finally:
        world.close()
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(_lines(found)))
    return SUCCESS


def _lines(found: Explained) -> Iterator[str]:
    yield found["summary"]
    if found["scenario"] and found["scenario"]["place"]:
        yield f"  declared at {found['scenario']['place']}"
    for passed in found["matched"]["passed"]:
        yield f"not the rule at {passed['rule']}: {passed['because']}"
    if found["matched"]["unexplained"]:
        yield f"and not {found['matched']['unexplained']} more rules"
    for call in found["calls"]:
        if call["fault"]:
            yield f"{call['operation']}: the fault at {call['fault']} comes next: {call['does']}"
