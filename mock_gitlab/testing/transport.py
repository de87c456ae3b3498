"""Transport: the application under an httpx client, without a socket; the one room with httpx."""

from __future__ import annotations

import httpx


class Transport(httpx.ASGITransport):
    """httpx's own transport, but an answer that is cut off is an error, as over a wire."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the application.

        Raises:
            httpx.RemoteProtocolError: the answer is shorter than it says, as faults have it.
        """
        answer = await super().handle_async_request(request)
        body = await answer.aread()
        told = int(answer.headers.get("content-length", 0))
        if len(body) < told and request.method != "HEAD" and answer.status_code != 304:
            got = f"received {len(body)} bytes, expected {told}"
            raise httpx.RemoteProtocolError(f"the connection was closed early ({got})")
        return answer
