"""The asynchronous counterpart of a MockWorld does what that does."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from mock_gitlab import AsyncMockWorld, MockError, MockGitLab, MockWorld

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[AsyncMockWorld]:
    with MockGitLab() as server:
        server.mock.set_clock("2026-01-01T00:00:00Z", frozen=True)
        yield AsyncMockWorld(server.mock)


def test_every_public_name_of_a_world_has_its_counterpart(world: AsyncMockWorld):
    names = {name for name in dir(MockWorld("http://localhost:1", "")) if not name.startswith("_")}

    assert names <= set(dir(world))


def test_the_parameters_are_the_same():
    for name in ("next", "wait_until", "requests", "explain", "verify"):
        counterpart = inspect.signature(getattr(AsyncMockWorld, name))
        assert counterpart == inspect.signature(getattr(MockWorld, name))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_methods_are_awaited(world: AsyncMockWorld, backend: str):
    async def use() -> list[Any]:
        async with world:
            number = await world.scenario(name="mine")
            await world.advance("5m")
            async with await world.sandbox("other") as other:
                explained = await world.explain("group/app", "main")
                return [
                    number,
                    await world.now(),
                    other.api_url,
                    explained["scenario"]["scenario_id"],
                ]

    assert anyio.run(use, backend=backend) == [
        10_001,
        "2026-01-01T00:05:00.000Z",
        f"{world.url}/sandbox/other/api/v4",
        500,
    ]


def test_the_loop_goes_on_meanwhile(world: AsyncMockWorld):
    async def use() -> list[str]:
        seen: list[str] = []

        async def look() -> None:
            seen.append("another task")

        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(world.now())
            tasks.create_task(look())
        return [*seen, waiting.result()]

    assert asyncio.run(use()) == ["another task", "2026-01-01T00:00:00.000Z"]


def test_what_the_mock_refuses_is_raised(world: AsyncMockWorld):
    with pytest.raises(MockError, match="404 Pipeline Not Found"):
        asyncio.run(world.pipeline(9))
