"""Whatever a test patches in its own process, the server of the library goes on as it is."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import socket
import sqlite3
import subprocess
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import freezegun
import httpx
import pytest
import time_machine

from mock_gitlab import MockGitLab, MockWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG_AGO = "2001-02-03T04:05:06Z"


@pytest.fixture(scope="module")
def server() -> Iterator[MockGitLab]:
    with MockGitLab() as running:
        yield running


def broken(*args: Any, **options: Any) -> Any:
    raise RuntimeError("the test has patched this")


async def at_once(*args: Any, **options: Any) -> None:
    """Stand for asyncio.sleep as an AsyncMock does."""


class GuardedSocket(socket.socket):
    """As pytest-socket has it."""

    __init__ = broken


PATCHES: dict[str, tuple[Any, str, Any]] = {
    "asyncio.sleep": (asyncio, "sleep", at_once),
    "asyncio.sleep, broken": (asyncio, "sleep", broken),
    "asyncio.wait_for": (asyncio, "wait_for", broken),
    "time.sleep": (time, "sleep", broken),
    "time.time": (time, "time", lambda: 0.0),
    "time.time, broken": (time, "time", broken),
    "time.time_ns": (time, "time_ns", lambda: 0),
    "time.monotonic": (time, "monotonic", lambda: 0.0),
    "time.perf_counter": (time, "perf_counter", broken),
    "random.random": (random, "random", broken),
    "random.randint": (random, "randint", broken),
    "os.urandom": (os, "urandom", broken),
    "socket.create_connection": (socket, "create_connection", broken),
    "socket.getaddrinfo": (socket, "getaddrinfo", broken),
    "socket.socket": (socket, "socket", GuardedSocket),
    "socket.socket.connect": (socket.socket, "connect", broken),
    "http.client": (http.client, "HTTPConnection", broken),
    "its request": (http.client.HTTPConnection, "request", broken),
    "json.dumps": (json, "dumps", broken),
    "sqlite3.connect": (sqlite3, "connect", broken),
    "subprocess.Popen": (subprocess, "Popen", broken),
}


@pytest.fixture(params=PATCHES)
def patched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*PATCHES[request.param])


def use(server: MockGitLab, name: str) -> None:
    """Do what the fixture does, and what a test does with it."""
    with server.sandbox(name) as world:
        use_world(world)
    assert name in server.sandboxes()
    server.delete_sandbox(name)


def use_world(world: MockWorld) -> None:
    before = datetime.fromisoformat(world.now())
    world.rule(scenario=world.scenario(terminal_after_seconds="5m"))
    world.trigger_token(42)
    after = datetime.fromisoformat(world.advance("5m"))
    assert 300 <= (after - before).total_seconds() < 310
    assert world.requests(operation="create_trigger")


@pytest.mark.usefixtures("patched")
def test_a_running_server_feels_no_patch(server: MockGitLab):
    use(server, "patched")


@pytest.mark.usefixtures("patched")
def test_a_server_starts_and_stops_under_a_patch():
    with MockGitLab() as mock:
        use(mock, "patched")


@pytest.mark.parametrize("freeze", [freezegun.freeze_time, time_machine.travel])
def test_a_frozen_process_does_not_freeze_the_server(
    server: MockGitLab, freeze: Callable[[str], Any]
):
    began = datetime.now(UTC)  # noqa: DTZ005, RUF100, TID251 - the clock of the test itself

    with freeze(LONG_AGO):
        use(server, "frozen")
        with MockGitLab() as mock:
            use(mock, "frozen")
            told = datetime.fromisoformat(mock.mock.now())

    assert abs((told - began).total_seconds()) < 60


def test_a_seed_that_a_test_sets_does_not_repeat_tokens(server: MockGitLab):
    tokens = set()
    for name in ("one", "other"):
        random.seed(7)
        with server.sandbox(name) as world:
            tokens.add(world.trigger_token(42))
        server.delete_sandbox(name)

    assert len(tokens) == 2


async def poll_until_it_ends(world: MockWorld) -> int:
    """Stand for a bot that waits with asyncio.sleep between its polls."""
    headers = {"PRIVATE-TOKEN": world.token}
    async with httpx.AsyncClient(base_url=world.api_url, headers=headers) as client:
        pipeline = (await client.post("/projects/1/pipeline?ref=main")).json()
        polls = 0
        while pipeline["status"] not in ("success", "failed"):
            await asyncio.sleep(30)
            polls += 1
            pipeline = (await client.get(f"/projects/1/pipelines/{pipeline['id']}")).json()
    return polls


def test_a_sleep_that_advances_the_clock_makes_a_bot_quick(
    server: MockGitLab, monkeypatch: pytest.MonkeyPatch
):
    world = server.sandbox("quick", clock={"frozen": True})

    async def sleep(seconds: float) -> None:
        world.advance(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)

    assert asyncio.run(poll_until_it_ends(world)) == 10
    world.close()
    server.delete_sandbox("quick")
