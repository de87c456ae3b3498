"""What the gateway puts around the messages of a request: a body to read again, and the reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.http import cors
from mock_gitlab.http.asgi import answer_json, control_error

if TYPE_CHECKING:
    from mock_gitlab.http.asgi import Headers, Message, Receive, Send

_COMMON_HEADERS: Headers = [
    (b"vary", b"Origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
]


class Replay:
    """A ``receive`` that gives a body once more, which has been read already."""

    def __init__(self, receive: Receive, body: bytes) -> None:
        self._receive = receive
        self._body: bytes | None = body
        self.__self__ = getattr(receive, "__self__", None)  # where hang_up finds the connection

    async def __call__(self) -> Message:
        """Give the body, and after that what comes."""
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body}


class Reply:
    """A ``send`` that adds the headers of every answer, and drops the body for HEAD."""

    __slots__ = (
        "_send",
        "body",
        "cors",
        "head_only",
        "headers",
        "of_control",
        "request_id",
        "status",
    )

    def __init__(self, send: Send, head_only: bool, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.head_only = head_only
        self.cors: Headers = []
        self.of_control = False
        self.status: int | None = None
        self.headers: Headers = []
        self.body = b""

    async def __call__(self, message: Message) -> None:
        """Send a message of the answer."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
            message["headers"] = [
                *message["headers"],
                *_COMMON_HEADERS,
                (b"x-request-id", self.request_id.encode()),
            ]
            if self.cors:
                message["headers"] += cors.missing(message["headers"], self.cors)
        elif message["type"] == "http.response.body" and self.head_only:
            message = {**message, "body": b""}
        elif not self.of_control:
            self.body += message["body"]
        await self._send(message)

    async def send_unless_begun(self, status: int, body: dict[str, str]) -> None:
        """Send an error in the shape of the API that it is from, unless another has begun."""
        if self.status is None:
            body = control_error(body["message"]) if self.of_control else body
            await answer_json(self, status, body)
