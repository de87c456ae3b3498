"""Members and users: the only user is all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.gitlab_api.members import AccessToken, Member
from mock_gitlab.rest.entities.users import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

LISTS = (
    "/projects/1/members", "/projects/1/members/all", "/groups/group/members", "/projects/1/users",
    "/users",
)  # fmt: skip


@pytest.fixture
def mock(mock_with: Callable[..., Mock]) -> Mock:
    return mock_with(
        "projects: [{id: 1, path: group/app}]\n"
        "user: {id: 9, username: jane, name: Jane Doe, email: jane@a.test}\n"
    )


def ids(mock: Mock, path: str) -> list[int]:
    answer = mock.get(f"/api/v4{path}")
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()]


def test_keys(mock: Mock):
    member = mock.get("/api/v4/projects/1/members/9").json()
    token = mock.get("/api/v4/personal_access_tokens/self").json()

    assert set(member) == set(Member.__annotations__)
    assert list(token) == list(AccessToken.__annotations__)
    assert set(mock.get("/api/v4/users/9").json()) == set(User.__annotations__)
    assert (member["username"], member["access_level"]) == ("jane", 50)
    assert (token["user_id"], token["scopes"], token["active"]) == (9, ["api"], True)
    assert "MOCK_SUPER_SECRET" not in str(token)


@pytest.mark.parametrize("path", LISTS)
def test_the_user_is_listed_everywhere(mock: Mock, path: str):
    assert ids(mock, path) == [9]
    assert mock.anonymous().get(f"/api/v4{path}").status_code == 401


@pytest.mark.parametrize("path", LISTS[:3])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("query=DOE", [9]),
        ("query=jan", [9]),
        ("query=john", []),
        ("user_ids[]=9", [9]),
        ("user_ids[]=1", []),
    ],
)
def test_members_are_filtered(mock: Mock, path: str, query: str, expected: list[int]):
    assert ids(mock, f"{path}?{query}") == expected


@pytest.mark.parametrize(
    ("query", "expected"), [("search=doe", [9]), ("search=x", []), ("skip_users[]=9", [])]
)
def test_the_users_of_a_project_are_filtered(mock: Mock, query: str, expected: list[int]):
    assert ids(mock, f"/projects/1/users?{query}") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("username=JANE", [9]),
        ("username=jan", []),
        ("search=jane@a.test", [9]),
        ("search=Jane", [9]),
        ("search=john", []),
        ("active=true", [9]),
        ("blocked=true", []),
        ("external=true", []),
    ],
)
def test_users_are_filtered(mock: Mock, query: str, expected: list[int]):
    assert ids(mock, f"/users?{query}") == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/users/1", "404 User Not Found"),
        ("/projects/1/members/1", "404 Not found"),
        ("/projects/1/members/all/1", "404 Not found"),
    ],
)
def test_another_user_is_404(mock: Mock, path: str, message: str):
    answer: Any = mock.get(f"/api/v4{path}")

    assert (answer.status_code, answer.json()) == (404, {"message": message})


def test_a_member_is_shown_with_those_of_groups(mock: Mock):
    assert mock.get("/api/v4/projects/1/members/all/9").json()["membership_state"] == "active"
