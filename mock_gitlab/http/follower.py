"""Follow what happens in a world, for those who want to be told at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_gitlab.http.exchange import Exchange

EVERYTHING = frozenset(
    ("clock", "configuration", "declared", "deliveries", "pipelines", "requests", "sandboxes")
)
"""What a follower is told of. Several changes of a kind are told as one."""
_BY_CONTROL: dict[str, frozenset[str]] = {
    "clock": frozenset(("clock", "pipelines")),
    "config": frozenset(("configuration",)),
    "explain": frozenset(),
    "faults": frozenset(("declared",)),
    "pipelines": frozenset(("pipelines",)),
    "requests": frozenset(("requests",)),
    "rules": frozenset(("declared",)),
    "sandboxes": frozenset(("sandboxes",)),
    "scenarios": frozenset(("declared", "pipelines")),
    "verify": frozenset(),
}


class Follower:
    """Collects what has changed in the world called ``world`` until it is asked; an Observer."""

    def __init__(self, world: str) -> None:
        self._world = world
        self._changed: set[str] = set()
        self._told = asyncio.Event()

    def __call__(self, exchange: Exchange) -> None:
        """Note what a request has changed."""
        changed = _changed_by(exchange)
        if exchange.world != self._world:
            changed &= {"configuration", "sandboxes"}  # these belong to the whole server
        self.tell(changed)

    def tell_of(self, world: str, *changed: str) -> None:
        """Note that something has changed in a world, if it is the one that is followed."""
        if world == self._world:
            self.tell(frozenset(changed))

    def tell(self, changed: frozenset[str]) -> None:
        """Note that something has changed."""
        if changed:
            self._changed |= changed
            self._told.set()

    def wake(self) -> None:
        """End a wait."""
        self._told.set()

    async def wait(self, seconds: float) -> list[str]:
        """Wait until something has changed, at most so long; return what, which may be nothing."""
        try:
            await asyncio.wait_for(self._told.wait(), seconds)
        except TimeoutError:
            return []
        self._told.clear()
        changed, self._changed = self._changed, set()
        return sorted(changed)


def _changed_by(exchange: Exchange) -> frozenset[str]:
    """Return what a request has changed; a request of the API is something new by itself."""
    succeeded = exchange.status is not None and exchange.status < 400
    if exchange.logged is not None:
        wrote = succeeded and exchange.method not in ("GET", "HEAD")
        return frozenset(("requests", "pipelines") if wrote else ("requests",))
    if not succeeded or exchange.method in ("GET", "HEAD") or exchange.operation is None:
        return frozenset()
    return _BY_CONTROL.get(exchange.operation.split("/")[2], EVERYTHING)
