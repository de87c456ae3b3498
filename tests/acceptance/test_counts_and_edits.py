"""What is counted of rules and faults outlives edits around them, and ends with edits of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.app import create_app
from tests.conftest import FROZEN, TOKEN, Mock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RULE = "  - {when: {ref: main}, scenario: [3, 4, 5], name: first}\n"
FAULT = "  - {when: {operation: get_current_user}, times: 1, respond: {status: 503}}\n"


def edit(mock: Mock, yaml: str) -> None:
    mock.app.live.path.write_text(FROZEN + yaml, encoding="utf-8")  # type: ignore[attr-defined]  # ours
    assert mock.post("/_mock/config/reload").status_code == 200


def scenario(mock: Mock) -> Any:
    number = mock.trigger()["id"]
    return mock.get(f"/_mock/pipelines/{number}").json()["scenario_id"]


@pytest.mark.parametrize(
    "edited",
    [
        f"rules:\n{RULE}projects: [{{id: 1, path: group/app}}]\n",
        "rules:\n  - {when: {ref: other}, scenario: 9}\n" + RULE,
        "rules:\n  - when: {ref: main}\n    name: first\n    scenario: [3, 4, 5]  # as before\n",
    ],
)
def test_a_sequence_goes_on_when_something_else_is_edited(
    mock_with: Callable[..., Mock], edited: str
):
    mock = mock_with(f"rules:\n{RULE}")
    assert scenario(mock) == 3

    edit(mock, edited)

    assert scenario(mock) == 4


def test_a_sequence_starts_over_when_its_rule_was_edited_even_back(mock_with: Callable[..., Mock]):
    mock = mock_with(f"rules:\n{RULE}")
    assert scenario(mock) == 3

    edit(mock, f"rules:\n{RULE.replace('first', 'other')}")
    between = scenario(mock)
    edit(mock, f"rules:\n{RULE}")

    assert (between, scenario(mock)) == (3, 3)


def test_a_fault_keeps_its_counts_when_another_comes_before_it(mock_with: Callable[..., Mock]):
    mock = mock_with(f"faults:\n{FAULT}")
    assert mock.get("/user").status_code == 503

    edit(mock, f"faults:\n  - {{when: {{operation: get_version}}, drop: true}}\n{FAULT}")

    assert [row["applied"] for row in mock.get("/_mock/faults").json()] == [0, 1]
    assert mock.get("/user").status_code == 200


def test_a_fault_starts_over_when_it_was_edited_even_back(mock_with: Callable[..., Mock]):
    mock = mock_with(f"faults:\n{FAULT}")
    seen = [mock.get("/user").status_code]

    for status in (502, 503):
        edit(mock, f"faults:\n{FAULT.replace('503', str(status))}")
        seen += [mock.get("/user").status_code, mock.get("/user").status_code]

    assert seen == [503, 502, 200, 503, 200]


def test_faults_that_say_the_same_strike_one_after_the_other(mock_with: Callable[..., Mock]):
    mock = mock_with(f"faults:\n{FAULT}{FAULT}")

    assert [mock.get("/user").status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_of_a_scenario_starts_over_when_it_was_edited_even_back(mock: Mock):
    def declared(status: int) -> dict[str, Any]:
        return {"scenario_id": 900, "faults": [{"times": 1, "respond": {"status": status}}]}

    mock.post("/_mock/scenarios", json=declared(502))
    mock.trigger(scenario_id=900)
    seen = [mock.get("/projects/1/pipelines/1").status_code]
    for status in (503, 502):
        mock.put("/_mock/scenarios/900", json=declared(status))
        seen += [mock.get("/projects/1/pipelines/1").status_code for _ in range(2)]

    assert seen == [502, 503, 200, 502, 200]


def test_a_restart_keeps_the_counts_of_rules_and_forgets_those_of_faults(tmp_path: Path):
    path = tmp_path / "mock.yaml"
    path.write_text(f"version: 1\ndatabase: kept.db\nrules:\n{RULE}faults:\n{FAULT}")
    seen = []
    for _ in range(2):
        app = create_app(path, environ={}, watch=False)
        with Mock(app, headers={"PRIVATE-TOKEN": TOKEN}) as mock:
            seen += [mock.get("/user").status_code, scenario(mock), mock.get("/user").status_code]

    assert seen == [503, 3, 200, 503, 4, 200]
