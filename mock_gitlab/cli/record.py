"""``record``: write the scenarios of a pipeline that has run, and compare them with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import (
    MISTAKES,
    SUCCESS,
    CommandFailed,
    add_command,
    cannot,
    declarations_of,
    replace_file,
    scenario_number,
)

if TYPE_CHECKING:
    import argparse

    from mock_gitlab.engine.model import Declarations
    from mock_gitlab.importers.recorded import Made
    from mock_gitlab.importers.recording import Pages
    from mock_gitlab.importers.secrets import Cleaner


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "record", run, "write the scenarios of a pipeline that has run")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help="the address of a pipeline; the token is read from GITLAB_TOKEN",
    )
    source.add_argument(
        "--from-folder",
        type=Path,
        metavar="FOLDER",
        help="saved answers of GitLab's API: pipeline.json, jobs.json, ...",
    )
    parser.add_argument(
        "--scenario-id",
        type=scenario_number,
        default=950,
        metavar="N",
        help="the number of the scenario (950); those of downstream pipelines follow",
    )
    parser.add_argument(
        "--keep-secrets",
        action="store_true",
        help="leave values of variables, tokens and e-mail addresses in",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where to write (standard output)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the file; say on standard error what was taken out, and what differs."""
    from mock_gitlab.importers.places import CannotImport
    from mock_gitlab.importers.recorded import make_scenarios
    from mock_gitlab.importers.recording import read_recording
    from mock_gitlab.importers.secrets import Cleaner

    clean = Cleaner(arguments.keep_secrets)
    try:
        recording = read_recording(_pages(arguments))
    except CannotImport as error:
        raise CommandFailed(MISTAKES, [str(error)]) from None
    made = make_scenarios(recording, arguments.scenario_id, clean)
    text, notes = _written(made, clean)
    if arguments.output is None:
        print(text, end="")
    else:
        replace_file(arguments.output, text)
    for line in notes:
        print(f"note: {line}", file=sys.stderr)
    if arguments.output is not None:
        print(f"wrote {arguments.output}: {_summary(made)}")
    return SUCCESS


def _pages(arguments: argparse.Namespace) -> Pages:
    if arguments.from_folder is not None:
        from mock_gitlab.importers.saved import read_folder

        return read_folder(arguments.from_folder)
    from mock_gitlab.importers.remote import Remote, read_address

    address = read_address(arguments.url)
    return Remote(_token(), _say).read(address)


def _token() -> str:
    token = os.environ.get("GITLAB_TOKEN", "").strip()
    if not (token.isascii() and token.isprintable()):
        raise cannot("GITLAB_TOKEN holds signs that no token has")
    return token


def _say(what: str) -> None:
    print(what, file=sys.stderr)


def _written(made: list[Made], clean: Cleaner) -> tuple[str, list[str]]:
    """Write the scenarios, play them as `check` reads them, and write them with the differences."""
    from mock_gitlab.importers.writing import write_scenarios

    scenarios = [each for one in made for each in (one.scenario, *one.also)]
    declared = declarations_of(write_scenarios([], scenarios))
    notes = [*clean.report(), *_notes(made), *_differences(made, declared)]
    first = made[0].recording
    title = clean.text(f"Recorded from pipeline {first.id} of {first.ref}. Edit it as you like.")
    head = [title, *(f"- {line}" for line in notes)]
    return write_scenarios(head, scenarios), notes


def _notes(made: list[Made]) -> list[str]:
    from mock_gitlab.importers.replay import retries_by_hand

    notes = []
    for one in made:
        notes += [f"scenario {one.scenario['scenario_id']}: {note}" for note in one.notes]
        number = len(retries_by_hand(one))
        if number:
            what = (
                f"{number} retr{'ies' if number > 1 else 'y'} by hand: attempts say how each goes"
            )
            notes.append(f"scenario {one.scenario['scenario_id']}: {what}")
    return notes


def _differences(made: list[Made], declared: Declarations) -> list[str]:
    from mock_gitlab.engine.preview import scenario_finder
    from mock_gitlab.importers.replay import compare

    find = scenario_finder(declared, declared.behaviour)
    found = []
    for one in made:
        number = one.scenario["scenario_id"]
        scenario = declared.behaviour(number)
        assert scenario is not None
        found += [f"scenario {number} differs: {each}" for each in compare(one, scenario, find)]
    return found or ["a replay shows what was recorded"]


def _summary(made: list[Made]) -> str:
    number, jobs = made[0].scenario["scenario_id"], len(made[0].jobs)
    more = sum(1 + len(one.also) for one in made) - 1
    others = f", and {more} more scenario{'s' * (more != 1)}" if more else ""
    return f"scenario {number} with {jobs} job{'s' * (jobs != 1)}{others}"
