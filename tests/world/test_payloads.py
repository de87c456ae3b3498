"""The bodies of webhooks have GitLab's keys in GitLab's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_gitlab.testing.receiver import Receiver
    from tests.conftest import Mock

PIPELINE = "object_kind object_attributes merge_request user project commit builds"
ATTRIBUTES = (
    "id iid name ref tag sha before_sha source status detailed_status stages created_at "
    "finished_at duration queued_duration protected_ref variables url"
)
USER = "id name username avatar_url email"
PROJECT = (
    "id name description web_url avatar_url git_ssh_url git_http_url namespace visibility_level "
    "path_with_namespace default_branch ci_config_path"
)
BUILD = (
    "id stage name status created_at started_at finished_at duration queued_duration "
    "failure_reason when manual allow_failure user runner artifacts_file environment"
)
JOB = (
    "object_kind ref tag before_sha sha retries_count build_id build_name build_stage "
    "build_status build_created_at build_started_at build_finished_at build_duration "
    "build_queued_duration build_allow_failure build_failure_reason pipeline_id runner "
    "project_id project_name user commit repository project environment"
)
COMMIT_OF_JOB = (
    "id name sha message author_name author_email author_url status duration started_at finished_at"
)
REPOSITORY = "name url description homepage git_http_url git_ssh_url visibility_level"
JOBS = [
    {
        "name": "build",
        "stage": "build",
        "duration": "1m",
        "artifacts": {"a.txt": "abc"},
        "environment": {"name": "prod", "tier": "production"},
    },
    {"name": "deploy", "stage": "deploy", "when": "manual"},
    {"name": "other", "stage": "deploy", "downstream": {"project": "2", "scenario": 701}},
]


@pytest.fixture
def bodies(mock: Mock, receiver: Receiver) -> list[Any]:
    for project in (1, 2):
        wanted = {"url": receiver.url, "pipeline_events": True, "job_events": True}
        mock.post(f"/api/v4/projects/{project}/hooks", json=wanted)
    mock.declare(701, terminal_after_seconds=1)
    mock.declare(700, jobs=JOBS)
    mock.trigger(scenario_id=700, variables={"A": "b"})
    mock.post("/_mock/clock/advance", json={"duration": "10m"})
    return [got.body for got in receiver.received]


def of(bodies: list[Any], kind: str, project: int = 1) -> list[Any]:
    return [
        each for each in bodies if each["object_kind"] == kind and each["project"]["id"] == project
    ]


def test_a_pipeline_hook_has_gitlabs_keys(bodies: list[Any]):
    last = of(bodies, "pipeline")[-1]
    assert list(last) == PIPELINE.split()
    assert list(last["object_attributes"]) == ATTRIBUTES.split()
    assert list(last["user"]) == USER.split()
    assert list(last["project"]) == PROJECT.split()
    assert list(last["commit"]) == ["id", "message", "title", "timestamp", "url", "author"]
    assert [list(build) for build in last["builds"]] == [BUILD.split()] * 2  # bridges are no builds


def test_a_pipeline_hook_shows_the_end_of_the_pipeline(bodies: list[Any]):
    last = of(bodies, "pipeline")[-1]
    attributes, build = last["object_attributes"], last["builds"][0]
    assert (attributes["status"], attributes["detailed_status"]) == ("success", "passed")
    assert attributes["stages"] == ["build", "deploy"]
    assert attributes["finished_at"] == "2026-01-01 00:01:00 UTC"
    assert attributes["variables"] == [{"key": "A", "value": "b"}]
    assert attributes["url"] == "http://testserver/root/project-1/-/pipelines/1"
    assert build["artifacts_file"] == {"filename": "artifacts.zip", "size": 3}
    assert build["environment"] == {
        "name": "prod", "action": "start", "deployment_tier": "production",
    }  # fmt: skip
    assert last["project"]["git_ssh_url"] == "git@testserver:root/project-1.git"


def test_a_job_hook_has_gitlabs_keys(bodies: list[Any]):
    last = [each for each in of(bodies, "build") if each["build_name"] == "build"][-1]
    assert list(last) == JOB.split()
    assert list(last["commit"]) == COMMIT_OF_JOB.split()
    assert list(last["repository"]) == REPOSITORY.split()
    assert last["commit"]["id"] == last["pipeline_id"]
    assert (last["build_status"], last["build_duration"]) == ("success", 60)
    assert last["build_failure_reason"] == "unknown_failure"
    assert last["project_name"] == "root / project-1"
    assert last["environment"] == {"name": "prod", "action": "start"}


def test_bridges_send_no_job_hook(bodies: list[Any]):
    assert "other" not in {each["build_name"] for each in of(bodies, "build")}


def test_a_downstream_pipeline_names_its_source(bodies: list[Any]):
    first = of(bodies, "pipeline", project=2)[0]
    source = first["source_pipeline"]
    assert source["project"]["path_with_namespace"] == "root/project-1"
    assert (source["pipeline_id"], source["job_id"]) == (1, 100003)
