"""What was sent back for a request, and why, as the journal shows it: without secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from mock_gitlab.world.journal import LoggedRequest

    from .masking import Masking

_USUAL_HEADERS = frozenset((b"cache-control", b"content-length", b"content-type", b"etag"))


class Answer(TypedDict):
    """An answer: its own headers, and its body.

    ``body`` is a JSON value or text, and null if it is not text. Of a long body it is the
    beginning, as text; then ``cut`` is true. ``bytes`` is the size of the whole body.
    """

    headers: dict[str, str]
    body: Any
    bytes: int
    cut: bool


def answer_of(request: LoggedRequest, masking: Masking) -> Answer | None:
    """Present the answer to a request; None if it got none."""
    if request.status is None:
        return None
    return {
        "headers": masking.mapping(
            {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in request.headers
                if name not in _USUAL_HEADERS
            }
        ),
        "body": read(request.answer, masking),
        "bytes": request.answer_size,
        "cut": len(request.answer) < request.answer_size,
    }


def read(body: bytes, masking: Masking) -> Any:
    """Read a body: a JSON value, else its text without secrets; None if it is not text."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
        return None if not body or "\0" in text else masking.beginning(text)
    return masking.any(value)


def reason_of(request: LoggedRequest, masking: Masking) -> str | None:
    """Say why a request was refused: what GitLab answers, and what the mock knows beyond that."""
    if request.status is None or request.status < 400:
        return None
    body = read(request.answer, masking)
    said = body if isinstance(body, str) else _message(body)
    hint = masking.text(request.hint or "")
    return "; ".join(each for each in (said.strip(), hint) if each) or None


def _message(body: Any) -> str:
    fields = body if isinstance(body, dict) else {}
    named = (fields.get(name) for name in ("message", "error_description", "error"))
    said = next((each for each in named if each), "")
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
