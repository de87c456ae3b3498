"""``import`` writes the scenarios of the pipeline that a ``.gitlab-ci.yml`` makes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.app import create_app
from mock_gitlab.cli.main import main
from tests.conftest import FROZEN, TOKEN, Mock

if TYPE_CHECKING:
    from pathlib import Path

CI = """\
stages: [build, deploy]
build:
  stage: build
  script: [make]
  rules: [{changes: [src/**/*]}, {if: $FORCE}]
child:
  stage: deploy
  trigger: {include: child.yml, strategy: depend}
  variables: {LEVEL: $LEVEL}
other:
  stage: deploy
  trigger: {project: group/other, forward: {pipeline_variables: true}}
"""
CHILD = "deploy: {script: [deploy], environment: production}\n"


@pytest.fixture(autouse=True)
def ci(folder: Path) -> Path:
    (folder / "child.yml").write_text(CHILD, encoding="utf-8")
    path = folder / ".gitlab-ci.yml"
    path.write_text(CI, encoding="utf-8")
    return path


def test_it_prints_a_file_that_check_accepts(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["import"]) == 0
    printed = capsys.readouterr()
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "ci.yaml").write_text(printed.out, encoding="utf-8")

    assert main(["check"]) == 0
    assert "scenarios: 2 from scenarios/ci.yaml" in capsys.readouterr().out
    assert printed.out.startswith("# Made by `mock-gitlab import .gitlab-ci.yml`.")


def test_what_could_not_be_decided_is_said_on_standard_error(capsys: pytest.CaptureFixture[str]):
    assert main(["import"]) == 0

    assert capsys.readouterr().err.splitlines() == [
        "note: which paths have changed is not known, so every changes counts as true;"
        " say --changed",
    ]


def test_options_decide(capsys: pytest.CaptureFixture[str]):
    options = ["--changed", "", "--var", "LEVEL=secret", "--scenario-id", "7"]
    options += ["--durations", "1m", "--durations", "deploy=2m", "--project-path", "a/b"]

    assert main(["import", *options, "--ref", "topic"]) == 0

    printed = capsys.readouterr()
    assert "name: build" not in printed.out
    assert "scenario_id: 8" in printed.out
    assert "deploy, stage: test, duration: 2m" in printed.out
    assert "trigger: {include: child.yml" in printed.out
    assert "note: .gitlab-ci.yml:5:35: $FORCE counts as null" in printed.err
    assert printed.out.splitlines()[0] == (
        "# Made by `mock-gitlab import .gitlab-ci.yml --ref topic --var LEVEL=... --changed ''"
        " --project-path a/b --scenario-id 7 --durations 1m --durations deploy=2m`."
        " Edit it as you like."
    )


def test_durations_come_from_the_saved_jobs_of_a_real_pipeline(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    jobs = [
        {"id": 3, "name": "build", "duration": 71.6},
        {"id": 1, "name": "build", "duration": 5},
        {"id": 4, "name": "build", "duration": None},
        {"id": 5, "name": "deploy", "duration": 600.1},
    ]
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    options = ["--durations-from", "jobs.json", "--durations", "deploy=2m"]

    assert main(["import", *options]) == 0

    printed = capsys.readouterr().out
    assert "name: build, stage: build, duration: 1m12s" in printed
    assert "deploy, stage: test, duration: 2m" in printed
    assert "import .gitlab-ci.yml --durations-from jobs.json --durations deploy=2m`" in printed


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "jobs.json:1:1: is no JSON: Expecting value"),
        (b"[\n{]", "jobs.json:2:2: is no JSON: "),
        (b"\xff", "jobs.json:1:1: is no JSON"),
        (b"[" * 100_000, "jobs.json:1:1: is no JSON"),
        (b"{}", "jobs.json:1:1: must be a list of jobs, as GET .../pipelines/1/jobs answers it"),
        (b"[]", "jobs.json:1:1: must be a list of jobs"),
        (b"[3]", "jobs.json:1:1: [0] is no job with an id, a name and a duration in seconds"),
        (b'[{"id": 1, "name": "a"}]', "jobs.json:1:1: [0] is no job"),
        (b'[{"id": 1, "name": "a", "duration": -1}]', "jobs.json:1:1: [0] is no job"),
        (b'[{"id": 1, "name": "a", "duration": true}]', "jobs.json:1:1: [0] is no job"),
        (b'[{"id": 1, "name": "a", "duration": NaN}]', "jobs.json:1:1: [0] is no job"),
        (b'[{"id": "x", "name": "a", "duration": 1}]', "jobs.json:1:1: [0] is no job"),
    ],
)
def test_a_recording_that_is_none_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], content: bytes, what: str
):
    (folder / "jobs.json").write_bytes(content)

    assert main(["import", "--durations-from", "jobs.json"]) == 1

    printed = capsys.readouterr()
    assert (printed.out, printed.err.startswith(what)) == ("", True)


def test_a_recording_that_is_missing_or_too_large_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    assert main(["import", "--durations-from", "jobs.json"]) == 1
    assert capsys.readouterr().err.startswith("jobs.json:1:1: cannot be read: No such file")

    monkeypatch.setattr("mock_gitlab.importers.saved._LARGEST", 3)
    (folder / "jobs.json").write_text("[{},", encoding="utf-8")
    assert main(["import", "--durations-from", "jobs.json"]) == 1
    assert capsys.readouterr().err == "jobs.json:1:1: is larger than 3 bytes\n"


def test_what_a_header_says_and_is_not_read_is_noted(ci: Path, capsys: pytest.CaptureFixture[str]):
    ci.write_text(
        "spec:\n"
        "  include: [{local: more.yml}]\n"
        "  inputs:\n"
        "    size: {default: small, rules: [{options: [small]}]}\n"
        "    other:\n"
        "---\na: {script: x}\n",
        encoding="utf-8",
    )

    assert main(["import", "--input", "other=x"]) == 0

    assert capsys.readouterr().err.splitlines() == [
        "note: .gitlab-ci.yml:2:3: spec:include: the inputs of other files are not read",
        "note: .gitlab-ci.yml:4:28: the input size:"
        " rules choose neither options nor a default here",
    ]


def test_a_tag_is_no_branch(ci: Path, capsys: pytest.CaptureFixture[str]):
    ci.write_text("a: {script: x, only: [tags]}\n", encoding="utf-8")

    assert main(["import", "--tag", "v1", "--source", "push"]) == 0
    assert 'name: ".gitlab-ci.yml for v1"' in capsys.readouterr().out
    assert main(["import", "--ref", "v1"]) == 1
    assert capsys.readouterr().err == (
        ".gitlab-ci.yml:1:1: no pipeline: no job is left, with all rules decided\n"
    )


def test_an_input_is_given(ci: Path, capsys: pytest.CaptureFixture[str]):
    ci.write_text(
        "spec: {inputs: {n: {type: number}}}\n---\na: {script: x, parallel: '$[[ inputs.n ]]'}\n",
        encoding="utf-8",
    )

    assert main(["import", "--input", "n=3"]) == 0

    assert "parallel: 3" in capsys.readouterr().out


def test_a_file_is_written_as_a_whole(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["import", "--changed", "src/a", "-o", "made/ci.yaml"]) == 0

    captured = capsys.readouterr()
    assert captured.out == "wrote made/ci.yaml: scenario 950 with 3 jobs, and 1 more scenario\n"
    assert captured.err == ""
    assert [path.name for path in (folder / "made").iterdir()] == ["ci.yaml"]
    assert main(["check", "made/ci.yaml"]) == 0


def test_a_link_stays_a_link_and_a_device_a_device(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "real.yaml").write_text("old", encoding="utf-8")
    (folder / "link.yaml").symlink_to("real.yaml")

    assert main(["import", "-o", "link.yaml"]) == 0
    assert main(["import", "-o", os.devnull]) == 0

    assert (folder / "link.yaml").is_symlink()
    assert (folder / "real.yaml").read_text().startswith("# Made by")
    assert not os.path.isfile(os.devnull)


def test_a_disk_that_is_full_leaves_what_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (folder / "ci.yaml").write_text("mine", encoding="utf-8")
    monkeypatch.setattr(os, "replace", full)

    assert main(["import", "-o", "ci.yaml"]) == 2

    assert "cannot write ci.yaml: No space left on device" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitlab-ci.yml",
        "child.yml",
        "ci.yaml",
    ]


def test_a_mistake_leaves_what_is_there(folder: Path, ci: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "ci.yaml").write_text("mine", encoding="utf-8")
    ci.write_text("a: {script: x, stage: later}\n", encoding="utf-8")

    assert main(["import", "-o", "ci.yaml"]) == 1

    assert (folder / "ci.yaml").read_text() == "mine"
    assert capsys.readouterr().err == (
        ".gitlab-ci.yml:1:16: the job a is in the stage later;"
        " the stages are .pre, build, test, deploy, .post\n"
    )


def test_a_file_that_cannot_be_written_is_named(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "taken").mkdir()

    assert main(["import", "-o", "taken"]) == 2

    assert "mock-gitlab: cannot write taken: " in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitlab-ci.yml",
        "child.yml",
        "taken",
    ]


def test_what_no_scenario_can_say_is_refused(ci: Path, capsys: pytest.CaptureFixture[str]):
    ci.write_text(f"a: {{trigger: group/b, variables: {{{'V' * 300}: x}}}}\n", encoding="utf-8")

    assert main(["import"]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mock-gitlab: no scenario can say this: scenarios[0].jobs[0]")


@pytest.mark.parametrize(
    "options", [["--var", "A"], ["--source", "magic"], ["--ref", "a", "--tag", "b"]]
)
def test_arguments_that_mean_nothing_are_refused(options: list[str]):
    with pytest.raises(SystemExit, match="2"):
        main(["import", *options])


def test_a_client_sees_the_pipeline_and_its_child(folder: Path):
    assert main(["import", "--changed", "src/a", "-o", "scenarios/ci.yaml"]) == 0
    (folder / "mock.yaml").write_text(FROZEN, encoding="utf-8")

    with Mock(
        create_app("mock.yaml", environ={}, watch=False), headers={"PRIVATE-TOKEN": TOKEN}
    ) as mock:
        mock.trigger("group%2Fproject", scenario_id=950)
        mock.advance("30s")
        [_, bridge] = mock.get("/api/v4/projects/group%2Fproject/pipelines/1/bridges").json()
        child = bridge["downstream_pipeline"]
        mock.advance("30s")

        assert (bridge["name"], bridge["status"], child["status"]) == (
            "child",
            "running",
            "running",
        )
        listed = mock.get(f"/api/v4/projects/{child['project_id']}/pipelines/{child['id']}/jobs")
        assert [job["name"] for job in listed.json()] == ["deploy"]
        assert mock.pipeline(1, "group%2Fproject")["status"] == "success"


def test_no_server_is_loaded_and_a_server_loads_no_importer():
    script = (
        "import sys; from mock_gitlab.cli.main import main; main(['import']);"
        "print({'fastapi', 'uvicorn', 'watchfiles', 'httpx'} & set(sys.modules), file=sys.stderr);"
        "import mock_gitlab.app, mock_gitlab.server;"
    )
    only = (
        "import sys, mock_gitlab.app, mock_gitlab.server;"
        "print('mock_gitlab.importers' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    server = subprocess.run([sys.executable, "-c", only], capture_output=True, text=True)

    assert done.stderr.splitlines()[-1] == "set()"
    assert server.stdout == "False\n"
