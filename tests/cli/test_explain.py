"""``explain`` says which scenario a pipeline would get, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

MOCK = """\
scenarios:
  - {scenario_id: 900, name: deploy fails}
rules:
  - {when: {ref: "release/*"}, scenario: 1}
  - {when: {variables: {ENV: prod}, inputs: {level: 3}, source: api}, scenario: 900}
faults:
  - {when: {operation: create_pipeline}, respond: {status: 503}}
"""


@pytest.fixture(autouse=True)
def mock_yaml(folder: Path) -> Path:
    path = folder / "mock.yaml"
    path.write_text(MOCK, encoding="utf-8")
    return path


WANTED = ("explain", "--project", "group/app", "--ref", "main")
OF_RULE = ("--var", "ENV=prod", "--input", "level=3", "--source", "api")


def test_it_prints_the_scenario_its_place_and_the_reason(capsys: pytest.CaptureFixture[str]):
    assert main([*WANTED, *OF_RULE]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "scenario 900 (deploy fails), by the rule at mock.yaml:5",
        "  declared at mock.yaml:2",
        "not the rule at mock.yaml:4: ref: wanted 'release/*', got 'main'",
        "create_pipeline: the fault at mock.yaml:7 comes next: answer 503",
    ]


def test_it_prints_json(capsys: pytest.CaptureFixture[str]):
    assert main([*WANTED, *OF_RULE, "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["scenario"]["scenario_id"] == 900


def test_an_input_may_be_text(capsys: pytest.CaptureFixture[str]):
    assert main([*WANTED, *OF_RULE, "--input", "level=high"]) == 0

    assert "inputs.level: wanted 3, got 'high'" in capsys.readouterr().out


def test_a_scenario_may_be_named(capsys: pytest.CaptureFixture[str]):
    assert main([*WANTED, "--scenario", "900"]) == 0

    assert "named by the request" in capsys.readouterr().out


def test_of_very_many_rules_the_rest_are_counted(
    mock_yaml: Path, capsys: pytest.CaptureFixture[str]
):
    rules = "  - {when: {ref: other}, scenario: 1}\n" * 103
    mock_yaml.write_text(f"rules:\n{rules}", encoding="utf-8")

    assert main([*WANTED]) == 0

    assert capsys.readouterr().out.endswith("and not 3 more rules\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("explain", "--project", "app", "--ref", "main"),
            1,
            "project not found: a project is a number, or a path such as group/project",
        ),
        ((*WANTED, "--scenario", "7777"), 1, "scenario not found"),
    ],
)
def test_what_does_not_exist_is_named(
    arguments: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
):
    assert main(arguments) == code

    assert capsys.readouterr().err == f"mock-gitlab: {message}\n"


@pytest.mark.parametrize("written", ["NaN", "[Infinity]", "[" * 5000, "high"])
def test_an_input_that_is_no_json_is_text(written: str, capsys: pytest.CaptureFixture[str]):
    assert main([*WANTED, *OF_RULE, "--input", f"level={written}", "--json"]) == 0

    passed = json.loads(capsys.readouterr().out)["matched"]["passed"][-1]
    assert passed["differences"][-1]["got"] == written


def test_mistakes_in_the_files_are_named(mock_yaml: Path, capsys: pytest.CaptureFixture[str]):
    mock_yaml.write_text("strikt: true\n", encoding="utf-8")

    assert main([*WANTED]) == 1

    assert "mock.yaml:1:1: strikt: is not a known key" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["-1", "x", "9" * 30])
def test_a_scenario_is_a_number(number: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([*WANTED, f"--scenario={number}"])

    assert ended.value.code == 2
    assert "must be the number of a scenario" in capsys.readouterr().err


def test_a_variable_needs_a_name_and_a_value(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([*WANTED, "--var", "ENV"])

    assert ended.value.code == 2
    assert 'must be NAME=VALUE, not "ENV"' in capsys.readouterr().err
