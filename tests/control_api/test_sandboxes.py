"""Worlds are made, reset and deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

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

    assert [row["name"] for row in mock.get("/_mock/sandboxes").json()] == ["a", "c"]


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
