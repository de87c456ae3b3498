"""Deployment Hooks: which are sent, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.world.test_payloads import PROJECT, USER

if TYPE_CHECKING:
    from mock_gitlab.testing.receiver import Receiver
    from tests.conftest import Mock

DEPLOYMENTS = "/api/v4/projects/1/deployments"
KEYS = (
    "object_kind status status_changed_at deployment_id deployable_id deployable_url environment "
    "environment_tier environment_slug environment_external_url project short_sha user user_url "
    "commit_url commit_title"
)
MADE = {"environment": "production", "sha": "a" * 40, "ref": "main", "tag": False}
REVIEW = {"name": "review/$CI_COMMIT_REF_SLUG", "url": "https://$CI_ENVIRONMENT_SLUG.test"}


def hooked(mock: Mock, receiver: Receiver, **events: bool) -> int:
    wanted = {"url": receiver.url, "deployment_events": True, **events}
    answer = mock.post("/api/v4/projects/1/hooks", json=wanted)
    return int(answer.json()["id"])


def told(receiver: Receiver) -> list[tuple[str, str, int]]:
    return [
        (got.headers["X-Gitlab-Event"], got.body["status"], got.body["deployment_id"])
        for got in receiver.received
    ]


def test_a_deployment_of_a_job_is_told_when_it_runs_and_ends(mock: Mock, receiver: Receiver):
    hooked(mock, receiver)
    mock.declare(
        900,
        jobs=[
            {"name": "wait", "stage": "build", "duration": 5},
            {"name": "deploy", "stage": "deploy", "duration": 5, "environment": REVIEW},
        ],
    )
    sha = mock.trigger(scenario_id=900, ref="Feature/X")["sha"]
    mock.advance("20s")

    assert told(receiver) == [
        ("Deployment Hook", "running", 100_002),
        ("Deployment Hook", "success", 100_002),
    ]
    body: Any = receiver.received[1].body
    slug = body["environment_slug"]
    assert " ".join(body) == KEYS
    assert " ".join(body["user"]) == USER
    assert " ".join(body["project"]) == f"{PROJECT} homepage url ssh_url http_url"
    assert body["status_changed_at"] == "2026-01-01 00:00:10 +0000"
    assert body["deployable_id"] == 100_002
    assert body["deployable_url"].endswith("/root/project-1/-/jobs/100002")
    assert (body["environment"], body["environment_tier"]) == ("review/feature-x", "development")
    assert body["environment_external_url"] == f"https://{slug}.test"
    assert (body["short_sha"], body["commit_title"]) == (sha[:8], f"Commit {sha[:8]}")


def test_both_a_job_and_its_deployment_are_told_at_one_moment(mock: Mock, receiver: Receiver):
    hooked(mock, receiver, job_events=True)
    mock.declare(900, jobs=[{"name": "deploy", "duration": 5, "environment": "production"}])
    mock.trigger(scenario_id=900)
    mock.advance("20s")

    kinds = [(got.body["object_kind"], got.headers["X-Gitlab-Event"]) for got in receiver.received]
    assert kinds.count(("deployment", "Deployment Hook")) == 2
    assert kinds.count(("build", "Job Hook")) >= 2


def test_what_is_no_deployment_is_not_told(mock: Mock, receiver: Receiver):
    hooked(mock, receiver)
    mock.declare(
        900,
        jobs=[
            {"name": "a", "environment": {"name": "production", "action": "verify"}},
            {"name": "b", "environment": "production", "when": "manual"},
            {"name": "c"},
        ],
    )
    mock.trigger(scenario_id=900)
    mock.advance("20s")

    assert told(receiver) == []


def test_a_cancel_is_told_when_it_has_ended(mock: Mock, receiver: Receiver):
    hooked(mock, receiver)
    job = {"name": "deploy", "duration": 60, "canceling_seconds": 5, "environment": "production"}
    mock.declare(900, jobs=[job])
    mock.trigger(scenario_id=900)
    mock.advance("1s")
    mock.post("/api/v4/projects/1/jobs/100001/cancel")
    mock.advance("20s")

    assert [status for _, status, _ in told(receiver)] == ["running", "canceled"]


def test_a_bridge_has_no_deployable(mock: Mock, receiver: Receiver):
    hooked(mock, receiver)
    bridge = {"name": "deploy", "environment": "production"}
    mock.declare(900, jobs=[{**bridge, "downstream": {"project": "2", "scenario": 5}}])
    mock.trigger(scenario_id=900)
    mock.advance("1s")

    assert receiver.received[0].body["deployable_id"] is None


def test_a_deployment_of_the_api_is_told(mock: Mock, receiver: Receiver):
    made = {"name": "production", "external_url": "https://a.test", "tier": "other"}
    mock.post("/api/v4/projects/1/environments", json=made)
    mock.post(DEPLOYMENTS, json={**MADE, "status": "running"})
    hooked(mock, receiver)
    mock.advance("1s")
    assert told(receiver) == []

    mock.put(f"{DEPLOYMENTS}/100000", json={"status": "success"})
    mock.post(DEPLOYMENTS, json={**MADE, "environment": "qa", "status": "failed"})
    mock.advance("1s")

    assert told(receiver) == [
        ("Deployment Hook", "success", 100_000),
        ("Deployment Hook", "failed", 200_000),
    ]
    first, second = (got.body for got in receiver.received)
    assert (first["environment_tier"], first["environment_external_url"]) == (
        "other", "https://a.test",
    )  # fmt: skip
    assert (first["deployable_id"], first["deployable_url"]) == (None, None)
    assert (second["environment_tier"], second["environment_external_url"]) == ("testing", None)


def test_a_hook_that_wants_no_deployments_is_told_of_none(mock: Mock, receiver: Receiver):
    hooked(mock, receiver, deployment_events=False, pipeline_events=True)
    mock.post(DEPLOYMENTS, json={**MADE, "status": "success"})
    mock.advance("1s")

    assert told(receiver) == []


def test_a_test_sends_the_newest_deployment(mock: Mock, receiver: Receiver):
    number = hooked(mock, receiver)
    test = f"/api/v4/projects/1/hooks/{number}/test/deployment_events"
    nothing = mock.post(test)
    assert (nothing.status_code, nothing.json()) == (
        422,
        {"message": "Ensure the project has deployments."},
    )
    mock.declare(900, jobs=[{"name": "deploy", "duration": 5, "environment": "production"}])
    mock.trigger(scenario_id=900)
    assert mock.post(test).status_code == 201
    mock.advance("1s")
    mock.post(DEPLOYMENTS, json={**MADE, "status": "canceled"})
    assert mock.post(test).status_code == 201

    assert ("Deployment Hook", "running", 100_001) in told(receiver)
    assert told(receiver)[-1] == ("Deployment Hook", "canceled", 100_000)


def test_the_environment_of_a_job_hook_has_the_values_of_its_variables(
    mock: Mock, receiver: Receiver
):
    hooked(mock, receiver, deployment_events=False, job_events=True, pipeline_events=True)
    mock.declare(900, jobs=[{"name": "deploy", "environment": REVIEW}])
    mock.trigger(scenario_id=900, ref="Feature/X")
    mock.advance("1s")

    job = next(got.body for got in receiver.received if got.body["object_kind"] == "build")
    pipeline = next(got.body for got in receiver.received if got.body["object_kind"] == "pipeline")
    assert job["environment"]["name"] == "review/feature-x"
    assert pipeline["builds"][0]["environment"]["name"] == "review/feature-x"
    shown = mock.get("/_mock/pipelines/1").json()["jobs"][0]["environment"]
    assert shown["name"] == "review/feature-x"
