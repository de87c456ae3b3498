"""``preview``: show what the jobs of a scenario will do over time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .command import (
    MISTAKES,
    SUCCESS,
    add_command,
    add_config_option,
    cannot,
    load_declarations,
    scenario_number,
)

if TYPE_CHECKING:
    import argparse

_NARROWEST = 10


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "preview", run, "draw what a scenario will do over time")
    add_config_option(parser)
    parser.add_argument(
        "scenario", type=scenario_number, metavar="SCENARIO", help="the scenario's number"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a drawing")
    parser.add_argument(
        "--retries",
        type=int,
        choices=range(11),
        default=0,
        metavar="N",
        help="how often to retry the pipeline, each time when nothing more happens (0, at most 10)",
    )
    parser.add_argument("--width", type=int, default=50, help="columns of the bars (50)")


def run(arguments: argparse.Namespace) -> int:
    """Print the drawing, or the same as JSON."""
    from mock_gitlab.engine.model import Invalid
    from mock_gitlab.engine.preview import describe, preview, scenario_finder

    from .chart import draw

    declarations = load_declarations(arguments)
    declared = declarations.declared(arguments.scenario)
    if declared is None:
        raise cannot(f"there is no scenario {arguments.scenario}", MISTAKES)
    scenario = declared.scenario
    find = scenario_finder(declarations, declarations.behaviour)
    try:
        timeline = preview(scenario, find, arguments.retries)
    except Invalid as error:
        raise cannot(str(error), MISTAKES) from None
    if arguments.json:
        print(json.dumps(describe(scenario, timeline), indent=2))
    else:
        print(draw(scenario, timeline, max(_NARROWEST, arguments.width)))
    return SUCCESS
