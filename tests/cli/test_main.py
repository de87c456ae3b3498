"""The parser, and the exit codes of the process."""

from __future__ import annotations

import io
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mock_gitlab
from mock_gitlab import __version__
from mock_gitlab.cli.main import main
from tests.live import environment

PACKAGE = Path(mock_gitlab.__file__).parent


@pytest.mark.parametrize("command", [["schema"], ["preview", "1"]])
def test_a_reader_who_has_seen_enough_is_no_mistake(folder: Path, command: list[str]):
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_gitlab", *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()

    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "x"], 'argument --port: must be a number from 0 to 65535, not "x"'),
        (["--port", "65536"], 'argument --port: must be a number from 0 to 65535, not "65536"'),
        (["preview", "x"], 'argument SCENARIO: must be the number of a scenario, not "x"'),
    ],
)
def test_an_argument_that_is_no_number_is_told_so(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)

    assert words in capsys.readouterr().err


def test_a_pipe_that_nobody_reads_ends_a_command_with_2(monkeypatch: pytest.MonkeyPatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)

        assert main(["schema"]) == 2


class Interrupting(io.StringIO):
    """A terminal at which somebody presses Ctrl-C as soon as something is printed."""

    def write(self, text: str) -> int:
        raise KeyboardInterrupt(text)


def test_an_interrupt_ends_a_command_with_130(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdout", Interrupting())

    assert main(["schema"]) == 130


def test_the_package_runs_as_a_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["mock-gitlab", "--version"])

    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(PACKAGE / "__main__.py"), run_name="__main__")

    assert capsys.readouterr().out == f"mock-gitlab {__version__}\n"


def test_the_parser_loads_no_server():
    script = (
        "import sys, mock_gitlab.cli.main;"
        "sys.exit(sorted({'fastapi', 'pydantic', 'uvicorn', 'yaml'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.stderr == "[]\n"


# ---------------------------------------------------------------------------- no tracebacks


def in_shell(command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command line in which ``mock-gitlab`` is this package."""
    program = f'mock-gitlab() {{ "{sys.executable}" -m mock_gitlab "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", program + command],
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH=str(PACKAGE.parent)),
        timeout=60,
        **options,
    )


@pytest.mark.parametrize("command", ["schema", "init", "preview 1"])
def test_an_output_that_is_full_is_one_clear_line(folder: Path, command: str):
    ended = in_shell(f"mock-gitlab {command} > /dev/full")

    assert ended.returncode == 2
    assert ended.stderr == "mock-gitlab: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", ">&- <&-", "2>&-", "<&- >&- 2>&-"])
def test_an_output_that_is_closed_is_no_mistake(folder: Path, closed: str):
    ended = in_shell(f"mock-gitlab init {closed}")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert (folder / "mock.yaml").exists()


def test_a_working_directory_that_is_gone_is_one_clear_line(folder: Path):
    ended = in_shell("mkdir gone; cd gone; rmdir ../gone; mock-gitlab --port 0")

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
