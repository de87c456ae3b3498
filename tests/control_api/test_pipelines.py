"""Pipelines are shown with what GitLab hides, and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock


def test_a_pipeline_shows_what_gitlab_hides(mock_with: Callable[..., Mock]):
    rules = "rules:\n  - {when: {ref: other}, scenario: 1}\n  - {when: {ref: main}, scenario: 2}\n"
    mock = mock_with(rules)
    mock.trigger(variables={"A": "1"})

    shown = mock.get("/_mock/pipelines/1").json()

    assert shown["variables"] == {"A": "1"}
    assert shown["scenario_id"] == 2
    assert shown["matched"]["by"] == "rule"
    assert shown["matched"]["rule"].endswith(":8")
    assert shown["matched"]["passed"][0]["differences"] == [
        {"what": "ref", "wanted": "other", "got": "main"}
    ]
    assert [(change["at"][17:19], change["after"]) for change in shown["timeline"]][-1] == (
        "02",
        "success",
    )


def test_pipelines_of_a_project_can_be_deleted_at_once(mock: Mock):
    for project in ("1", "2", "1"):
        mock.trigger(project)

    deleted = mock.delete("/_mock/pipelines?project_id=1")

    assert deleted.json() == {"deleted": 2}
    assert [row["id"] for row in mock.get("/_mock/pipelines").json()] == [2]
