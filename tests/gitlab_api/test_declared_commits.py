"""Branches, tags and commits that the files declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.testing.receiver import Receiver
    from tests.conftest import Mock

NEW, OLD = "a" * 40, "b" * 40
REPOSITORY = "/api/v4/projects/1/repository"
DECLARED = f"""
projects:
  - id: 1
    path: group/app
    branches: [{{name: trunk, sha: {NEW}, default: true}}, {{name: next, protected: true}}]
    tags: [v*, {{name: v1.0, sha: {OLD}, message: First, protected: true}}]
    commits:
      - {{sha: {NEW}, title: Fix the login, author_name: Jane, author_email: jane@a.test,
         date: 2025-12-01}}
      - {{sha: {OLD}, title: Begin, message: "Begin\\n\\nWith nothing."}}
HOOKS
"""


@pytest.fixture
def mock(mock_with: Callable[..., Mock]) -> Mock:
    return mock_with(DECLARED.replace("HOOKS", ""))


def get(mock: Mock, path: str) -> Any:
    answer = mock.get(f"{REPOSITORY}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_branch_has_its_head_and_its_protection(mock: Mock):
    found = {each["name"]: (each["protected"], each["default"]) for each in get(mock, "/branches")}

    assert found == {"next": (True, False), "trunk": (True, True)}
    assert get(mock, "/branches/trunk")["commit"]["id"] == NEW
    assert mock.get("/api/v4/projects/1").json()["default_branch"] == "trunk"


def test_a_pipeline_runs_on_the_head(mock: Mock):
    assert mock.trigger(ref="trunk")["sha"] == NEW
    assert mock.trigger(ref="v1.0")["sha"] == OLD


def test_a_declared_branch_exists_beside_the_globs(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "projects: [{id: 1, path: group/app, refs: [main], branches: [{name: other}]}]\n"
        "strict: true\n"
    )

    statuses = [
        mock.get(f"{REPOSITORY}/branches/{name}").status_code for name in ("main", "other", "third")
    ]

    assert statuses == [200, 200, 404]


def test_a_tag_has_its_message(mock: Mock):
    [tag] = get(mock, "/tags")

    assert (tag["name"], tag["message"], tag["target"], tag["protected"]) == (
        "v1.0", "First", OLD, True,
    )  # fmt: skip
    assert tag["commit"]["title"] == "Begin"
    assert get(mock, "/tags/v2")["message"] == ""


def test_a_commit_is_as_declared(mock: Mock):
    new, old = get(mock, "/commits/trunk"), get(mock, f"/commits/{OLD[:8]}")

    assert (new["title"], new["message"]) == ("Fix the login", "Fix the login\n")
    assert (new["author_name"], new["author_email"]) == ("Jane", "jane@a.test")
    assert (new["created_at"], new["parent_ids"]) == ("2025-12-01T00:00:00.000Z", [OLD])
    assert (old["message"], old["parent_ids"]) == ("Begin\n\nWith nothing.", [])
    assert old["author_name"] == "Administrator"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [NEW, OLD]),
        ("ref_name=v1.0", [OLD]),
        ("since=2025-11-01T00:00:00Z", [NEW]),
        ("until=2025-11-01T00:00:00Z", [OLD]),
        ("author=Jane", [NEW]),
        ("ref_name=nowhere/at/all", None),
    ],
)
def test_the_history_of_a_ref_is_listed(mock: Mock, query: str, expected: list[str] | None):
    found = [each["id"] for each in get(mock, f"/commits?{query}")]

    if expected is None:
        assert len(found) == 1  # made up
        assert found[0] not in (NEW, OLD)
    else:
        assert found == expected


def test_all_commits_are_the_declared_ones_and_the_heads(mock: Mock):
    found = [each["id"] for each in get(mock, "/commits?all=true")]

    assert found[:2] == [NEW, OLD]
    assert len(found) == 3  # that of next is made up


def test_webhooks_and_jobs_show_the_commit(mock_with: Callable[..., Mock], receiver: Receiver):
    hooks = f'    hooks: [{{url: "{receiver.url}", pipeline_events: true}}]'
    mock = mock_with(DECLARED.replace("HOOKS", hooks))
    mock.trigger(ref="trunk", scenario_id=1)
    mock.advance("1s")

    commit = receiver.received[0].body["commit"]
    assert (commit["id"], commit["title"], commit["timestamp"]) == (
        NEW, "Fix the login", "2025-12-01T00:00:00.000Z",
    )  # fmt: skip
    assert commit["author"] == {"name": "Jane", "email": "jane@a.test"}
    [job] = mock.get("/api/v4/projects/1/pipelines/1/jobs").json()
    assert job["commit"]["title"] == "Fix the login"
