"""A client's connection: uvicorn's own, with bounds on what it may send in vain, and for how long.

uvicorn reads a head of any length, and waits for the rest of a request for ever. And with a
request to go on in another protocol, as Java's client sends it, its parser would skip the body.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_IN_VAIN = 2**17
"""How many bytes may bring neither a piece of a body nor the end of a request."""


_UPGRADE = re.compile(rb"(?<=\r\n)upgrade(?=:)", re.IGNORECASE)


class Connection(HttpToolsProtocol):
    """A connection that gives up on a client that sends without end, or no more."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_vain = 0
        self._waited = 0

    def data_received(self, data: bytes) -> None:
        """Take what was sent; a head, or what surrounds a body, must come to its end some time."""
        if b"pgrade:" in data and not self._in_vain and self._nothing_asked():
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(b"ignored", head) + end + rest
        self._in_vain += len(data)
        super().data_received(data)
        if self._in_vain > _MOST_IN_VAIN:
            self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._in_vain = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See a request whole."""
        self._in_vain = self._waited = 0
        super().on_message_complete()

    def look(self, patience: int) -> None:
        """Give up where this is the last of ``patience`` looks in a row that find it waiting."""
        self._waited = self._waited + 1 if self._waits_for_the_client() else 0
        if self._waited >= patience:
            self._give_up(HTTPStatus.REQUEST_TIMEOUT)

    def _waits_for_the_client(self) -> bool:
        if self.timeout_keep_alive_task is not None or self.flow.read_paused:
            return False  # it may pause between requests for longer; or the server has to go on
        return self._nothing_asked() or self.cycle.more_body

    def _nothing_asked(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _give_up(self, status: HTTPStatus) -> None:
        if self.transport.is_closing():
            return
        if self._in_vain or not (self._nothing_asked() or self.cycle.response_started):
            body = json.dumps({"message": f"{status} {status.phrase}"}).encode()
            head = (
                f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()
