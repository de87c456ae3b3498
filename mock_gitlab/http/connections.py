"""A client's connection: uvicorn's own, with limits on how much and how long a client may send.

uvicorn reads headers of any length, and waits for the rest of a request for ever. And if a request
asks to switch to another protocol, as Java's client does, uvicorn's parser skips the body.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_OVERHEAD = 2**17
"""How many bytes may arrive without a piece of a body or the end of a request."""
_UPGRADE_HEADER = re.compile(rb"(?<=\r\n)upgrade(?=:)", re.IGNORECASE)


class Connection(HttpToolsProtocol):
    """A connection that is closed if a request does not come to its end."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._overhead = 0
        self._checks_waited = 0

    def data_received(self, data: bytes) -> None:
        """Take data. Headers, and the bytes between pieces of a body, must not go on for ever."""
        if b"pgrade:" in data and not self._overhead and self._is_between_requests():
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE_HEADER.sub(b"ignored", head) + end + rest
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > _MOST_OVERHEAD:
            self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._overhead = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request has come to its end."""
        self._overhead = self._checks_waited = 0
        super().on_message_complete()

    def check_progress(self, limit: int) -> None:
        """Give up if this is the ``limit``-th check in a row that finds the request incomplete."""
        self._checks_waited = self._checks_waited + 1 if self._waits_for_client() else 0
        if self._checks_waited >= limit:
            self._give_up(HTTPStatus.REQUEST_TIMEOUT)

    def _waits_for_client(self) -> bool:
        if self.timeout_keep_alive_task is not None or self.flow.read_paused:
            return False  # uvicorn limits the pause between requests, or it is the server's turn
        return self._is_between_requests() or self.cycle.more_body

    def _is_between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _give_up(self, status: HTTPStatus) -> None:
        if self.transport.is_closing():
            return
        if self._overhead or not (self._is_between_requests() or self.cycle.response_started):
            body = json.dumps({"message": f"{status} {status.phrase}"}).encode()
            head = (
                f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Leave out uvicorn's advice to install another package: there is no tunnel here."""
