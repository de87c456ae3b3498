"""``/_mock/deliveries``: what webhooks were sent, and what they are owed."""

from __future__ import annotations

from .access import CurrentWorld, control_router
from .delivered import DeliveryRow, delivery_row

router = control_router("deliveries")


@router.get("/deliveries")
async def list_deliveries(
    world: CurrentWorld,
    hook_id: int | None = None,
    pipeline_id: int | None = None,
    status: str | None = None,
) -> list[DeliveryRow]:
    """List the deliveries of webhooks, oldest first."""
    wanted = {"hook_id": hook_id, "pipeline_id": pipeline_id, "status": status}
    return [
        delivery_row(delivery)
        for delivery in world.hooks.deliveries()
        if all(value in (None, getattr(delivery.event, name)) for name, value in wanted.items())
    ]
