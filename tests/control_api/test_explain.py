"""What a pipeline would get is explained beforehand, and nothing happens by that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

RULES = """\
projects: [{id: 42, path: group/app, tags: [v1]}]
scenarios:
  - {scenario_id: 900, name: deploy fails, terminal_status: failed}
  - {scenario_id: 901, name: deploy works}
rules:
  - {when: {ref: "release/*"}, scenario: 900}
  - {when: {variables: {ENV: prod}}, scenario: [900, 901], variables: {ADDED: "1"}, name: deploy}
  - {when: {project: group/closed}, respond: {status: 403, body: {message: no}}}
  - {when: {project: root/project-7}, scenario: 901}
"""


@pytest.fixture
def mock(mock_with: Callable[..., Mock]) -> Mock:
    return mock_with(RULES)


def explain(mock: Mock, project: str | int = 42, ref: str = "main", **body: Any) -> Any:
    answer = mock.post("/_mock/explain", json={"project": project, "ref": ref, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_it_says_which_rule_chooses_and_why_the_others_do_not(mock: Mock):
    found = explain(mock, variables={"ENV": "prod"})

    assert found["scenario"]["scenario_id"] == 900
    assert found["scenario"]["name"] == "deploy fails"
    assert found["scenario"]["place"].endswith(":8")
    assert found["matched"]["by"] == "rule"
    assert found["matched"]["rule"].endswith(":12")
    (passed,) = found["matched"]["passed"]
    assert passed["rule"].endswith(":11")
    assert passed["because"] == "ref: wanted 'release/*', got 'main'"
    assert found["summary"].startswith("scenario 900 (deploy fails), by the rule at ")


def test_it_says_what_the_pipeline_would_be(mock: Mock):
    found = explain(mock, "group/app", "v1", variables={"ENV": "prod"}, source="api")

    shown = {
        name: found[name] for name in ("project_id", "project", "ref", "tag", "source", "name")
    }
    assert shown == {
        "project_id": 42,
        "project": "group/app",
        "ref": "v1",
        "tag": True,
        "source": "api",
        "name": "deploy",
    }
    assert found["variables"] == {"ENV": "prod", "ADDED": "1"}


def test_it_shows_the_next_scenario_of_a_sequence(mock: Mock):
    mock.trigger("42", variables={"ENV": "prod"})

    assert explain(mock, variables={"ENV": "prod"})["scenario"]["scenario_id"] == 901


def test_it_counts_and_creates_nothing(mock: Mock):
    before = mock.get("/_mock/rules").json()

    explain(mock, "group/new", variables={"ENV": "prod"})

    assert mock.get("/_mock/rules").json() == before
    assert mock.get("/_mock/pipelines").json() == []
    assert [each["id"] for each in mock.get("/api/v4/projects").json()] == [42]


def test_it_explains_the_same_as_the_pipeline_does_afterwards(mock: Mock):
    foretold = explain(mock, variables={"ENV": "test"})
    mock.trigger("42", variables={"ENV": "test"})

    assert mock.get("/_mock/pipelines/1").json()["matched"] == foretold["matched"]


def test_the_default_applies_if_no_rule_matches(mock: Mock):
    found = explain(mock)

    assert found["matched"]["by"] == "default"
    assert len(found["matched"]["passed"]) == 4
    assert found["summary"].endswith(", the default: no rule matches")


def test_a_request_that_names_a_scenario_asks_no_rule(mock: Mock):
    found = explain(mock, variables={"ENV": "prod"}, scenario_id=901)

    assert found["scenario"]["scenario_id"] == 901
    assert found["matched"]["passed"] == []
    assert found["summary"] == "scenario 901 (deploy works), named by the request"


def test_a_rule_that_answers_is_shown_with_its_answer(mock: Mock):
    found = explain(mock, "group/closed")

    assert found["scenario"] is None
    assert found["respond"]["status"] == 403
    assert found["summary"].startswith("answer 403 and no pipeline, by the rule at ")


@pytest.mark.parametrize(("name", "number"), [("group/other", None), (7, 7), ("root/project-7", 7)])
def test_a_project_may_be_one_that_nobody_has_used(mock: Mock, name: str | int, number: int | None):
    found = explain(mock, name)

    assert found["project_id"] == number
    assert (found["scenario"]["scenario_id"] == 901) is (number == 7)


def test_inputs_count(mock_with: Callable[..., Mock]):
    mock = mock_with("rules:\n  - {when: {inputs: {level: 3}}, scenario: 1}\n")

    assert explain(mock, inputs={"level": 3})["matched"]["by"] == "rule"
    assert explain(mock, inputs={"level": 4})["matched"]["by"] == "default"


def test_it_says_which_faults_come_next(mock: Mock):
    fault = {"when": {"operation": "trigger_pipeline"}, "times": 1, "delay": 2}
    mock.post("/_mock/faults", json={**fault, "respond": {"status": 503}})
    mock.post("/_mock/faults", json={"when": {"method": "GET"}, "skip": 1, "drop": True})

    trigger, poll = explain(mock)["calls"]

    assert trigger == {
        "operation": "trigger_pipeline",
        "fault": "runtime-1",
        "does": "wait 2s, then answer 503",
    }
    assert poll == {"operation": "get_pipeline", "fault": None, "does": None}
    assert mock.get("/_mock/faults").json()[0]["matched"] == 0


def test_faults_of_the_scenario_are_foreseen(mock: Mock):
    mock.declare(902, faults=[{"when": {"operation": "get_pipeline"}, "truncate": True}])

    found = explain(mock, scenario_id=902, source="push")

    assert [call["operation"] for call in found["calls"]] == ["get_pipeline"]
    assert found["calls"][0]["does"] == "cut the answer short"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"project": 42, "ref": " "}, 404, "404 Reference Not Found"),
        ({"project": "x", "ref": "main"}, 404, "404 Project Not Found"),
        ({"project": 42, "ref": "main", "scenario_id": 7777}, 404, "404 Scenario Not Found"),
        ({"project": 42}, 422, "ref: is missing"),
        ({"project": 42, "ref": "main", "source": "trgger"}, 422, "source: must be one of"),
    ],
)
def test_what_does_not_exist_is_named(mock: Mock, body: Any, status: int, message: str):
    answer = mock.post("/_mock/explain", json=body)

    assert answer.status_code == status
    assert message in answer.json()["message"]


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("project", r'"\ud800"'),
        ("ref", r'"\ud800"'),
        ("variables", r'{"A": "\ud800"}'),
        ("variables", r'{"\ud800": "A"}'),
        ("inputs", r'{"A": "\ud800"}'),
        ("inputs", r'{"A": [NaN]}'),
    ],
)
def test_what_cannot_be_written_back_is_refused(mock: Mock, field: str, written: str):
    fields = {"project": "42", "ref": '"main"', field: written}
    body = ", ".join(f'"{name}": {value}' for name, value in fields.items())

    answer = mock.post("/_mock/explain", content=f"{{{body}}}")

    assert answer.status_code == 422
    assert field in answer.json()["message"]


def test_values_from_the_environment_stay_hidden(mock_with: Callable[..., Mock]):
    rule = "rules:\n  - {when: {variables: {KEY: '${SECRET}'}}, scenario: 1}\n"
    mock = mock_with(rule, environ={"SECRET": "hunter2hunter2"})

    assert "hunter2" not in mock.post("/_mock/explain", json={"project": 1, "ref": "main"}).text
