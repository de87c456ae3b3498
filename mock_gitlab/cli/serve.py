"""``serve``: run the mock on a port until it is interrupted."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import (
    MISTAKES,
    SUCCESS,
    CommandFailed,
    add_command,
    add_config_option,
    cannot,
    discard_output,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from mock_gitlab.app import MockGitLabApp

    from .ready_file import ReadyFile


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "serve", run, "serve the mock (the default command)")
    add_config_option(parser)
    parser.add_argument("--host", help="the address to listen on (MOCK_HOST; 127.0.0.1)")
    parser.add_argument("--port", type=_port, help="the port, 0 for any free one (MOCK_PORT; 8000)")
    parser.add_argument(
        "--database", metavar="FILE", help="where to keep pipelines, or :memory: (MOCK_DATABASE)"
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
        "--log-format",
        choices=("text", "json"),
        help="log lines for people, or JSON objects (MOCK_LOG_FORMAT; text)",
    )
    parser.add_argument(
        "--log-requests", action="store_true", help="log every request (MOCK_LOG_REQUESTS=1)"
    )
    parser.add_argument(
        "--metrics", action="store_true", help="count for /_mock/metrics (MOCK_METRICS=1)"
    )
    parser.add_argument(
        "--open", action="store_true", help="open the live page in a browser, with the token"
    )
    parser.add_argument(
        "--exit-with-parent",
        action="store_const",
        const=os.getppid(),
        help="end when the process ends that has started this one",
    )
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="FILE",
        help="where to write the URL and the token as JSON once the server answers requests",
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError(f'must be a number from 0 to 65535, not "{text}"')
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from mock_gitlab.server import address, serve

    from .banner import print_banner
    from .logs import set_level, start_logging

    _ignore_hangup()
    start_logging(arguments.log_format or os.environ.get("MOCK_LOG_FORMAT") or "text")
    app = _make_app(arguments)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(app.close)
        bound = on_failure.enter_context(_listen(app.settings.host, app.settings.port))
        # Not before the port is ours: another server there may have a ready file of this name.
        ready_file = _make_ready_file(arguments.ready_file)
        on_failure.pop_all()
    url = address(bound)
    start_logging(app.settings.log_format)
    set_level(app.settings.log_level)

    failures: list[OSError] = []

    def ready() -> None:
        import asyncio

        _reload_on_hangup(app)
        if ready_file is not None:
            try:
                ready_file.write(url, app.settings.token)
            except OSError as error:
                failures.append(error)
                signal.raise_signal(signal.SIGINT)  # uvicorn ends in its own time
        try:
            print_banner(app, url)
        except OSError as error:  # whoever is to read it has no part in the tests
            discard_output()
            logging.getLogger("mock_gitlab").warning("cannot print the banner: %s", error.strerror)

        if arguments.open and app.settings.dashboard:
            asyncio.get_running_loop().run_in_executor(None, _open_page, url, app.settings.token)

    def ended() -> None:
        if ready_file is not None:
            ready_file.remove()

    serve(app, bound, ready, ended, arguments.exit_with_parent)
    with _writing(arguments.ready_file):
        for failure in failures:
            raise failure
    return SUCCESS


def _ignore_hangup() -> None:
    """Keep a SIGHUP that comes before the server is ready from ending it."""
    if _hangup_reloads():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _reload_on_hangup(app: MockGitLabApp) -> None:
    """Reload the files on SIGHUP."""
    import asyncio

    if _hangup_reloads():
        loop, reloads = asyncio.get_running_loop(), set[asyncio.Task[bool]]()

        def reload() -> None:
            reloads.add(task := loop.create_task(app.live.try_to_reload()))
            task.add_done_callback(reloads.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)


def _hangup_reloads() -> bool:
    """Return whether SIGHUP means to reload; in a terminal, it means that the terminal closes."""
    at_home = threading.current_thread() is threading.main_thread()  # others get no signals
    return at_home and hasattr(signal, "SIGHUP") and not sys.stdin.isatty()


def _open_page(url: str, token: str) -> None:
    """Open the live page; a fragment is sent to nobody, and logged by nobody."""
    import webbrowser
    from urllib.parse import quote

    webbrowser.open(f"{url}/#token={quote(token, safe='')}")


def _make_app(arguments: argparse.Namespace) -> MockGitLabApp:
    from mock_gitlab.app import create_app
    from mock_gitlab.config.diagnostics import ConfigurationError
    from mock_gitlab.store.errors import UnusableDatabase

    try:
        return create_app(
            arguments.config,
            host=arguments.host,
            port=arguments.port,
            database=arguments.database,
            watch=False if arguments.no_watch else None,
            log_level=arguments.log_level,
            log_format=arguments.log_format,
            log_requests=True if arguments.log_requests else None,
            metrics=True if arguments.metrics else None,
        )
    except ConfigurationError as error:
        raise CommandFailed(MISTAKES, map(str, error.mistakes)) from error
    except UnusableDatabase as error:
        raise cannot(str(error)) from error


def _listen(host: str, port: int) -> socket.socket:
    from mock_gitlab.server import PortInUse, listen

    try:
        return listen(host, port)
    except PortInUse as error:
        raise cannot(str(error)) from error


def _make_ready_file(path: Path | None) -> ReadyFile | None:
    from .ready_file import ReadyFile

    with _writing(path):
        return None if path is None else ReadyFile(path)


@contextlib.contextmanager
def _writing(path: Path | None) -> Iterator[None]:
    """Explain in one line why a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise cannot(f"cannot write {path}: {error.strerror}") from error
