"""The gateway decides by address, host and site, and logs every request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock


def last_request(mock: Mock) -> Any:
    return mock.get("/_mock/requests?limit=1").json()[0]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("mock-gitlab", 200),
        ("evil.example.com", 403),
        ("evil.example.com:8000", 403),
    ],
)
def test_a_page_under_a_name_of_its_own_cannot_drive_the_mock(mock: Mock, host: str, status: int):
    assert mock.get("/_mock/clock", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("allowed", ["other.example.com, Mock.example.com", "*"])
def test_a_host_name_can_be_allowed(mock_with: Callable[..., Mock], allowed: str):
    mock = mock_with(environ={"MOCK_ALLOWED_HOSTS": allowed})

    for host in ("mock.example.com", "MOCK.example.com:8000", "other.example.com"):
        assert mock.get("/_mock/clock", headers={"Host": host}).status_code == 200


def test_a_host_name_is_allowed_in_any_case(mock_with: Callable[..., Mock]):
    mock = mock_with(environ={"MOCK_ALLOWED_HOSTS": "Mock.example.com"})

    assert mock.get("/_mock/clock", headers={"Host": "mock.Example.com:8000"}).status_code == 200


ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://evil.example.com"},
    {"Origin": "http://testserver:1"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_page_of_another_site_cannot_drive_the_mock(mock: Mock, headers: dict[str, str]):
    refused = mock.post("/_mock/clock/advance", json={"seconds": 1}, headers=headers)
    preflight = mock.options("/_mock/reset", headers=headers)

    assert (refused.status_code, preflight.status_code) == (403, 403)
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"
    assert "access-control-allow-origin" not in {*refused.headers, *preflight.headers}


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_page_of_another_site_can_push_no_sandbox_out(
    mock_with: Callable[..., Mock], headers: dict[str, str]
):
    mock = mock_with("sandboxes: 1\n")
    mock.get("/sandbox/mine/version")

    assert mock.get("/sandbox/other/picture.png", headers=headers).status_code == 403
    assert [row["name"] for row in mock.get("/_mock/sandboxes").json()] == ["mine"]


def test_a_link_from_another_site_leads_to_the_documentation(mock: Mock):
    assert mock.get("/docs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-origin"},
        # Behind a proxy that has changed the Host, as what a browser says of itself tells.
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://mock.example.com"},
    ],
)
def test_a_page_of_the_mock_itself_may_drive_it(mock: Mock, headers: dict[str, str]):
    assert mock.get("/_mock/clock", headers=headers).status_code == 200


def test_a_body_over_the_limit_is_413_under_mock_too(mock_with: Callable[..., Mock]):
    mock = mock_with("max_body_bytes: 100\n")

    refused = mock.post("/_mock/scenarios", json={"name": "x" * 100})

    assert refused.status_code == 413
    assert refused.json()["message"] == "413 Request Entity Too Large"


async def leave() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def expect_nothing(message: dict[str, Any]) -> None:
    raise AssertionError(message)


def broken_off(mock: Mock, path: str) -> None:
    """Send a request whose client disconnects before its end."""
    scope = {"type": "http", "method": "POST", "scheme": "http", "path": path, "headers": [],
             "raw_path": path.encode(), "query_string": b""}  # fmt: skip
    asyncio.run(mock.app(scope, leave, expect_nothing))  # type: ignore[arg-type]  # what a server would pass


def test_a_request_that_broke_off_says_so(mock: Mock):
    broken_off(mock, "/projects/1/pipeline")

    logged = last_request(mock)
    shown = (logged["operation"], logged["outcome"], logged["status"])
    assert shown == ("create_pipeline", "broken off", None)


def test_a_request_to_the_control_api_that_broke_off_does_nothing(mock: Mock):
    broken_off(mock, "/_mock/clock/advance")

    assert mock.get("/_mock/requests").json() == []
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"


def test_the_old_version_of_the_api_is_410(mock: Mock):
    assert mock.get("/api/v3/projects").status_code == 410


def test_doubled_and_trailing_slashes_are_left_out(mock: Mock):
    answer = mock.get("/api/v4//projects//1/pipelines/")

    assert (answer.status_code, last_request(mock)["path"]) == (200, "/projects/1/pipelines")
