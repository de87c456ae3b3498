"""Jumping to the next change, where bridges start pipelines in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

CHAIN = """
projects: [{id: 41, path: group/a}, {id: 42, path: group/b}, {id: 43, path: group/c}]
scenarios:
  - scenario_id: 900
    jobs:
      - {name: build, stage: build, duration: 30s}
      - {name: to b, stage: deploy, downstream: {project: group/b, scenario: 901, strategy: depend}}
  - scenario_id: 901
    jobs:
      - {name: test, stage: build, duration: 10s}
      - {name: to c, stage: deploy, downstream: {project: group/c, scenario: 7, strategy: depend}}
  - {scenario_id: 903, name: at once}
"""


@pytest.fixture
def chain(mock_with: Callable[..., Mock]) -> Mock:
    return mock_with(CHAIN)


def jump(mock: Mock, **where: int) -> Any:
    answer = mock.post("/_mock/clock/next", json=where)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_next_of_a_pipeline_looks_through_the_bridges_that_decide_it(chain: Mock):
    chain.trigger("41", scenario_id=900)

    moments = [jump(chain, pipeline_id=1)["now"][14:19] for _ in range(3)]

    assert moments == ["00:30", "00:47", "00:47"]
    assert chain.pipeline(1, "41")["status"] == "success"


def test_next_of_a_project_is_the_moment_at_which_a_bridge_starts_something_there(chain: Mock):
    chain.trigger("41", scenario_id=900)

    found = jump(chain, project_id=43)

    assert found["now"][14:19] == "00:40"
    assert [row["id"] for row in chain.get("/projects/43/pipelines").json()] == [3]
    moments = [change["at"] for change in found["changes"]]
    assert moments == sorted(moments)


def test_next_where_nothing_is_to_come_moves_nothing_and_starts_nothing(chain: Mock):
    chain.trigger("41", scenario_id=900)
    chain.trigger("1", scenario_id=0)
    before = chain.get("/_mock/pipelines").json()

    assert jump(chain, project_id=1) == {
        "now": "2026-01-01T00:00:00.000Z",
        "frozen": True,
        "changes": [],
    }
    assert chain.get("/_mock/pipelines").json() == before
    chain.advance("40s")
    assert [row["id"] for row in chain.get("/projects/43/pipelines").json()] == [4]


def test_next_tells_of_a_pipeline_that_is_over_at_its_beginning(chain: Mock):
    job = {"name": "x", "downstream": {"project": "group/c", "scenario": 903}}
    chain.declare(910, pending_seconds=5, jobs=[job])
    chain.trigger("41", scenario_id=910)

    found = jump(chain)

    assert (2, None, "success") in [
        (change["pipeline_id"], change["before"], change["after"]) for change in found["changes"]
    ]


def test_pipelines_that_bridges_start_are_numbered_in_the_order_of_time(chain: Mock):
    for number, pending in ((910, 20), (911, 10)):
        job = {"name": "x", "downstream": {"project": "group/c", "scenario": 903}}
        chain.declare(number, pending_seconds=pending, jobs=[job])
        chain.trigger("41", scenario_id=number)

    chain.advance("1m")

    rows = chain.get("/projects/43/pipelines").json()
    assert [row["created_at"][17:19] for row in rows] == ["20", "10"]


@pytest.mark.parametrize("path", ["/_mock/pipelines/2", "/_mock/pipelines?project_id=42"])
def test_a_bridge_starts_no_second_pipeline_when_its_first_was_deleted(chain: Mock, path: str):
    chain.trigger("41", scenario_id=900)
    chain.advance("30s")

    assert chain.delete(path).status_code < 300
    chain.declare(950)  # which has every scenario be looked at again

    assert [row["id"] for row in chain.get("/_mock/pipelines").json()] == [1]
    chain.post("/_mock/reset")
    chain.trigger("41", scenario_id=900)
    chain.advance("30s")
    assert [row["id"] for row in chain.get("/_mock/pipelines").json()] == [2, 1]


def test_a_cancelled_downstream_lets_the_bridge_after_it_begin_at_once(chain: Mock):
    to_b = {"project": "group/b", "scenario": 0, "strategy": "depend"}
    jobs = [
        {"name": "one", "downstream": to_b, "allow_failure": True},
        {"name": "two", "stage": "later", "downstream": {"project": "group/c"}},
    ]
    chain.declare(910, stages=["test", "later"], jobs=jobs)
    chain.trigger("41", scenario_id=910)
    [waiting] = chain.get("/projects/42/pipelines").json()

    chain.post(f"/projects/42/pipelines/{waiting['id']}/cancel")

    assert len(chain.get("/projects/43/pipelines").json()) == 1


@pytest.mark.parametrize("where", [{"pipeline_id": 9}, {"pipeline_id": 1, "project_id": 42}])
def test_next_of_a_pipeline_that_is_not_there_is_404(chain: Mock, where: dict[str, int]):
    chain.trigger("41", scenario_id=900)

    answer = chain.post("/_mock/clock/next", json=where)

    assert (answer.status_code, answer.json()["message"]) == (404, "404 Pipeline Not Found")
