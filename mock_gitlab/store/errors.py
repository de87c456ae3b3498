"""What a store raises."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, AssertionError)
"""What reading a value raises that somebody has damaged."""


class UnusableDatabase(Exception):
    """A file cannot serve as the store; the message is one line for people."""


class StoreUnavailable(Exception):
    """SQLite cannot do it now: a full disk, a lock, a read-only or damaged file."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Raise StoreUnavailable, which names what is read, if the block cannot read a value."""
    try:
        yield
    except UNREADABLE as error:
        raise StoreUnavailable(f"{what} is damaged: {error}") from error
