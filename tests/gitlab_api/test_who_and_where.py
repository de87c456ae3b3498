"""Addresses, authentication in both modes, trigger tokens, and what clients look up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Mock

STRICT = """strict: true
projects:
  - {id: 1, path: group/sub/app, refs: [main, release/*], tags: [v*],
     trigger_tokens: [{description: ci, token: glptt-one}]}
"""
NO_ROUTE = {"error": "404 Not Found"}
UNAUTHORIZED = {"message": "401 Unauthorized"}


# ---------------------------------------------------------------------------- addresses


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


def test_version_3_is_gone(mock: Mock):
    answer = mock.get("/api/v3/projects")

    assert answer.status_code == 410
    assert answer.json() == {"error": "API V3 is no longer supported. Use API V4 instead."}


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


def test_an_unchanged_trace_is_304(mock: Mock):
    mock.trigger(scenario_id=0)
    trace = f"/projects/1/jobs/{mock.get('/projects/1/jobs').json()[0]['id']}/trace"
    first = mock.get(trace)

    again = mock.get(trace, headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_an_unchanged_answer_is_304(mock: Mock):
    mock.trigger(scenario_id=5)
    tag = mock.get("/projects/1/pipelines/1").headers["etag"]

    same = mock.get("/projects/1/pipelines/1", headers={"If-None-Match": tag})
    mock.advance("5s")
    other = mock.get("/projects/1/pipelines/1", headers={"If-None-Match": tag})

    assert tag.startswith('W/"')
    assert (same.status_code, same.content, other.status_code) == (304, b"", 200)


def test_each_client_is_answered_under_the_name_by_which_it_calls(mock: Mock):
    mock.trigger()

    urls = [
        mock.get("/projects/1/pipelines/1", headers={"Host": name}).json()["web_url"]
        for name in ("one.test", "two.test", "one.test")
    ]

    assert [url.split("/")[2] for url in urls] == ["one.test", "two.test", "one.test"]


def test_a_poll_shows_who_the_user_is_now(mock_with: Callable[..., Mock], tmp_path: Path):
    mock = mock_with()
    mock.trigger(scenario_id=0)
    assert mock.pipeline(1)["user"]["username"] == "root"

    config = tmp_path / "mock-0.yaml"
    config.write_text(config.read_text() + "user: {username: somebody}\n", encoding="utf-8")
    mock.post("/_mock/config/reload")

    assert mock.pipeline(1)["user"]["username"] == "somebody"


@pytest.mark.parametrize("path", ["/user", "/nowhere", "/_mock/health", "/api/v3/x"])
def test_every_answer_has_a_request_id_of_its_own(mock: Mock, path: str):
    ids = {UUID(mock.get(path).headers["x-request-id"]) for _ in range(2)}

    assert len(ids) == 2


def test_answers_are_json_without_a_charset(mock: Mock):
    assert mock.get("/user").headers["content-type"] == "application/json"


# ---------------------------------------------------------------------------- authentication


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


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/projects/9/pipelines", 404, {"message": "404 Project Not Found"}),
        ("/projects/group%2Fother", 404, {"message": "404 Project Not Found"}),
        ("/projects/foo", 404, {"message": "404 Project Not Found"}),
        ("/projects/1/repository/branches/other", 404, {"message": "404 Branch Not Found"}),
        ("/projects/1/repository/tags/x1", 404, {"message": "404 Tag Not Found"}),
        ("/projects/1/repository/commits/abcdef0", 404, {"message": "404 Commit Not Found"}),
        ("/projects/1/pipelines/7?x=1", 404, {"message": "404 Not found"}),
    ],
)
def test_a_strict_mock_has_only_what_is_declared(
    mock_with: Callable[..., Mock], path: str, status: int, body: dict[str, str]
):
    answer = mock_with(STRICT).get(path)

    assert (answer.status_code, answer.json()) == (status, body)


# ---------------------------------------------------------------------------- look-ups


def test_branches_tags_and_commits_agree_with_pipelines(mock_with: Callable[..., Mock]):
    mock = mock_with(STRICT)
    pipeline = mock.post("/projects/1/pipeline", json={"ref": "release/1.0"}).json()

    branch = mock.get("/projects/1/repository/branches/release%2F1.0").json()
    commit = mock.get(f"/projects/1/repository/commits/{pipeline['sha'][:10]}").json()
    by_name = mock.get("/projects/1/repository/commits/release%2F1.0").json()
    tag = mock.get("/projects/1/repository/tags/v1.0").json()
    [newest] = mock.get("/projects/1/repository/commits?ref_name=release/1.0").json()
    names = [row["name"] for row in mock.get("/projects/1/repository/branches").json()]

    assert branch["commit"] == commit == by_name == newest
    assert commit["id"] == pipeline["sha"]
    assert tag["name"] == "v1.0"
    assert names == ["main", "release/1.0"]


@pytest.mark.parametrize(("query", "count"), [("", 1), ("?ref_name=other", 0), ("?page=2", 0)])
def test_a_ref_has_one_commit_and_one_that_is_none_has_none(
    mock_with: Callable[..., Mock], query: str, count: int
):
    listed = mock_with(STRICT).get(f"/projects/1/repository/commits{query}")

    assert (listed.status_code, len(listed.json())) == (200, count)
    assert "x-total" not in listed.headers


@pytest.mark.parametrize("what", ["branches/release", "tags/v", "commits/main"])
def test_a_slash_that_is_not_encoded_is_no_part_of_a_ref(mock: Mock, what: str):
    answer = mock.get(f"/projects/1/repository/{what}/1.0")

    assert (answer.status_code, answer.json()) == (404, {"error": "404 Not Found"})
    assert mock.get(f"/projects/1/repository/{what}%2F1.0").status_code == 200


def test_a_namespace_has_the_same_number_in_all_of_its_projects(mock: Mock):
    first, second, deeper, other = (
        mock.get(f"/projects/{path}").json()["namespace"]
        for path in ("group%2Fone", "group%2Ftwo", "group%2Fsub%2Fthree", "elsewhere%2Ffour")
    )

    assert first == second
    assert deeper["parent_id"] == first["id"]
    assert len({first["id"], deeper["id"], other["id"]}) == 3


def test_projects_are_listed_and_searched(mock_with: Callable[..., Mock]):
    mock = mock_with("projects: [{id: 5, path: group/app}, {id: 6, path: group/web}]\n")

    everything = mock.get("/projects?order_by=id&sort=asc")
    found = mock.get("/projects?search=WEB&membership=true")

    assert [row["id"] for row in everything.json()] == [5, 6]
    assert [row["path_with_namespace"] for row in found.json()] == ["group/web"]
    assert everything.headers["x-total"] == "2"


# ---------------------------------------------------------------------------- trigger tokens


def test_a_trigger_token_is_made_shown_described_listed_and_deleted(mock: Mock):
    made = mock.post("/projects/1/triggers", data={"description": "bot"})
    number = made.json()["id"]
    changed = mock.put(f"/projects/1/triggers/{number}", json={"description": "other"})
    listed = mock.get("/projects/1/triggers")
    elsewhere = mock.get(f"/projects/2/triggers/{number}")
    deleted = mock.delete(f"/projects/1/triggers/{number}")
    gone = mock.get(f"/projects/1/triggers/{number}")

    assert made.status_code == 201
    assert list(made.json()) == [
        "id", "token", "description", "created_at", "updated_at", "last_used", "expires_at",
        "owner",
    ]  # fmt: skip
    assert made.json()["token"].startswith("glptt-")
    assert changed.json()["description"] == "other"
    assert (len(listed.json()), listed.headers["x-total"]) == (1, "1")
    assert (elsewhere.status_code, deleted.status_code, gone.status_code) == (404, 204, 404)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "description is missing"),
        ({"description": "x", "expires_at": "abc"}, "expires_at is invalid"),
        ({"description": "x", "expires_at": "01/01/2050"}, "expires_at is invalid"),
    ],
)
def test_a_bad_trigger_token_is_400(mock: Mock, body: dict[str, str], error: str):
    answer = mock.post("/projects/1/triggers", json=body)

    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_an_expired_trigger_token_triggers_nothing(mock: Mock):
    body = {"description": "x", "expires_at": "2026-01-02"}
    token = mock.post("/projects/1/triggers", json=body).json()["token"]
    order = {"ref": "main", "token": token}

    before = mock.anonymous().post("/projects/1/trigger/pipeline", json=order)
    mock.advance("1d")
    after = mock.anonymous().post("/projects/1/trigger/pipeline", json=order)

    assert (before.status_code, after.status_code) == (201, 404)


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


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_trigger_whose_number_is_none_is_400_whoever_asks(mock: Mock, method: str):
    answer = mock.anonymous().request(method, "/projects/1/triggers/abc")

    assert (answer.status_code, answer.json()) == (400, {"error": "trigger_id is invalid"})


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


def test_api_v3_is_gone(mock: Mock):
    gone = {"error": "API V3 is no longer supported. Use API V4 instead."}
    for path in ("/api/v3", "/api/v3/", "/api/v3/projects"):
        answer = mock.get(path)
        assert (answer.status_code, answer.json()) == (410, gone)
