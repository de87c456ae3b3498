"""The process for servers: one for each process, started when it is needed, gone with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from mock_gitlab import ConfigurationError, MockGitLab
from mock_gitlab.config.diagnostics import Mistake
from mock_gitlab.testing import process
from mock_gitlab.testing.process import ServerProcess, close_server_process, server_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the process of the other tests alone."""
    monkeypatch.setattr(process, "_processes", {})
    yield
    close_server_process()


def test_all_servers_share_one_process():
    with MockGitLab(), MockGitLab():
        assert server_process() is server_process()


def test_no_thread_of_the_library_runs_in_the_process_of_the_tests():
    before = threading.enumerate()

    with MockGitLab():
        assert threading.enumerate() == before


@pytest.mark.usefixtures("own")
def test_a_process_that_was_killed_is_replaced():
    mock = MockGitLab().start()
    os.kill(server_process()._process.pid, signal.SIGKILL)
    server_process_of(mock)._process.wait()
    with pytest.raises(RuntimeError, match="the process of the mock has ended"):
        mock.sandboxes()
    mock.stop()

    with mock:
        assert mock.sandboxes() == []


def server_process_of(mock: MockGitLab) -> ServerProcess:
    return mock._get_running().process


@pytest.mark.usefixtures("own")
def test_closing_ends_all_servers():
    mock = MockGitLab().start()
    ended = server_process()
    close_server_process()
    close_server_process()

    assert not ended.alive
    mock.stop()


@pytest.mark.parametrize(
    "end", ["", "import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"]
)
def test_the_process_ends_with_the_one_that_has_started_it(end: str, tmp_path: Path):
    code = "from mock_gitlab import MockGitLab; from mock_gitlab.testing import process as p\n"
    code += f"MockGitLab().start(); print(p.server_process()._process.pid, flush=True); {end}"

    # communicate() returns when nobody has the pipe for errors any more
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.stdout.strip().isdigit(), done.stderr) == (True, "")


def test_an_interrupt_from_the_keyboard_leaves_the_end_to_the_tests():
    with MockGitLab() as mock:
        os.kill(server_process()._process.pid, signal.SIGINT)

        assert mock.mock.now()


def test_relative_paths_are_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("version: 1\ntoken: glpat-mine\n")

    with MockGitLab("mine.yaml", database="mine.db") as mock:
        assert mock.token == "glpat-mine"
    assert (tmp_path / "mine.db").exists()


def test_mistakes_come_whole_from_the_other_process(tmp_path: Path):
    (tmp_path / "mock.yaml").write_text("version: 2\n")

    with pytest.raises(ConfigurationError) as caught:
        MockGitLab(tmp_path / "mock.yaml").start()

    [mistake] = caught.value.mistakes
    assert isinstance(mistake, Mistake)
    assert str(caught.value) == str(mistake)
    assert caught.value.folders == (tmp_path,)
