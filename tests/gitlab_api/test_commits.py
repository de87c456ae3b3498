"""Read commits: a single one with its newest pipeline, and the list with its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

COMMITS = "/api/v4/projects/1/repository/commits"
KEYS = [
    "id", "short_id", "created_at", "parent_ids", "title", "message", "author_name",
    "author_email", "authored_date", "committer_name", "committer_email", "committed_date",
    "trailers", "extended_trailers", "web_url",
]  # fmt: skip


def test_a_single_commit_ends_with_its_statistics_and_its_newest_pipeline(mock: Mock):
    mock.trigger(scenario_id=5)
    newest = mock.trigger(scenario_id=0)
    mock.trigger("2", scenario_id=0)

    commit = mock.get(f"{COMMITS}/{newest['sha']}").json()

    assert list(commit) == [*KEYS, "stats", "status", "project_id", "last_pipeline"]
    assert commit["stats"] == {"additions": 0, "deletions": 0, "total": 0}
    assert (commit["status"], commit["project_id"]) == ("running", 1)
    assert list(commit["last_pipeline"].items()) == list(newest.items())[:10]


def test_the_status_of_a_commit_is_that_of_its_pipeline_now(mock: Mock):
    mock.trigger(scenario_id=5)
    mock.advance("5s")

    commit = mock.get(f"{COMMITS}/main").json()

    assert commit["status"] == commit["last_pipeline"]["status"] == "success"


@pytest.mark.parametrize("name", ["other", "0123456789abcdef0123456789abcdef01234567"])
def test_a_commit_without_a_pipeline_has_no_status(mock: Mock, name: str):
    mock.trigger()

    commit = mock.get(f"{COMMITS}/{name}").json()

    assert (commit["status"], commit["last_pipeline"]) == (None, None)


def test_the_statistics_of_a_single_commit_can_be_left_out(mock: Mock):
    commit = mock.get(f"{COMMITS}/main?stats=false").json()

    assert list(commit) == [*KEYS, "status", "project_id", "last_pipeline"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 1),
        ("since=2025-01-01T00:00:00Z", 1),
        ("since=2025-01-01T00:00:00.001Z", 0),
        ("until=2025-01-01T00:00:00Z", 1),
        ("until=2024-12-31T23:59:59Z", 0),
        ("since=2024-01-01&until=2026-01-01", 1),
        ("path=", 1),
        ("path=README.md", 0),
        ("author=Administrator", 1),
        ("author=admin@example.com", 1),
        ("author=jane", 0),
        ("ref_name=", 1),
        ("ref_name=release/1", 1),
        ("ref_name=refs/heads/release/1", 1),
        ("ref_name=refs/tags/v1", 1),
        ("ref_name=refs/heads/v1", 0),
        ("ref_name=refs/tags/release/1", 0),
        ("ref_name=nowhere", 0),
        ("ref_name=0123456", 0),
        ("all=true", 3),
        ("all=true&ref_name=nowhere", 3),
        ("order=topo&first_parent=true&trailers=true", 1),
    ],
)
def test_the_list_of_commits_has_gitlabs_filters(
    mock_with: Callable[..., Mock], query: str, count: int
):
    mock = mock_with("projects: [{id: 1, path: a/b, refs: [release/1], tags: [v1]}]\n")

    rows = mock.get(f"{COMMITS}?{query}").json()

    assert [list(row) for row in rows] == [KEYS] * count


def test_commits_are_listed_by_the_beginning_of_a_sha_too(mock: Mock):
    sha = mock.trigger()["sha"]

    assert [row["id"] for row in mock.get(f"{COMMITS}?ref_name={sha[:9]}").json()] == [sha]


def test_the_list_of_commits_shows_statistics_if_it_is_asked_to(mock: Mock):
    [row] = mock.get(f"{COMMITS}?with_stats=true").json()

    assert list(row) == [*KEYS, "stats"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("since=x", "since is invalid"),
        ("until=x", "until is invalid"),
        ("all=x", "all is invalid"),
        ("with_stats=x", "with_stats is invalid"),
        ("first_parent=x", "first_parent is invalid"),
        ("order=x", "order does not have a valid value"),
        ("trailers=x", "trailers is invalid"),
    ],
)
def test_bad_filters_of_commits_are_400(mock: Mock, query: str, error: str):
    answer = mock.get(f"{COMMITS}?{query}")

    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_bad_statistics_of_a_commit_are_400(mock: Mock):
    answer = mock.get(f"{COMMITS}/main?stats=x")

    assert (answer.status_code, answer.json()) == (400, {"error": "stats is invalid"})


@pytest.mark.parametrize(
    ("query", "next_page"), [("per_page=1", "2"), ("per_page=1&page=2", ""), ("", "")]
)
def test_commits_are_not_counted_so_a_full_page_has_a_next_one(
    mock: Mock, query: str, next_page: str
):
    headers = mock.get(f"{COMMITS}?{query}").headers

    assert headers["x-next-page"] == next_page
    assert "x-total" not in headers
