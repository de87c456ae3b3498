"""A transport with which httpx calls the application without a socket; the only user of httpx."""

from __future__ import annotations

import httpx


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
