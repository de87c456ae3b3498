"""Change an answer of the mock on its way to the client, as a fault declares it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mock_gitlab.http.asgi import answer

if TYPE_CHECKING:
    from mock_gitlab.engine.matching import Patch
    from mock_gitlab.http.asgi import Headers, Message, Send


class PatchingSend:
    """A ``send`` that changes an answer, which comes whole."""

    def __init__(self, send: Send, patch: Patch) -> None:
        self._send = send
        self._patch = patch
        self._start: Message = {}

    async def __call__(self, message: Message) -> None:
        """Keep the head, and send it with the body."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        patch, status = self._patch, self._start["status"]
        headers = patched_headers(self._start["headers"], patch.headers)
        body = message["body"] if patch.body is None else patched_body(message["body"], patch.body)
        headers = [each for each in headers if each[0] != b"content-length"]
        await answer(self._send, patch.status or status, headers, body)


def patched_headers(headers: Headers, changes: tuple[tuple[str, str | None], ...]) -> Headers:
    """Replace headers by their names, in any case, and remove those whose new value is None."""
    given = {name.lower().encode("latin-1"): value for name, value in changes}
    kept = [(name, value) for name, value in headers if name.lower() not in given]
    added = [(name, value.encode("latin-1")) for name, value in given.items() if value is not None]
    return [*kept, *added]


def patched_body(body: bytes, patch: Any) -> bytes:
    """Merge a patch into a JSON body; a body that is no JSON stays as it is."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if isinstance(value, list):
        changed: Any = [merged(each, patch) for each in value]
    else:
        changed = merged(value, patch)
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":")).encode()


def merged(value: Any, patch: Any) -> Any:
    """Merge a patch into a value: objects key by key, anything else is replaced."""
    if not (isinstance(value, dict) and isinstance(patch, dict)):
        return patch
    return {**value, **{key: merged(value.get(key), each) for key, each in patch.items()}}
