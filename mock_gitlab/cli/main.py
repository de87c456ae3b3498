"""serve, check, init, schema, preview: arguments in, exit codes out."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_gitlab.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mock_gitlab.app import MockGitLabApp
    from mock_gitlab.world.clock import Clock

DEFAULT_CONFIG = "mock.yaml"
FINE, MISTAKES, CANNOT_START, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; without one, serve.

    Returns:
        0 when all is well, 1 when the files have mistakes, 2 when the server cannot start.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given.insert(0, "serve")
    chosen = _parser().parse_args(given)
    try:
        code = int(chosen.run(chosen))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough; what is left would only fail again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CANNOT_START
    except _CannotWrite as error:
        _print_lines([f"mock-gitlab: cannot write {error}"])
        return CANNOT_START
    return code


class _CannotWrite(Exception):
    """A file that a command is to write cannot be written; the message names it and says why."""


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _CannotWrite(f"{path}: {error.strerror}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mock-gitlab",
        description="A test double for GitLab CI: trigger, poll, and declare what happens.",
        epilog="Without a command it serves; mock-gitlab serve --help lists the options of that.",
    )
    parser.add_argument("--version", action="version", version=f"mock-gitlab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_serve(commands)
    _add_check(commands)
    _add_preview(commands)
    _add_schema(commands)
    _add_init(commands)
    return parser


def _command(commands: Any, name: str, run: Any, help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    parser.set_defaults(run=run)
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration (MOCK_CONFIG; default: mock.yaml, where there is one)",
    )
    return parser


# ---------------------------------------------------------------------------- serve


def _add_serve(commands: Any) -> None:
    parser = _command(commands, "serve", _serve, "serve the mock (the default command)")
    parser.add_argument("--host", help="the address to listen on (MOCK_HOST; 127.0.0.1)")
    parser.add_argument("--port", type=_port, help="the port, 0 for any free one (MOCK_PORT; 8000)")
    parser.add_argument(
        "--database", metavar="FILE", help="where pipelines are kept, or :memory: (MOCK_DATABASE)"
    )
    parser.add_argument(
        "--no-watch", action="store_true", help="do not reload files that change (MOCK_WATCH=0)"
    )
    parser.add_argument(
        "--log-level",
        choices=("critical", "error", "warning", "info", "debug"),
        help="how much to log, at debug each call (MOCK_LOG_LEVEL; info)",
    )
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="FILE",
        help="where to write the address and token as JSON once requests are answered",
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError(f'must be a number from 0 to 65535, not "{text}"')
    return int(text)


def _serve(chosen: argparse.Namespace) -> int:
    from mock_gitlab.app import create_app
    from mock_gitlab.cli.ready_file import ReadyFile
    from mock_gitlab.config.diagnostics import ConfigurationError
    from mock_gitlab.server import PortInUse, address, listen, serve
    from mock_gitlab.store.errors import UnusableDatabase

    try:
        app = create_app(
            chosen.config,
            host=chosen.host,
            port=chosen.port,
            database=chosen.database,
            watch=False if chosen.no_watch else None,
            log_level=chosen.log_level,
        )
    except ConfigurationError as error:
        _print_lines(map(str, error.mistakes))
        return MISTAKES
    except UnusableDatabase as error:
        _print_lines([f"mock-gitlab: {error}"])
        return CANNOT_START
    settings = app.settings
    with contextlib.ExitStack() as opened:
        opened.callback(app.close)
        try:
            bound = opened.enter_context(listen(settings.host, settings.port))
            ready_file = None if chosen.ready_file is None else ReadyFile(chosen.ready_file)
        except PortInUse as error:
            _print_lines([f"mock-gitlab: {error}"])
            return CANNOT_START
        except OSError as error:
            _print_lines([f"mock-gitlab: cannot write {chosen.ready_file}: {error.strerror}"])
            return CANNOT_START
        opened.pop_all()
    url = address(bound)
    _set_up_logging(settings.log_level)

    def ready() -> None:
        if ready_file is not None:
            ready_file.write(url, settings.token)
        _print_banner(app, url)

    def ended() -> None:
        if ready_file is not None:
            ready_file.remove()

    serve(app, bound, ready, ended)
    return FINE


def _set_up_logging(level: str) -> None:
    logging.basicConfig(level=level.upper(), format="%(levelname)s: %(message)s")
    if level == "info":
        # What uvicorn and watchfiles tell at this level is of no use to a test's author.
        for name in ("uvicorn", "watchfiles"):
            logging.getLogger(name).setLevel(logging.WARNING)


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


_TOKEN_SOURCES = {
    "default": "the default one, which README.md names",
    "file": "from the configuration file",
    "environment": "from MOCK_TOKEN",
    "option": "from an option",
}


def _print_banner(app: MockGitLabApp, url: str) -> None:
    from mock_gitlab.config.loader import DEFAULT_TOKEN

    settings, loaded = app.settings, app.live.current
    print(f"mock_gitlab {__version__} on {url} (API: {url}/api/v4, docs: {url}/docs)")
    well_known = settings.token == DEFAULT_TOKEN
    print(f"token: {_TOKEN_SOURCES['default' if well_known else settings.token_source]}")
    if well_known and not _is_loopback(settings.host):
        print(
            f"WARNING: {settings.host} may be reached by others, and the token is the default one"
        )
    if not loaded.files:
        print(
            f"configuration: {app.live.path} is not here; mock-gitlab init writes one to start from"
        )
    print(f"database: {settings.database}")
    _print_clock(app.worlds.default.clock)
    for place, count in loaded.scenario_counts.items():
        print(f"scenarios: {count} from {place}")
    for warning in loaded.warnings:
        print(f"warning: {warning}")
    if settings.watch:
        print("watching: " + ", ".join(str(path) for path in app.live.watched()))
    sys.stdout.flush()


def _print_clock(clock: Clock) -> None:
    """Say where the time is not the machine's: as declared, or as the database kept it."""
    from datetime import timedelta

    from mock_gitlab.engine.instants import timestamp

    now, offset = timestamp(clock.now()), round(clock.state().offset / 1000)
    if clock.frozen:
        print(f"clock: stands still at {now}")
    elif offset:
        way = "ahead of" if offset > 0 else "behind"
        print(f"clock: {now}, {timedelta(seconds=abs(offset))} {way} real time")


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# ---------------------------------------------------------------------------- check


def _add_check(commands: Any) -> None:
    parser = _command(commands, "check", _check, "check the files without serving them")
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="how to print what was found (github: annotations for a workflow)",
    )


def _check(chosen: argparse.Namespace) -> int:
    from mock_gitlab.cli.check import check

    path, named = _configuration(chosen)
    fine = check(path, os.environ, must_exist=named, form=chosen.format)
    return FINE if fine else MISTAKES


def _configuration(chosen: argparse.Namespace) -> tuple[Path, bool]:
    """Tell which configuration is meant, and whether somebody has named it."""
    named = chosen.config or os.environ.get("MOCK_CONFIG") or None
    return Path(named or DEFAULT_CONFIG), named is not None


# ---------------------------------------------------------------------------- schema


def _add_schema(commands: Any) -> None:
    said = "print the JSON Schema of a file, or write both into a folder"
    parser = commands.add_parser("schema", help=said, description=said)
    parser.set_defaults(run=_schema)
    parser.add_argument(
        "kind",
        nargs="?",
        choices=("mock", "scenario"),
        default="mock",
        help="of mock.yaml (the default), or of a file of scenarios",
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write both")


def _schema(chosen: argparse.Namespace) -> int:
    from mock_gitlab.config.schema import mock_schema, scenario_schema

    if chosen.output is None:
        made = mock_schema() if chosen.kind == "mock" else scenario_schema()
        print(json.dumps(made, indent=2))
        return FINE
    for name, made in (("mock", mock_schema()), ("scenario", scenario_schema())):
        path = chosen.output / f"{name}.schema.json"
        _write(path, json.dumps(made, indent=2) + "\n")
        print(f"wrote {path}")
    return FINE


# ---------------------------------------------------------------------------- init


def _add_init(commands: Any) -> None:
    said = "write a commented starter into a folder, never over what is there"
    parser = commands.add_parser("init", help=said, description=said)
    parser.set_defaults(run=_init)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), help="where to (the working directory)"
    )


def _init(chosen: argparse.Namespace) -> int:
    from mock_gitlab.cli.init import starter_files

    own = _own_configuration(chosen.folder)
    for path in own:
        print(f"kept {path}, which is there already")
    for name, text in starter_files().items():
        path = chosen.folder / name
        if own and not name.startswith("schemas/"):
            continue  # an example beside it would change what it means
        if path.exists():
            print(f"kept {path}, which is there already")
            continue
        _write(path, text)
        print(f"wrote {path}")
    print("now run: mock-gitlab")
    return FINE


def _own_configuration(folder: Path) -> list[Path]:
    """List the files of a configuration that somebody has written before."""
    found = [folder / DEFAULT_CONFIG, *sorted((folder / "scenarios").glob("*.yaml"))]
    return [path for path in found if path.exists()]


# ---------------------------------------------------------------------------- preview


def _add_preview(commands: Any) -> None:
    parser = _command(commands, "preview", _preview, "draw what a scenario will do over time")
    parser.add_argument("scenario", type=_number, metavar="SCENARIO", help="the scenario's number")
    parser.add_argument("--json", action="store_true", help="print it for machines")
    parser.add_argument(
        "--retries",
        type=int,
        choices=range(11),
        default=0,
        metavar="N",
        help="how often it is retried, once nothing more happens (0, at most 10)",
    )
    parser.add_argument("--width", type=int, default=50, help="columns of the bars (50)")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise argparse.ArgumentTypeError(f'must be the number of a scenario, not "{text}"')
    return int(text)


def _preview(chosen: argparse.Namespace) -> int:
    from mock_gitlab.cli.preview import as_chart, as_json, finder
    from mock_gitlab.config.diagnostics import ConfigurationError
    from mock_gitlab.config.loader import load

    path, named = _configuration(chosen)
    try:
        declarations = load(path, os.environ, must_exist=named).declarations
    except ConfigurationError as error:
        _print_lines(map(str, error.mistakes))
        return MISTAKES

    declared = declarations.declared(chosen.scenario)
    if declared is None:
        _print_lines([f"mock-gitlab: there is no scenario {chosen.scenario}"])
        return MISTAKES
    scenario, find = declared.scenario, finder(declarations)
    if chosen.json:
        print(json.dumps(as_json(scenario, find, chosen.retries), indent=2))
    else:
        print(as_chart(scenario, find, max(10, chosen.width), chosen.retries))
    return FINE


if __name__ == "__main__":
    sys.exit(main())
