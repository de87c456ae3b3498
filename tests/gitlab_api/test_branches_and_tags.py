"""List branches and tags in GitLab's orders and by its filters, and check that a branch exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

REPOSITORY = "/api/v4/projects/1/repository"
NAMES = ["V2", "a/x", "rc", "v1.10", "v1.9", "v1.9-rc1", "v1.9rc", "v10", "v2"]
DECLARED = f"strict: true\nprojects: [{{id: 1, path: a/b, default_branch: rc, %s: {NAMES}}}]\n"


@pytest.fixture
def branches(mock_with: Callable[..., Mock]) -> Mock:
    """A project with these branches."""
    return mock_with(DECLARED % "refs")


@pytest.fixture
def tags(mock_with: Callable[..., Mock]) -> Mock:
    """A project with these tags."""
    return mock_with(DECLARED % "tags")


def names(mock: Mock, kind: str, query: str) -> list[str]:
    answer = mock.get(f"{REPOSITORY}/{kind}?{query}")
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()]


# ---------------------------------------------------------------------------- orders


BY_VERSION = ["V2", "a/x", "rc", "v1.9", "v1.9-rc1", "v1.9rc", "v1.10", "v2", "v10"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", NAMES),  # all are of the same time
        ("order_by=updated&sort=asc", NAMES),
        ("order_by=name", NAMES[::-1]),
        ("order_by=name&sort=asc", NAMES),
        ("order_by=version", BY_VERSION[::-1]),
        ("order_by=version&sort=asc", BY_VERSION),
        ("order_by=version&sort=asc&search=^v", [*BY_VERSION[:1], *BY_VERSION[3:]]),
    ],
)
def test_tags_have_gitlabs_orders(tags: Mock, query: str, expected: list[str]):
    assert names(tags, "tags", query) == expected


@pytest.mark.parametrize("sort", ["", "sort=name_asc", "sort=updated_asc", "sort=updated_desc"])
def test_branches_have_gitlabs_orders(branches: Mock, sort: str):
    assert names(branches, "branches", sort) == NAMES


def test_versions_of_many_digits_are_compared_too(mock_with: Callable[..., Mock]):
    long = ["v" + "9" * 200, "v" + "1" * 201, "v007", "v7"]
    mock = mock_with(f"strict: true\nprojects: [{{id: 1, path: a/b, tags: {long}}}]\n")

    found = names(mock, "tags", "order_by=version&sort=asc")

    assert found == ["v007", "v7", *long[:2]]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("tags?order_by=x", "order_by does not have a valid value"),
        ("tags?sort=x", "sort does not have a valid value"),
        ("branches?sort=x", "sort does not have a valid value"),
        ("branches?sort=name_desc", "sort does not have a valid value"),
        ("branches?order_by=name&sort=asc", "sort does not have a valid value"),
    ],
)
def test_bad_orders_are_400(mock: Mock, path: str, error: str):
    answer = mock.get(f"{REPOSITORY}/{path}")

    assert (answer.status_code, answer.json()) == (400, {"error": error})


# ---------------------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("V1.9", ["v1.9", "v1.9-rc1", "v1.9rc"]),
        ("rc", ["rc", "v1.9-rc1", "v1.9rc"]),
        ("v2", ["v2", "V2"]),
        ("^v*c$", ["v1.9rc"]),
        ("v*9*1", ["v1.9-rc1"]),
        ("1.9", ["v1.9", "v1.9-rc1", "v1.9rc"]),
        ("^", NAMES),
        ("$", NAMES),
        ("*", NAMES),
        ("^/x/$", []),
        ("^a/x$", ["a/x"]),
    ],
)
@pytest.mark.parametrize("kind", ["branches", "tags"])
def test_a_search_ignores_case_and_shows_the_very_name_first(
    mock_with: Callable[..., Mock], kind: str, search: str, expected: list[str]
):
    mock = mock_with(DECLARED % {"branches": "refs", "tags": "tags"}[kind])

    assert names(mock, kind, f"search={search}") == expected


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        ("^v[0-9]%2B$", ["v10", "v2"]),
        ("rc", ["rc", "v1.9-rc1", "v1.9rc"]),
        ("", NAMES),
        ("(?i)^v2$", ["V2", "v2"]),
        ("/", ["a/x"]),
        ("1$&search=rc", ["v1.9-rc1"]),
    ],
)
def test_branches_are_filtered_by_a_regular_expression(
    branches: Mock, regex: str, expected: list[str]
):
    assert names(branches, "branches", f"regex={regex}") == expected


@pytest.mark.parametrize("regex", ["[", "(?=x)", "(a)\\1"])
def test_what_is_no_regular_expression_is_400(mock: Mock, regex: str):
    answer = mock.get(f"{REPOSITORY}/branches", params={"regex": regex})

    assert (answer.status_code, answer.json()) == (400, {"message": "Regex is invalid"})


# ---------------------------------------------------------------------------- pages


@pytest.mark.parametrize("kind", ["branches", "tags"])
def test_names_are_walked_by_the_name_of_the_last_one(mock_with: Callable[..., Mock], kind: str):
    mock = mock_with(DECLARED % {"branches": "refs", "tags": "tags"}[kind])
    url, walked, answers = f"{REPOSITORY}/{kind}?pagination=keyset&per_page=4", [], []
    while url:
        answers.append(mock.get(url))
        walked += [row["name"] for row in answers[-1].json()]
        url = answers[-1].links.get("next", {}).get("url")

    assert walked == NAMES
    assert [len(answer.json()) for answer in answers] == [4, 4, 1]
    assert "page_token=v1.10" in answers[0].headers["link"]
    assert "x-total" not in answers[0].headers


def test_a_full_page_by_names_leads_to_another_one_which_may_be_empty(tags: Mock):
    first = tags.get(f"{REPOSITORY}/tags?pagination=keyset&per_page=9")

    assert tags.get(first.links["next"]["url"]).json() == []


@pytest.mark.parametrize(("kind", "full"), [("branches", "heads"), ("tags", "tags")])
def test_a_name_to_walk_on_from_must_exist(mock: Mock, kind: str, full: str):
    answer = mock.get(f"{REPOSITORY}/{kind}?pagination=keyset&page_token=nowhere")

    assert (answer.status_code, answer.json()) == (
        422,
        {"message": f"Invalid page token: refs/{full}/nowhere"},
    )


def test_a_name_to_walk_on_from_needs_a_walk_by_names(tags: Mock):
    assert names(tags, "tags", "page_token=v1.9&order_by=name&sort=asc") == NAMES


# ---------------------------------------------------------------------------- who may read


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("branches", 200),
        ("branches/main", 401),
        ("tags", 200),
        ("tags/v1", 200),
        ("commits/main", 200),
        ("commits", 401),
    ],
)
def test_a_running_job_may_read_what_gitlab_lets_it_read(mock: Mock, path: str, status: int):
    mock.trigger(scenario_id=0)
    token = mock.get("/_mock/pipelines/1").json()["jobs"][0]["token"]
    client = mock.anonymous()

    by_header = client.get(f"{REPOSITORY}/{path}", headers={"JOB-TOKEN": token})
    by_parameter = client.get(f"{REPOSITORY}/{path}?job_token={token}")

    assert (by_header.status_code, by_parameter.status_code) == (status, status)


# ---------------------------------------------------------------------------- whether it exists


@pytest.mark.parametrize(("branch", "status"), [("rc", 204), ("a%2Fx", 204), ("nowhere", 404)])
@pytest.mark.parametrize("prefix", ["/api/v4", "", "/sandbox/a/api/v4"])
def test_head_tells_whether_a_branch_exists(branches: Mock, branch: str, status: int, prefix: str):
    answer = branches.head(f"{prefix}/projects/1/repository/branches/{branch}")

    assert (answer.status_code, answer.content) == (status, b"")


def test_head_of_a_branch_is_an_operation_of_its_own(mock: Mock):
    mock.head(f"{REPOSITORY}/branches/main")
    mock.head(f"{REPOSITORY}/branches")

    requests = mock.get("/_mock/requests").json()

    assert [(each["method"], each["operation"]) for each in requests] == [
        ("HEAD", "list_branches"),
        ("HEAD", "branch_exists"),
    ]


def test_head_of_a_branch_needs_a_login(mock: Mock):
    assert mock.anonymous().head(f"{REPOSITORY}/branches/main").status_code == 401
