"""Why a pipeline got its scenario: explained when somebody asks, as it was when it was created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Mock

RULES = """
rules:
  - when: {ref: release/*}
    scenario: 1
  - when: {variables: {ENV: prod}}
    scenario: 2
    variables: {ENV: staging, ADDED: "1"}
  - when: {inputs: {level: 3}}
    scenario: 3
  - when: {ref: hotfix}
    respond: {status: 400}
"""


def explanation(mock: Mock, number: int = 1) -> Any:
    return mock.get(f"/_mock/pipelines/{number}").json()["matched"]


@pytest.fixture
def ruled(mock_with: Callable[..., Mock]) -> Mock:
    return mock_with(RULES)


def passed_over(mock: Mock, number: int = 1) -> list[tuple[str, list[str]]]:
    return [
        (each["rule"].rpartition(":")[2], [d["what"] for d in each["differences"]])
        for each in explanation(mock, number)["passed"]
    ]


def test_each_rule_before_the_one_that_matched_says_what_differed(ruled: Mock):
    ruled.trigger(inputs={"level": 3})

    told = explanation(ruled)
    assert (told["by"], told["scenario_id"], told["unexplained"]) == ("rule", 3, 0)
    assert passed_over(ruled) == [("8", ["ref"]), ("10", ["variables.ENV"])]


def test_a_list_says_which_rule_it_was_and_leaves_out_why_the_others_were_not(ruled: Mock):
    ruled.trigger(inputs={"level": 3})

    [row] = ruled.get("/_mock/pipelines").json()

    assert row["matched"].keys() == {"by", "scenario_id", "rule"}
    assert row["matched"].items() <= explanation(ruled).items()


TYPED = """
rules:
  - {when: {inputs: {level: 3, debug: false, names: [a, 1]}}, scenario: 900}
  - {when: {inputs: {debug: {present: true}}, variables: {A: {present: false}}}, scenario: 901}
  - {when: {inputs: {debug: {present: false}}, variables: {A: {present: true}}}, scenario: 902}
scenarios: [{scenario_id: 900}, {scenario_id: 901}, {scenario_id: 902}]
"""


def test_typed_inputs_match_as_json_and_as_a_form(mock_with: Callable[..., Mock]):
    mock = mock_with(TYPED)
    form = {"ref": "main", "inputs[level]": "3", "inputs[debug]": "false"}
    names = {"inputs[names][]": ["a", "1"]}

    mock.trigger(inputs={"level": 3, "debug": False, "names": ["a", 1]})
    mock.post("/projects/1/trigger/pipeline", data={**form, **names})
    mock.trigger(inputs={"level": 3, "debug": True})
    mock.trigger(variables={"A": "b"})

    chosen = [explanation(mock, number)["scenario_id"] for number in range(1, 5)]
    assert chosen == [900, 900, 901, 902]


def test_a_default_says_why_no_rule_matched(ruled: Mock):
    ruled.trigger(inputs={"level": 4})

    assert explanation(ruled)["by"] == "default"
    assert passed_over(ruled)[2:] == [("13", ["inputs.level"]), ("15", ["ref"])]


def test_a_scenario_that_the_request_names_needs_no_rule(ruled: Mock):
    ruled.trigger(scenario_id=5)

    assert explanation(ruled) == {
        "by": "request",
        "scenario_id": 5,
        "rule": None,
        "passed": [],
        "unexplained": 0,
    }


def test_without_rules_there_is_nothing_to_explain(mock: Mock):
    mock.trigger()

    assert explanation(mock) is None


def test_the_variables_that_a_rule_adds_are_not_what_it_matched(ruled: Mock):
    ruled.trigger(variables={"ENV": "prod"})

    assert explanation(ruled)["passed"][0]["differences"][0]["what"] == "ref"
    assert ruled.get("/_mock/pipelines/1").json()["variables"] == {"ENV": "prod", "ADDED": "1"}


def test_an_explanation_is_that_of_the_rules_of_its_time(ruled: Mock):
    ruled.trigger()
    before = explanation(ruled)

    ruled.post("/_mock/rules", json={"when": {"ref": "main"}, "scenario": 9})
    ruled.trigger()

    assert explanation(ruled) == before
    assert explanation(ruled, 2)["rule"] == "runtime-1"
    ruled.delete("/_mock/rules")
    assert explanation(ruled, 2)["rule"] == "runtime-1"
    ruled.trigger()
    assert explanation(ruled, 3)["passed"] == before["passed"]


def test_an_explanation_outlives_a_restart(tmp_path: Path, mock_with: Callable[..., Mock]):
    base = f"version: 1\ndatabase: '{tmp_path}/kept.db'\n"
    first = mock_with(RULES, base=base)
    first.trigger()
    before = explanation(first)
    first.app.close()  # type: ignore[attr-defined]  # the application is ours

    again = mock_with(base=base)

    assert explanation(again) == before


def test_after_a_reset_choices_are_explained_all_the_same(ruled: Mock):
    ruled.trigger()
    before = explanation(ruled)
    assert ruled.post("/_mock/reset").status_code == 204

    ruled.trigger()

    assert explanation(ruled) == before
    assert len(before["passed"]) == 4


def test_of_very_many_rules_the_first_hundred_are_explained(mock_with: Callable[..., Mock]):
    rules = "".join(f"  - {{when: {{ref: v{number}}}, scenario: 1}}\n" for number in range(150))
    mock = mock_with(f"rules:\n{rules}")
    mock.trigger()

    told = explanation(mock)
    assert len(told["passed"]) == 100
    assert told["unexplained"] == 50


def test_rules_that_answer_requests_are_not_there_for_bridges(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "rules:\n  - {when: {ref: hotfix}, respond: {status: 400}}\n"
        "  - {when: {ref: other}, scenario: 1}\n"
    )
    mock.declare(900, jobs=[{"name": "b", "downstream": {"project": "2", "ref": "hotfix"}}])
    mock.trigger(scenario_id=900)

    assert [differences for _, differences in passed_over(mock, 2)] == [["ref"]]
