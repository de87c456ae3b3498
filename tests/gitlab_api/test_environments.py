"""Environments: made by jobs or by the API, deployed to and stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.engine.environments import environment_id
from mock_gitlab.gitlab_api.environments import Environment, LastDeployment
from mock_gitlab.world import environments as environments_of_the_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

URL = "/api/v4/projects/1/environments"
JOBS = "/api/v4/projects/1/jobs"
REVIEW: dict[str, Any] = {
    "name": "review/$CI_COMMIT_REF_SLUG",
    "url": "https://$CI_ENVIRONMENT_SLUG.test",
}
DEPLOY = {"name": "deploy", "duration": 10, "environment": {**REVIEW, "on_stop": "stop"}}
STOP = {
    "name": "stop",
    "when": "manual",
    "duration": 5,
    "environment": {"name": REVIEW["name"], "action": "stop"},
}


def made(mock: Mock, name: str = "production", **more: Any) -> Any:
    answer = mock.post(URL, json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def names(mock: Mock, query: str = "") -> list[str]:
    answer = mock.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()]


def only(mock: Mock) -> Any:
    """Read the only environment, by its number."""
    [listed] = mock.get(URL).json()
    return mock.get(f"{URL}/{listed['id']}").json()


def deployed(mock: Mock, environment: dict[str, Any], *more: dict[str, Any], **job: Any) -> Any:
    """Deploy to an environment by a job, and read it."""
    deploy = {"name": "deploy", "environment": environment, **job}
    mock.declare(900, jobs=[deploy, *more])
    mock.trigger(scenario_id=900, ref="Feature/X")
    return only(mock)


# ---------------------------------------------------------------------------- seeing


def test_a_list_shows_the_project_and_a_single_one_its_last_deployment(mock: Mock):
    seen = deployed(mock, {"name": "production"})
    [listed] = mock.get(URL).json()

    keys = list(Environment.__annotations__)
    assert list(listed) == [key for key in keys if key != "last_deployment"]
    assert list(seen) == [key for key in keys if key != "project"]
    assert list(seen["last_deployment"]) == list(LastDeployment.__annotations__)
    assert listed["project"]["id"] == 1
    assert seen["last_deployment"]["deployable"]["name"] == "deploy"
    assert seen["id"] == listed["id"] == environment_id(1, "production")


def test_a_job_makes_an_environment_for_its_ref(mock: Mock):
    seen = deployed(mock, REVIEW)

    assert seen["name"] == "review/feature-x"
    assert seen["slug"].startswith("review-feature-x-")
    assert seen["external_url"] == f"https://{seen['slug']}.test"
    assert (seen["state"], seen["tier"]) == ("available", "development")


def test_an_environment_has_no_url_and_no_deployment_before_a_job_has_deployed(mock: Mock):
    seen = deployed(mock, REVIEW, duration=10)

    assert (seen["external_url"], seen["last_deployment"]) == (None, None)


@pytest.mark.parametrize("action", ["prepare", "verify", "access", "stop"])
def test_a_job_with_any_action_makes_the_environment(mock: Mock, action: str):
    seen = deployed(mock, {"name": "production", "action": action}, duration=10)

    assert (seen["name"], seen["state"]) == ("production", "available")


def test_the_job_names_the_tier(mock: Mock):
    assert deployed(mock, {"name": "production", "tier": "other"})["tier"] == "other"


def test_the_last_deployment_is_the_last_to_succeed(mock: Mock):
    mock.declare(901, jobs=[{"name": "deploy", "environment": "production", "status": "failed"}])
    deployed(mock, {"name": "production"})
    mock.advance("1m")
    mock.trigger(scenario_id=901)

    assert only(mock)["last_deployment"]["id"] == 100_001


def test_environments_are_listed_in_the_order_of_their_creation(mock: Mock):
    made(mock, "b")
    mock.advance("1s")
    made(mock, "a")

    assert names(mock) == ["b", "a"]
    assert names(mock, "per_page=1&page=2") == ["a"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=review/a", ["review/a"]),
        ("name=review", []),
        ("search=REV", ["review/a", "review/b"]),
        ("search=iew", []),
        ("states=available", ["production", "review/b"]),
        ("states=stopped", ["review/a"]),
        ("states=stopping", []),
    ],
)
def test_environments_are_filtered(mock: Mock, query: str, expected: list[str]):
    number = made(mock, "review/a")["id"]
    made(mock, "review/b")
    made(mock)
    mock.post(f"{URL}/{number}/stop")

    assert names(mock, query) == expected


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (
            "search=ab",
            {"message": "400 Bad request - Search query is less than 3 characters"},
        ),
        ("name=a&search=abc", {"error": "name, search are mutually exclusive"}),
        ("states=gone", {"error": "states does not have a valid value"}),
    ],
)
def test_a_bad_filter_is_400(mock: Mock, query: str, error: Any):
    answer = mock.get(f"{URL}?{query}")

    assert (answer.status_code, answer.json()) == (400, error)


def test_two_names_with_one_number_get_two(mock: Mock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environments_of_the_world, "environment_id", lambda *_: 7)
    made(mock, "a")
    mock.advance("1s")
    made(mock, "b")

    assert [each["id"] for each in mock.get(URL).json()] == [7, 8]


# ---------------------------------------------------------------------------- writing


def test_the_api_makes_an_environment(mock: Mock):
    seen = made(
        mock,
        "deploy",
        external_url="https://a.test",
        tier="testing",
        description="mine",
        auto_stop_setting="with_action",
    )

    assert {key: seen[key] for key in ("slug", "tier", "description", "auto_stop_setting")} == {
        "slug": "deploy", "tier": "testing", "description": "mine",
        "auto_stop_setting": "with_action",
    }  # fmt: skip
    assert (seen["external_url"], seen["state"]) == ("https://a.test", "available")
    assert mock.get(f"{URL}/{seen['id']}").json() == seen


def test_an_environment_is_changed(mock: Mock):
    number = made(mock, description="mine")["id"]
    mock.advance("5s")

    answer = mock.put(f"{URL}/{number}", json={"external_url": "https://b.test", "tier": "other"})

    assert answer.status_code == 200
    seen = answer.json()
    assert (seen["external_url"], seen["tier"], seen["description"]) == (
        "https://b.test", "other", "mine",
    )  # fmt: skip
    assert seen["updated_at"] == "2026-01-01T00:00:05.000Z"
    assert seen["created_at"] == "2026-01-01T00:00:00.000Z"


def test_an_environment_of_a_job_is_changed_too(mock: Mock):
    number = deployed(mock, {"name": "production", "url": "https://a.test"})["id"]
    mock.advance("1s")

    mock.put(f"{URL}/{number}", json={"external_url": "https://b.test"})

    assert only(mock)["external_url"] == "https://b.test"
    assert only(mock)["last_deployment"]["id"] == 100_001


def test_a_setting_is_changed_and_a_slug_is_not(mock: Mock):
    number = made(mock)["id"]

    changed = mock.put(f"{URL}/{number}", json={"auto_stop_setting": "always"})
    refused = mock.put(f"{URL}/{number}", json={"slug": "mine"})

    assert changed.json()["auto_stop_setting"] == "always"
    assert refused.json() == {"error": "slug is automatically generated and cannot be changed"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"name": ""}, None),
        ({"name": "production"}, {"message": {"name": ["has already been taken"]}}),
        ({"name": "x", "slug": "y"}, {
            "error": "slug is automatically generated and cannot be changed"}),
        ({"name": "x", "tier": "moon"}, {"error": "tier does not have a valid value"}),
        ({"name": "x", "external_url": "u" * 256}, {
            "message": {"external_url": ["is too long (maximum is 255 characters)"]}}),
        ({"name": "x", "description": "u" * 10_001}, {
            "message": {"description": ["is too long (maximum is 10000 characters)"]}}),
    ],
)  # fmt: skip
def test_a_bad_environment_is_400(mock: Mock, body: dict[str, Any], error: Any):
    made(mock)

    answer = mock.post(URL, json=body)

    assert answer.status_code == 400
    assert error in (None, answer.json())
    assert names(mock) == ["production"]


def test_a_project_has_room_for_so_many_environments(mock: Mock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environments_of_the_world, "MOST_MADE", 1)
    number = made(mock)["id"]

    answer = mock.post(URL, json={"name": "staging"})

    assert answer.json() == {"message": {"project": ["has too many environments"]}}
    assert mock.put(f"{URL}/{number}", json={"tier": "other"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/stop")]
)
def test_an_unknown_environment_is_404(mock: Mock, method: str, path: str):
    answer = mock.request(method, f"{URL}/7{path}", json={"tier": "other"})

    assert (answer.status_code, answer.json()) == (404, {"message": "404 Not found"})


# ---------------------------------------------------------------------------- stopping


def test_a_stop_is_at_once_without_a_job_for_it(mock: Mock):
    number = made(mock)["id"]

    answer = mock.post(f"{URL}/{number}/stop")

    assert (answer.status_code, answer.json()["state"]) == (200, "stopped")
    assert mock.post(f"{URL}/{number}/stop").json()["state"] == "stopped"


def test_a_stop_plays_its_job_and_waits_for_it(mock: Mock):
    number = deployed(mock, DEPLOY["environment"], STOP, duration=10)["id"]  # type: ignore[arg-type]
    mock.advance("20s")

    assert mock.post(f"{URL}/{number}/stop").json()["state"] == "stopping"
    assert mock.get(f"{JOBS}/100002").json()["status"] == "running"
    mock.advance("5s")
    assert only(mock)["state"] == "stopped"


def test_a_failed_stop_leaves_it_available(mock: Mock):
    stop = {**STOP, "status": "failed"}
    number = deployed(mock, DEPLOY["environment"], stop)["id"]  # type: ignore[arg-type]

    mock.post(f"{URL}/{number}/stop")
    mock.advance("5s")

    assert only(mock)["state"] == "available"


def test_force_stops_without_the_job(mock: Mock):
    number = deployed(mock, DEPLOY["environment"], STOP)["id"]  # type: ignore[arg-type]

    assert mock.post(f"{URL}/{number}/stop?force=true").json()["state"] == "stopped"
    assert mock.get(f"{JOBS}/100002").json()["status"] == "manual"


def test_a_stop_job_that_cannot_be_played_is_not_waited_for(mock: Mock):
    stop = {**STOP, "when": "on_success", "duration": 600, "needs": []}
    number = deployed(mock, DEPLOY["environment"], stop)["id"]  # type: ignore[arg-type]

    assert mock.post(f"{URL}/{number}/stop").json()["state"] == "stopped"


def test_a_stop_whose_pipeline_is_deleted_has_stopped(mock: Mock):
    made(mock, "review/feature-x")
    number = deployed(mock, DEPLOY["environment"], STOP)["id"]  # type: ignore[arg-type]
    mock.post(f"{URL}/{number}/stop")

    mock.delete("/api/v4/projects/1/pipelines/1")

    assert only(mock)["state"] == "stopped"


def test_a_played_stop_job_stops_it(mock: Mock):
    deployed(mock, DEPLOY["environment"], STOP)  # type: ignore[arg-type]
    mock.post(f"{JOBS}/100002/play")
    mock.advance("5s")

    assert only(mock)["state"] == "stopped"


def test_a_new_deployment_makes_it_available_again(mock: Mock):
    number = deployed(mock, {"name": "production"})["id"]
    mock.post(f"{URL}/{number}/stop")
    mock.advance("1s")

    mock.trigger(scenario_id=900)

    assert only(mock)["state"] == "available"


def test_a_deployment_of_the_api_makes_it_available_again(mock: Mock):
    number = made(mock)["id"]
    mock.post(f"{URL}/{number}/stop")
    mock.advance("1s")

    body = {"environment": "production", "sha": "a" * 40, "ref": "main", "tag": False}
    mock.post("/api/v4/projects/1/deployments", json={**body, "status": "success"})

    assert only(mock)["state"] == "available"


def test_an_environment_stops_by_itself(mock: Mock):
    seen = deployed(mock, {"name": "review/x", "auto_stop_in": "1h"})
    assert (seen["state"], seen["auto_stop_at"]) == ("available", "2026-01-01T01:00:00.000Z")

    mock.advance("1h")

    seen = only(mock)
    assert (seen["state"], seen["auto_stop_at"]) == ("stopped", None)
    assert seen["updated_at"] == "2026-01-01T01:00:00.000Z"


@pytest.mark.parametrize(("on_stop", "state"), [(None, "available"), ("stop", "stopped")])
def test_production_stops_by_itself_only_with_a_job_for_it(
    mock: Mock, on_stop: str | None, state: str
):
    stop = {**STOP, "environment": {"name": "production", "action": "stop"}}
    environment = {"name": "production", "auto_stop_in": "1h", "on_stop": on_stop}
    deployed(mock, {k: v for k, v in environment.items() if v}, stop)

    mock.advance("1h")

    assert only(mock)["state"] == state


def test_stale_environments_are_stopped(mock: Mock):
    made(mock, "old")
    mock.advance("10d")
    made(mock, "new")

    answer = mock.post(f"{URL}/stop_stale", json={"before": "2026-01-03T00:00:00Z"})

    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Successfully requested stop for all stale environments"},
    )
    assert names(mock, "states=stopped") == ["old"]


@pytest.mark.parametrize("before", ["2025-12-31T00:00:00Z", "2010-01-01T00:00:00Z"])
def test_stale_is_between_a_week_and_ten_years(mock: Mock, before: str):
    answer = mock.post(f"{URL}/stop_stale", json={"before": before})

    assert (answer.status_code, answer.json()) == (
        400,
        {"message": "400 Bad request - Invalid Date"},
    )


# ---------------------------------------------------------------------------- deleting


def test_only_a_stopped_environment_is_deleted(mock: Mock):
    number = made(mock)["id"]
    assert mock.delete(f"{URL}/{number}").json() == {"message": "403 Forbidden"}
    mock.post(f"{URL}/{number}/stop")

    assert mock.delete(f"{URL}/{number}").status_code == 204

    assert names(mock) == []
    assert made(mock)["state"] == "available"


def test_a_deleted_environment_takes_its_deployments_along(mock: Mock):
    number = deployed(mock, {"name": "production"})["id"]
    mock.post(f"{URL}/{number}/stop")
    mock.advance("1s")
    mock.delete(f"{URL}/{number}")

    assert names(mock) == []
    assert mock.get("/api/v4/projects/1/deployments").json() == []
    mock.advance("1s")
    mock.trigger(scenario_id=900)
    assert [each["id"] for each in mock.get("/api/v4/projects/1/deployments").json()] == [200_001]
    assert only(mock)["created_at"] == "2026-01-01T00:00:02.000Z"


def test_environments_outlive_a_restart(mock_with: Callable[..., Mock], tmp_path: Any):
    base = f"version: 1\ndatabase: {tmp_path / 'mock.db'}\n"
    base += "clock: {start: 2026-01-01T00:00:00Z, frozen: true}\n"
    first = mock_with(base=base)
    number = made(first, description="mine")["id"]
    first.post(f"{URL}/{number}/stop")
    first.__exit__()

    second = mock_with(base=base)

    assert (only(second)["description"], only(second)["state"]) == ("mine", "stopped")
