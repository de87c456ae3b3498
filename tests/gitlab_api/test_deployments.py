"""Deployments: those of jobs, and those that the API makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.gitlab_api.deployments import Deployment
from mock_gitlab.gitlab_api.environments import EnvironmentBasic
from mock_gitlab.world import deployments as deployments_of_the_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

URL = "/api/v4/projects/1/deployments"
SHA = "a" * 40
MADE = {"environment": "production", "sha": SHA, "ref": "main", "tag": False, "status": "success"}


def deploy(name: str = "deploy", environment: Any = "production", **more: Any) -> dict[str, Any]:
    return {"name": name, "duration": 10, "environment": environment, **more}


def made(mock: Mock, **more: Any) -> Any:
    answer = mock.post(URL, json={**MADE, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def listed(mock: Mock, query: str = "") -> Any:
    answer = mock.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


# ---------------------------------------------------------------------------- of jobs


def test_a_job_with_an_environment_has_a_deployment_from_its_creation_on(mock: Mock):
    mock.declare(900, jobs=[{"name": "build", "duration": 5, "stage": "build"}, deploy()])
    sha = mock.trigger(scenario_id=900, ref="main")["sha"]

    [found] = listed(mock)

    assert list(found) == [
        "id", "iid", "ref", "sha", "created_at", "updated_at", "user", "environment",
        "deployable", "status",
    ]  # fmt: skip
    assert set(found) == set(Deployment.__annotations__)
    assert list(found["environment"]) == list(EnvironmentBasic.__annotations__)
    assert (found["id"], found["iid"], found["status"]) == (100_002, 1, "created")
    assert (found["ref"], found["sha"]) == ("main", sha)
    assert found["environment"]["name"] == "production"
    assert found["deployable"]["id"] == 100_002
    assert found["deployable"]["pipeline"]["id"] == 1
    assert mock.get(f"{URL}/100002").json() == found


def test_a_deployment_follows_its_job(mock: Mock):
    mock.declare(900, jobs=[deploy(pending_seconds=5)])
    mock.trigger(scenario_id=900)
    seen = []

    for step in ("0s", "5s", "10s"):
        mock.advance(step)
        [found] = listed(mock)
        seen.append((found["status"], found["updated_at"][14:19]))

    assert seen == [("created", "00:00"), ("running", "00:05"), ("success", "00:15")]


@pytest.mark.parametrize("status", ["failed", "canceled", "skipped"])
def test_a_deployment_ends_like_its_job(mock: Mock, status: str):
    mock.declare(900, jobs=[deploy(status=status)])
    mock.trigger(scenario_id=900)
    mock.advance("1m")

    assert listed(mock)[0]["status"] == status


def test_a_deployment_is_blocked_while_its_job_is_manual(mock: Mock):
    mock.declare(900, jobs=[deploy(when="manual")])
    mock.trigger(scenario_id=900)
    assert listed(mock)[0]["status"] == "blocked"

    mock.post("/api/v4/projects/1/jobs/100001/play")

    assert listed(mock)[0]["status"] == "running"


def test_a_job_that_is_being_canceled_still_deploys(mock: Mock):
    mock.declare(900, jobs=[deploy(canceling_seconds=60)])
    mock.trigger(scenario_id=900)
    mock.post("/api/v4/projects/1/jobs/100001/cancel")

    assert listed(mock)[0]["status"] == "running"
    mock.advance("60s")
    assert listed(mock)[0]["status"] == "canceled"


def test_each_attempt_is_a_deployment_of_its_own(mock: Mock):
    mock.declare(900, jobs=[deploy(attempts=[{"status": "failed"}, {}])])
    mock.trigger(scenario_id=900)
    mock.advance("1m")
    mock.post("/api/v4/projects/1/jobs/100001/retry")
    mock.advance("1m")

    assert [(each["id"], each["iid"], each["status"]) for each in listed(mock)] == [
        (100_001, 1, "failed"),
        (101_001, 2, "success"),
    ]


@pytest.mark.parametrize("action", ["prepare", "verify", "access", "stop"])
def test_a_job_that_does_not_start_an_environment_deploys_nothing(mock: Mock, action: str):
    mock.declare(900, jobs=[deploy(environment={"name": "production", "action": action})])
    mock.trigger(scenario_id=900)

    assert listed(mock) == []


def test_a_bridge_deploys_without_a_deployable(mock: Mock):
    bridge = {"name": "deploy", "environment": "production"}
    mock.declare(900, jobs=[{**bridge, "downstream": {"project": "2", "scenario": 5}}])
    mock.trigger(scenario_id=900)

    [found] = listed(mock)

    assert (found["deployable"], found["status"]) == (None, "success")


def test_a_job_of_the_past_is_seen_when_the_clock_is_set_back(mock: Mock):
    mock.declare(900, jobs=[deploy()])
    mock.trigger(scenario_id=900)
    mock.advance("10s")
    assert listed(mock)[0]["status"] == "success"

    mock.put("/_mock/clock", json={"now": "2026-01-01T00:00:05Z"})

    assert listed(mock)[0]["status"] == "running"


@pytest.mark.parametrize("limit", ["PIPELINES_SEARCHED", "JOBS_SEARCHED"])
def test_deployments_are_numbered_on_when_there_are_more_than_are_searched(
    mock: Mock, monkeypatch: pytest.MonkeyPatch, limit: str
):
    monkeypatch.setattr(deployments_of_the_world, limit, 2)
    mock.declare(900, jobs=[deploy()])
    for _ in range(4):
        mock.trigger(scenario_id=900)

    assert [(each["id"], each["iid"]) for each in listed(mock)] == [(300_001, 3), (400_001, 4)]


# ---------------------------------------------------------------------------- of the api


def test_the_api_makes_a_deployment_and_its_environment(mock: Mock):
    found = made(mock, status="running")

    assert (found["id"], found["iid"], found["status"]) == (100_000, 1, "running")
    assert found["deployable"] is None
    assert (found["ref"], found["sha"]) == ("main", SHA)
    assert [each["name"] for each in mock.get("/api/v4/projects/1/environments").json()] == [
        "production"
    ]


def test_the_beginning_of_a_sha_is_completed(mock: Mock):
    head = mock.trigger()["sha"]

    assert made(mock, sha=head[:8])["sha"] == head
    assert made(mock, sha="abcdef0")["sha"] == "abcdef0".ljust(40, "0")


def test_a_made_deployment_changes_its_status(mock: Mock):
    number = made(mock, status="running")["id"]
    mock.advance("5s")

    answer = mock.put(f"{URL}/{number}", json={"status": "success"})

    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    assert answer.json()["updated_at"] == "2026-01-01T00:00:05.000Z"
    mock.put("/_mock/clock", json={"now": "2026-01-01T00:00:03Z"})
    assert listed(mock)[0]["status"] == "running"
    mock.put("/_mock/clock", json={"now": "2025-12-31T00:00:00Z"})
    assert listed(mock) == []


@pytest.mark.parametrize("status", ["success", "running"])
def test_not_every_status_may_follow(mock: Mock, status: str):
    number = made(mock)["id"]

    answer = mock.put(f"{URL}/{number}", json={"status": status})

    event = {"success": "succeed", "running": "run"}[status]
    assert (answer.status_code, answer.json()) == (
        400,
        {"message": {"status": [f'cannot transition via "{event}"']}},
    )


def test_a_status_that_ended_may_be_another_end(mock: Mock):
    number = made(mock)["id"]

    for status in ("failed", "canceled", "success") * 40:
        assert mock.put(f"{URL}/{number}", json={"status": status}).json()["status"] == status


def test_the_deployment_of_a_job_is_not_changed(mock: Mock):
    mock.declare(900, jobs=[deploy()])
    mock.trigger(scenario_id=900)

    answer = mock.put(f"{URL}/100001", json={"status": "success"})

    assert (answer.status_code, answer.json()) == (
        403,
        {
            "message": "403 Forbidden - Deployments created using GitLab CI can not be updated "
            "using the API"
        },
    )


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"environment": ""}, {"error": "environment is empty"}),
        ({"sha": " "}, {"error": "sha is empty"}),
        ({"status": "created"}, {"error": "status does not have a valid value"}),
        ({"tag": "maybe"}, {"error": "tag is invalid"}),
        ({"sha": "no sha"}, {"message": {"sha": ["The commit does not exist"]}}),
        (
            {"ref": "refs/x", "tag": True},
            {"message": {"ref": ["The branch or tag does not exist"]}},
        ),
        (
            {"environment": "/x"},
            {
                "message": {
                    "name": [
                        "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and "
                        "spaces, but it cannot start or end with '/'"
                    ]
                }
            },
        ),
        (
            {"environment": "x" * 256},
            {"message": {"name": ["is too long (maximum is 255 characters)"]}},
        ),
    ],
)
def test_a_bad_deployment_is_400_and_makes_nothing(
    mock_with: Callable[..., Mock], body: dict[str, Any], error: Any
):
    mock = mock_with("projects: [{id: 1, path: group/app, refs: [main], tags: [v1]}]\n")

    answer = mock.post(URL, json={**MADE, **body})

    assert (answer.status_code, answer.json()) == (400, error)
    assert mock.get("/api/v4/projects/1/environments").json() == []


def test_a_strict_mock_knows_its_commits(mock_with: Callable[..., Mock]):
    mock = mock_with("strict: true\nprojects: [{id: 1, path: group/app}]\n")
    head = mock.get("/api/v4/projects/1/repository/commits/main").json()["id"]

    assert made(mock, sha=head)["sha"] == head
    assert mock.post(URL, json=MADE).json() == {"message": {"sha": ["The commit does not exist"]}}


def test_the_oldest_made_deployments_make_room(mock: Mock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deployments_of_the_world, "MOST_MADE", 2)
    for _ in range(4):
        made(mock)

    assert [each["id"] for each in listed(mock)] == [300_000, 400_000]


# ---------------------------------------------------------------------------- listing


@pytest.fixture
def mixed(mock: Mock) -> Mock:
    """A job that has deployed, one that failed to, a made deployment, and one that runs."""
    mock.declare(900, jobs=[deploy()])
    mock.declare(901, jobs=[deploy(environment="staging", status="failed")])
    mock.trigger(scenario_id=900)
    mock.advance("20s")
    made(mock, environment="staging", ref="other")
    mock.advance("20s")
    mock.trigger(scenario_id=901)
    mock.advance("20s")
    mock.trigger(scenario_id=900)
    return mock


IDS = [100_001, 100_000, 200_001, 300_001]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", IDS),
        ("sort=desc", IDS[::-1]),
        ("order_by=id&sort=asc", IDS),
        ("order_by=iid", IDS),
        ("order_by=created_at&sort=desc", IDS[::-1]),
        ("order_by=updated_at", IDS),
        ("order_by=ref", [100_001, 200_001, 300_001, 100_000]),
        ("environment=staging", [100_000, 200_001]),
        ("environment=nothing", []),
        ("status=running", [300_001]),
        ("status=success", [100_001, 100_000]),
        ("order_by=finished_at&status=failed", [200_001]),
        ("order_by=updated_at&updated_after=2026-01-01T00:00:15Z", IDS[1:]),
        ("order_by=updated_at&updated_before=2026-01-01T00:00:15Z", IDS[:1]),
        (
            "order_by=finished_at&status=success&finished_after=2026-01-01T00:00:15Z",
            [100_000],
        ),
        (
            "order_by=finished_at&status=success&finished_before=2026-01-01T00:00:15Z",
            [100_001],
        ),
        ("per_page=1&page=2", [100_000]),
    ],
)
def test_deployments_are_filtered_and_ordered(mixed: Mock, query: str, expected: list[int]):
    assert [each["id"] for each in listed(mixed, query)] == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("updated_after=2026-01-01", "`updated_at` filter requires `updated_at` sort"),
        ("finished_before=2026-01-01", "`finished_at` filter requires `finished_at` sort."),
        (
            "updated_after=2026-01-01&finished_after=2026-01-01",
            "Both `updated_at` filter and `finished_at` filter can not be specified",
        ),
        (
            "order_by=finished_at",
            "`finished_at` sort requires `finished_at` filter or a filter with at least one of "
            "the finished statuses.",
        ),
        (
            "order_by=finished_at&finished_after=2026-01-01&status=failed",
            "`finished_at` filter must be combined with `success` status filter.",
        ),
    ],
)
def test_what_would_take_gitlab_too_long_is_refused(mock: Mock, query: str, message: str):
    answer = mock.get(f"{URL}?{query}")

    assert (answer.status_code, answer.json()) == (
        400,
        {"message": f"400 Bad request - {message}"},
    )


# ---------------------------------------------------------------------------- deleting


def test_an_older_deployment_is_deleted_for_good(mixed: Mock):
    assert mixed.delete(f"{URL}/200001").status_code == 204

    assert [each["id"] for each in listed(mixed)] == [100_001, 100_000, 300_001]
    assert mixed.get(f"{URL}/200001").status_code == 404


def test_a_made_deployment_is_deleted(mixed: Mock):
    made(mixed, environment="staging")

    assert mixed.delete(f"{URL}/100000").status_code == 204
    assert mixed.get(f"{URL}/100000").json() == {"message": "404 Not found"}


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (300_001, "400 Cannot destroy running deployment"),
        (100_001, "400 Deployment currently deployed to environment"),
    ],
)
def test_what_is_in_use_is_not_deleted(mixed: Mock, number: int, message: str):
    answer = mixed.delete(f"{URL}/{number}")

    assert (answer.status_code, answer.json()) == (400, {"message": message})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_deployment_is_404(mock: Mock, method: str):
    answer = mock.request(method, f"{URL}/7", json={"status": "success"})

    assert (answer.status_code, answer.json()) == (404, {"message": "404 Not found"})


def test_a_deployment_has_no_merge_requests(mock: Mock):
    number = made(mock)["id"]

    assert mock.get(f"{URL}/{number}/merge_requests").json() == []
    assert mock.get(f"{URL}/7/merge_requests").status_code == 404


def test_a_made_deployment_is_found_among_others(mock: Mock):
    made(mock)
    number = made(mock, status="running")["id"]

    assert mock.put(f"{URL}/{number}", json={"status": "failed"}).json()["id"] == number


def test_a_reset_forgets_deployments(mixed: Mock):
    mixed.delete(f"{URL}/200001")
    mixed.post("/_mock/reset")

    assert listed(mixed) == []
    assert made(mixed)["id"] == 100_000
