"""Count requests for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram

if TYPE_CHECKING:
    from mock_gitlab.http.exchange import Exchange

_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
_CLOCK = "/_mock/clock"


class RequestMetrics:
    """What Prometheus is told of requests; an Observer of a gateway."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "mock_gitlab_requests",
            "Requests by operation, method and status.",
            ("operation", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "mock_gitlab_request_duration_seconds",
            "How long requests took, delays by faults included.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._faults = Counter(
            "mock_gitlab_faults_applied",
            "Faults that were applied, by operation.",
            ("operation",),
            registry=self.registry,
        )
        self._clock_moves = Counter(
            "mock_gitlab_clock_moves",
            "Requests that set, moved, froze or resumed a clock.",
            registry=self.registry,
        )

    def __call__(self, exchange: Exchange) -> None:
        """Count a request."""
        operation = exchange.operation or "none"
        method = exchange.method if exchange.method in _METHODS else "other"
        self._requests.labels(operation, method, str(exchange.status or "none")).inc()
        self._seconds.observe(exchange.seconds)
        if exchange.logged is not None and exchange.logged.fault is not None:
            self._faults.labels(operation).inc()
        if operation.startswith(_CLOCK) and method != "GET" and exchange.status == 200:
            self._clock_moves.inc()
