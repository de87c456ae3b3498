"""Deliver webhooks in virtual time, above the world.

A move of a frozen clock stops at each moment at which something changes. There the deliveries of
that moment go out, one after another for each hook, and then the clock moves on. With a running
clock, one task sleeps until the next moment.
"""

from __future__ import annotations

import asyncio
import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal
from weakref import WeakSet

from mock_gitlab.engine.model import AlreadyExists
from mock_gitlab.store.errors import StoreUnavailable

from .sending import Reach, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from mock_gitlab.engine.model import Instant
    from mock_gitlab.store.hooks import Delivery, Hook
    from mock_gitlab.world.clock import Clock
    from mock_gitlab.world.lookahead import Changed
    from mock_gitlab.world.world import World

    Apps = Mapping[str, httpx.AsyncBaseTransport]

Deliver = Literal["all", "last", "none"]
MOST = 1000
"""How many deliveries one move of the clock makes."""
PATIENCE = 2.0
"""How many seconds of real time a move of the clock waits for deliveries under way."""
LAST = 1.0
"""How many seconds of real time a delivery under way has when the server ends."""
_LONGEST_SLEEP = 3600.0
_log = logging.getLogger("mock_gitlab")


class Walk:
    """A move of the clock: what was delivered, what changed, and why it stopped early, if so."""

    def __init__(self) -> None:
        self.delivered: list[int] = []
        self.changes: list[Changed] = []
        self.stopped: str | None = None


class Courier:
    """Delivers the webhooks of one world. ``told`` is called after each response.

    ``apps`` are the transports of applications in this process, by their hosts.
    """

    def __init__(self, world: World, told: Callable[[World], None], apps: Apps) -> None:
        self._apps = apps
        self._world = world
        self._told = told
        self._busy = asyncio.Lock()
        self._walking = False
        self._closing = False
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_here(self) -> bool:
        """Whether it belongs to the event loop that runs."""
        return self._loop is asyncio.get_running_loop()

    # ------------------------------------------------------------------ moving the clock

    async def move(self, change: Callable[[Clock], None], deliver: Deliver = "all") -> Walk:
        """Let ``change`` move the clock, and deliver what is due on the way.

        Raises:
            AlreadyExists: deliveries are under way.
        """
        walk = Walk()
        await self._begin()
        try:
            await self._deliver(walk)
            state = self._world.clock.state()
            change(self._world.clock)
            target, after = self._world.clock.now(), self._world.clock.state()
            self._world.clock.restore(state)
            if deliver == "all" and state.frozen_at is not None and after.frozen_at is not None:
                await self._walk(walk, target)
            if walk.stopped is None:
                self._world.move_clock(lambda clock: clock.restore(after))
                await self._arrive(walk, deliver)
        finally:
            self._end()
        return walk

    async def jump(self, target: Instant | None, deliver: Deliver = "all") -> Walk:
        """Go to an instant that the lookahead has named; None: stay."""
        walk = Walk()
        await self._begin()
        try:
            await self._deliver(walk)
            if target is not None:
                await self._walk(walk, target, deliver)
        finally:
            self._end()
        return walk

    async def _begin(self) -> None:
        if self._walking:
            raise AlreadyExists(
                "the clock is being moved, and stands still while webhooks are delivered; "
                "their receivers cannot move it"
            )
        try:
            await asyncio.wait_for(self._busy.acquire(), PATIENCE)
        except TimeoutError:
            raise AlreadyExists(
                "webhooks are being delivered; their receivers cannot move the clock"
            ) from None
        self._walking = True

    def _end(self) -> None:
        self._walking = False
        self._busy.release()
        self.wake()

    async def _walk(self, walk: Walk, target: Instant, deliver: Deliver = "all") -> None:
        """Go from change to change up to ``target``."""
        while walk.stopped is None:
            moment = self._world.next_moment()
            if moment is None or moment > target:
                return
            walk.changes += self._world.go_to(moment)
            if deliver == "all":
                await self._deliver(walk)
            if moment == target:
                await self._arrive(walk, deliver)
                return

    async def _arrive(self, walk: Walk, deliver: Deliver) -> None:
        """Deliver at the end of a move."""
        hooks = self._world.hooks
        if deliver == "none":
            hooks.record_due("skipped")
        elif deliver == "last":
            hooks.record_due()
            hooks.skip_due(but_last=True)
        await self._deliver(walk)

    # ------------------------------------------------------------------ delivering

    async def _deliver(self, walk: Walk) -> None:
        """Deliver all that is due at this moment; receivers may add to it."""
        while walk.stopped is None and not self._closing:
            self._world.hooks.record_due()
            due = self._world.hooks.due(MOST - len(walk.delivered))
            if not due:
                return
            of_hooks: dict[int, list[tuple[Hook, Delivery]]] = {}
            for hook, delivery in due:
                of_hooks.setdefault(hook.id, []).append((hook, delivery))
            await asyncio.gather(*(self._one_by_one(walk, mine) for mine in of_hooks.values()))
            if len(walk.delivered) >= MOST:
                walk.stopped = f"{MOST} deliveries were made, the most of one move"

    async def _one_by_one(self, walk: Walk, due: list[tuple[Hook, Delivery]]) -> None:
        for hook, delivery in due:
            if not self._closing and self._world.hooks.is_wanted(hook, delivery):
                await self.send(hook, delivery)
                walk.delivered.append(delivery.id)

    async def send(self, hook: Hook, delivery: Delivery) -> None:
        """Send a delivery and record the response."""
        hooks = self._world.hooks
        reach = Reach(self._world.declared.webhook_hosts, self._apps)
        response = await send(hook, delivery, hook.site or hooks.site, reach)
        hooks.responded(hook, delivery, response)
        self._told(self._world)

    # ------------------------------------------------------------------ by itself

    def wake(self) -> None:
        """Deliver soon what is due, without waiting for it."""
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        """Deliver what is due, and with a running clock what becomes due."""
        try:
            while self._world.hooks.active and not self._closing:
                self._wake.clear()
                async with self._busy:
                    await self._deliver(Walk())
                delay = self._sleeps_for()
                if delay is None:
                    return
                await self._sleep(delay)
        except StoreUnavailable as error:
            _log.warning("webhooks are delivered later: %s", error)

    def _sleeps_for(self) -> float | None:
        """Return the seconds until the next moment; None: there is none, or the clock stands."""
        if self._wake.is_set():
            return 0
        moment = None if self._world.clock.frozen else self._world.next_moment()
        if moment is None:
            return None
        return min(self._world.clock.real_seconds_until(moment), _LONGEST_SLEEP)

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    async def close(self) -> None:
        """End the task; a delivery under way is finished if it does not take long."""
        if self._task is not None:
            self._closing = True
            self._wake.set()
            await asyncio.wait([self._task], timeout=LAST)
            self._task.cancel()
            await asyncio.wait([self._task])


class Couriers:
    """The couriers of an application's worlds. ``told`` is called after each response."""

    def __init__(
        self,
        told: Callable[[World], None] = lambda _: None,
        apps: Apps = MappingProxyType({}),
    ) -> None:
        self._told = told
        self._apps = apps
        self._couriers: WeakSet[Courier] = WeakSet()

    def of(self, world: World) -> Courier:
        """Return the courier of a world, for the event loop that runs."""
        found: Courier | None = world.hooks.courier
        if found is None or not found.is_here:
            found = world.hooks.courier = Courier(world, self._told, self._apps)
            self._couriers.add(found)
        return found

    async def close(self) -> None:
        """End the tasks of this event loop."""
        for courier in list(self._couriers):
            if courier.is_here:
                await courier.close()
