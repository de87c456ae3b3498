"""Journal: the calls that came in, findable, with the nearest misses."""

from __future__ import annotations

import logging
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.matching import NearMiss, RequestPattern, matches, near_misses

_log = logging.getLogger("mock_gitlab.requests")
MOST_BYTES = 2**22
"""How much of what was sent is kept; as values it takes some ten times as much memory."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mock_gitlab.engine.model import Instant


@dataclass(slots=True)
class LoggedRequest:
    """A call to the GitLab API. It is filled in on its way through the house.

    ``path`` is without prefixes, ``query`` as it was sent, ``at`` by the world's clock,
    ``duration_ms`` is real time. ``operation`` of None: no such endpoint. ``rule`` is the JSON
    text that says why the pipeline got its scenario. ``size`` is that of the body until the call
    is in the journal, then that of all that was sent. Secrets are hidden where a call is shown.
    """

    method: str
    path: str
    query: str
    at: Instant
    id: int = 0
    operation: str | None = None
    project_id: int | None = None
    project_path: str | None = None
    pipeline_id: int | None = None
    ref: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scenario_id: int | None = None
    rule: str | None = None
    fault: str | None = None
    status: int | None = None
    outcome: str = "answered"
    duration_ms: float = 0.0
    size: int = 0


class Journal:
    """The last calls of one world: at most ``limit``, and as many as MOST_BYTES have room for."""

    def __init__(self, limit: int) -> None:
        self._calls: deque[LoggedRequest] = deque(maxlen=limit)
        self._count = 0
        self._size = 0

    def resize(self, limit: int) -> None:
        """Keep another number of calls from now on; the newest stay."""
        if limit != self._calls.maxlen:
            self._calls = deque(self._calls, maxlen=limit)
            self._size = sum(call.size for call in self._calls)

    def add(self, call: LoggedRequest) -> None:
        """Note a call that has been answered."""
        self._count += 1
        call.id = self._count
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "%s %s, project %s, pipeline %s, scenario %s: %s",
                call.method,
                call.operation or "of no endpoint",
                call.project_id,
                call.pipeline_id,
                call.scenario_id,
                call.outcome if call.status is None else call.status,
            )
        limit = self._calls.maxlen
        if not limit:
            return
        if len(self._calls) == limit:
            self._drop_oldest()
        call.size += len(call.path) + len(call.query) + len(call.rule or "")
        self._calls.append(call)
        self._size += call.size
        while self._size > MOST_BYTES and len(self._calls) > 1:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._size -= self._calls.popleft().size

    def newest_first(self) -> Iterator[LoggedRequest]:
        """Walk over the calls that are kept."""
        return reversed(self._calls)

    def find(self, pattern: RequestPattern) -> list[LoggedRequest]:
        """List the calls that match, newest first."""
        return [call for call in self.newest_first() if matches(pattern, call)]

    def operations(self) -> dict[str, int]:
        """Count the calls of each operation, the most frequent first."""
        names = (call.operation or "no endpoint" for call in self._calls)
        return dict(Counter(names).most_common())

    def near_misses(self, pattern: RequestPattern) -> list[NearMiss]:
        """List the calls that came nearest to a pattern without matching it, three at the most."""
        return near_misses(pattern, self.newest_first())

    def clear(self) -> None:
        """Forget every call; numbers start again at 1."""
        self._calls.clear()
        self._count = self._size = 0
