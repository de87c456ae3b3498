"""``scenarios``: list the scenarios, where they are declared, and what picks them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .command import SUCCESS, add_command, add_config_option, load_declarations

if TYPE_CHECKING:
    import argparse

    from mock_gitlab.engine.model import DeclaredScenario

_NAME_WIDTH = 48


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "scenarios", run, "list the scenarios and what picks them")
    add_config_option(parser)
    parser.add_argument(
        "--all", action="store_true", help="with the built-in ones, if nobody picks them"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each scenario, by number."""
    from mock_gitlab.config.checks import picked_by
    from mock_gitlab.config.scalars import all_as_written

    declared = load_declarations(arguments)
    picked = picked_by(declared)
    rows = [
        _row(each, picked.get(each.scenario.scenario_id, []))
        for each in sorted(declared.scenarios, key=lambda each: each.scenario.scenario_id)
        if arguments.all or each.source == "file" or each.scenario.scenario_id in picked
    ]
    rows = all_as_written(rows, declared.variables)
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        print("\n".join(map(_line, rows)))
    return SUCCESS


def _row(declared: DeclaredScenario, picked: list[str]) -> dict[str, Any]:
    place = "built in" if declared.file is None else f"{declared.file}:{declared.line}"
    scenario = declared.scenario
    return {
        "scenario_id": scenario.scenario_id,
        "name": scenario.name,
        "place": place,
        "picked_by": picked,
    }


def _line(row: dict[str, Any]) -> str:
    name: str = row["name"]
    short = name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 3]}..."
    by = ", ".join(row["picked_by"]) or "only a request that names it"
    return f"{row['scenario_id']:>6}  {short:<{_NAME_WIDTH}}  {row['place']}; picked by {by}"
