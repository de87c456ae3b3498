"""``/_mock/events``: be told at once what has changed, by server-sent events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import StreamingResponse

from mock_gitlab.http.follower import EVERYTHING, Follower

from .access import CurrentWorld, control_router

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

router = control_router("events")

HEARTBEAT_SECONDS = 15.0
"""How long the stream is silent at most; proxies close streams that are silent for long."""
_RETRY_MS = 1000


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def follow_events(request: Request, world: CurrentWorld) -> StreamingResponse:
    """Send an event for each change in the world, until the client closes the stream."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}  # nginx would collect them
    return StreamingResponse(
        _events(request, world.name), media_type="text/event-stream", headers=headers
    )


async def _events(request: Request, world: str) -> AsyncIterator[str]:
    app = request.app
    follower = Follower(world)
    app.follow(follower)
    try:
        number = 0
        yield f"retry: {_RETRY_MS}\n{_event(number, sorted(EVERYTHING))}"
        while not app.ending:
            changed = await follower.wait(HEARTBEAT_SECONDS)
            number += 1
            yield _event(number, changed) if changed else ": nothing has changed\n\n"
    finally:
        app.unfollow(follower)


def _event(number: int, changed: list[str]) -> str:
    return f"id: {number}\nevent: changed\ndata: {json.dumps({'changed': changed})}\n\n"
