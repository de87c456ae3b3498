"""Transports with which httpx calls applications without a socket; the only user of httpx."""

from __future__ import annotations

import asyncio
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable


class _InThread(httpx.AsyncBaseTransport):
    """Calls a WSGI application in a thread, since it may block."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._wsgi = httpx.WSGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the application."""
        whole = httpx.Request(
            request.method, request.url, headers=request.headers, content=await request.aread()
        )
        answer = await asyncio.to_thread(self._answer, whole)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self._wsgi.handle_request(request)
        answer.read()
        return answer


def transport_to(app: Callable[..., Any]) -> httpx.AsyncBaseTransport:
    """Make the transport to an application, which is ASGI if it can be awaited, else WSGI."""
    call = getattr(app, "__call__", app)  # noqa: B004 - the method, whose kind is asked for
    if iscoroutinefunction(app) or iscoroutinefunction(call):
        return httpx.ASGITransport(app)
    return _InThread(app)


class Transport(httpx.ASGITransport):
    """httpx's own transport, but a truncated answer is an error, as over a socket."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the application.

        Raises:
            httpx.RemoteProtocolError: a fault has made the answer shorter than its Content-Length.
        """
        answer = await super().handle_async_request(request)
        body = await answer.aread()
        announced = int(answer.headers.get("content-length", 0))
        if len(body) < announced and request.method != "HEAD" and answer.status_code != 304:
            received = f"received {len(body)} bytes, expected {announced}"
            raise httpx.RemoteProtocolError(f"the connection was closed early ({received})")
        return answer
