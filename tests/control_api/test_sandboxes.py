"""Worlds are made, reset and deleted."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mock_gitlab.engine.model import Declarations
from mock_gitlab.world.sandboxes import Worlds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Mock


def test_reset_makes_the_world_as_new(mock: Mock):
    mock.declare(900)
    mock.trigger()
    mock.get("/projects/group%2Fapp")
    mock.post("/projects/1/triggers", json={"description": "x"})
    mock.advance("1h")

    assert mock.post("/_mock/reset").status_code == 204

    assert mock.get("/_mock/requests").json() == []
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"
    assert mock.get("/_mock/scenarios?source=runtime").json() == []
    assert mock.get("/projects").json() == []
    assert mock.trigger()["id"] == 1


def test_the_default_world_is_reset_only_where_that_is_allowed(mock_with: Callable[..., Mock]):
    mock = mock_with(base="version: 1\ndatabase: ':memory:'\n")
    mock.trigger()

    refused = mock.post("/_mock/reset")
    sandboxed = mock.post("/sandbox/mine/_mock/reset")

    assert (refused.status_code, sandboxed.status_code) == (403, 204)
    assert mock.pipeline(1)["id"] == 1


def test_a_sandbox_is_a_gitlab_of_its_own_from_its_first_use(mock: Mock):
    mock.trigger()
    mock.post("/sandbox/a/api/v4/projects/7/trigger/pipeline", json={"ref": "main"})
    mock.post("/sandbox/a/_mock/clock/advance", json={"duration": "1h"})

    inside = mock.get("/sandbox/a/api/v4/projects/7/pipelines/1").json()

    assert (inside["id"], inside["status"]) == (1, "success")
    assert inside["web_url"] == "http://testserver/sandbox/a/root/project-7/-/pipelines/1"
    assert mock.get("/sandbox/b/projects/7/pipelines").json() == []
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"
    assert [row["name"] for row in mock.get("/_mock/sandboxes").json()] == ["a", "b"]


def test_the_least_recently_used_sandbox_goes_first(mock_with: Callable[..., Mock]):
    mock = mock_with("sandboxes: 2\n")
    for name in ("a", "b", "a", "c"):
        mock.get(f"/sandbox/{name}/version")

    assert names(mock) == ["a", "c"]


def names(mock: Mock) -> list[str]:
    return [row["name"] for row in mock.get("/_mock/sandboxes").json()]


TRIGGER = "/sandbox/mine/api/v4/projects/1/trigger/pipeline"


@pytest.mark.parametrize(
    "request_",
    [
        {"url": "/sandbox/mine/api/v4/version"},
        {"url": "/sandbox/mine/api/v4/version", "headers": {"PRIVATE-TOKEN": "wrong"}},
        {"url": "/sandbox/mine/api/v4/version?private_token=wrong"},
        {"url": "/sandbox/mine/_mock/pipelines"},
        {"url": "/sandbox/mine/_mock/health"},
        {"url": TRIGGER, "method": "POST", "data": {"ref": "main", "token": "wrong"}},
        {"url": TRIGGER, "method": "POST", "content": b"{", "headers": {"Content-Type": "a/json"}},
        {"url": TRIGGER, "method": "POST", "json": {"ref": "main", "token": ["MOCK_SUPER_SECRET"]}},
    ],
)
def test_a_request_without_the_token_makes_no_sandbox(
    mock_with: Callable[..., Mock], request_: dict[str, Any]
):
    mock = mock_with("sandboxes: 1\n")
    mock.get("/sandbox/other/version")

    refused = mock.anonymous().request(**{"method": "GET", **request_})

    assert (refused.status_code, refused.headers["x-mock-sandbox"]) == (401, "missing")
    assert refused.json() == {"message": "401 Unauthorized"}
    assert names(mock) == ["other"]


@pytest.mark.parametrize(
    "request_",
    [
        {"url": TRIGGER, "data": {"ref": "main", "token": "MOCK_SUPER_SECRET"}},
        {"url": TRIGGER, "json": {"ref": "main", "token": "MOCK_SUPER_SECRET"}},
        {"url": TRIGGER, "json": {"ref": "main", "token": "glptt-declared"}},
        {"url": f"{TRIGGER}?ref=main&token=MOCK_SUPER_SECRET"},
        {"url": f"{TRIGGER}?ref=main&private_token=MOCK_SUPER_SECRET"},
        {"url": f"{TRIGGER}?ref=main", "headers": {"Authorization": "Bearer MOCK_SUPER_SECRET"}},
    ],
)
def test_every_token_that_triggers_makes_the_sandbox(
    mock_with: Callable[..., Mock], request_: dict[str, Any]
):
    mock = mock_with("projects: [{id: 1, path: a/b, trigger_tokens: [{token: glptt-declared}]}]\n")

    made = mock.anonymous().request("POST", **request_)

    assert (made.status_code, made.json()["id"], made.json()["ref"]) == (201, 1, "main")
    assert names(mock) == ["mine"]


@pytest.mark.parametrize("page", ["openapi.json", "docs", "redoc"])
def test_the_documentation_makes_no_sandbox(mock: Mock, page: str):
    assert mock.get(f"/sandbox/mine/{page}").status_code == 200
    assert names(mock) == []


def test_two_first_requests_at_once_share_the_sandbox(mock: Mock):
    async def both() -> list[int]:
        transport = httpx.ASGITransport(mock.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
            body = {"ref": "main", "token": "MOCK_SUPER_SECRET"}
            made = await asyncio.gather(*(client.post(TRIGGER, data=body) for _ in range(2)))
        return sorted(each.json()["id"] for each in made)

    assert asyncio.run(both()) == [1, 2]


def test_a_fault_applies_to_the_first_request_of_a_sandbox(mock_with: Callable[..., Mock]):
    mock = mock_with("faults: [{times: 1, respond: {status: 502}}]\n")
    body = {"ref": "main", "token": "MOCK_SUPER_SECRET"}

    answers = [mock.anonymous().post(TRIGGER, data=body).status_code for _ in range(2)]

    assert answers == [502, 201]


def test_an_eviction_is_logged_and_told(
    mock_with: Callable[..., Mock], caplog: pytest.LogCaptureFixture
):
    mock = mock_with("sandboxes: 1\n")
    for name in ("old", "new"):
        mock.get(f"/sandbox/{name}/version")

    logged = [each for each in caplog.records if each.name.startswith("mock_gitlab")]
    assert [(each.levelname, each.getMessage()) for each in logged] == [
        (
            "WARNING",
            "sandbox old is evicted, to make room for new: there may be 1 (sandboxes in mock.yaml)",
        )
    ]
    for path in ("api/v4/version", "_mock/clock"):
        gone = mock.get(f"/sandbox/old/{path}")
        assert (gone.status_code, gone.headers["x-mock-sandbox"]) == (404, "evicted")
        assert "sandbox old was evicted" in gone.json()["message"]
    assert names(mock) == ["new"]


def test_an_evicted_sandbox_can_be_made_anew(mock_with: Callable[..., Mock]):
    mock = mock_with("sandboxes: 1\n")
    for name in ("old", "new"):
        mock.get(f"/sandbox/{name}/version")

    assert mock.post("/_mock/sandboxes", json={"name": "old"}).status_code == 201
    assert mock.get("/sandbox/old/version").status_code == 200
    assert mock.get("/sandbox/new/version").status_code == 404


def test_a_deleted_sandbox_may_be_used_again(mock: Mock):
    mock.get("/sandbox/mine/version")
    mock.delete("/_mock/sandboxes/mine")

    assert mock.get("/sandbox/mine/version").status_code == 200


def test_a_server_may_demand_that_sandboxes_are_made_first(mock_with: Callable[..., Mock]):
    mock = mock_with("sandboxes: {create: explicit}\n")

    for path in ("api/v4/version", "_mock/clock"):
        missing = mock.get(f"/sandbox/mine/{path}")
        assert (missing.status_code, missing.headers["x-mock-sandbox"]) == (404, "missing")
        assert "there is no sandbox mine" in missing.json()["message"]
    mock.post("/_mock/sandboxes", json={"name": "mine"})

    assert mock.get("/sandbox/mine/version").status_code == 200


def test_of_many_evictions_the_latest_are_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mock_gitlab.world.sandboxes._MOST_REMEMBERED", 1)
    worlds = Worlds(":memory:", Declarations(sandbox_limit=1))
    for name in ("a", "b", "c"):
        worlds.create(name)

    assert [worlds.was_evicted(name) for name in ("a", "b", "c")] == [False, True, False]
    worlds.close()


def test_what_the_clock_of_a_sandbox_leaves_out_is_as_declared(mock: Mock):
    clocks = [
        mock.post("/_mock/sandboxes", json={"name": f"s{n}", "clock": clock}).json()["clock"]
        for n, clock in enumerate(({"now": "2030-01-01T00:00:00Z"}, {"frozen": False}))
    ]

    assert clocks[0] == {"now": "2030-01-01T00:00:00.000Z", "frozen": True}
    assert (clocks[1]["now"][:16], clocks[1]["frozen"]) == ("2026-01-01T00:00", False)


@pytest.mark.parametrize("seed", ["", "\ud800", [], True])
def test_a_seed_that_is_none_is_422(mock: Mock, seed: Any):
    body = json.dumps({"name": "a", "seed": seed})

    refused = mock.post(
        "/_mock/sandboxes", content=body, headers={"Content-Type": "application/json"}
    )

    assert refused.status_code == 422
    assert mock.get("/_mock/sandboxes").json() == []


def test_a_sandbox_can_have_a_clock_and_a_seed_of_its_own(mock: Mock):
    clock = {"now": "2030-01-01T00:00:00Z", "frozen": True}

    made = mock.post("/_mock/sandboxes", json={"name": "a", "clock": clock, "seed": 1})
    again = mock.post("/_mock/sandboxes", json={"name": "a"})

    assert (made.status_code, made.json()["clock"]["now"][:4]) == (201, "2030")
    assert again.status_code == 409
    assert mock.delete("/_mock/sandboxes/a").status_code == 204
    assert mock.delete("/_mock/sandboxes/a").status_code == 404


@pytest.mark.parametrize("name", ["a%2Fb", "%2e%2e", "-", "a" * 129, "%00"])
def test_a_name_that_could_be_a_path_is_no_sandbox(mock: Mock, name: str):
    assert mock.get(f"/sandbox/{name}/projects/1/pipelines").status_code in (400, 404)
    assert mock.get("/_mock/sandboxes").json() == []


# ---------------------------------------------------------------------------- of its own


def make(mock: Mock, **own: Any) -> None:
    answer = mock.post("/_mock/sandboxes", json={"name": "mine", **own})
    assert answer.status_code == 201, answer.text


MINE = "/sandbox/mine/api/v4"


def test_a_sandbox_may_be_strict_with_projects_of_its_own(mock: Mock):
    token = {"token": "glptt-mine"}
    make(mock, strict=True, projects=[{"id": 7, "path": "a/b", "trigger_tokens": [token]}])

    triggered = mock.anonymous().post(
        f"{MINE}/projects/7/trigger/pipeline", data={"token": "glptt-mine", "ref": "main"}
    )

    assert triggered.status_code == 201
    assert mock.get(f"{MINE}/projects/8").status_code == 404
    assert mock.get("/projects/8").status_code == 200
    assert mock.get("/projects/7").json()["path_with_namespace"] == "root/project-7"


def test_a_sandbox_may_have_a_user_of_its_own(mock: Mock):
    make(mock, user={"username": "jane"})

    assert mock.get(f"{MINE}/user").json()["username"] == "jane"
    assert mock.get("/user").json()["username"] == "root"


def test_a_sandbox_may_have_a_default_scenario_that_is_declared_later(mock: Mock):
    make(mock, default_scenario=900)
    trigger = {"url": f"{MINE}/projects/1/trigger/pipeline", "json": {"ref": "main"}}

    before = mock.post(**trigger)
    mock.post("/sandbox/mine/_mock/scenarios", json={"scenario_id": 900, "name": "mine"})
    after = mock.post(**trigger)

    assert (before.status_code, after.status_code) == (404, 201)
    assert before.json() == {"message": "404 Scenario Not Found"}
    refused = mock.get("/sandbox/mine/_mock/requests?status=404").json()[0]
    assert refused["reason"].endswith("default_scenario is 900, which nothing declares")
    assert mock.get("/sandbox/mine/_mock/pipelines/1").json()["scenario_id"] == 900


def test_a_bridge_needs_no_default_scenario(mock: Mock):
    make(mock, default_scenario=900)
    bridge = {"name": "down", "downstream": {"project": "a/b"}}
    fields = {"scenario_id": 901, "name": "up", "jobs": [{"name": "build"}, bridge]}
    mock.post("/sandbox/mine/_mock/scenarios", json=fields)
    mock.post(
        f"{MINE}/projects/1/trigger/pipeline", json={"ref": "main", "scenario_id": 901}
    ).raise_for_status()

    mock.post("/sandbox/mine/_mock/clock/advance", json={"duration": "1h"})

    assert mock.get(f"{MINE}/projects/1/pipelines/1").json()["status"] == "success"


def test_what_a_sandbox_has_for_itself_outlives_an_edit_of_the_files(
    mock_with: Callable[..., Mock], tmp_path: Path
):
    mock = mock_with()
    make(mock, user={"username": "jane"}, journal=1)
    path = next(tmp_path.glob("mock-*.yaml"))
    path.write_text(path.read_text() + "user: {username: joe}\n", encoding="utf-8")
    mock.post("/_mock/config/reload")

    assert mock.get(f"{MINE}/user").json()["username"] == "jane"
    assert mock.get("/user").json()["username"] == "joe"
    assert len(mock.get("/sandbox/mine/_mock/requests").json()) == 1


@pytest.mark.parametrize(
    ("projects", "what"),
    [
        ([{"id": 1, "path": "a/b"}, {"id": 1, "path": "a/c"}], "two have the same id"),
        ([{"id": 1, "path": "a/b"}, {"id": 2, "path": "a/b"}], "two have the same path"),
        (
            [{"id": 1, "path": "a/b", "trigger_tokens": [{"token": "t"}, {"token": "t"}]}],
            "two have the same token",
        ),
        ([{"id": 1, "path": "b"}], "projects[0].path: must be a full path"),
    ],
)
def test_projects_that_contradict_each_other_are_refused(mock: Mock, projects: Any, what: str):
    answer = mock.post("/_mock/sandboxes", json={"name": "mine", "projects": projects})

    assert answer.status_code == 422
    assert what in answer.json()["message"]
    assert names(mock) == []


def test_a_sandbox_has_no_number_of_a_pipeline_twice(mock: Mock):
    twice = [{"project": 1, "id": 7}, {"project": 2, "id": 7}]

    answer = mock.post("/_mock/sandboxes", json={"name": "mine", "pipelines": twice})

    assert (answer.status_code, answer.json()["message"]) == (
        422,
        "pipelines[1].id: the id 7 is taken by an entry above",
    )
