"""Who sends a request, in which order its mistakes are named, and its conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

STRICT = """strict: true
projects:
  - {id: 1, path: group/sub/app, refs: [main, release/*], tags: [v*],
     trigger_tokens: [{description: ci, token: glptt-one}]}
"""
UNAUTHORIZED = {"message": "401 Unauthorized"}


# ---------------------------------------------------------------------------- logging in


@pytest.mark.parametrize(
    "credentials",
    [
        {"headers": {"PRIVATE-TOKEN": "MOCK_SUPER_SECRET"}},
        {"headers": {"Authorization": "Bearer MOCK_SUPER_SECRET"}},
        {"headers": {"authorization": "bearer MOCK_SUPER_SECRET"}},
        {"params": {"private_token": "MOCK_SUPER_SECRET"}},
        {"params": {"access_token": "MOCK_SUPER_SECRET"}},
        {"headers": {"PRIVATE-TOKEN": "MOCK_SUPER_SECRET", "Authorization": "Bearer x"}},
    ],
)
def test_the_token_may_come_in_any_of_gitlabs_ways(mock: Mock, credentials: dict[str, Any]):
    answer = mock.anonymous().get("/user", **credentials)

    assert (answer.status_code, answer.json().get("username")) == (200, "root")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("path", ["/user", "/version", "/projects/1/jobs", "/projects/1/pipelines"])
def test_a_wrong_token_is_401_everywhere(mock_with: Callable[..., Mock], strict: bool, path: str):
    mock = mock_with(STRICT if strict else "")

    answer = mock.anonymous().get(path, headers={"PRIVATE-TOKEN": "wrong"})

    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("path", ["/projects/1/jobs", "/user"])
def test_the_token_of_a_job_is_no_token_of_a_person(mock: Mock, path: str):
    mock.trigger(scenario_id=0)
    token = mock.get("/_mock/pipelines/1").json()["jobs"][0]["token"]

    alone = mock.anonymous().get(path, headers={"PRIVATE-TOKEN": token})
    beside = mock.get(path, headers={"Authorization": f"Bearer {token}"})

    assert (alone.status_code, alone.json()) == (401, UNAUTHORIZED)
    assert beside.status_code == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"headers": {"Sudo": "root"}}, 200),
        ({"params": {"sudo": "1"}}, 200),
        ({"headers": {"Sudo": "ann"}}, 404),
        ({"params": {"sudo": "123"}}, 404),
    ],
)
def test_nobody_but_the_one_user_can_be_acted_for(mock: Mock, sent: dict[str, Any], status: int):
    answer = mock.get("/user", **sent)

    assert answer.status_code == status
    if status == 404:
        name = "ann" if "headers" in sent else "123"
        assert answer.json() == {"message": f"404 User with ID or username '{name}' Not Found"}


@pytest.mark.parametrize(
    ("method", "path", "lenient", "strict"),
    [
        ("GET", "/user", 401, 401),
        ("GET", "/projects/1/jobs", 401, 401),
        ("GET", "/projects/1/pipelines", 401, 404),
        ("GET", "/projects/1/pipelines?page=x", 400, 400),
        ("GET", "/projects/1", 401, 404),
        ("POST", "/projects/1/pipeline", 401, 401),
        ("DELETE", "/projects/1/pipelines/x", 401, 401),
        ("POST", "/projects/1/triggers", 400, 400),
        ("GET", "/projects/1/triggers", 401, 401),
        ("POST", "/projects/1/triggers?description=x", 401, 401),
    ],
)
def test_without_a_token_gitlabs_order_of_checks_decides(
    mock_with: Callable[..., Mock], method: str, path: str, lenient: int, strict: int
):
    for yaml, status in (("", lenient), (STRICT, strict)):
        assert mock_with(yaml).anonymous().request(method, path).status_code == status


# ---------------------------------------------------------------------------- order of mistakes


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "pipelines/abc/jobs?scope=x", "scope does not have a valid value"),
        ("PUT", "pipelines/abc/metadata", "name is missing"),
        ("GET", "pipelines/abc/bridges?per_page=x", "per_page is invalid"),
    ],
)
def test_what_is_wrong_with_the_path_comes_before_the_rest(
    mock: Mock, method: str, path: str, error: str
):
    answer = mock.request(method, f"/projects/1/{path}")

    assert (answer.status_code, answer.json()) == (
        400,
        {"error": f"pipeline_id is invalid, {error}"},
    )


# ---------------------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    "since",
    ["Thu, 01 Jan 2026 00:00:00 GMT", "2026-01-01T00:00:05Z", "Thu, 01 Jan 2026 00:00:05 GMT"],
)
def test_a_delete_on_a_stale_condition_is_412(mock: Mock, since: str):
    mock.trigger(terminal_after_seconds=5.5)
    mock.advance("1h")

    answer = mock.delete("/projects/1/pipelines/1", headers={"If-Unmodified-Since": since})

    assert (answer.status_code, answer.json()) == (412, {"message": "412 Precondition Failed"})
    assert mock.get("/projects/1/pipelines/1").status_code == 200


@pytest.mark.parametrize(
    "since",
    [
        "Thu, 01 Jan 2026 00:00:06 GMT",
        "2026-01-01T00:00:05.500Z",
        "yesterday",
        "",
        "Mon, 01 Jan 2020 00:00:00 +99999999999999999999",
    ],
)
def test_a_delete_on_a_condition_that_holds_or_is_none_deletes(mock: Mock, since: str):
    mock.trigger(terminal_after_seconds=5.5)
    mock.advance("1h")

    answer = mock.delete("/projects/1/pipelines/1", headers={"If-Unmodified-Since": since})

    assert answer.status_code == 204
