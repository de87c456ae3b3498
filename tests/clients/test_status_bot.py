"""A bot that reports to commits, with python-gitlab: what Atlantis, Jenkins and Renovate do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gitlab
import pytest

from tests.conftest import TOKEN
from tests.live import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DECLARED = """\
version: 1
database: ':memory:'
clock: {start: 2026-01-01T00:00:00Z, frozen: true}
scenarios:
  - {scenario_id: 900, jobs: [{name: build}]}
default_scenario: 900
faults:
  - when: {operation: post_commit_status, parameters: {name: contended}}
    times: 1
    respond: {preset: status_conflict}
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "mock.yaml").write_text(DECLARED, encoding="utf-8")
    with serving(tmp_path) as live:
        client = gitlab.Gitlab(live.url, private_token=TOKEN)
        yield client.projects.get(1)
        client.session.close()


def test_a_bot_reports_to_the_commit_of_a_pipeline(project: Any):
    pipeline = project.pipelines.create({"ref": "main"})
    commit = project.commits.get(pipeline.sha)

    reported = commit.statuses.create(
        {"state": "running", "name": "atlantis/plan", "pipeline_id": commit.last_pipeline["id"]}
    )
    assert project.pipelines.get(pipeline.id).status == "running"
    commit.statuses.create({"state": "success", "name": "atlantis/plan"})

    assert reported.pipeline_id == pipeline.id
    found = commit.statuses.list(get_all=True)
    assert {(each.name, each.status) for each in found} == {
        ("atlantis/plan", "success"),
        ("build", "success"),
    }
    assert project.pipelines.get(pipeline.id).status == "success"


def test_a_bot_walks_the_pages_of_its_own_statuses(project: Any):
    commit = project.commits.get("a" * 40)
    for number in range(5):
        commit.statuses.create({"state": "success", "context": f"check {number}"})

    walked = commit.statuses.list(iterator=True, per_page=2, stage="external", sort="desc")

    assert [each.name for each in walked] == [f"check {number}" for number in (4, 3, 2, 1, 0)]


def test_a_bot_that_reports_twice_meets_gitlabs_refusal(project: Any):
    commit = project.commits.get("main")
    commit.statuses.create({"state": "running"})

    with pytest.raises(gitlab.GitlabCreateError) as refused:
        commit.statuses.create({"state": "running"})

    assert refused.value.response_code == 400
    assert "Cannot transition status via :run from :running" in str(refused.value.error_message)


def test_a_bot_tries_again_after_a_conflict(project: Any):
    commit = project.commits.get("main")
    with pytest.raises(gitlab.GitlabCreateError) as refused:
        commit.statuses.create({"state": "success", "name": "contended"})

    assert refused.value.response_code == 409
    message = "Another update to this commit status is in progress"
    assert refused.value.error_message == message
    assert commit.statuses.create({"state": "success", "name": "contended"}).status == "success"
