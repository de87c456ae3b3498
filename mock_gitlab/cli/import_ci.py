"""``import``: write the scenarios of the pipeline that a ``.gitlab-ci.yml`` makes."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.sources import SOURCES

from .command import (
    MISTAKES,
    SUCCESS,
    CommandFailed,
    add_command,
    declarations_of,
    name_and_value,
    replace_file,
    scenario_number,
)

if TYPE_CHECKING:
    import argparse

    from mock_gitlab.importers.gitlab_ci import Imported, Request

_FILE = ".gitlab-ci.yml"
_WITH_DEFAULT = {
    "--source": "push",
    "--project-path": "group/project",
    "--default-branch": "main",
    "--scenario-id": "950",
}


def add(commands: Any) -> None:
    """Add the command to the parser."""
    help = "write the scenarios of the pipeline that a .gitlab-ci.yml makes"
    parser = add_command(commands, "import", run, help)
    parser.add_argument(
        "file", nargs="?", type=Path, default=Path(_FILE), metavar="FILE", help=f"({_FILE})"
    )
    ref = parser.add_mutually_exclusive_group()
    ref.add_argument("--ref", metavar="BRANCH", help="the branch (the default branch)")
    ref.add_argument("--tag", metavar="TAG", help="the tag, instead of a branch")
    parser.add_argument(
        "--source",
        choices=SOURCES,
        default=_WITH_DEFAULT["--source"],
        metavar="SOURCE",
        help="what starts the pipeline: push (the default), merge_request_event, schedule, ...",
    )
    _add_repeated(parser, "--var", "a variable of the pipeline", name_and_value)
    _add_repeated(parser, "--input", "an input of spec:inputs", name_and_value)
    parser.add_argument(
        "--changed",
        action="append",
        metavar="PATH",
        help='a path that has changed; may be given again, "" is none (all rules:changes hold)',
    )
    for option, metavar, help in (
        ("--project-path", "PATH", "the full path of the project (group/project)"),
        ("--default-branch", "BRANCH", "(main)"),
    ):
        parser.add_argument(option, default=_WITH_DEFAULT[option], metavar=metavar, help=help)
    parser.add_argument(
        "--scenario-id",
        type=scenario_number,
        default=950,
        metavar="N",
        help="the number of the scenario (950); those of child pipelines follow",
    )
    _add_repeated(
        parser, "--durations", "how long a job, each job of a stage, or any job takes", _duration
    )
    parser.add_argument(
        "--durations-from",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="how long the jobs of a real pipeline took: the saved JSON of its jobs",
    )
    parser.add_argument(
        "--root",
        type=Path,
        metavar="FOLDER",
        help="where the paths of includes begin (the nearest folder with .git, or that of FILE)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where to write (standard output)"
    )


def _add_repeated(parser: argparse.ArgumentParser, name: str, help: str, read: Any) -> None:
    metavar = "[NAME=]DURATION" if read is _duration else "NAME=VALUE"
    help = f"{help}; may be given again"
    parser.add_argument(name, action="append", type=read, default=[], metavar=metavar, help=help)


def _duration(text: str) -> tuple[str, str]:
    name, _, duration = text.rpartition("=")
    return name, duration


def run(arguments: argparse.Namespace) -> int:
    """Write the file, and say on standard error what could not be decided."""
    from mock_gitlab.importers.gitlab_ci import CannotImport, import_ci

    command = shlex.join(["mock-gitlab", *_given(arguments)])
    try:
        imported = import_ci(arguments.file, _request(arguments), arguments.root, command)
    except CannotImport as error:
        raise CommandFailed(MISTAKES, [str(error)]) from None
    declarations_of(imported.text)  # refuses what `check` would refuse, instead of writing it
    if arguments.output is None:
        print(imported.text, end="")
    else:
        replace_file(arguments.output, imported.text)
    for line in (*imported.remarks, *map(str, imported.notes)):
        print(f"note: {line}", file=sys.stderr)
    if arguments.output is not None:
        print(f"wrote {arguments.output}: {_summary(imported)}")
    return SUCCESS


def _given(arguments: argparse.Namespace) -> list[str]:
    """Repeat the options that decide, without the values of variables, which may be secret."""
    given = ["import", str(arguments.file)]
    given += ["--tag", arguments.tag] if arguments.tag else []
    given += ["--ref", arguments.ref] if arguments.ref else []
    given += [part for name, _ in arguments.var for part in ("--var", f"{name}=...")]
    given += [part for name, _ in arguments.input for part in ("--input", f"{name}=...")]
    given += [part for path in arguments.changed or () for part in ("--changed", path)]
    for option, default in _WITH_DEFAULT.items():
        value = getattr(arguments, option.strip("-").replace("-", "_"))
        given += [option, str(value)] if str(value) != default else []
    for path in arguments.durations_from:
        given += ["--durations-from", str(path)]
    for name, duration in arguments.durations:
        given += ["--durations", f"{name}={duration}" if name else duration]
    return given


def _request(arguments: argparse.Namespace) -> Request:
    from mock_gitlab.importers.gitlab_ci import Request, recorded_durations

    durations: dict[str, str] = {}
    for path in arguments.durations_from:
        durations |= recorded_durations(path)
    changed = arguments.changed
    return Request(
        ref=arguments.tag or arguments.ref or arguments.default_branch,
        tag=arguments.tag is not None,
        source=arguments.source,
        variables=dict(arguments.var),
        inputs=dict(arguments.input),
        changed=None if changed is None else tuple(filter(None, changed)),
        project_path=arguments.project_path,
        default_branch=arguments.default_branch,
        scenario_id=arguments.scenario_id,
        durations=durations | dict(arguments.durations),
    )


def _summary(imported: Imported) -> str:
    first = imported.scenarios[0]
    jobs = len(first.get("jobs", ()))
    more = len(imported.scenarios) - 1
    children = f", and {more} more scenario{'s' * (more != 1)}" if more else ""
    return f"scenario {first['scenario_id']} with {jobs} job{'s' * (jobs != 1)}{children}"
