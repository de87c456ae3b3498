"""The parser of the command line, and the exit codes of the process."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from mock_gitlab.version import __version__

from . import check, init, preview, schema, serve
from .command import CANNOT_START, INTERRUPTED, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (serve, check, preview, schema, init)
_OWN_OPTIONS = ("-h", "--help", "--version")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; without a command, serve.

    Returns:
        0 on success, 1 if the files have mistakes, 2 if the command cannot start or cannot write,
        130 if it was interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in _OWN_OPTIONS):
        given.insert(0, "serve")
    parsed = _parser().parse_args(given)
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has closed it. Python flushes once more at exit: into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CANNOT_START
    except CommandFailed as failure:
        for line in failure.lines:
            print(line, file=sys.stderr)
        return failure.code
    return code


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
