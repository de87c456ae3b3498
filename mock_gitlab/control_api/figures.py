"""The figures of a server in the format of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from mock_gitlab.config.live import LiveConfig
    from mock_gitlab.http.metrics import RequestMetrics
    from mock_gitlab.world.sandboxes import Worlds


def write_figures(
    requests: RequestMetrics, worlds: Worlds, live: LiveConfig, accepted: str
) -> tuple[bytes, str]:
    """Write all figures; ``accepted`` is the Accept header.

    Returns:
        The text and its content type.
    """
    both = CollectorRegistry()
    both.register(requests.registry)
    both.register(_State(worlds, live))
    encode, content_type = choose_encoder(accepted)
    return encode(both), content_type


class _State(Collector):
    """Figures that are read when somebody asks for them."""

    def __init__(self, worlds: Worlds, live: LiveConfig) -> None:
        self._worlds = worlds
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """Read the figures."""
        worlds, failure = self._worlds.each(), self._live.last_failure
        pipelines = sum(world.pipelines.table.count() for world in worlds)
        mistakes = 0 if failure is None else len(failure.mistakes)
        yield _gauge("worlds", "The default world and the sandboxes.", len(worlds))
        yield _gauge("pipelines", "The pipelines of all worlds.", pipelines)
        yield _gauge("configuration_mistakes", "Mistakes in the files as they are.", mistakes)
        yield CounterMetricFamily(
            "mock_gitlab_evictions",
            "Sandboxes that had to make room for others.",
            value=self._worlds.evictions,
        )
        reloads = CounterMetricFamily(
            "mock_gitlab_reloads", "Reloads of the files.", labels=("result",)
        )
        reloads.add_metric(("in force",), self._live.reloads)
        reloads.add_metric(("mistakes",), self._live.failed_reloads)
        yield reloads


def _gauge(name: str, what: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"mock_gitlab_{name}", what, value=value)
