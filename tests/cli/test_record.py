"""``record`` writes the scenarios of a pipeline that has run, and compares them with it."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.cli.main import main
from tests.importers.saving import save, write
from tests.live import TOKEN, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Mock

SECRET = "s3cret-value"
JOBS: list[dict[str, Any]] = [
    {
        "name": "build",
        "stage": "build",
        "duration": 10,
        "retry": 1,
        "tags": ["docker"],
        "coverage": 81.5,
        "trace": f"$ make\nme@example.com glpat-abcdefgh12345 {SECRET}\n",
        "attempts": [{"status": "failed"}, {"status": "success", "duration": 4}],
    },
    {"name": "flaky", "stage": "test", "duration": 5, "pending_seconds": 3, "status": "failed"},
    {
        "name": "deploy",
        "stage": "test",
        "downstream": {
            "project": "group/deploy",
            "scenario": 820,
            "strategy": "depend",
            "variables": {"LEVEL": "another-value"},
        },
    },
    {"name": "by hand", "stage": "test", "duration": 1, "when": "manual"},
]
CASES = [
    {"name": "ok", "execution_time": 0.5},
    {"name": "bad", "status": "failed", "system_output": f"was {SECRET}", "classname": "T"},
]


@pytest.fixture
def saved(mock: Mock, folder: Path) -> Path:
    """A folder with a pipeline that has run, and the pipeline that it started."""
    mock.declare(820, jobs=[{"name": "roll out", "stage": "deploy", "duration": 30}])
    report = {"suites": [{"name": "unit", "cases": CASES, "suite_error": "half"}]}
    mock.declare(821, stages=["build", "test"], jobs=JOBS, test_report=report)
    number = mock.trigger(scenario_id=821, variables={"PASSWORD": SECRET})["id"]
    mock.advance("2m")
    return save(mock, folder / "saved", number)


def job_named(mock: Mock, name: str) -> int:
    jobs = mock.get("/api/v4/projects/1/pipelines/1/jobs").json()
    return next(int(job["id"]) for job in jobs if job["name"] == name)


def edit(folder: Path, name: str, /, **changes: Any) -> None:
    """Change each object in a file of a recording."""
    value = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    for each in value if isinstance(value, list) else [value]:
        each.update(changes)
    write(folder, name, value)


def recorded(saved: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["record", "--from-folder", str(saved), *options]) == 0
    return capsys.readouterr().out


def test_check_accepts_the_file(saved: Path, folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["record", "--from-folder", "saved", "-o", "made/run.yaml"]) == 0

    printed = capsys.readouterr()
    assert printed.out == "wrote made/run.yaml: scenario 950 with 4 jobs, and 1 more scenario\n"
    assert "note: a replay shows what was recorded\n" in printed.err
    assert [path.name for path in (folder / "made").iterdir()] == ["run.yaml"]
    assert main(["check", "made/run.yaml"]) == 0


def test_what_the_replay_shows_stands_at_the_top(saved: Path, capsys: pytest.CaptureFixture[str]):
    edit(saved, "pipeline", status="canceled", finished_at="2026-01-01T01:00:00Z")

    text = recorded(saved, capsys)

    assert text.startswith("# Recorded from pipeline 1 of main. Edit it as you like.\n# - ")
    assert (
        "# - scenario 950 differs: at +3600s the pipeline was canceled, and is failed here" in text
    )
    assert "# - scenario 950 differs: the pipeline ended at +3600s, and at +44s here" in text


def test_secrets_are_taken_out_and_counted(saved: Path, capsys: pytest.CaptureFixture[str]):
    text = recorded(saved, capsys)

    assert SECRET not in text
    assert "another-value" not in text
    assert "glpat-" not in text
    assert "me@example.com" not in text
    assert "# - taken out: e-mail addresses (3), tokens (3), values of variables (5)" in text
    assert 'variables: {LEVEL: "[removed]"}' in text


def test_secrets_are_kept_if_that_is_asked_for(saved: Path, capsys: pytest.CaptureFixture[str]):
    text = recorded(saved, capsys, "--keep-secrets")

    assert "# - secrets were left in" in text
    assert "me@example.com glpat-abcdefgh12345" in text
    assert "LEVEL: another-value" in text


def test_test_reports_are_written(saved: Path, capsys: pytest.CaptureFixture[str]):
    text = recorded(saved, capsys)

    assert "{name: ok, execution_time: 0.5}" in text
    assert 'status: failed, classname: T, system_output: "was [removed]"' in text
    assert "suite_error: half" in text


def test_a_retry_by_hand_is_replayed(mock: Mock, saved: Path, capsys: pytest.CaptureFixture[str]):
    mock.post(f"/api/v4/projects/1/jobs/{job_named(mock, 'flaky')}/retry")
    mock.advance("1m")
    save(mock, saved, 1)

    text = recorded(saved, capsys)

    assert "1 retry by hand: attempts say how each goes" in text
    assert "a replay shows what was recorded" in text


def test_two_retries_by_hand_are_counted(
    mock: Mock, saved: Path, capsys: pytest.CaptureFixture[str]
):
    for _ in range(2):
        mock.post(f"/api/v4/projects/1/jobs/{job_named(mock, 'flaky')}/retry")
        mock.advance("1m")

    text = recorded(save(mock, saved, 1), capsys)

    assert "2 retries by hand" in text
    assert "differs" not in text


def test_a_pipeline_that_still_runs_goes_on_for_ever(
    mock: Mock, folder: Path, capsys: pytest.CaptureFixture[str]
):
    mock.declare(820, never_complete=True)
    mock.declare(821, jobs=JOBS)
    mock.trigger(scenario_id=821)
    mock.advance("18s")

    text = recorded(save(mock, folder / "running", 1), capsys)

    assert "never_complete: true" in text
    assert "differs" not in text


def test_a_child_pipeline_is_recorded_as_one(
    mock: Mock, folder: Path, capsys: pytest.CaptureFixture[str]
):
    trigger = {"include": "child.yml", "scenario": 820, "strategy": "depend"}
    mock.declare(820, jobs=[{"name": "unit", "duration": 30}])
    mock.declare(800, jobs=[{"name": "api", "trigger": trigger}])
    mock.trigger(scenario_id=800)
    mock.advance("1m")

    text = recorded(save(mock, folder / "child", 1), capsys)

    assert "trigger: {include: api, scenario: 951, strategy: depend}" in text
    assert "differs" not in text


def test_a_pipeline_that_was_not_recorded_ends_as_its_bridge_says(
    saved: Path, capsys: pytest.CaptureFixture[str]
):
    (saved / "downstream").rename(saved / "elsewhere")

    text = recorded(saved, capsys)

    assert "deploy: its pipeline 2 was not recorded, but how it ends" in text
    assert "{scenario_id: 951, name: pipeline 2, terminal_after_seconds: 30" in text
    assert "differs" not in text


@pytest.mark.parametrize(
    ("times", "written"),
    [
        ({"started_at": None, "finished_at": None}, "name: pipeline 2, terminal_status: success"),
        ({"status": "running", "finished_at": None}, "name: pipeline 2, never_complete: true"),
    ],
)
def test_an_unrecorded_pipeline_may_have_no_times(
    saved: Path, capsys: pytest.CaptureFixture[str], times: dict[str, Any], written: str
):
    (saved / "downstream").rename(saved / "elsewhere")
    edit(saved, "bridges", **times)
    if "status" in times:
        [bridge] = json.loads((saved / "bridges.json").read_text(encoding="utf-8"))
        edit(saved, "bridges", downstream_pipeline=bridge["downstream_pipeline"] | times)

    assert written in recorded(saved, capsys)


def test_a_bridge_that_does_not_wait_says_so(saved: Path, capsys: pytest.CaptureFixture[str]):
    [bridge] = json.loads((saved / "bridges.json").read_text(encoding="utf-8"))
    edit(saved, "bridges", finished_at=bridge["started_at"])

    assert "strategy" not in recorded(saved, capsys)


def test_a_bridge_without_times_does_not_wait(saved: Path, capsys: pytest.CaptureFixture[str]):
    edit(saved, "bridges", started_at=None, finished_at=None)

    assert "strategy" not in recorded(saved, capsys)


def test_a_bridge_of_a_running_pipeline_waits(saved: Path, capsys: pytest.CaptureFixture[str]):
    edit(saved, "bridges", status="running", finished_at=None)

    assert "strategy: depend" in recorded(saved, capsys)


@pytest.mark.parametrize("reason", ["downstream_pipeline_creation_failed", None])
def test_a_bridge_that_started_nothing_fails(
    saved: Path, capsys: pytest.CaptureFixture[str], reason: str | None
):
    edit(saved, "bridges", downstream_pipeline=None, status="failed", failure_reason=reason)

    text = recorded(saved, capsys)

    assert "deploy: which project it starts a pipeline in is not known" in text
    assert 'downstream: {project: "1"}' in text
    assert (f"failure_reason: {reason}" in text) == (reason is not None)


def test_a_bridge_that_has_not_started_is_skipped(saved: Path, capsys: pytest.CaptureFixture[str]):
    edit(saved, "bridges", downstream_pipeline=None, status="skipped", started_at=None)
    edit(saved, "bridges", finished_at=None, queued_duration=None)

    assert "when: on_failure" in recorded(saved, capsys)


def test_a_ci_file_that_is_invalid_has_no_jobs(saved: Path, capsys: pytest.CaptureFixture[str]):
    edit(saved, "pipeline", yaml_errors="jobs: me@example.com", status="failed", finished_at=None)

    assert 'yaml_errors: "jobs: [removed]"' in recorded(saved, capsys)


def test_a_wait_that_is_not_known_is_none(saved: Path, capsys: pytest.CaptureFixture[str]):
    edit(saved, "jobs", queued_duration=None)

    assert "pending_seconds: 3" not in recorded(saved, capsys)


def test_coverage_over_a_hundred_is_left_out(saved: Path, capsys: pytest.CaptureFixture[str]):
    edit(saved, "jobs", coverage=181)
    edit(saved, "pipeline", coverage="181.0")

    assert "coverage" not in recorded(saved, capsys)


@pytest.mark.parametrize(
    ("changes", "written"),
    [
        ({"status": "success"}, "terminal_after_seconds: 44\n    terminal_status: success"),
        ({"status": "skipped", "finished_at": None}, "terminal_status: skipped"),
        ({"status": "pending", "started_at": None}, "pending_seconds: 1000000000"),
        ({"status": "running", "started_at": "2026-01-01T00:00:02Z"}, "pending_seconds: 2"),
    ],
)
def test_a_pipeline_may_have_no_jobs(
    saved: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], written: str
):
    write(saved, "jobs", [])
    write(saved, "bridges", [])
    edit(saved, "pipeline", coverage=80.5, **changes)

    text = recorded(saved, capsys, "--scenario-id", "7")

    assert written in text
    assert "scenario_id: 7\n" in text


# ---------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pipeline.json", '{"id": 1,\n "x" 2}', ":2:6: is no JSON: Expecting ':' delimiter"),
        ("pipeline.json", "[]", ":1:1: the pipeline must be an object, not []"),
        ("pipeline.json", "{}", ":1:1: created_at is missing"),
        ("pipeline.json", '{"created_at": 3}', "created_at must be a time such as"),
        ("jobs.json", "{}", "the list of jobs must be a list, not {}"),
        ("jobs.json", "[1]", "each of the list of jobs must be an object, not 1"),
        ("jobs.json", "[{}]", "id must be a whole number above 0, not None"),
        ("jobs.json", '[{"id": 1}]', "name must be text, not None"),
        ("jobs.json", '[{"id": 1, "name": "a", "stage": "b"}]', "status is none of GitLab's"),
        ("jobs.json", '[{"id": 1, "name": "a", "queued_duration": "x"}]', "must be"),
        ("variables.json", "[{}]", "key must be text, not None"),
        ("test_report.json", '{"test_suites": [{}]}', "name must be text, not None"),
    ],
)
def test_a_file_that_is_wrong_is_named(
    saved: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, said: str
):
    (saved / name).write_text(content, encoding="utf-8")

    assert main(["record", "--from-folder", "saved", "-o", "run.yaml"]) == 1

    error = capsys.readouterr().err
    assert error.startswith(f"saved/{name}:")
    assert said in error
    assert not os.path.exists("run.yaml")


@pytest.mark.parametrize(("value", "said"), [("much", "not 'much'"), (-1, "from 0 to 1e9")])
def test_a_number_that_is_none_is_named(
    saved: Path, capsys: pytest.CaptureFixture[str], value: Any, said: str
):
    edit(saved, "pipeline", coverage=value)

    assert main(["record", "--from-folder", "saved"]) == 1

    error = capsys.readouterr().err
    assert error.startswith("saved/pipeline.json:1:1: coverage must be a number")
    assert said in error


def test_a_file_that_is_no_text_is_named(saved: Path, capsys: pytest.CaptureFixture[str]):
    (saved / "jobs.json").write_bytes(b'"\xff')

    assert main(["record", "--from-folder", "saved"]) == 1

    assert capsys.readouterr().err == "saved/jobs.json:1:1: is no JSON\n"


def test_a_file_that_is_missing_is_named(saved: Path, capsys: pytest.CaptureFixture[str]):
    (saved / "jobs.json").unlink()

    assert main(["record", "--from-folder", "saved"]) == 1

    assert capsys.readouterr().err == (
        "saved/jobs.json:1:1: cannot be read: No such file or directory\n"
    )


def test_only_two_files_are_needed(saved: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("bridges", "variables", "test_report"):
        (saved / f"{name}.json").unlink()
    (saved / "traces").rename(saved / "logs")

    assert "name: build" in recorded(saved, capsys)


def test_folders_in_folders_end(folder: Path, saved: Path, capsys: pytest.CaptureFixture[str]):
    (saved / "downstream" / "2" / "downstream").mkdir()
    (saved / "downstream" / "2" / "downstream" / "3").symlink_to(folder / "saved")

    assert main(["record", "--from-folder", "saved"]) == 1

    assert "lies deeper than 10 pipelines" in capsys.readouterr().err


def test_what_no_scenario_can_say_is_refused(saved: Path, capsys: pytest.CaptureFixture[str]):
    edit(saved, "jobs", name="n" * 300)

    assert main(["record", "--from-folder", "saved", "-o", "run.yaml"]) == 1

    assert "mock-gitlab: no scenario can say this: scenarios[0].jobs[" in capsys.readouterr().err
    assert not os.path.exists("run.yaml")


def test_half_a_recording_is_never_left(
    saved: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (folder / "run.yaml").write_text("mine", encoding="utf-8")
    monkeypatch.setattr(os, "replace", full)

    assert main(["record", "--from-folder", "saved", "-o", "run.yaml"]) == 2

    assert (folder / "run.yaml").read_text() == "mine"
    assert sorted(path.name for path in folder.glob("*run*")) == ["run.yaml"]


# ---------------------------------------------------------------------------- from a server


def test_a_running_server_is_recorded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(
        "version: 1\ndatabase: ':memory:'\nclock: {start: 2026-01-01, frozen: true}\n"
        "scenarios:\n"
        "  - {scenario_id: 820, jobs: [{name: roll out, duration: 30}]}\n"
        f"  - {{scenario_id: 821, stages: [build, test], jobs: {json.dumps(JOBS)}}}\n".replace(
            "$", "$$"
        ),
        encoding="utf-8",
    )
    with serving(folder) as live:
        live.trigger(scenario_id="821")
        live.control("POST", "/clock/advance", {"duration": "2m"})
        monkeypatch.setenv("GITLAB_TOKEN", TOKEN)
        url = f"{live.url}/api/v4/projects/1/pipelines/1"

        assert main(["record", url, "-o", "run.yaml"]) == 0

    printed = capsys.readouterr()
    assert "wrote run.yaml: scenario 950 with 4 jobs, and 1 more scenario" in printed.out
    assert "reading pipeline 1 of 1\n" in printed.err
    assert "reading log 1 of 4\n" in printed.err
    assert "note: a replay shows what was recorded\n" in printed.err
    assert main(["check", "run.yaml"]) == 0


def test_a_token_that_is_wrong_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with serving(folder) as live:
        monkeypatch.setenv("GITLAB_TOKEN", "wrong")
        url = f"{live.url}/group/app/-/pipelines/1"

        assert main(["record", url, "-o", "run.yaml"]) == 1

    assert capsys.readouterr().err.splitlines()[-1] == (
        f"{live.url}/api/v4/projects/group%2Fapp/pipelines/1:1:1:"
        " GitLab answers 401; set GITLAB_TOKEN to a token with read_api"
    )
    assert not os.path.exists("run.yaml")


def test_a_token_that_no_request_can_hold_is_not_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("GITLAB_TOKEN", "glpat\nx")

    assert main(["record", "http://127.0.0.1:9/a/-/pipelines/1"]) == 2

    assert capsys.readouterr().err == "mock-gitlab: GITLAB_TOKEN holds signs that no token has\n"
