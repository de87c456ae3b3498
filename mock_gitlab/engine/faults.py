"""Count the requests that faults match, and decide which of them a fault applies to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .matching import Sent, matches, matches_project

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from .matching import Arrived, DeliveryPattern, Fault, Limit, Response


NOTHING_SENT = Sent({}, ())


class FaultHit(NamedTuple):
    """A fault that applies to a request.

    ``observed`` counts the requests in its limit's window. ``applied`` is how often it has applied
    before.
    """

    fault: Fault
    observed: int
    applied: int = 0

    def __str__(self) -> str:
        return self.fault.in_words(self.response)

    @property
    def response(self) -> Response | None:
        """The declared answer."""
        return self.fault.response(self.applied)


@dataclass(slots=True)
class FaultCounters:
    """How often each fault of a world has matched, and how often it has applied."""

    matched: dict[str, int] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)
    windows: dict[str, tuple[int, int]] = field(default_factory=dict)

    def due(
        self, faults: Iterable[Fault], request: Arrived, now: int, sent: Sent = NOTHING_SENT
    ) -> FaultHit | None:
        """Return the first fault that applies to a request.

        Every fault up to and including that one counts the request if it matches.
        """
        for fault in faults:
            if fault.delivery is not None or not matches(fault.when, request):
                continue
            if fault.sent is None or fault.sent.matches(sent):
                hit = self._count(fault, now)
                if hit is not None:
                    return hit
        return None

    def due_for_delivery(
        self, faults: Iterable[Fault], event: str, status: str, project: tuple[int, str], now: int
    ) -> DeliveryPattern | None:
        """Return what goes wrong with the delivery of an event, None for nothing.

        ``event`` is the value of X-Gitlab-Event; ``project`` are number and path.
        """
        for fault in faults:
            if fault.delivery is None or not fault.delivery.matches(event, status):
                continue
            wanted = fault.when.project
            if (wanted is None or matches_project(wanted, *project)) and self._count(fault, now):
                return fault.delivery
        return None

    def keep(self, keys: Collection[str]) -> None:
        """Forget all faults but those with these keys."""
        for counted in (self.matched, self.applied, self.windows):
            for key in counted.keys() - keys:
                del counted[key]

    def _count(self, fault: Fault, now: int) -> FaultHit | None:
        matched = self.matched[fault.key] = self.matched.get(fault.key, 0) + 1
        applied = self.applied.get(fault.key, 0)
        if matched <= fault.skip or (matched - fault.skip - 1) % fault.every:
            return None
        if fault.times is not None and applied >= fault.times:
            return None
        observed = 0 if fault.limit is None else self._observe(fault.key, fault.limit, now)
        if fault.limit is not None and observed <= fault.limit.requests:
            return None
        self.applied[fault.key] = applied + 1
        return FaultHit(fault, observed, applied)

    def _observe(self, key: str, limit: Limit, now: int) -> int:
        window = now // limit.per
        current, count = self.windows.get(key, (window, 0))
        count = count + 1 if current == window else 1
        self.windows[key] = (window, count)
        return count
