"""What the commands share: exit codes, failures, the --config option, and writing files."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mock_gitlab.engine.model import Declarations

    Run = Callable[[argparse.Namespace], int]

_DIGITS = 19
"""A number with fewer digits fits into a column of SQLite."""
SUCCESS, MISTAKES, CANNOT_START, INTERRUPTED = 0, 1, 2, 130


class CommandFailed(Exception):
    """Ends a command: ``lines`` go to standard error, and ``code`` is the exit code."""

    def __init__(self, code: int, lines: Iterable[str]) -> None:
        self.code = code
        self.lines = tuple(lines)


def cannot(what: str, code: int = CANNOT_START) -> CommandFailed:
    """Make the failure that is explained by one line."""
    return CommandFailed(code, [f"mock-gitlab: {what}"])


def declarations_of(text: str) -> Declarations:
    """Read a file of scenarios that a command has made.

    Raises:
        CommandFailed: `check` would refuse it.
    """
    from mock_gitlab.config.diagnostics import ConfigurationError
    from mock_gitlab.config.loader import load

    try:
        return load("scenarios", {}, content=text.encode()).declarations
    except ConfigurationError as error:
        first = error.mistakes[0]
        raise cannot(f"no scenario can say this: {first.where}: {first.what}", MISTAKES) from None


def add_command(commands: Any, name: str, run: Run, help: str) -> argparse.ArgumentParser:
    """Add a command to the parser; ``run`` is called with the parsed arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    parser.set_defaults(run=run)
    return parser


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the configuration file."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration file (MOCK_CONFIG; default: mock.yaml if it exists)",
    )


def config_path(arguments: argparse.Namespace) -> tuple[Path, bool]:
    """Return the path of the configuration file, and whether the user named it."""
    from mock_gitlab.config.loader import DEFAULT_CONFIG

    named = arguments.config or os.environ.get("MOCK_CONFIG") or None
    return Path(named or DEFAULT_CONFIG), named is not None


def scenario_number(text: str) -> int:
    """Read the number of a scenario; raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and len(text) < _DIGITS):
        raise argparse.ArgumentTypeError(f'must be the number of a scenario, not "{text}"')
    return int(text)


def name_and_value(text: str) -> tuple[str, str]:
    """Read ``NAME=VALUE``; raises ArgumentTypeError."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f'must be NAME=VALUE, not "{text}"')
    return name, value


def load_declarations(arguments: argparse.Namespace) -> Declarations:
    """Load what the files of --config declare.

    Raises:
        CommandFailed: they have mistakes, which are named.
    """
    from mock_gitlab.config.diagnostics import ConfigurationError
    from mock_gitlab.config.loader import load

    path, named = config_path(arguments)
    try:
        return load(path, os.environ, must_exist=named).declarations
    except ConfigurationError as error:
        raise CommandFailed(MISTAKES, map(str, error.mistakes)) from error


def discard_output() -> None:
    """Send what is still to be printed nowhere: Python prints it once more at its end."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def replace_file(path: Path, text: str) -> None:
    """Write a file as a whole, or leave what is there. A link stays, and a device is written to.

    Raises:
        CommandFailed: the file cannot be written.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        return write_file(path, text)
    written = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        write_file(written, text)
        os.replace(written, target)
    except OSError as error:
        raise cannot(f"cannot write {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            written.unlink()


def write_file(path: Path, text: str) -> None:
    """Write a file, and make its folder if there is none.

    Raises:
        CommandFailed: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise cannot(f"cannot write {path}: {error.strerror}") from error
