"""``/_mock/deliveries``: what webhooks were sent, and what they are owed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from .access import CurrentWorld, control_router
from .delivered import DeliveryRow, delivery_row

router = control_router("deliveries")


@router.get("/deliveries")
async def list_deliveries(
    world: CurrentWorld,
    hook_id: int | None = None,
    pipeline_id: int | None = None,
    status: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> list[DeliveryRow]:
    """List the newest deliveries of webhooks, oldest first."""
    found = world.hooks.deliveries(limit, hook_id, pipeline_id, status)
    return [delivery_row(delivery) for delivery in found]
