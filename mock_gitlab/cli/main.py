"""The parser of the command line, and the exit codes of the process."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from mock_gitlab.version import __version__

from . import check, explain, health, import_ci, init, preview, record, scenarios, schema, serve
from .command import CANNOT_START, INTERRUPTED, CommandFailed, discard_output

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (serve, check, explain, preview, scenarios, schema, init, import_ci, record, health)
_OWN_OPTIONS = ("-h", "--help", "--version")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; without a command, serve.

    Returns:
        0 on success, 1 if the files have mistakes, 2 if the command cannot start or cannot write,
        130 if it was interrupted.
    """
    _open_missing_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in _OWN_OPTIONS):
        given.insert(0, "serve")
    try:
        return _run(given)
    except KeyboardInterrupt:
        return INTERRUPTED
    except CommandFailed as failure:
        lines, code = failure.lines, failure.code
    except BrokenPipeError:  # the reader of our output has closed it
        lines, code = (), CANNOT_START
        discard_output()
    except OSError as error:
        lines, code = (f"mock-gitlab: {error}",), CANNOT_START
        discard_output()
    for line in lines:
        print(line, file=sys.stderr)
    return code


def _run(given: Sequence[str]) -> int:
    try:
        parsed = _parser().parse_args(given)
        return int(parsed.run(parsed))
    finally:
        sys.stdout.flush()


def _open_missing_streams() -> None:
    """Open the standard streams that are closed, lest another file takes their numbers."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= 2:
        opened = os.dup(opened)
    os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        stream or open(number, mode, closefd=False)  # noqa: SIM115 - open until the process ends
        for number, stream, mode in (
            (0, sys.stdin, "r"),
            (1, sys.stdout, "w"),
            (2, sys.stderr, "w"),
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mock-gitlab",
        description="A test double for GitLab CI: trigger pipelines, poll them, and declare what"
        " happens.",
        epilog="Without a command it serves; mock-gitlab serve --help lists the options for that.",
    )
    parser.add_argument("--version", action="version", version=f"mock-gitlab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in _COMMANDS:
        command.add(commands)
    return parser
