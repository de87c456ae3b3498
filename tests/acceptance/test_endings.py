"""A server that is told to end does so, whatever is under way."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

from tests.conftest import TOKEN
from tests.live import Live, serving

if TYPE_CHECKING:
    from pathlib import Path

FAULT = "faults: [{when: {operation: get_version}, delay: %s}]\n"
GET_VERSION = b"GET /api/v4/version HTTP/1.1\r\nHost: a\r\n\r\n"
HALF_A_TRIGGER = f"""POST /api/v4/projects/1/trigger/pipeline HTTP/1.1\r
Host: gitlab\r
PRIVATE-TOKEN: {TOKEN}\r
Content-Type: application/x-www-form-urlencoded\r
Content-Length: 100\r
\r
ref=main""".encode()


def connect(live: Live) -> socket.socket:
    return socket.create_connection((live.host, live.port), timeout=30)


def status_of(client: socket.socket) -> int:
    """Read the status line of the answer."""
    with client.makefile("rb") as answer:
        return int(answer.readline().split()[1])


def test_the_end_of_the_server_is_not_held_up_by_what_is_under_way(tmp_path: Path):
    (tmp_path / "mock.yaml").write_text(FAULT % "1h", encoding="utf-8")
    with serving(tmp_path) as live, connect(live) as slow, connect(live) as delayed:
        slow.sendall(HALF_A_TRIGGER)
        delayed.sendall(GET_VERSION)
        live.call("GET", "/api/v4/user")  # what was sent before has arrived
        live.process.send_signal(signal.SIGTERM)

        assert (status_of(slow), status_of(delayed)) == (503, 503)
        assert live.process.wait(20) == 0
