"""``/_mock/metrics`` counts for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock


@pytest.fixture
def mock(mock_with: Callable[..., Mock]) -> Mock:
    return mock_with("metrics: true\n")


def figures(mock: Mock) -> dict[str, float]:
    """Read the figures by their names and the values of their labels, sorted by label."""
    text = mock.get("/_mock/metrics").text
    return {
        " ".join(
            (sample.name, *(value for _, value in sorted(sample.labels.items())))
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_operation_method_and_status(mock: Mock):
    mock.trigger()
    mock.get("/projects/1/pipelines/1")
    mock.get("/projects/1/pipelines/2")
    mock.get("/_mock/scenarios/1")
    mock.request("MADE-UP", "/nowhere")

    found = {k: v for k, v in figures(mock).items() if k.startswith("mock_gitlab_requests_total ")}

    assert found == {
        "mock_gitlab_requests_total POST trigger_pipeline 201": 1,
        "mock_gitlab_requests_total GET get_pipeline 200": 1,
        "mock_gitlab_requests_total GET get_pipeline 404": 1,
        "mock_gitlab_requests_total GET /_mock/scenarios/{scenario_id} 200": 1,
        "mock_gitlab_requests_total other none 404": 1,
    }


def test_durations_are_a_histogram(mock: Mock):
    mock.get("/version")

    found = figures(mock)

    assert found["mock_gitlab_request_duration_seconds_count"] == 1
    assert found["mock_gitlab_request_duration_seconds_bucket +Inf"] == 1
    assert 0 < found["mock_gitlab_request_duration_seconds_sum"] < 60


def test_faults_and_moves_of_the_clock_are_counted(mock: Mock):
    mock.post("/_mock/faults", json={"when": {}, "respond": {"status": 503}, "times": 1})
    mock.get("/version")
    mock.get("/version")
    mock.advance("5s")
    mock.get("/_mock/clock")
    mock.post("/_mock/clock/advance", json={"duration": "no"})

    found = figures(mock)

    assert found["mock_gitlab_faults_applied_total get_version"] == 1
    assert found["mock_gitlab_clock_moves_total"] == 1


def test_worlds_pipelines_and_evictions_are_counted(mock_with: Callable[..., Mock]):
    mock = mock_with("metrics: true\nsandboxes: 1\n")
    mock.trigger()
    for name in ("a", "b"):
        mock.post(f"/sandbox/{name}/api/v4/projects/1/trigger/pipeline", json={"ref": "main"})

    found = figures(mock)

    assert found["mock_gitlab_worlds"] == 2
    assert found["mock_gitlab_pipelines"] == 2
    assert found["mock_gitlab_evictions_total"] == 1


def test_reloads_and_mistakes_are_counted(mock: Mock):
    path = mock.get("/_mock/config").json()["file"]
    mock.post("/_mock/config/reload")
    with open(path, "a", encoding="utf-8") as file:
        file.write("tokn: x\nprt: 1\n")
    mock.post("/_mock/config/reload")

    found = figures(mock)

    assert found["mock_gitlab_reloads_total in force"] == 1
    assert found["mock_gitlab_reloads_total mistakes"] == 1
    assert found["mock_gitlab_configuration_mistakes"] == 2


def test_the_format_is_the_one_that_prometheus_asks_for(mock: Mock):
    plain = mock.get("/_mock/metrics")
    open_metrics = mock.get(
        "/_mock/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )

    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")


def test_a_scraper_needs_the_token(mock: Mock):
    assert mock.anonymous().get("/_mock/metrics").status_code == 401


def test_nothing_is_counted_unless_it_is_declared(mock_with: Callable[..., Mock]):
    answer = mock_with().get("/_mock/metrics")

    assert answer.status_code == 404
    assert answer.json()["message"] == (
        "404 Metrics Not Found - metrics: true in mock.yaml counts them"
    )
