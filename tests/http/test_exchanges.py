"""What those who log or count requests are told of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from mock_gitlab.app import MockGitLabApp

if TYPE_CHECKING:
    from mock_gitlab.http.exchange import Exchange
    from tests.conftest import Mock


class Observed(NamedTuple):
    mock: Mock
    exchanges: list[Exchange]

    def last(self, method: str, path: str, **options: object) -> Exchange:
        """Send a request, and return what was told of it."""
        self.mock.request(method, path, **options)  # type: ignore[arg-type]
        return self.exchanges[-1]


@pytest.fixture
def observed(mock: Mock) -> Observed:
    assert isinstance(mock.app, MockGitLabApp)
    exchanges: list[Exchange] = []
    mock.app.observers = [exchanges.append]
    return Observed(mock, exchanges)


def test_a_request_is_told_with_its_operation_and_its_entry_of_the_journal(observed: Observed):
    number = observed.mock.trigger()["id"]
    exchange = observed.last("GET", f"/api/v4/projects/1/pipelines/{number}")

    assert exchange[:1] + exchange[2:6] == (
        "default",
        "GET",
        f"/api/v4/projects/1/pipelines/{number}",
        "get_pipeline",
        200,
    )
    assert exchange.seconds > 0
    assert exchange.logged is not None
    assert exchange.logged.pipeline_id == number


def test_the_request_id_is_the_one_that_the_client_got(observed: Observed):
    answer = observed.mock.get("/api/v4/version")

    assert observed.exchanges[-1].request_id == answer.headers["x-request-id"]


def test_the_query_which_may_hold_a_token_is_left_out(observed: Observed):
    exchange = observed.last("GET", "/api/v4/version?private_token=secret")

    assert exchange.path == "/api/v4/version"


def test_an_unknown_endpoint_has_no_operation(observed: Observed):
    exchange = observed.last("GET", "/api/v4/nowhere")

    assert (exchange.operation, exchange.status) == (None, 404)


def test_a_control_is_told_by_the_template_of_its_path(observed: Observed):
    exchange = observed.last("GET", "/_mock/scenarios/500")

    assert (exchange.operation, exchange.logged) == ("/_mock/scenarios/{scenario_id}", None)


def test_head_is_told_as_head(observed: Observed):
    assert observed.last("HEAD", "/api/v4/version").method == "HEAD"


def test_a_sandbox_is_told_by_its_name(observed: Observed):
    assert observed.last("GET", "/sandbox/mine/api/v4/version").world == "mine"


def test_a_request_that_was_refused_before_it_had_a_world_has_none(observed: Observed):
    exchange = observed.last("GET", "/sandbox/new/version", headers={"PRIVATE-TOKEN": "wrong"})

    assert (exchange.world, exchange.status) == (None, 401)


def test_a_fault_is_told(observed: Observed):
    observed.mock.post("/_mock/faults", json={"when": {}, "respond": {"status": 503}})
    exchange = observed.last("GET", "/api/v4/version")

    assert exchange.status == 503
    assert exchange.logged is not None
    assert exchange.logged.fault == "runtime-1"
