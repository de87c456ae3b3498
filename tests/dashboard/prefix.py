"""A reverse proxy that serves a mock below a prefix, which it strips."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def prefixing(port: int, prefix: str) -> Iterator[str]:
    """Serve what is served at a port below a prefix; yield the URL with the prefix."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix(prefix)
            connection.request(self.command, path, body, dict(self.headers))
            answer = connection.getresponse()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
            self.send_header("Connection", "close")
            self.end_headers()
            with suppress(OSError, http.client.HTTPException):  # a stream that one side ends
                while piece := answer.read1():
                    self.wfile.write(piece)
            connection.close()

        do_POST = do_PUT = do_GET  # noqa: N815  the names are those of the library

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
