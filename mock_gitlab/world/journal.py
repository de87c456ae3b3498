"""Journal: the requests that came in, and the near misses of those that were expected."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_gitlab.engine.matching import NearMiss, RequestPattern, matches, near_misses

MOST_BYTES = 2**22
"""How many bytes are kept; parsed parameters take about ten times as much memory."""
ANSWER_KEPT = 2048
"""How many bytes of an answer are kept."""
NO_ANSWER = frozenset(("dropped", "broken off", "waiting"))
"""The outcomes of requests that have got no answer, or none so far."""
CONTROLS_KEPT = 1000
CONTROL_KEPT = 1024
"""How many changes through ``/_mock`` are kept, and how many bytes of each body."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mock_gitlab.engine.model import Instant


@dataclass(slots=True)
class LoggedRequest:
    """A request to the GitLab API, filled in while it is served.

    ``path`` has no prefix, ``query`` is as it was sent, ``at`` is the time of the world's clock,
    ``duration_ms`` is real time. ``operation`` is None for an unknown endpoint. ``rule`` is the
    place of the rule that chose the scenario. ``fault`` is the place of the fault that applied, and
    ``does`` what that did. ``hint`` explains a refusal. ``headers`` and ``answer`` were sent back;
    of a long answer only the beginning is kept, and ``answer_size`` is its whole size. ``size`` is
    the size of the body until the request is in the journal, then that of all that is kept. Secrets
    are masked when it is shown.
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
    does: str | None = None
    hint: str | None = None
    status: int | None = None
    outcome: str = "answered"
    duration_ms: float = 0.0
    headers: Sequence[tuple[bytes, bytes]] = ()
    answer: bytes = b""
    answer_size: int = 0
    size: int = 0


class Control(NamedTuple):
    """A request under ``/_mock`` that has changed something.

    ``client`` is its User-Agent. Of a long body only the first CONTROL_KEPT bytes are kept.
    """

    at: Instant
    method: str
    path: str
    query: str
    body: bytes
    status: int
    client: str
    id: int = 0


class Journal:
    """The last requests of one world: at most ``limit`` of them, and at most MOST_BYTES."""

    def __init__(self, limit: int) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=limit)
        self._count = 0
        self._size = 0
        self._controls: deque[Control] = deque(maxlen=CONTROLS_KEPT)
        self._control_count = 0

    def resize(self, limit: int) -> None:
        """Keep at most ``limit`` requests from now on; the newest stay."""
        if limit != self._requests.maxlen:
            self._requests = deque(self._requests, maxlen=limit)
            self._size = sum(request.size for request in self._requests)

    def add(self, request: LoggedRequest) -> None:
        """Keep a request that has been answered."""
        self._count += 1
        request.id = self._count
        limit = self._requests.maxlen
        if not limit:
            return
        if len(self._requests) == limit:
            self._drop_oldest()
        request.size += len(request.path) + len(request.query) + len(request.answer)
        self._requests.append(request)
        self._size += request.size
        while self._size > MOST_BYTES and len(self._requests) > 1:
            self._drop_oldest()

    def add_waiting(self, request: LoggedRequest) -> None:
        """Keep a request that a fault holds up; room for its answer is counted."""
        request.size += ANSWER_KEPT
        self.add(request)

    def _drop_oldest(self) -> None:
        self._size -= self._requests.popleft().size

    def note(self, control: Control) -> None:
        """Keep a control that has changed something; it gets its number here."""
        self._control_count += 1
        body = control.body[:CONTROL_KEPT]
        self._controls.append(control._replace(id=self._control_count, body=body))

    def controls(self) -> Iterator[Control]:
        """Walk over the controls that have changed something, newest first."""
        return reversed(self._controls)

    def newest_first(self) -> Iterator[LoggedRequest]:
        """Walk over the requests that are kept."""
        return reversed(self._requests)

    def find(self, pattern: RequestPattern) -> list[LoggedRequest]:
        """List the requests that match, newest first."""
        return [request for request in self.newest_first() if matches(pattern, request)]

    def operations(self) -> dict[str, int]:
        """Count the requests of each operation, the most frequent first."""
        names = (request.operation or "no endpoint" for request in self._requests)
        return dict(Counter(names).most_common())

    def near_misses(self, pattern: RequestPattern) -> list[NearMiss]:
        """List at most three requests that nearly match a pattern, the nearest first."""
        return near_misses(pattern, self.newest_first())

    def clear(self) -> None:
        """Delete every request; numbers start again at 1."""
        self._requests.clear()
        self._count = self._size = 0
