"""The addresses of endpoints: prefixes, slashes, encoded segments, methods."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

NO_ROUTE = {"error": "404 Not Found"}


@pytest.mark.parametrize("prefix", ["", "/api/v4"])
@pytest.mark.parametrize("project", ["1001", "group%2Fsub%2Fapp", "group%2fsub%2fapp"])
def test_a_project_is_reached_by_number_and_by_encoded_path(mock: Mock, prefix: str, project: str):
    made = mock.trigger("group%2Fsub%2Fapp")
    number = made["project_id"]

    answer = mock.get(f"{prefix}/projects/{project.replace('1001', str(number))}/pipelines/1")

    assert (answer.status_code, answer.json()["project_id"]) == (200, number)
    assert answer.json()["web_url"] == "http://testserver/group/sub/app/-/pipelines/1"


def test_a_path_keeps_its_number_and_is_decoded_exactly_once(mock: Mock):
    first = mock.get("/projects/group%2Fapp").json()
    again = mock.get("/projects/group%2Fapp").json()
    odd = mock.get("/projects/group%2Fa%252Fb").json()

    assert first["id"] == again["id"]
    assert (odd["path_with_namespace"], odd["id"] == first["id"]) == ("group/a%2Fb", False)


@pytest.mark.parametrize("declared", ["", "projects: [{id: 42, path: Group/App}]\n"])
def test_a_path_is_the_same_in_capitals_and_small_letters(
    mock_with: Callable[..., Mock], declared: str
):
    mock = mock_with(declared)
    first = mock.get("/projects/Group%2FApp").json()

    again = mock.get("/projects/group%2Fapp").json()

    assert (again["id"], again["path_with_namespace"]) == (first["id"], "Group/App")
    assert len(mock.get("/projects").json()) == 1
    assert mock.get("/projects/Root%2FProject-7").json()["id"] == 7


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/projects/group/app/pipelines/1"),
        ("GET", "/nowhere"),
        ("GET", "/api/v4"),
        ("GET", "/api/v4/projects/1/trigger/pipeline"),
        ("PATCH", "/projects/1/pipelines/1"),
        ("OPTIONS", "/projects/1/pipelines"),
        ("DELETE", "/user"),
    ],
)
def test_what_gitlab_does_not_have_is_404_in_gitlabs_json(mock: Mock, method: str, path: str):
    answer = mock.request(method, path)

    assert (answer.status_code, answer.json()) == (404, NO_ROUTE)


def test_doubled_and_trailing_slashes_are_squeezed(mock: Mock):
    mock.trigger()

    assert mock.get("/api/v4//projects/1//pipelines/1/").json()["id"] == 1


def test_head_answers_as_get_without_a_body(mock: Mock):
    mock.trigger()

    get, head = mock.get("/projects/1/pipelines"), mock.head("/projects/1/pipelines")

    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "x-total", "etag"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("path", ["/_mock/health", "/_mock/clock", "/_mock/nothing", "/docs"])
def test_head_answers_as_get_in_the_control_namespace_too(mock: Mock, path: str):
    answer, head = mock.get(path), mock.head(path)

    assert (head.status_code, head.content) == (answer.status_code, b"")
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]


@pytest.mark.parametrize("path", ["/user", "/nowhere", "/_mock/health", "/api/v3/x"])
def test_every_answer_has_a_request_id_of_its_own(mock: Mock, path: str):
    ids = {UUID(mock.get(path).headers["x-request-id"]) for _ in range(2)}

    assert len(ids) == 2


def test_api_v3_is_gone(mock: Mock):
    gone = {"error": "API V3 is no longer supported. Use API V4 instead."}
    for path in ("/api/v3", "/api/v3/", "/api/v3/projects"):
        answer = mock.get(path)
        assert (answer.status_code, answer.json()) == (410, gone)
