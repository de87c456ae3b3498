"""AsyncMockWorld: the methods of a MockWorld, to be awaited with asyncio or trio."""

from __future__ import annotations

import asyncio
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from anyio import to_thread

from mock_gitlab.testing.client import MockWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Unpack

    from mock_gitlab.testing.keywords import SandboxFields

_get_running_loop = asyncio.get_running_loop
P = ParamSpec("P")
R = TypeVar("R")


def _awaited(
    method: Callable[Concatenate[MockWorld, P], R],
) -> Callable[Concatenate[AsyncMockWorld, P], Coroutine[Any, Any, R]]:
    """Make a method that runs one of a MockWorld in a thread."""

    @wraps(method)
    async def call(self: AsyncMockWorld, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await _in_thread(partial(method, self.world, *args, **kwargs))

    return call


async def _in_thread(call: Callable[[], R]) -> R:
    # anyio may await asyncio.sleep(0), which tests replace by a method of this class.
    try:
        loop = _get_running_loop()
    except RuntimeError:  # it is trio's
        return await to_thread.run_sync(call)
    return await loop.run_in_executor(None, call)


class AsyncMockWorld:
    """The asynchronous counterpart of ``world``: each method waits without holding the loop."""

    def __init__(self, world: MockWorld) -> None:
        self.world = world
        self.url = world.url
        self.api_url = world.api_url
        self.token = world.token

    async def __aenter__(self) -> AsyncMockWorld:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def sandbox(self, name: str, **own: Unpack[SandboxFields]) -> AsyncMockWorld:
        """Make another world on the same server."""
        return AsyncMockWorld(await _in_thread(partial(self.world.sandbox, name, **own)))

    async def explain(self, project: int | str, ref: str, **fields: Any) -> dict[str, Any]:
        """Say which scenario a pipeline would get, and why."""
        return await _in_thread(partial(self.world.explain, project, ref, **fields))

    close = _awaited(MockWorld.close)
    clock = _awaited(MockWorld.clock)
    now = _awaited(MockWorld.now)
    advance = _awaited(MockWorld.advance)
    next = _awaited(MockWorld.next)
    wait_until = _awaited(MockWorld.wait_until)
    set_clock = _awaited(MockWorld.set_clock)
    freeze = _awaited(MockWorld.freeze)
    resume = _awaited(MockWorld.resume)
    scenario = _awaited(MockWorld.scenario)
    course = _awaited(MockWorld.course)
    rule = _awaited(MockWorld.rule)
    fault = _awaited(MockWorld.fault)
    switch_rule = _awaited(MockWorld.switch_rule)
    switch_fault = _awaited(MockWorld.switch_fault)
    trigger_token = _awaited(MockWorld.trigger_token)
    cancel = _awaited(MockWorld.cancel)
    retry = _awaited(MockWorld.retry)
    play = _awaited(MockWorld.play)
    erase = _awaited(MockWorld.erase)
    delete = _awaited(MockWorld.delete)
    pipelines = _awaited(MockWorld.pipelines)
    pipeline = _awaited(MockWorld.pipeline)
    scenarios = _awaited(MockWorld.scenarios)
    rules = _awaited(MockWorld.rules)
    faults = _awaited(MockWorld.faults)
    requests = _awaited(MockWorld.requests)
    controls = _awaited(MockWorld.controls)
    deliveries = _awaited(MockWorld.deliveries)
    verify_delivered = _awaited(MockWorld.verify_delivered)
    verify = _awaited(MockWorld.verify)
    reset = _awaited(MockWorld.reset)
    delete_sandbox = _awaited(MockWorld.delete_sandbox)
