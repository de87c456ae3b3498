"""A client's connection: uvicorn's own, with limits on how much and how long a client may send.

uvicorn reads headers of any length, and waits for the rest of a request for ever. It keeps blanks
behind the value of a header. And if a request asks to switch to another protocol, as Java's client
does, its parser skips the body.
"""

from __future__ import annotations

import contextlib
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

_MOST_OVERHEAD = 2**17
"""How many bytes may arrive without a piece of a body or the end of a request."""


_CONTINUE = b"HTTP/1.1 100 "


class _Parser(httptools.HttpRequestParser):
    """A parser that reads a request that asks to switch the protocol as one that does not.

    httptools stops after the head of such a request. Then the head is parsed again without the
    ``Upgrade`` header.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._connection = connection

    def feed_data(self, data: Any) -> None:
        """Parse data; the parser calls the connection for all that it finds."""
        while True:
            try:
                super().feed_data(data)
            except httptools.HttpParserUpgrade as stop:
                if not self.asks_to_upgrade():
                    raise
                data = self._connection.head_without_upgrade() + data[stop.args[0] :]
            else:
                return

    def asks_to_upgrade(self) -> bool:
        """Return whether the request asks to switch the protocol; CONNECT asks for a tunnel."""
        return self.should_upgrade() and self.get_method() != b"CONNECT"


class _Output:
    """A transport that writes the head of an answer together with the first piece of its body.

    uvicorn writes them one after the other, which costs a system call, and wakes the client twice.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = b""  # None: it has been written

    def write(self, data: bytes) -> None:
        """Write, or keep a head until the next write."""
        if self._head is None:
            self._transport.write(data)
        elif self._head:
            self._transport.write(self._head + data)
            self._head = None
        elif data.startswith(_CONTINUE):
            self._transport.write(data)
        else:
            self._head = data

    def end_answer(self) -> None:
        """Write a head that no body has followed, and expect the next one."""
        if self._head:
            self._transport.write(self._head)
        self._head = b""

    def close(self) -> None:
        """Close the connection after all that was written."""
        self.end_answer()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(HttpToolsProtocol):
    """A connection that is closed if a request does not come to its end."""

    parser: _Parser
    _output: _Output

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.parser = _Parser(self)
        with contextlib.suppress(AttributeError):  # as uvicorn does; httptools 0.6.3 brought it
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._overhead = 0
        self._checks_waited = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a client."""
        self._output = _Output(transport)
        super().connection_made(self._output)  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        """Begin with the next request, after all of the answer was written."""
        self._output.end_answer()
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Take data. Headers, and the bytes between pieces of a body, must not go on for ever."""
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > _MOST_OVERHEAD:
            self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; blanks around its value are no part of it."""
        super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        """Start to serve a request, unless its head is parsed again."""
        if not self.parser.asks_to_upgrade():
            super().on_headers_complete()

    def head_without_upgrade(self) -> bytes:
        """Return the head of the newest request, but without what asks to switch the protocol."""
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join((*lines, b"", b""))

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._overhead = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request has come to its end."""
        if self.parser.asks_to_upgrade():
            return  # only its head has
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
