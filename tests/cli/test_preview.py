"""``preview`` draws what a poll would see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main
from mock_gitlab.config.loader import load
from mock_gitlab.engine.model import PipelineRecord
from mock_gitlab.engine.preview import describe, preview
from mock_gitlab.engine.timeline import Timeline

if TYPE_CHECKING:
    from pathlib import Path


JOBS = """\
scenarios:
  - scenario_id: 900
    name: build, gate
    jobs:
      - {name: build, stage: build, duration: 30s}
      - {name: gate, stage: gate, when: manual, allow_failure: false}
"""


def test_preview_draws_a_row_for_each_job(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(JOBS, encoding="utf-8")

    assert main(["preview", "900", "--width", "10"]) == 0

    _, scale, build, gate, pipeline, _ = capsys.readouterr().out.splitlines()
    assert scale.split() == ["0", "37.5s"]
    assert build == "build/build |========  | success at 30s"
    assert gate == "gate/gate   |        ??| manual"
    assert pipeline == "pipeline    |========??| waits: manual"


def test_preview_draws_a_row_for_each_status_of_another_ci(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(
        "scenarios:\n  - scenario_id: 900\n    jobs: [{name: a, duration: 5s}]\n"
        "    external_statuses:\n"
        "      - {name: ci, state: pending, after: 2s}\n"
        "      - {name: ci, state: failed, after: 6s}\n"
        "      - {name: ci, state: running, after: 8s}\n"
        "      - {name: ci, state: success, after: 10s}\n",
        encoding="utf-8",
    )

    assert main(["preview", "900", "--width", "10"]) == 0

    _, _, *rows, _ = capsys.readouterr().out.splitlines()
    assert rows == [
        "test/a      |=====     | success at 5s",
        "external/ci |        ==| success at 10s",
        "external/ci |  ....    | failed at 6s, retried",
        "pipeline    |======  ==| success at 10s",
    ]


def test_preview_explains_the_marks_of_rare_statuses_if_there_are_any(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(
        "scenarios:\n  - scenario_id: 900\n    jobs:\n"
        "      - {name: a, preparing_seconds: 5s, pending_seconds: 5s}\n"
        "  - {scenario_id: 901, yaml_errors: broken}\n",
        encoding="utf-8",
    )

    assert main(["preview", "900", "--width", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "test/a   |ppppp.....| success at 10s"
    assert lines[-1] == "w waits for a resource  p prepared  c waits for a callback"

    assert main(["preview", "901", "--width", "10"]) == 0
    assert capsys.readouterr().out.splitlines()[2] == "pipeline |          | failed at 0s"


def test_preview_for_machines_tells_every_change(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(JOBS, encoding="utf-8")

    assert main(["preview", "900", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert {"at": 30.0, "job": "build", "status": "success"} in found["changes"]
    assert found["pipeline"][-1] == {"at": 30.0, "status": "manual"}
    assert found["ends_at"] is None


def test_preview_draws_what_a_retry_does(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(
        "version: 1\nscenarios:\n  - scenario_id: 900\n    name: flaky\n    jobs:\n"
        "      - {name: unit, duration: 5s, attempts: [{status: failed}, {status: success}]}\n"
        "      - {name: deploy, stage: deploy, duration: 5s}\n",
        encoding="utf-8",
    )

    assert main(["preview", "900", "--width", "15", "--retries", "3"]) == 0

    assert capsys.readouterr().out.splitlines()[2:6] == [
        "test/unit     |=====          | failed at 5s, retried",
        "test/unit     |     =====     | success at 10s",
        "deploy/deploy |          =====| success at 15s",
        "pipeline      |===============| success at 15s",
    ]


@pytest.mark.parametrize(
    ("scenario", "verdict"),
    [("0", "never ends"), ("7", "success at 7s"), ("500", "success at 5m")],
)
def test_preview_knows_the_built_in_scenarios(
    scenario: str, verdict: str, folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["preview", scenario]) == 0

    assert f"| {verdict}\n" in capsys.readouterr().out


def test_preview_follows_bridges_as_the_rules_do_and_not_in_circles(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(
        """\
projects: [{id: 2, path: group/deploy}]
rules: [{when: {project: group/deploy, source: pipeline}, scenario: 5}]
scenarios:
  - scenario_id: 900
    jobs: [{name: bridge, downstream: {project: 2, strategy: depend}}]
  - scenario_id: 901
    jobs:
      - {name: once, downstream: {project: 2, scenario: 901, strategy: depend}}
      - {name: twice, downstream: {project: 2, scenario: 901, strategy: depend}}
""",
        encoding="utf-8",
    )

    assert [main(["preview", number]) for number in ("900", "901")] == [0, 0]

    drawn = capsys.readouterr().out
    assert "| success at 5s" in drawn
    assert drawn.count("| failed at 0s") == 3


SPECIAL = """\
scenarios:
  - {scenario_id: 900, name: polled, terminal_after_polls: 3}
  - scenario_id: 901
    jobs: [{name: lint, status: failed, duration: 3m5s, allow_failure: true}]
  - scenario_id: 902
    jobs: [{name: away, downstream: {project: group/nowhere}}]
rules:
  - {when: {ref: refused}, respond: {status: 400}}
"""


@pytest.mark.parametrize(
    ("scenario", "line"),
    [
        ("900", "| success after 3 polls\n"),
        ("901", "| failed at 3m05s, allowed to fail\n"),
        ("902", "| success at 0s\n"),
    ],
)
def test_preview_says_how_jobs_and_pipelines_end(
    scenario: str, line: str, folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(SPECIAL, encoding="utf-8")

    assert main(["preview", scenario]) == 0

    assert line in capsys.readouterr().out


def test_preview_of_files_with_mistakes_prints_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text("version: 1\nstrikt: true\n", encoding="utf-8")

    assert main(["preview", "1"]) == 1

    assert capsys.readouterr().err.startswith("mock.yaml:2:1: strikt: ")


def test_preview_of_an_unknown_scenario_says_so(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["preview", "900"]) == 1

    assert capsys.readouterr().err == "mock-gitlab: there is no scenario 900\n"


def test_what_preview_draws_is_what_a_poll_would_see(folder: Path):
    (folder / "mock.yaml").write_text(JOBS, encoding="utf-8")
    declared = load("mock.yaml", {}).declarations.declared(900)
    assert declared is not None
    record = PipelineRecord(1, 1, 1, "main", "", "trigger", 0, scenario_id=900)

    simulated = preview(declared.scenario, lambda _: None)
    shown = describe(declared.scenario, simulated)["pipeline"]

    polled = Timeline(record, declared.scenario)
    assert [polled.at(round(each["at"] * 1000)).status for each in shown] == [
        each["status"] for each in shown
    ]


def test_a_scenario_that_starts_too_many_pipelines_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    jobs = ", ".join(
        f"{{name: b{n}, downstream: {{project: g/p, scenario: 1, strategy: depend}}}}"
        for n in range(100)
    )
    path = tmp_path / "mock.yaml"
    path.write_text(f"scenarios: [{{scenario_id: 900, name: wide, jobs: [{jobs}]}}]\n")

    assert main(["preview", "--config", str(path), "900"]) == 1

    assert "the bridges start more than 100 pipelines" in capsys.readouterr().err
