"""An answer may be the content of a file beside the one that declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.app import create_app
from mock_gitlab.config.diagnostics import ConfigurationError
from mock_gitlab.config.loader import load
from tests.conftest import FROZEN, TOKEN, Mock

if TYPE_CHECKING:
    from pathlib import Path

BINARY = bytes(range(256))
YAML = """\
rules: [{when: {ref: refused}, respond: {status: 400, body_file: answers/refused.json}}]
faults:
  - {when: {operation: get_version}, respond: {status: 200, body_file: answers/report.pdf}}
  - when: {operation: get_metadata}
    respond:
      - {status: 200, body_file: answers/plain}
      - {status: 200, headers: {Content-Type: a/b}, body_file: answers/plain}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "report.pdf").write_bytes(BINARY)
    (tmp_path / "answers" / "refused.json").write_text('{"message": "no"}')
    (tmp_path / "answers" / "plain").write_text("plain")
    (tmp_path / "mock.yaml").write_text(FROZEN + YAML)
    return tmp_path


def serve(folder: Path) -> Mock:
    app = create_app(folder / "mock.yaml", environ={}, watch=False)
    return Mock(app, headers={"PRIVATE-TOKEN": TOKEN})


def test_a_fault_and_a_rule_answer_with_the_content_of_a_file(folder: Path):
    with serve(folder) as mock:
        report = mock.get("/api/v4/version")
        plain = [mock.get("/api/v4/metadata") for _ in range(2)]
        refused = mock.post("/api/v4/projects/1/pipeline", json={"ref": "refused"})
        shown = mock.get("/_mock/faults").json()[0]["definition"]["respond"]

    assert (report.content, report.headers["content-type"]) == (BINARY, "application/pdf")
    assert [each.text for each in plain] == ["plain", "plain"]
    assert [each.headers["content-type"] for each in plain] == ["application/octet-stream", "a/b"]
    assert (refused.status_code, refused.json()) == (400, {"message": "no"})
    assert shown == {"status": 200, "headers": {}, "body_file": "answers/report.pdf"}


def test_a_file_of_scenarios_names_files_beside_itself(folder: Path):
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "log.txt").write_text("from a file")
    (folder / "scenarios" / "one.yaml").write_text(
        "scenarios:\n"
        "  - scenario_id: 900\n"
        "    faults:\n"
        "      - {when: {operation: get_pipeline}, respond: {status: 200, body_file: log.txt}}\n"
    )
    with serve(folder) as mock:
        number = mock.trigger(scenario_id=900)["id"]
        answer = mock.get(f"/api/v4/projects/1/pipelines/{number}")

    assert (answer.text, answer.headers["content-type"]) == ("from a file", "text/plain")


def test_the_file_is_read_again_with_the_others(folder: Path):
    loaded = load(folder / "mock.yaml", {})

    assert folder / "answers" / "plain" in loaded.files
    assert folder / "answers" in loaded.folders
    with serve(folder) as mock:
        (folder / "answers" / "report.pdf").write_bytes(b"new")
        assert mock.post("/_mock/config/reload").status_code == 200
        assert mock.get("/api/v4/version").content == b"new"


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        ("{status: 200, body_file: nothing}", 'body_file: cannot read "nothing": No such file'),
        ("{status: 200, body_file: answers}", 'body_file: cannot read "answers": Is a directory'),
        ("{status: 200, body: x, body_file: answers/plain}", "cannot be combined with body"),
        ("{status: 200, body_file: answers/large}", '"answers/large" has more than 1 MiB'),
        ("{status: 200, body_file: 7}", "body_file: must be text"),
    ],
)
def test_a_file_that_cannot_be_an_answer_is_a_mistake(folder: Path, respond: str, said: str):
    (folder / "answers" / "large").write_bytes(b"x" * (2**20 + 1))
    (folder / "mock.yaml").write_text(f"faults: [{{respond: {respond}}}]\n")

    with pytest.raises(ConfigurationError) as refused:
        load(folder / "mock.yaml", {})

    assert said in str(refused.value.mistakes[0])


def test_a_file_that_was_missing_is_waited_for(folder: Path):
    (folder / "mock.yaml").write_text("faults: [{respond: {status: 200, body_file: new/x}}]\n")

    with pytest.raises(ConfigurationError) as refused:
        load(folder / "mock.yaml", {})

    assert folder / "new" / "x" in refused.value.files
    assert folder / "new" in refused.value.folders


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_mock/faults", {"respond": {"status": 200, "body_file": "/etc/hostname"}}),
        ("/_mock/rules", {"respond": {"status": 200, "body_file": "/etc/hostname"}}),
    ],
)
def test_nobody_reads_a_file_of_the_server_at_run_time(mock: Mock, path: str, body: Any):
    answer = mock.post(path, json=body)

    assert answer.status_code == 422
    assert "works only in files" in answer.text
