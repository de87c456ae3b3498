"""A real receiver of webhooks, in a thread of its own."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Received(NamedTuple):
    """A request to the receiver."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def status(self) -> tuple[str, str]:
        """What it tells of: a pipeline or a build, and the status."""
        body = self.body
        if body["object_kind"] == "pipeline":
            return "pipeline", body["object_attributes"]["status"]
        return body["build_name"], body["build_status"]


class Receiver:
    """Receives webhooks. ``react`` is called with each, and may return the status to answer."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.react: Callable[[Received], int | None] = lambda _: None
        self.location: str | None = None
        self.answer = b"ok"
        self._came = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                got = Received(self.path, dict(self.headers), raw)
                status = receiver.react(got) or 200
                with receiver._came:
                    receiver.received.append(got)
                    receiver._came.notify_all()
                self.send_response(status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                with suppress(OSError):  # a client that waits no longer
                    self.wfile.write(receiver.answer)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def wait_for(self, count: int) -> list[Received]:
        """Wait until so many requests have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.received) >= count, 30), self.received
        return self.received

    @property
    def statuses(self) -> list[tuple[str, str]]:
        return [each.status for each in self.received]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
