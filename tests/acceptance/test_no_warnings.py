"""Nothing of ours warns where a user runs Python with ``-W error``."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.live import serving

if TYPE_CHECKING:
    from pathlib import Path

USE_OF_THE_LIBRARY = """
import urllib.request
from mock_gitlab import MockGitLab

with MockGitLab() as server:
    url = server.mock.api_url + "/projects/1/trigger/pipeline"
    body = f"ref=main&token={server.mock.token}".encode()
    with urllib.request.urlopen(url, body) as answer:
        assert answer.status == 201
    server.mock.advance("5m")
    assert server.mock.pipelines()
"""


def test_a_server_does_not_warn(tmp_path: Path):
    with serving(tmp_path, before="exec 2>stderr.txt;", PYTHONWARNINGS="error") as server:
        assert server.trigger().status == 201
        assert server.call("GET", "/api/v4/projects/1/pipelines/1").status == 200
        assert server.call("GET", "/api/v4/projects/1/pipelines?status=running").status == 200
        server.process.send_signal(signal.SIGINT)
        server.process.wait(timeout=30)

    assert "Warning" not in (tmp_path / "stderr.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "code",
    ["import mock_gitlab.testing.pytest_plugin", "import mock_gitlab.app", USE_OF_THE_LIBRARY],
    ids=["plugin", "application", "library"],
)
def test_a_program_does_not_warn(code: str, tmp_path: Path):
    command = [sys.executable, "-W", "error", "-c", code]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
