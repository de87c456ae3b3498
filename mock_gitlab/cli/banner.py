"""The lines that ``serve`` prints once the server answers requests."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from mock_gitlab.config.loader import BUILT_IN, DEFAULT_TOKEN
from mock_gitlab.engine.instants import timestamp
from mock_gitlab.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mock_gitlab.app import MockGitLabApp
    from mock_gitlab.config.loader import Settings
    from mock_gitlab.world.clock import Clock

_EVERYWHERE = ("0.0.0.0", "::", "0")  # noqa: S104 - compared, not bound
_FILES_LISTED = 10
_TOKEN_SOURCES = {
    "file": "from the configuration file",
    "environment": "from MOCK_TOKEN",
}


def print_banner(app: MockGitLabApp, url: str) -> None:
    """Print where the server listens and what it has loaded, but never the token."""
    print("\n".join(_lines(app, url)))
    sys.stdout.flush()


def _lines(app: MockGitLabApp, url: str) -> Iterator[str]:
    settings, loaded = app.settings, app.live.current
    yield f"mock_gitlab {__version__} on {url} (API: {url}/api/v4, docs: {url}/docs)"
    if settings.dashboard:
        known = f"#token={DEFAULT_TOKEN}" if settings.token == DEFAULT_TOKEN else ""
        yield f"page: {url}/{known}"
    if settings.host in _EVERYWHERE:
        port = url.rpartition(":")[2]
        yield f"listening on all addresses: other machines use http://{socket.gethostname()}:{port}"
    yield from _token_lines(settings)
    if not loaded.files:
        yield (
            f"configuration: there is no {app.live.path}; run mock-gitlab init to write a starter"
        )
    yield f"database: {settings.database}"
    yield from _clock_lines(app.worlds.default.clock)
    yield from scenario_lines(loaded.scenario_counts)
    for warning in loaded.warnings:
        yield f"warning: {warning}"
    if settings.watch:
        yield "watching: " + ", ".join(str(path) for path in app.live.watched())


def scenario_lines(counts: Mapping[str, int]) -> Iterator[str]:
    """List how many scenarios come from which file; many files of one folder are one line."""
    folders: dict[str, dict[str, int]] = {}
    for place, count in counts.items():
        folders.setdefault(os.path.dirname(place), {})[place] = count
    for folder, files in folders.items():
        if folder and len(files) > _FILES_LISTED:
            yield f"scenarios: {sum(files.values())} from {len(files)} files in {folder}"
            continue
        for place, count in files.items():
            yield f"scenarios: {count} {'' if place == BUILT_IN else 'from '}{place}"


def _token_lines(settings: Settings) -> Iterator[str]:
    if settings.token != DEFAULT_TOKEN:
        yield f"token: {_TOKEN_SOURCES[settings.token_source]}"
        return
    yield "token: the default (see README.md)"
    if not _is_loopback(settings.host):
        yield (
            f"WARNING: other machines may reach {settings.host}, and the token is the default; "
            "set MOCK_TOKEN"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _clock_lines(clock: Clock) -> Iterator[str]:
    """Describe a clock that is not at real time, as declared or as kept in the database."""
    now, offset = timestamp(clock.now()), round(clock.state().offset / 1000)
    if clock.frozen:
        yield f"clock: frozen at {now}"
    elif clock.speed != 1:
        yield f"clock: {now}, {clock.speed:g} times as fast as real time"
    elif offset:
        direction = "ahead of" if offset > 0 else "behind"
        yield f"clock: {now}, {timedelta(seconds=abs(offset))} {direction} real time"
