"""Who may use the control API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock


def test_health_needs_no_token(mock: Mock):
    answer = mock.anonymous().get("/_mock/health")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.parametrize("path", ["/_mock/health", "/_mock/ready"])
def test_a_load_balancer_asks_without_a_token_and_by_any_host(mock: Mock, path: str):
    answer = mock.anonymous().get(path, headers={"Host": "balancer.example.com"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"PRIVATE-TOKEN": "wrong"}, {"Authorization": "Bearer wrong"}, {"PRIVATE-TOKEN": "\xe9"}],
)
def test_everything_else_needs_the_token(mock: Mock, headers: dict[str, str]):
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}

    answer = mock.anonymous().get("/_mock/scenarios", headers=encoded)

    assert (answer.status_code, answer.json()["message"]) == (401, "401 Unauthorized")


def test_a_bearer_is_as_good_as_a_private_token(mock: Mock):
    headers = {"Authorization": "Bearer MOCK_SUPER_SECRET"}

    assert mock.anonymous().get("/_mock/clock", headers=headers).status_code == 200


def test_the_prefix_of_gitlabs_api_leads_to_no_control(mock: Mock):
    assert mock.get("/api/v4/_mock/clock").status_code == 404
