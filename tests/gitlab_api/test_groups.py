"""Groups and namespaces, as the paths of the projects give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.rest.entities.groups import Group, GroupDetail

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

URL = "/api/v4/groups"


@pytest.fixture
def grouped(mock_with: Callable[..., Mock]) -> Mock:
    """A mock with the groups a, a/low, a/low/deep and b."""
    return mock_with(
        "projects:\n"
        "  - {id: 1, path: a/zebra}\n"
        "  - {id: 2, path: a/low/app}\n"
        "  - {id: 3, path: a/low/deep/app}\n"
        "  - {id: 4, path: b/app}\n"
        "  - {id: 5, path: root/own}\n"
    )


def paths(mock: Mock, url: str) -> list[str]:
    answer = mock.get(url)
    assert answer.status_code == 200, answer.text
    return [each["full_path"] for each in answer.json()]


def test_a_group_has_gitlabs_keys(grouped: Mock):
    keys = [key for key in Group.__annotations__ if key != "statistics"]
    more = [key for key in GroupDetail.__annotations__ if key not in Group.__annotations__]

    listed = grouped.get(f"{URL}?statistics=true").json()[0]
    single = grouped.get(f"{URL}/a").json()

    assert list(listed) == [*keys, "statistics"]
    assert list(listed["statistics"]) == ["storage_size", "repository_size", "job_artifacts_size"]
    assert list(listed["default_branch_protection_defaults"]) == [
        "allowed_to_push", "allow_force_push", "allowed_to_merge",
    ]  # fmt: skip
    assert list(single) == [*keys, *more]


def test_a_group_names_the_one_above(grouped: Mock):
    low, above = grouped.get(f"{URL}/a%2Flow").json(), grouped.get(f"{URL}/a").json()

    assert (low["parent_id"], above["parent_id"]) == (above["id"], None)
    assert (low["name"], low["full_name"]) == ("low", "a / low")
    assert grouped.get(f"{URL}/{low['id']}").json() == low
    assert grouped.get("/api/v4/projects/2").json()["namespace"]["id"] == low["id"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a", "b", "a/low/deep", "a/low"]),
        ("sort=desc", ["a/low", "a/low/deep", "b", "a"]),
        ("search=LOW", ["a/low/deep", "a/low"]),
        ("search=nothing", []),
        ("top_level_only=true", ["a", "b"]),
        ("owned=true&min_access_level=50&all_available=true&order_by=path", [
            "a", "b", "a/low/deep", "a/low"]),
        ("per_page=1&page=2", ["b"]),
    ],
)  # fmt: skip
def test_groups_are_filtered_and_ordered(grouped: Mock, query: str, expected: list[str]):
    assert paths(grouped, f"{URL}?{query}") == expected
    ids = [each["id"] for each in grouped.get(f"{URL}?order_by=id").json()]
    assert ids == sorted(ids)
    first = grouped.get(URL).json()[0]["id"]
    assert "a" not in paths(grouped, f"{URL}?skip_groups[]={first}")
    assert "statistics" not in grouped.get(f"{URL}?statistics=false").json()[0]


@pytest.mark.parametrize(
    ("page", "everything"),
    [("subgroups", ["a/low"]), ("descendant_groups", ["a/low/deep", "a/low"])],
)
def test_groups_below_are_filtered_and_ordered(grouped: Mock, page: str, everything: list[str]):
    url = f"{URL}/a/{page}"
    low = grouped.get(f"{URL}/a%2Flow").json()["id"]

    assert paths(grouped, url) == everything
    query = "owned=true&min_access_level=50&all_available=true&order_by=name&statistics=true"
    assert paths(grouped, f"{url}?{query}&sort=desc") == everything[::-1]
    assert paths(grouped, f"{url}?search=nothing") == []
    assert "a/low" not in paths(grouped, f"{url}?skip_groups[]={low}")


def test_a_group_shows_its_projects_unless_asked_not_to(grouped: Mock):
    shown = grouped.get(f"{URL}/a").json()

    assert [each["path_with_namespace"] for each in shown["projects"]] == ["a/zebra"]
    assert shown["shared_projects"] == []
    assert "projects" not in grouped.get(f"{URL}/a?with_projects=false").json()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1]),
        ("include_subgroups=true", [3, 2, 1]),
        ("include_subgroups=true&order_by=id&sort=asc", [1, 2, 3]),
        ("include_subgroups=true&order_by=name&sort=asc", [2, 3, 1]),
        ("include_subgroups=true&search=APP", [3, 2]),
        ("archived=true", []),
        ("simple=true&archived=false", [1]),
    ],
)
def test_the_projects_of_a_group_are_filtered_and_ordered(
    grouped: Mock, query: str, expected: list[int]
):
    assert [each["id"] for each in grouped.get(f"{URL}/a/projects?{query}").json()] == expected


@pytest.mark.parametrize("page", ["", "/subgroups", "/descendant_groups", "/projects", "/members"])
def test_a_group_without_projects_does_not_exist(mock: Mock, page: str):
    mock.trigger("group%2Fapp")
    assert mock.get(f"{URL}/group{page}").status_code == 200

    answer = mock.get(f"{URL}/other{page}")

    assert (answer.status_code, answer.json()) == (404, {"message": "404 Group Not Found"})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["root", "a", "a/low", "a/low/deep", "b"]),
        ("search=low", ["a/low", "a/low/deep"]),
        ("top_level_only=true&owned_only=true", ["root", "a", "b"]),
    ],
)
def test_namespaces_are_filtered(grouped: Mock, query: str, expected: list[str]):
    assert paths(grouped, f"/api/v4/namespaces?{query}") == expected


def test_a_namespace_is_found_by_number_and_path(grouped: Mock):
    url = "/api/v4/namespaces"
    own: Any = grouped.get(f"{url}/root").json()
    low = grouped.get(f"{url}/A%2FLow").json()

    assert (own["kind"], low["kind"], low["full_path"]) == ("user", "group", "a/low")
    assert grouped.get(f"{url}/{low['id']}").json() == low
    answer = grouped.get(f"{url}/nothing")
    assert (answer.status_code, answer.json()) == (404, {"message": "404 Namespace Not Found"})


def test_groups_need_a_login(grouped: Mock):
    assert grouped.anonymous().get(URL).status_code == 401


def test_without_projects_there_are_no_groups(mock: Mock):
    assert paths(mock, URL) == []
