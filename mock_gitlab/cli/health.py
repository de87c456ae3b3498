"""``health``: ask a running server whether it can serve, for containers and scripts."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from typing import Any

from .command import MISTAKES, SUCCESS, CommandFailed, add_command, add_config_option, config_path

_LONGEST = 3600


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "health", run, "say whether a server is ready (0) or not (1)")
    add_config_option(parser)
    parser.add_argument(
        "--url", help="its address; by default the one that serve would take with this --config"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=3.0,
        metavar="SECONDS",
        help="how long to wait for its answer (3)",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST:
        raise argparse.ArgumentTypeError(f'must be a number of seconds up to 3600, not "{text}"')
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Ask for ``/_mock/ready``, and print what it says."""
    from http.client import HTTPException

    url = (arguments.url or _own_url(arguments)).rstrip("/")
    try:
        ready, said = _ask(f"{url}/_mock/ready", arguments.timeout)
    except (OSError, HTTPException, ValueError) as error:  # ValueError: no URL, or no JSON
        ready, said = False, f"cannot reach {url}: {getattr(error, 'reason', None) or error}"
    print(said, file=sys.stdout if ready else sys.stderr)
    return SUCCESS if ready else MISTAKES


def _ask(url: str, timeout: float) -> tuple[bool, str]:
    """Return whether the server is ready, and its answer in one line."""
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, build_opener

    opener = build_opener(ProxyHandler({}))  # a proxy would ask another machine
    try:
        with opener.open(url, timeout=timeout) as answer:
            return True, _summary(json.load(answer))
    except HTTPError as refused:
        with refused:
            return False, f"{refused.code}: {_summary(json.load(refused))}"


def _summary(answer: Any) -> str:
    """Put the answer into one line.

    Raises:
        ValueError: no mock_gitlab has sent it.
    """
    try:
        files = answer["configuration"]
        state = f"{files['mistakes']} mistakes in its files" if files["mistakes"] else "files ok"
        return f"{answer['status']}: database {answer['database']}, {state}"
    except (KeyError, TypeError):
        raise ValueError("it is no mock_gitlab") from None


def _own_url(arguments: argparse.Namespace) -> str:
    """Return where ``serve`` would listen; with mistakes in the files, the environment counts."""
    from mock_gitlab.config.diagnostics import ConfigurationError
    from mock_gitlab.config.loader import load
    from mock_gitlab.config.overrides import overridden
    from mock_gitlab.server import url_of

    path, named = config_path(arguments)
    try:
        loaded = load(path, os.environ, must_exist=named)
    except ConfigurationError:  # the server goes on with the files as they were
        loaded = load(path, os.environ, content=b"scenarios: []")
    try:
        settings = overridden(loaded, os.environ, {}).settings
    except ConfigurationError as error:
        raise CommandFailed(MISTAKES, map(str, error.mistakes)) from error
    return url_of(settings.host, settings.port)
