"""Rules are listed, declared and deleted at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Mock


def test_a_sequence_of_scenarios_is_counted_and_its_last_repeats(mock_with: Callable[..., Mock]):
    mock = mock_with("rules: [{when: {ref: main}, scenario: [3, 4, 5]}]\n")

    for _ in range(4):
        mock.trigger()

    listed = mock.get("/_mock/pipelines").json()
    assert [row["scenario_id"] for row in reversed(listed)] == [3, 4, 5, 5]
    assert mock.get("/_mock/config").json()["rules"][0]["matches"] == 4


def test_the_count_of_a_rule_is_reset_with_its_world(mock_with: Callable[..., Mock]):
    mock = mock_with("rules: [{when: {ref: main}, scenario: [3, 4]}]\n")
    mock.trigger()

    mock.post("/_mock/reset")
    mock.trigger()

    assert mock.get("/_mock/pipelines/1").json()["scenario_id"] == 3
    assert mock.get("/_mock/config").json()["rules"][0]["matches"] == 1


def test_a_rule_can_refuse_with_an_answer_of_its_own(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "rules:\n"
        "  - when: {ref: main}\n"
        '    respond: {status: 400, body: {message: {base: ["Missing CI config file"]}}}\n'
    )

    answer = mock.post("/projects/1/trigger/pipeline", json={"ref": "main"})

    assert (answer.status_code, answer.json()) == (
        400,
        {"message": {"base": ["Missing CI config file"]}},
    )
    assert mock.get("/projects/1/pipelines").json() == []


def test_a_rule_declared_at_run_time_is_tried_before_those_of_the_files(
    mock_with: Callable[..., Mock],
):
    mock = mock_with("rules: [{when: {ref: main}, scenario: 3}]\n")

    made = mock.post("/_mock/rules", json={"when": {"ref": "main"}, "scenario": [7, 8]})
    mock.trigger()

    assert (made.status_code, made.json()["key"], made.json()["source"]) == (
        201,
        "runtime-1",
        "runtime",
    )
    assert mock.get("/_mock/pipelines/1").json()["scenario_id"] == 7
    listed = mock.get("/_mock/rules").json()
    assert [(row["source"], row["matches"]) for row in listed] == [("runtime", 1), ("file", 0)]


def test_rules_of_the_run_are_taken_back_one_or_all(mock: Mock):
    for number in (1, 2, 3):
        mock.post("/_mock/rules", json={"scenario": number})

    def keys() -> list[str]:
        return [row["key"] for row in mock.get("/_mock/rules").json()]

    assert mock.delete("/_mock/rules?key=runtime-2").status_code == 204
    assert keys() == ["runtime-1", "runtime-3"]
    assert mock.delete("/_mock/rules?key=runtime-2").json()["message"] == "404 Rule Not Found"
    assert mock.delete("/_mock/rules").status_code == 204
    assert keys() == []


def test_a_rule_of_the_run_counts_from_the_start_after_a_reset(mock: Mock):
    rule = {"when": {"ref": "main"}, "scenario": [3, 4]}
    picked = []
    for _ in range(2):
        mock.post("/_mock/rules", json=rule)
        mock.trigger()
        picked.append(mock.get("/_mock/pipelines").json()[0]["scenario_id"])
        mock.post("/_mock/reset")

    assert picked == [3, 3]


def test_a_rule_of_the_run_does_not_inherit_the_count_of_an_earlier_run(
    tmp_path: Path, mock_with: Callable[..., Mock]
):
    base = f"version: 1\ndatabase: '{tmp_path}/mock.db'\n"
    picked = []
    for _ in range(2):
        mock = mock_with(base=base)
        mock.post("/_mock/rules", json={"when": {"ref": "main"}, "scenario": [3, 4]})
        mock.trigger()
        picked.append(mock.get("/_mock/pipelines").json()[0]["scenario_id"])
        mock.app.close()  # type: ignore[attr-defined]  # the application is ours

    assert picked == [3, 3]


def test_a_rule_of_the_run_must_name_a_scenario_that_is_there(mock: Mock):
    refused = mock.post("/_mock/rules", json={"scenario": 4711})

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["msg"] == "there is no scenario 4711"
    assert mock.get("/_mock/rules").json() == []


def test_a_rule_is_shown_as_it_would_be_written(mock: Mock):
    when = {"project": "42", "variables": {"A": "x*", "B": False}, "inputs": {"n": [1]}}
    rule = {"when": when, "scenario": [1, 2], "cycle": True, "variables": {"V": "1"}, "name": "n"}
    refusal = {"respond": {"status": 400, "headers": {}, "body": "no"}}

    made = mock.post("/_mock/rules", json=rule).json()
    refusing = mock.post("/_mock/rules", json=refusal).json()

    assert {name: made[name] for name in rule if name != "scenario"} == {
        name: value for name, value in rule.items() if name != "scenario"
    }
    assert made["scenarios"] == [1, 2]
    assert (refusing["when"], refusing["respond"]) == ({}, refusal["respond"])


def test_a_rule_of_a_file_can_be_switched_off_and_on(mock_with: Callable[..., Mock]):
    mock = mock_with("rules: [{when: {ref: main}, scenario: 3}, {scenario: 4}]\n")
    first, _ = mock.get("/_mock/rules").json()

    off = mock.patch("/_mock/rules", params={"key": first["key"]}, json={"enabled": False})
    without = mock.trigger()
    listed = mock.get("/_mock/rules").json()
    mock.patch("/_mock/rules", params={"key": first["key"]}, json={"enabled": True})
    again = mock.trigger()

    assert (off.status_code, off.json()) == (200, {**first, "enabled": False})
    assert [row["enabled"] for row in listed] == [False, True]
    chosen = [mock.get(f"/_mock/pipelines/{each['id']}").json() for each in (without, again)]
    assert [each["scenario_id"] for each in chosen] == [4, 3]


def test_a_rule_declared_at_run_time_can_be_switched_off(mock: Mock):
    mock.post("/_mock/rules", json={"when": {"ref": "main"}, "scenario": 3})
    mock.patch("/_mock/rules", params={"key": "runtime-1"}, json={"enabled": False})
    made = mock.trigger()
    assert mock.get(f"/_mock/pipelines/{made['id']}").json()["scenario_id"] == 500


def test_a_reset_switches_every_rule_on(mock_with: Callable[..., Mock]):
    mock = mock_with("rules: [{when: {ref: main}, scenario: 3}]\n")
    [rule] = mock.get("/_mock/rules").json()
    mock.patch("/_mock/rules", params={"key": rule["key"]}, json={"enabled": False})
    mock.post("/_mock/reset")
    assert [row["enabled"] for row in mock.get("/_mock/rules").json()] == [True]


def test_a_rule_that_is_switched_off_in_one_world_is_on_in_another(mock_with: Callable[..., Mock]):
    mock = mock_with("rules: [{when: {ref: main}, scenario: 3}]\n")
    [rule] = mock.get("/sandbox/other/_mock/rules").json()
    mock.patch("/_mock/rules", params={"key": rule["key"]}, json={"enabled": False})
    assert [row["enabled"] for row in mock.get("/sandbox/other/_mock/rules").json()] == [True]


def test_an_unknown_rule_cannot_be_switched(mock: Mock):
    answer = mock.patch("/_mock/rules", params={"key": "nine"}, json={"enabled": False})
    assert (answer.status_code, answer.json()["message"]) == (404, "404 Rule Not Found")
