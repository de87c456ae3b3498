"""What every control needs: the token, the world it is for, and no unknown parameters."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from mock_gitlab.config.fields import did_you_mean
from mock_gitlab.engine.model import Invalid
from mock_gitlab.http.asgi import WORLD
from mock_gitlab.http.tokens import bearer_token, tokens_equal
from mock_gitlab.world.journal import Control
from mock_gitlab.world.sandboxes import Worlds
from mock_gitlab.world.world import World


class NotAuthenticated(Exception):
    """The token is missing or wrong."""


async def require_token(request: Request) -> None:
    """Refuse a request without the static token, as ``PRIVATE-TOKEN`` or as a bearer token."""
    expected = (await current_world(request)).declared.token
    headers = request.headers
    sent = (headers.get("private-token"), bearer_token(headers.get("authorization")))
    if not any(token and tokens_equal(token, expected) for token in sent):
        raise NotAuthenticated


async def refuse_unknown_parameters(request: Request) -> None:
    """Refuse a misspelt query parameter; if it were ignored, the request would cover too much."""
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:
            raise Invalid(f'there is no parameter "{name}"{did_you_mean(name, known)}')


async def current_world(request: Request) -> World:
    """Return the world that the address names."""
    world: World = request.scope[WORLD]
    return world


async def all_worlds(request: Request) -> Worlds:
    """Return the default world and its sandboxes."""
    worlds: Worlds = request.app.worlds
    return worlds


CurrentWorld = Annotated[World, Depends(current_world)]
AllWorlds = Annotated[Worlds, Depends(all_worlds)]


class _ControlRoute(APIRoute):
    """A route whose body is JSON, whatever its content type: curl calls every body a form.

    The journal notes a request that has changed something.
    """

    changes = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make the handler of requests."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            kept = [pair for pair in request.scope["headers"] if pair[0] != b"content-type"]
            headers = [*kept, (b"content-type", b"application/json")]
            sent = Request({**request.scope, "headers": headers}, request.receive)
            body = await sent.body()
            response = await handle(sent)
            if self.changes and sent.method != "GET" and response.status_code < 400:
                _note(sent, body, response.status_code)
            return response

        return handle_json


class _LookingRoute(_ControlRoute):
    """A route that changes nothing, whatever its method is."""

    changes = False


def _note(request: Request, body: bytes, status: int) -> None:
    world: World = request.scope[WORLD]
    path = request.scope["path"].removeprefix(request.scope["root_path"])
    query = request.scope["query_string"].decode("latin-1")
    client = request.headers.get("user-agent", "")
    world.journal.note(
        Control(world.clock.now(), request.method, path, query, body, status, client)
    )


def control_router(topic: str, *, changes: bool = True) -> APIRouter:
    """Make the router of a topic; all its controls need the token, and take JSON.

    With ``changes``, those that are no GET change something.
    """
    return APIRouter(
        route_class=_ControlRoute if changes else _LookingRoute,
        prefix="/_mock",
        tags=[f"/_mock: {topic}"],
        dependencies=[Depends(require_token), Depends(refuse_unknown_parameters)],
    )
