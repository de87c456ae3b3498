"""The tokens in the headers of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.engine.matching import Sent
from mock_gitlab.engine.texts import equal_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_HEADERS = ("private-token", "job-token")
_PARAMETERS = ("private_token", "access_token", "job_token", "token")


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an ``Authorization`` header, or None if it is no bearer token."""
    kind, _, token = (authorization or "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def tokens_equal(sent: str, expected: str) -> bool:
    """Compare two tokens in a time that does not depend on where they differ."""
    return equal_secrets(sent, expected)


def what_was_sent(headers: list[tuple[bytes, bytes]], parameters: Mapping[str, Any]) -> Sent:
    """Collect the headers and the tokens of a request, which it may send in several places."""
    given = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    found = [given.get(name) for name in _HEADERS]
    found += [bearer_token(given.get("authorization"))]
    found += [parameters.get(name) for name in _PARAMETERS]
    return Sent(given, tuple(each for each in found if isinstance(each, str) and each))
