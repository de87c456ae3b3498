"""A request and its answer, for those who log or count them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.world.journal import LoggedRequest


class Exchange(NamedTuple):
    """A request that has been served.

    ``world`` is None if the request was refused before there was one. ``path`` is as it was sent,
    without the query, which may hold a token. ``operation`` is None for an unknown endpoint, and
    the template of the path for ``/_mock``. ``status`` is None if nothing was answered. ``logged``
    is the entry of the journal, which only requests to the GitLab API have.
    """

    world: str | None
    request_id: str
    method: str
    path: str
    operation: str | None
    status: int | None
    seconds: float
    logged: LoggedRequest | None


if TYPE_CHECKING:
    Observer = Callable[[Exchange], None]
