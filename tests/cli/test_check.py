"""``check`` reports every mistake, in three formats."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main
from tests.live import environment

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "version: 1\nscenarios:\n  - {scenario_id: 900, name: x, terminal_status: broken}\n"
FINE = "version: 1\nscenarios:\n  - {scenario_id: 900, name: fails, terminal_status: failed}\n"


def test_check_counts_what_it_found(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(FINE, encoding="utf-8")

    assert main(["check"]) == 0

    printed = capsys.readouterr().out
    assert "scenarios: 1 from mock.yaml" in printed
    assert printed.endswith("no mistakes\n")


def test_check_counts_the_pipelines_that_exist(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text("pipelines: [{project: 1}, {project: 1}]\n")

    assert main(["check"]) == 0

    assert "projects: 0\npipelines: 2\n" in capsys.readouterr().out


PICKED = """\
scenarios:
  - {scenario_id: 900, name: fails}
  - {scenario_id: 901, name: lonely}
  - scenario_id: 902
    name: starts another
    jobs: [{name: build}, {name: down, downstream: {project: a/b, scenario: 903}}]
  - {scenario_id: 903, name: started}
rules:
  - when: {ref: main, source: [api, push], variables: {A: {present: true}, KEY: "${SECRET}"}}
    scenario: 900
  - when: {inputs: {level: 3, debug: true, target: {present: false}}}
    scenario: [900, 902]
    cycle: true
  - {when: {project: a/b}, variables: {X: "1"}}
  - {respond: {status: 403}}
"""


def test_check_says_what_each_rule_picks(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SECRET", "hunter2hunter2")
    (folder / "mock.yaml").write_text(PICKED, encoding="utf-8")

    assert main(["check"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[lines.index("rules: 4, the first that matches picks:") + 1 :] == [
        "  mock.yaml:9: ref main, source api or push, variables.A present, "
        "variables.KEY ${SECRET} -> 900 (fails)",
        "  mock.yaml:11: inputs.level 3, inputs.debug True, inputs.target absent "
        "-> 900 (fails), then 902 (starts another), and again",
        "  mock.yaml:14: project a/b -> the default",
        "  mock.yaml:15: every pipeline -> answer 403",
        "  otherwise -> 500 (succeeds after 300 seconds)",
        "picked by none of them: 901 (lonely)",
        "no mistakes",
    ]


def test_check_lists_the_first_scenarios_that_nothing_picks(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    scenarios = "".join(f"  - {{scenario_id: {900 + n}, name: s}}\n" for n in range(25))
    rules = "rules:\n  - {when: {ref: main}, scenario: 1}\n"
    (folder / "mock.yaml").write_text(f"scenarios:\n{scenarios}{rules}", encoding="utf-8")

    assert main(["check"]) == 0

    assert "919 (s) and 5 more\n" in capsys.readouterr().out


def test_check_prints_every_mistake_and_ends_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(BROKEN + "strikt: true\n", encoding="utf-8")

    assert main(["check"]) == 1

    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["mock.yaml:3:50", "mock.yaml:4:1"]
    assert lines[1].endswith("did you mean strict?")


def test_check_for_machines_is_json(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(BROKEN, encoding="utf-8")

    assert main(["check", "--format", "json"]) == 1

    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert (found["mistakes"][0]["line"], found["mistakes"][0]["column"]) == (3, 50)


def test_check_for_github_is_annotations(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(BROKEN, encoding="utf-8")

    assert main(["check", "--format", "github"]) == 1

    assert capsys.readouterr().out.startswith("::error file=mock.yaml,line=3,col=50::scenarios[0]")


@pytest.mark.parametrize("format", ["text", "json", "github"])
def test_check_of_a_folder_without_a_configuration_ends_with_1(
    folder: Path, format: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["check", "--format", format]) == 1

    printed = capsys.readouterr()
    assert "mock.yaml" in printed.out + printed.err
    assert "there is no such file, and there are no scenarios/*.yaml" in printed.out + printed.err


def test_check_names_the_file_that_was_meant_to_be_mock_yaml(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yml").write_text("port: 0\n")

    assert main(["check"]) == 1

    assert "mock.yml:1:1: is not read; the configuration is mock.yaml" in capsys.readouterr().err


def test_check_of_scenarios_alone_needs_no_mock_yaml(folder: Path):
    (folder / "scenarios").mkdir()
    (folder / "scenarios/mine.yaml").write_text("scenarios: [{scenario_id: 900}]\n")

    assert main(["check"]) == 0


def test_check_does_without_the_web_server(folder: Path):
    script = (
        "import sys; from mock_gitlab.cli.main import main; main(['check']);"
        "sys.exit(sorted({'fastapi', 'starlette', 'uvicorn', 'watchfiles'} & set(sys.modules)))"
    )
    (folder / "mock.yaml").write_text(FINE)

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True
    )

    assert done.stderr == "[]\n"


def test_an_annotation_escapes_what_github_would_take_apart(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "a,b:100%.yaml").write_text("x%: 1\n", encoding="utf-8")

    assert main(["check", "--config", "a,b:100%.yaml", "--format", "github"]) == 1

    assert capsys.readouterr().out == (
        '::error file=a%2Cb%3A100%25.yaml,line=1,col=1::["x%25"]: is not a known key\n'
    )


def test_check_warns_of_a_rule_that_is_never_reached(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    rules = "rules:\n  - {when: {}, scenario: 900}\n  - {when: {ref: main}, scenario: 1}\n"
    (folder / "mock.yaml").write_text(FINE + rules, encoding="utf-8")

    assert main(["check"]) == 0

    assert "mock.yaml:6:5: warning: rules[1]" in capsys.readouterr().err


def test_a_config_that_was_named_must_exist(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["check", "--config", "nowhere.yaml"]) == 1

    assert "nowhere.yaml" in capsys.readouterr().err


# ---------------------------------------------------------------------------- named files


def test_check_takes_names_of_files(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(FINE.replace("900", "901"), encoding="utf-8")
    (folder / "other.yaml").write_text(FINE, encoding="utf-8")
    (folder / "broken.yaml").write_text(BROKEN, encoding="utf-8")

    assert main(["check", "mock.yaml", "other.yaml"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("1 from mock.yaml") == printed.count("1 from other.yaml") == 1

    assert main(["check", "other.yaml", "broken.yaml", "missing.yaml"]) == 1
    assert [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()] == [
        "broken.yaml:3:50",
        "missing.yaml:1:1",
    ]


def test_check_of_a_named_file_needs_no_configuration(folder: Path):
    (folder / "other.yaml").write_text(FINE, encoding="utf-8")

    assert main(["check", "other.yaml"]) == 0


def test_check_reports_a_file_of_the_configuration_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "scenarios").mkdir()
    (folder / "scenarios/a.yaml").write_text(BROKEN.partition("\n")[2], encoding="utf-8")

    assert main(["check", "scenarios/a.yaml"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


# ---------------------------------------------------------------------------- streams


def with_input(*arguments: str, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mock_gitlab", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, env=environment())


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_a_configuration_may_come_from_a_pipe(folder: Path, name: str):
    (folder / "scenarios").mkdir()
    (folder / "scenarios/a.yaml").write_text(FINE.partition("\n")[2], encoding="utf-8")

    checked = with_input("check", "--config", name, text="version: 1")
    broken = with_input("check", "--config", name, text="version: 2")

    assert (checked.returncode, checked.stderr) == (0, "")
    assert "scenarios: 1 from scenarios/a.yaml" in checked.stdout
    assert broken.stderr == f"{name}:1:10: version: must be 1, not the number 2\n"


def test_a_named_pipe_is_a_configuration_too(folder: Path):
    shell = '"$0" -m mock_gitlab check --config <(echo "version: 2")'
    checked = subprocess.run(
        ["bash", "-c", shell, sys.executable], capture_output=True, text=True, env=environment()
    )
    assert checked.stderr.endswith("version: must be 1, not the number 2\n")


def test_check_tells_of_files_that_are_not_read(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(FINE, encoding="utf-8")
    (folder / "mock.yml").touch()

    assert main(["check"]) == 0
    line = "mock.yml:1:1: warning: is not read; the configuration is mock.yaml\n"
    assert capsys.readouterr().err == line


def test_many_files_in_one_folder_are_one_line(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "scenarios").mkdir()
    for number in range(11):
        text = f"scenarios: [{{scenario_id: {900 + number}}}]"
        (folder / f"scenarios/{number}.yaml").write_text(text, encoding="utf-8")

    assert main(["check"]) == 0
    assert "scenarios: 11 from 11 files in scenarios\n" in capsys.readouterr().out
