"""A receiving end of webhooks, for tests: a real server in a thread, with the standard library."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__tracebackhide__ = True


class Received(NamedTuple):
    """A request to a receiver."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The JSON of the request."""
        return json.loads(self.raw)

    @property
    def event(self) -> str:
        """The event, such as "Pipeline Hook"."""
        return self.headers["X-Gitlab-Event"]

    @property
    def status(self) -> tuple[str, str]:
        """What it tells of, and the new status: "pipeline", or the name of a job or environment."""
        body = self.body
        if body["object_kind"] == "pipeline":
            return "pipeline", body["object_attributes"]["status"]
        if body["object_kind"] == "deployment":
            return body["environment"], body["status"]
        return body["build_name"], body["build_status"]


class Receiver:
    """Receives webhooks at ``url``.

    ``react`` is called with each, in a thread of its own, and may return the status to answer.
    ``received`` holds those that were answered.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.react: Callable[[Received], int | None] = lambda _: None
        self.answer = b"ok"
        self.location: str | None = None
        self._came = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def take(self, got: Received) -> int:
        """Keep a request, and return the status to answer."""
        status = self.react(got) or 200
        with self._came:
            self.received.append(got)
            self._came.notify_all()
        return status

    def wait_for(
        self,
        count: int = 1,
        *,
        event: str | None = None,
        status: str | None = None,
        timeout: float = 30,
    ) -> list[Received]:
        """Wait until so many matching webhooks have come, and return them.

        ``event`` is "Pipeline Hook", "Job Hook" or "Deployment Hook". ``timeout`` is in seconds
        of real time.

        Raises:
            AssertionError: they did not come; the message lists what did.
        """

        def matching() -> list[Received]:
            return [
                got
                for got in self.received
                if event in (None, got.event) and status in (None, got.status[1])
            ]

        with self._came:
            if not self._came.wait_for(lambda: len(matching()) >= count, timeout):
                came = ", ".join(f"{who} {what}" for who, what in self.statuses) or "nothing"
                raise AssertionError(f"{len(matching())} of {count} webhooks came: {came}")
            return matching()

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """What the webhooks told of, in the order of their coming."""
        return [each.status for each in self.received]

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer as the receiver says."""
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(Received(self.path, dict(self.headers), raw))
            with suppress(OSError):  # a client that waits no longer
                self.send_response(status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return Handler


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Receive webhooks until the block ends."""
    made = Receiver()
    try:
        yield made
    finally:
        made.close()
