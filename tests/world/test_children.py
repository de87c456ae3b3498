"""Child pipelines: bridges with ``trigger: {include: ...}`` start them in their own project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock

PROJECT = "/api/v4/projects/1"
PIPELINES = f"{PROJECT}/pipelines"


def child(number: int | None = 901, **keys: Any) -> dict[str, Any]:
    """Write a bridge that starts a child pipeline."""
    trigger = {"include": "child.yml", "scenario": number, "strategy": "depend", **keys}
    return {"name": "child", "trigger": trigger}


@pytest.fixture
def parent(mock: Mock) -> Mock:
    """A parent that starts a child after 10 seconds, which fails 20 seconds later."""
    mock.declare(901, jobs=[{"name": "unit", "duration": "20s", "status": "failed"}])
    mock.declare(900, jobs=[{"name": "build", "stage": "build", "duration": "10s"}, child()])
    mock.trigger(scenario_id=900, ref="topic")
    return mock


def numbers(mock: Mock, query: str = "") -> list[int]:
    return [each["id"] for each in mock.get(f"{PIPELINES}{query}").json()]


def test_a_child_runs_in_the_project_and_for_the_commit_of_its_parent(parent: Mock):
    parent.advance("10s")
    above, below = (parent.get(f"{PIPELINES}/{number}").json() for number in (1, 2))

    assert below["source"] == "parent_pipeline"
    assert (below["ref"], below["sha"]) == (above["ref"], above["sha"]) == ("topic", above["sha"])
    assert above["source"] == "trigger"


def test_the_parent_shows_how_its_child_ends(parent: Mock):
    parent.advance("30s")
    bridge = parent.get(f"{PIPELINES}/1/bridges").json()[0]

    assert (bridge["status"], bridge["downstream_pipeline"]["id"]) == ("failed", 2)
    assert parent.get(f"{PIPELINES}/1").json()["status"] == "failed"


def test_lists_leave_children_out_unless_they_are_asked_for(parent: Mock):
    parent.advance("10s")
    parent.trigger(scenario_id=5, ref="other")

    assert numbers(parent) == [3, 1]
    assert numbers(parent, "?source=parent_pipeline") == [2]
    assert numbers(parent, "?source=trigger") == [3, 1]
    assert numbers(parent, "?scope=branches") == [3, 1]
    assert parent.get(PIPELINES).headers["x-total"] == "2"


def test_the_newest_of_a_ref_and_of_a_commit_is_no_child(parent: Mock):
    parent.advance("10s")
    newest = parent.get(f"{PIPELINES}/latest?ref=topic").json()
    commit = parent.get(f"{PROJECT}/repository/commits/topic").json()

    assert (newest["id"], commit["last_pipeline"]["id"]) == (1, 1)


def test_a_rule_chooses_the_scenario_of_a_child_by_its_source(mock: Mock):
    rule = {"when": {"source": "parent_pipeline", "ref": "topic"}, "scenario": 901}
    mock.declare(901, jobs=[{"name": "by rule"}])
    assert mock.post("/_mock/rules", json=rule).status_code == 201
    mock.declare(900, jobs=[child(None)])
    mock.trigger(scenario_id=900, ref="topic")

    assert [job["name"] for job in mock.get(f"{PIPELINES}/2/jobs").json()] == ["by rule"]


def test_a_child_gets_the_variables_of_its_bridge(mock: Mock):
    mock.declare(900, jobs=[child(5, variables={"SERVICE": "api"})])
    mock.trigger(scenario_id=900)

    shown = mock.get(f"{PIPELINES}/2/variables").json()
    assert [(each["key"], each["value"]) for each in shown] == [("SERVICE", "api")]


def test_a_cancel_of_the_parent_cancels_its_children(parent: Mock):
    parent.advance("10s")
    parent.post(f"{PIPELINES}/1/cancel")

    assert [parent.get(f"{PIPELINES}/{n}").json()["status"] for n in (1, 2)] == ["canceled"] * 2


def test_a_cancel_leaves_a_child_that_has_ended_and_a_pipeline_that_is_none(mock: Mock):
    mock.declare(901, jobs=[{"name": "unit", "duration": "5s"}])
    mock.declare(902, jobs=[{"name": "long", "duration": "1h"}])
    other = {"name": "other", "downstream": {"project": "1", "scenario": 902}}
    mock.declare(900, jobs=[child(), other, {"name": "wait", "duration": "1h"}])
    mock.trigger(scenario_id=900)
    mock.advance("10s")
    mock.post(f"{PIPELINES}/1/cancel")

    shown = {each["scenario_id"]: each["status"] for each in mock.get("/_mock/pipelines").json()}
    assert shown == {900: "canceled", 901: "success", 902: "running"}


def test_a_grandchild_has_no_children(mock: Mock):
    for number in (901, 902):
        mock.declare(number, jobs=[child(number + 1)])
    mock.declare(903, jobs=[{"name": "too deep"}])
    mock.declare(900, jobs=[child()])
    mock.trigger(scenario_id=900)

    bridge = mock.get(f"{PIPELINES}/3/bridges").json()[0]
    assert bridge["failure_reason"] == "reached_max_descendant_pipelines_depth"
    assert numbers(mock, "?source=parent_pipeline") == [3, 2]


def test_trigger_names_a_project_as_gitlab_does(mock: Mock):
    mock.declare(901, name="downstream")
    mock.declare(900, jobs=[
        {"name": "short", "trigger": "group/deploy"},
        {"name": "long", "trigger": {"project": "group/deploy", "branch": "v2", "scenario": 901}},
    ])  # fmt: skip
    mock.trigger(scenario_id=900)

    started = [each["downstream_pipeline"] for each in mock.get(f"{PIPELINES}/1/bridges").json()]
    assert [(each["ref"], each["source"]) for each in started] == [
        ("v2", "pipeline"),
        ("main", "pipeline"),
    ]


def test_after_a_reset_there_are_no_children(parent: Mock):
    parent.advance("10s")
    assert numbers(parent) == [1]
    assert parent.post("/_mock/reset").status_code in (200, 204)
    parent.trigger(scenario_id=5)

    assert numbers(parent) == [1]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"trigger": {}}, "trigger needs a project or an include"),
        ({"trigger": {"include": "a", "project": "b"}}, "cannot be combined with project"),
        ({"trigger": {"include": "a", "branch": "b"}}, "cannot be combined with branch"),
        ({"trigger": "a", "downstream": {"project": "b"}}, "cannot be combined with downstream"),
        ({"trigger": "a", "duration": 3}, "cannot be combined with trigger"),
        ({"trigger": "a", "retry": 1}, "cannot be combined with trigger"),
    ],
)
def test_what_no_bridge_can_be_is_a_mistake(mock: Mock, keys: dict[str, Any], said: str):
    body = {"scenario_id": 900, "jobs": [{"name": "a", **keys}]}

    answer = mock.post("/_mock/scenarios", json=body)

    assert (answer.status_code, said in answer.text) == (422, True)
