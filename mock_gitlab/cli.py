"""serve, check, init, schema, preview: arguments in, exit codes out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_gitlab import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

FINE, MISTAKES, CANNOT_START = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; without one, serve.

    Returns:
        0 when all is well, 1 when the files have mistakes, 2 when the server cannot start.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given.insert(0, "serve")
    chosen = _parser().parse_args(given)
    return int(chosen.run(chosen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mock-gitlab",
        description="A test double for GitLab CI: trigger pipelines, poll them, declare what happens.",
    )
    parser.add_argument("--version", action="version", version=f"mock-gitlab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_serve(commands)
    _add_check(commands)
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
        help="how much to log (MOCK_LOG_LEVEL; info)",
    )
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="FILE",
        help="where to write the address and token as JSON once requests are answered",
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError(text)
    return port


def _serve(chosen: argparse.Namespace) -> int:
    from mock_gitlab.app import create_app
    from mock_gitlab.config.document import ConfigurationError
    from mock_gitlab.server import PortInUse, address, listen, serve
    from mock_gitlab.store.database import UnusableDatabase

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
        _print_mistakes(error)
        return MISTAKES
    except UnusableDatabase as error:
        print(f"mock-gitlab: {error}", file=sys.stderr)
        return CANNOT_START
    settings = app.settings
    try:
        bound = listen(settings.host, settings.port)
    except PortInUse as error:
        app.close()
        print(f"mock-gitlab: {error}", file=sys.stderr)
        return CANNOT_START
    url = address(bound)

    def ready() -> None:
        _print_banner(app, url)
        if chosen.ready_file is not None:
            _write_ready_file(chosen.ready_file, url, settings.token)

    serve(app, bound, settings.log_level, ready)
    return FINE


def _print_banner(app: Any, url: str) -> None:
    settings, loaded = app.settings, app.live.current
    print(f"mock_gitlab {__version__} on {url} (API: {url}/api/v4, docs: {url}/docs)")
    print(f"token: {settings.token_source}")
    if settings.exposed:
        print(
            f"WARNING: {settings.host} is reachable from other machines "
            "and the token is the well-known default; set MOCK_TOKEN"
        )
    print(f"database: {settings.database}")
    for source, count in loaded.scenario_counts().items():
        print(f"scenarios: {count} from {source}")
    for warning in loaded.warnings:
        print(f"warning: {warning}")
    if settings.watch:
        print("watching: " + ", ".join(str(path) for path in loaded.folders))
    sys.stdout.flush()


def _write_ready_file(path: Path, url: str, token: str) -> None:
    # Whoever waits for the file must never read half of it.
    partial = path.with_name(path.name + ".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps({"url": url, "token": token}) + "\n", encoding="utf-8")
    partial.replace(path)


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
    from mock_gitlab.config.document import ConfigurationError
    from mock_gitlab.config.loader import load

    try:
        loaded = load(chosen.config, os.environ)
    except ConfigurationError as error:
        _print_mistakes(error)
        return MISTAKES
    print(loaded)
    return FINE


def _print_mistakes(error: Any) -> None:
    for mistake in error.mistakes:
        print(mistake, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
