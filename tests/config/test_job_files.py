"""The log and the artifacts of a job may be files beside the one that declares it."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.app import create_app
from mock_gitlab.config.diagnostics import ConfigurationError
from mock_gitlab.config.loader import load
from tests.conftest import FROZEN, TOKEN, Mock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BINARY = bytes(range(256)) + b"."
SCENARIOS = """\
scenarios:
  - scenario_id: 900
    jobs:
      - name: build
        duration: 10s
        trace_file: logs/build.log
        artifacts: [{path: app.bin, file: app.bin}, {path: notes.txt, content: "é"}]
        attempts: [{}, {trace_file: logs/again.log}]
"""
JOBS = "/api/v4/projects/1/jobs"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scenarios = tmp_path / "scenarios"
    (scenarios / "logs").mkdir(parents=True)
    (scenarios / "logs" / "build.log").write_bytes(b"one\ntwo\xff\n")
    (scenarios / "logs" / "again.log").write_text("again\n", encoding="utf-8")
    (scenarios / "app.bin").write_bytes(BINARY)
    (scenarios / "ci.yaml").write_text(SCENARIOS, encoding="utf-8")
    (tmp_path / "mock.yaml").write_text(FROZEN, encoding="utf-8")
    return tmp_path


def serve(folder: Path) -> Mock:
    app = create_app(folder / "mock.yaml", environ={}, watch=False)
    return Mock(app, headers={"PRIVATE-TOKEN": TOKEN})


@pytest.fixture
def mock(folder: Path) -> Iterator[Mock]:
    with serve(folder) as mock:
        mock.trigger(scenario_id=900)
        yield mock


def test_the_log_of_a_job_is_a_file_and_grows_like_any_log(mock: Mock):
    mock.advance("5s")
    half = mock.get(f"{JOBS}/100001/trace").text
    mock.advance("5s")

    assert (half, mock.get(f"{JOBS}/100001/trace").text) == ("one\n", "one\ntwo\ufffd\n")


def test_an_attempt_has_a_log_of_its_own(mock: Mock):
    mock.advance("10s")
    again = mock.post(f"{JOBS}/100001/retry").json()["id"]
    mock.advance("10s")

    assert mock.get(f"{JOBS}/{again}/trace").text == "again\n"


def test_a_binary_file_is_in_the_archive_as_it_is(mock: Mock):
    mock.advance("10s")
    archive = zipfile.ZipFile(io.BytesIO(mock.get(f"{JOBS}/100001/artifacts").content))

    assert archive.read("app.bin") == BINARY
    assert mock.get(f"{JOBS}/100001/artifacts/app.bin").content == BINARY
    assert mock.get(f"{JOBS}/100001/artifacts/notes.txt").content == "é".encode()


def test_its_size_is_that_of_the_file(mock: Mock):
    mock.advance("10s")
    listed = mock.get(f"{JOBS}/100001/artifacts/tree").json()
    shown = mock.get("/_mock/jobs/100001").json()["artifacts"]

    assert [(each["path"], each["size"]) for each in listed] == [("app.bin", 257), ("notes.txt", 2)]
    assert shown == [{"path": "app.bin", "size": 257}, {"path": "notes.txt", "size": 2}]


def test_the_files_are_read_again_with_the_others(folder: Path):
    loaded = load(folder / "mock.yaml", {})

    assert {folder / "scenarios" / "app.bin", folder / "scenarios" / "logs" / "build.log"} <= set(
        loaded.files
    )
    with serve(folder) as mock:
        mock.trigger(scenario_id=900)
        mock.advance("10s")
        (folder / "scenarios" / "app.bin").write_bytes(b"new")
        (folder / "scenarios" / "logs" / "build.log").write_text("new\n", encoding="utf-8")
        assert mock.post("/_mock/config/reload").status_code == 200
        assert mock.get(f"{JOBS}/100001/artifacts/app.bin").content == b"new"
        assert mock.get(f"{JOBS}/100001/trace").text == "new\n"


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("trace_file: none", 'jobs[0].trace_file: cannot read "none": No such file'),
        ("trace: x, trace_file: logs/build.log", "jobs[0].trace_file: cannot be combined with"),
        ("attempts: [{trace_file: none}]", 'jobs[0].attempts[0].trace_file: cannot read "none"'),
        ("artifacts: [{path: a, file: none}]", 'jobs[0].artifacts[0].file: cannot read "none"'),
        (
            "artifacts: [{path: a, content: x, file: app.bin}]",
            "jobs[0].artifacts[0].file: cannot be combined with content",
        ),
    ],
)
def test_a_file_that_cannot_be_read_or_has_a_rival_is_a_mistake(folder: Path, job: str, said: str):
    text = f"scenarios: [{{scenario_id: 900, jobs: [{{name: a, {job}}}]}}]\n"
    (folder / "scenarios" / "ci.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError) as refused:
        load(folder / "mock.yaml", {})

    assert said in str(refused.value.mistakes[0])


@pytest.mark.parametrize(
    "job",
    [{"trace_file": "/etc/hostname"}, {"artifacts": [{"path": "a", "file": "/etc/hostname"}]}],
)
def test_nobody_reads_a_file_of_the_server_at_run_time(mock: Mock, job: dict[str, object]):
    body = {"scenario_id": 7_000, "jobs": [{"name": "a", **job}]}

    answer = mock.post("/_mock/scenarios", json=body)

    assert answer.status_code == 422
    assert "works only in files" in answer.text
