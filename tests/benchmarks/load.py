"""A load generator: bare HTTP/1.1 over raw sockets, run as a process of its own.

``python -m tests.benchmarks.load HOST PORT CONNECTIONS SECONDS`` reads the request from standard
input and prints throughput and latencies as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast


class _Caller(asyncio.Protocol):
    """One client that asks again as soon as it has been answered.

    Where the server closes the connection after an answer, as HTTP/1.0 does, it opens another.
    """

    def __init__(self, request: bytes, until: float) -> None:
        self.request = request
        self.until = until
        self.times: list[float] = []
        self.failures = 0

    async def call(self, host: str, port: int) -> None:
        """Ask until the time is over."""
        loop = asyncio.get_running_loop()
        while time.perf_counter() < self.until:
            self._buffer, self._awaited, self._keeps = b"", -1, True
            self._closed: asyncio.Future[None] = loop.create_future()
            await loop.create_connection(lambda: self, host, port)
            await self._closed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._awaited < 0:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            at = self._buffer.lower().find(b"content-length:", 0, head)
            length = int(self._buffer[at + 15 : self._buffer.find(b"\r", at)])
            self._awaited = head + 4 + length
            self.failures += self._buffer[9:10] != b"2"
            closes = b"connection: close" in self._buffer[:head].lower()
            self._keeps = self._buffer.startswith(b"HTTP/1.1") and not closes
        if len(self._buffer) < self._awaited:
            return
        now = time.perf_counter()
        self.times.append(now - self._asked)
        self._buffer, self._awaited = b"", -1
        if now < self.until and self._keeps:
            self._ask()
        else:
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self._closed.set_result(None)


async def _load(host: str, port: int, connections: int, seconds: float, request: bytes) -> str:
    begun = time.perf_counter()
    callers = [_Caller(request, begun + seconds) for _ in range(connections)]
    await asyncio.gather(*(caller.call(host, port) for caller in callers))
    took = time.perf_counter() - begun
    times = sorted(t for caller in callers for t in caller.times)
    return json.dumps(
        {
            "requests": len(times),
            "per_second": len(times) / took,
            "p50_ms": times[len(times) // 2] * 1000,
            "p99_ms": times[len(times) * 99 // 100] * 1000,
            "failures": sum(caller.failures for caller in callers),
        }
    )


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    host, port, connections, seconds = sys.argv[1:]
    print(
        asyncio.run(
            _load(host, int(port), int(connections), float(seconds), sys.stdin.buffer.read())
        )
    )
