"""The tokens in the headers of a request."""

from __future__ import annotations

import hmac


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an ``Authorization`` header, or None if it is no bearer token."""
    kind, _, token = (authorization or "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def tokens_equal(sent: str, expected: str) -> bool:
    """Compare two tokens in a time that does not depend on where they differ."""
    return hmac.compare_digest(sent.encode(), expected.encode())
