"""What the live page computes, run by Node where there is one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node on this machine")
def test_what_the_page_computes():
    tests = Path(__file__).parent / "timeline.test.mjs"

    done = subprocess.run(["node", "--test", str(tests)], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
