"""Look up projects, branches, tags, commits and the version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

STRICT = """strict: true
projects:
  - {id: 1, path: group/sub/app, refs: [main, release/*], tags: [v*],
     trigger_tokens: [{description: ci, token: glptt-one}]}
"""


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


def test_branches_tags_and_commits_agree_with_pipelines(mock_with: Callable[..., Mock]):
    mock = mock_with(STRICT)
    pipeline = mock.post("/projects/1/pipeline", json={"ref": "release/1.0"}).json()

    branch = mock.get("/projects/1/repository/branches/release%2F1.0").json()
    commit = mock.get(f"/projects/1/repository/commits/{pipeline['sha'][:10]}").json()
    by_name = mock.get("/projects/1/repository/commits/release%2F1.0").json()
    tag = mock.get("/projects/1/repository/tags/v1.0").json()
    [newest] = mock.get("/projects/1/repository/commits?ref_name=release/1.0").json()
    names = [row["name"] for row in mock.get("/projects/1/repository/branches").json()]

    assert branch["commit"] == newest
    assert commit == by_name == {**commit, **newest}
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


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("order_by=name&sort=asc", ["z/app", "a/web"]),
        ("order_by=path", ["a/web", "z/app"]),
        ("", ["a/web", "z/app"]),
        ("archived=true", []),
        ("simple=true&per_page=1", ["a/web"]),
    ],
)
def test_the_list_of_projects_has_gitlabs_orders(
    mock_with: Callable[..., Mock], query: str, paths: list[str]
):
    mock = mock_with("projects: [{id: 5, path: z/app}, {id: 6, path: a/web}]\n")

    rows = mock.get(f"/projects?{query}").json()

    assert [row["path_with_namespace"] for row in rows] == paths


def test_without_a_token_a_strict_mock_lists_no_project(mock_with: Callable[..., Mock]):
    strict = mock_with(STRICT).anonymous().get("/projects")
    lenient = mock_with().anonymous().get("/projects")

    assert (strict.status_code, strict.json(), strict.headers["x-total"]) == (200, [], "0")
    assert lenient.status_code == 401


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("", ["main", "release/1", "release/2"]),
        ("release", ["release/1", "release/2"]),
        ("^rel", ["release/1", "release/2"]),
        ("/2$", ["release/2"]),
        ("^main$", ["main"]),
        ("^lease", []),
        ("release.1", []),
    ],
)
@pytest.mark.parametrize("kind", ["branches", "tags"])
def test_branches_and_tags_are_searched_by_a_part_of_their_names(
    mock_with: Callable[..., Mock], kind: str, search: str, names: list[str]
):
    key = {"branches": "refs", "tags": "tags"}[kind]
    declared = "[main, release/1, release/2]"
    mock = mock_with(f"strict: true\nprojects: [{{id: 1, path: a/b, {key}: {declared}}}]\n")

    rows = mock.get(f"/projects/1/repository/{kind}", params={"search": search}).json()

    assert [row["name"] for row in rows] == names


def test_a_commit_is_found_by_no_name_but_that_of_a_branch_or_tag(mock_with: Callable[..., Mock]):
    mock = mock_with(STRICT)

    by_tag = mock.get("/projects/1/repository/commits/v1")
    unknown = mock.get("/projects/1/repository/commits/other")

    assert by_tag.status_code == 200
    assert (unknown.status_code, unknown.json()) == (404, {"message": "404 Commit Not Found"})


def test_version_and_metadata_are_the_same(mock: Mock):
    assert mock.get("/version").json() == mock.get("/metadata").json()
