"""The gateway decides by address, host and site, and logs every request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

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


@pytest.mark.parametrize("before", ["", "/sandbox/a", "//sandbox/a"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/v4//projects//1/pipelines/",
        "//api/v4/projects/1/pipelines",
        "///api//v4/projects/1/pipelines",
        "//projects/1/pipelines//",
    ],
)
def test_doubled_and_trailing_slashes_are_left_out(mock: Mock, before: str, path: str):
    answer = mock.get(f"http://testserver{before}{path}")

    sandbox = before.removeprefix("/")
    logged = mock.get(f"http://testserver{sandbox and '/sandbox/a'}/_mock/requests?limit=1")
    assert (answer.status_code, logged.json()[0]["path"]) == (200, "/projects/1/pipelines")


@pytest.mark.parametrize("before", ["", "/sandbox/a", "//sandbox/a"])
@pytest.mark.parametrize("path", ["//_mock/clock", "/_mock//clock", "//docs", "//openapi.json"])
def test_doubled_slashes_are_left_out_before_the_control_side_too(
    mock: Mock, before: str, path: str
):
    assert mock.get(f"http://testserver{before}{path}").status_code == 200


def test_an_encoded_slash_is_no_doubled_one(mock: Mock):
    mock.get("/api/v4/projects/a%2F%2Fb")

    assert last_request(mock)["path"] == "/projects/a%2F%2Fb"


def test_a_sandbox_without_a_name_is_not_named_after_what_follows(mock: Mock):
    assert mock.get("http://testserver/sandbox//api/v4/version").status_code == 400
    assert mock.get("/_mock/sandboxes").json() == []


CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "access-control-expose-headers": "Link, X-Total, X-Total-Pages, X-Per-Page, X-Page, "
    "X-Next-Page, X-Prev-Page, X-Gitlab-Blob-Id, X-Gitlab-Commit-Id, X-Gitlab-Content-Sha256, "
    "X-Gitlab-Encoding, X-Gitlab-File-Name, X-Gitlab-File-Path, X-Gitlab-Last-Commit-Id, "
    "X-Gitlab-Ref, X-Gitlab-Size, X-Request-Id, ETag",
    "access-control-max-age": "7200",
}
PAGE = {"Origin": "http://app.example.com", "Sec-Fetch-Site": "cross-site"}


def cors_of(answer: httpx.Response) -> dict[str, str]:
    shared = {k: v for k, v in answer.headers.items() if k.startswith("access-control-")}
    assert len(shared) == sum(
        k.startswith("access-control-") for k, _ in answer.headers.multi_items()
    )
    return shared


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v4/projects/1/pipelines", 200),
        ("HEAD", "/api/v4/projects/1/pipelines", 200),
        ("POST", "/api/v4/projects/1/pipeline", 400),
        ("GET", "/api/v4/nothing", 404),
        ("OPTIONS", "/api/v4/version", 404),
        ("GET", "/api/v3/version", 410),
        ("GET", "/api/v4/projects/1/jobs?page=1000000", 405),
    ],
)
def test_a_page_of_any_origin_may_read_the_api(mock: Mock, method: str, path: str, status: int):
    answer = mock.request(method, path, headers=PAGE)

    assert (answer.status_code, cors_of(answer)) == (status, CORS)
    assert answer.headers["vary"] == "Origin"


def test_a_page_of_any_origin_may_read_a_sandbox_that_exists(mock: Mock):
    mock.get("/sandbox/a/api/v4/version")

    answer = mock.get("/sandbox/a/api/v4/version", headers=PAGE)

    assert (answer.status_code, cors_of(answer)) == (200, CORS)


@pytest.mark.parametrize("path", ["/version", "/_mock/clock", "/api/v4/version", "/docs"])
def test_no_other_address_and_no_other_client_gets_the_headers_for_pages(mock: Mock, path: str):
    headers = {} if path.startswith("/api") else {"Origin": "http://testserver"}

    answer = mock.get(path, headers=headers)

    assert (answer.status_code, cors_of(answer)) == (200, {})


@pytest.mark.parametrize("before", ["", "/sandbox/new"])
def test_a_preflight_is_answered_before_anything_else_sees_it(mock: Mock, before: str):
    mock.post("/_mock/faults", json={"respond": {"status": 503}})
    asked = {"Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "private-token, content-type"}  # fmt: skip

    answer = mock.options(f"{before}/api/v4/projects/1/pipeline", headers={**PAGE, **asked})

    assert (answer.status_code, answer.content) == (200, b"")
    allowed = {"access-control-allow-headers": "private-token, content-type"}
    assert cors_of(answer) == {**CORS, **allowed}
    assert mock.get("/_mock/requests").json() == mock.get("/_mock/sandboxes").json() == []


def test_a_preflight_need_not_name_headers(mock: Mock):
    headers = {**PAGE, "Access-Control-Request-Method": "GET"}

    assert cors_of(mock.options("/api/v4/version", headers=headers)) == CORS


def test_a_preflight_for_a_method_that_the_api_lacks_allows_nothing(mock: Mock):
    headers = {**PAGE, "Access-Control-Request-Method": "TRACE"}

    answer = mock.options("/api/v4/version", headers=headers)

    assert (answer.status_code, cors_of(answer)) == (200, {})


def test_a_declared_answer_may_have_headers_for_pages_of_its_own(mock: Mock):
    respond = {"status": 502, "headers": {"Access-Control-Allow-Origin": "http://b"}}
    mock.post("/_mock/faults", json={"respond": respond})

    answer = mock.get("/api/v4/version", headers=PAGE)

    assert cors_of(answer) == {**CORS, "access-control-allow-origin": "http://b"}


def test_a_client_may_give_up_while_its_request_makes_a_sandbox(mock_with: Callable[..., Mock]):
    mock = mock_with("faults: [{when: {operation: get_metadata}, delay: 1h}]\n")
    messages = [{"type": "http.request", "body": b""}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(_: Any) -> None:
        """Nobody is there to read the answer."""

    path = b"/sandbox/new/api/v4/metadata"
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"private-token", TOKEN.encode())],
    }
    asyncio.run(mock.app(scope, receive, send))  # type: ignore[arg-type]  # what a server would pass

    [logged] = mock.get("/sandbox/new/_mock/requests").json()
    assert (logged["operation"], logged["outcome"]) == ("get_metadata", "broken off")
