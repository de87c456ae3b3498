"""A courier belongs to the event loop that made it."""

from __future__ import annotations

import asyncio

from mock_gitlab.engine.model import Declarations
from mock_gitlab.http.deliveries import Courier, Couriers
from mock_gitlab.world.sandboxes import Worlds


def test_another_event_loop_gets_another_courier():
    worlds, couriers = Worlds(":memory:", Declarations()), Couriers()

    async def courier() -> Courier:
        assert couriers.of(worlds.default) is couriers.of(worlds.default)
        return couriers.of(worlds.default)

    async def close() -> None:
        couriers.of(worlds.default)
        await couriers.close()

    first = asyncio.run(courier())
    second = asyncio.run(courier())
    assert first is not second
    asyncio.run(close())
    worlds.close()
