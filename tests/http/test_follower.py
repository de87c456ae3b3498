"""What a follower of a world is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.app import MockGitLabApp
from mock_gitlab.http.exchange import Exchange
from mock_gitlab.http.follower import EVERYTHING, Follower
from mock_gitlab.world.journal import LoggedRequest

if TYPE_CHECKING:
    from tests.conftest import Mock


def exchange(
    method: str,
    operation: str | None,
    status: int | None = 200,
    world: str = "default",
    logged: LoggedRequest | None = None,
) -> Exchange:
    return Exchange(world, "id", method, "/", operation, status, 0.001, logged)


def told(*exchanges: Exchange) -> list[str]:
    """Return what a follower of the default world is told of requests."""

    async def follow() -> list[str]:
        follower = Follower("default")
        for each in exchanges:
            follower(each)
        return await follower.wait(0.01)

    return asyncio.run(follow())


LOGGED = LoggedRequest("GET", "/", "", 0)


@pytest.mark.parametrize(
    ("method", "status", "changed"),
    [
        ("GET", 200, ["requests"]),
        ("POST", 201, ["pipelines", "requests"]),
        ("POST", 404, ["requests"]),
        ("POST", None, ["requests"]),
    ],
)
def test_a_request_of_the_api(method: str, status: int | None, changed: list[str]):
    assert told(exchange(method, "create_pipeline", status, logged=LOGGED)) == changed


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ("/_mock/clock/advance", ["clock", "pipelines"]),
        ("/_mock/pipelines/{id}/actions", ["pipelines"]),
        ("/_mock/scenarios", ["declared", "pipelines"]),
        ("/_mock/rules", ["declared"]),
        ("/_mock/faults", ["declared"]),
        ("/_mock/sandboxes", ["sandboxes"]),
        ("/_mock/config/reload", ["configuration"]),
        ("/_mock/requests", ["requests"]),
        ("/_mock/reset", sorted(EVERYTHING)),
        ("/_mock/verify", []),
        ("/_mock/explain", []),
        (None, []),
    ],
)
def test_a_control_that_changes_something(operation: str | None, changed: list[str]):
    assert told(exchange("POST", operation)) == changed


def test_a_control_that_only_looks_or_is_refused_changes_nothing():
    assert told(exchange("GET", "/_mock/clock"), exchange("PUT", "/_mock/clock", 422)) == []


def test_of_other_worlds_only_what_belongs_to_the_server_is_told():
    other = [
        exchange("POST", "/_mock/clock/advance", world="mine"),
        exchange("POST", "/_mock/sandboxes", world="mine"),
        exchange("POST", "create_pipeline", 201, world="mine", logged=LOGGED),
    ]

    assert told(*other) == ["sandboxes"]


def test_several_changes_of_a_kind_are_told_as_one():
    clicks = [exchange("POST", "/_mock/clock/advance")] * 3

    assert told(*clicks) == ["clock", "pipelines"]


def test_what_was_told_is_not_told_again():
    async def follow() -> list[list[str]]:
        follower = Follower("default")
        follower.tell(frozenset(("clock",)))
        return [await follower.wait(0.01), await follower.wait(0.01)]

    assert asyncio.run(follow()) == [["clock"], []]


def test_a_follower_that_is_woken_waits_no_longer():
    async def follow() -> list[str]:
        follower = Follower("default")
        waiting = asyncio.create_task(follower.wait(60))
        await asyncio.sleep(0)
        follower.wake()
        return await waiting

    assert asyncio.run(follow()) == []


def test_an_application_tells_those_who_follow_it_and_nobody_else(mock: Mock):
    assert isinstance(mock.app, MockGitLabApp)
    follower = Follower("default")
    mock.app.follow(follower)
    mock.get("/version")
    mock.post("/_mock/config/reload")
    mock.app.unfollow(follower)
    mock.advance("5s")

    assert asyncio.run(follower.wait(0.01)) == sorted(EVERYTHING)
    assert list(mock.app.observers) == []
    mock.app.begin_to_end()
    assert asyncio.run(follower.wait(0.01)) == []


def test_a_follower_is_told_of_its_own_world_alone():
    async def told_of(world: str) -> list[str]:
        follower = Follower("mine")
        follower.tell_of(world, "deliveries")
        return await follower.wait(0.01)

    assert asyncio.run(told_of("mine")) == ["deliveries"]
    assert asyncio.run(told_of("other")) == []
