"""``preview``: show what the jobs of a scenario will do over time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.instants import to_seconds

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

    from mock_gitlab.engine.model import Scenario
    from mock_gitlab.engine.timeline import JobState, Timeline

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
    from .chart import draw
    from .simulation import scenario_finder, simulate

    declarations = load_declarations(arguments)
    declared = declarations.declared(arguments.scenario)
    if declared is None:
        raise cannot(f"there is no scenario {arguments.scenario}", MISTAKES)
    scenario = declared.scenario
    timeline = simulate(scenario, scenario_finder(declarations), arguments.retries)
    if arguments.json:
        print(json.dumps(as_json(scenario, timeline), indent=2))
    else:
        print(draw(scenario, timeline, max(_NARROWEST, arguments.width)))
    return SUCCESS


def as_json(scenario: Scenario, timeline: Timeline) -> dict[str, Any]:
    """Describe the timeline of a scenario as a JSON value; times are in seconds.

    ``ends_at`` is None if the pipeline does not end by itself.
    """
    from .simulation import last_change

    changes, last = timeline.changes(-1, None), last_change(timeline)
    state = timeline.at(last)
    return {
        "scenario_id": scenario.scenario_id,
        "name": scenario.name,
        "status": state.status,
        "ends_at": to_seconds(last) if state.finished else None,
        "terminal_after_polls": scenario.terminal_after_polls,
        "jobs": [_job(job) for job in state.jobs],
        "changes": [
            {"at": to_seconds(change.at), "job": change.name, "status": change.after}
            for change in changes
            if change.job_id is not None
        ],
        "pipeline": [
            {"at": to_seconds(change.at), "status": change.after}
            for change in changes
            if change.job_id is None
        ],
    }


def _job(job: JobState) -> dict[str, Any]:
    return {
        "name": job.name,
        "stage": job.stage,
        "status": job.status,
        "retried": job.retried,
        "allow_failure": job.allow_failure,
        "queued_at": to_seconds(job.queued_at),
        "started_at": to_seconds(job.started_at),
        "finished_at": to_seconds(job.finished_at),
    }
