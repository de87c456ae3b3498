"""The first screen of README.md and its tour: what they show is what happens."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.shown import ROOT, blocks, read

if TYPE_CHECKING:
    from collections.abc import Iterator

README = read("README.md")
SAID_WHEN_DONE = "-- done --"


def of_language(language: str) -> list[str]:
    return [block.text for block in blocks(README) if block.language == language]


def steps(block: str) -> Iterator[tuple[str, str]]:
    """Split a console block into commands and what they print."""
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = step.partition("\n")
        yield command, printed


def agrees(shown: str, printed: str) -> bool:
    """Compare; three dots stand for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("..."))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@pytest.fixture
def tour(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The shipped configuration in a folder of its own, served as README says."""
    shutil.copy(ROOT / "mock.yaml", tmp_path)
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "mock_gitlab", "--port", "0", "--ready-file", str(ready)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            while "watching" not in (line := server.stdout.readline()):
                assert line, "the server has ended"
            yield json.loads(ready.read_text())["url"], tmp_path
        finally:
            server.kill()


def test_the_tour_goes_as_it_is_shown(tour: tuple[str, Path]):
    url, folder = tour
    shown = [step for block in of_language("console") for step in steps(block)]
    script = ["shopt -s expand_aliases"]
    for command, _ in shown:
        here = command.replace("http://127.0.0.1:8000", url)
        script.append(here.replace(".venv/bin/mock-gitlab", f"{sys.executable} -m mock_gitlab"))
        if command.startswith("sed"):
            script.append(_until_reloaded(url))
        script.append(f"echo '{SAID_WHEN_DONE}'")

    done = subprocess.run(
        ["bash"], input="\n".join(script), cwd=folder, capture_output=True, text=True, timeout=60
    )

    printed = done.stdout.split(SAID_WHEN_DONE)
    assert len(shown) > 8
    for (command, expected), got in zip(shown, printed, strict=False):
        assert agrees(expected, got), f"{command}\nprinted:\n{got}{done.stderr}"


def _until_reloaded(url: str) -> str:
    """Wait, as a person does who goes from the editor to the shell."""
    asked = f"curl -s -H 'PRIVATE-TOKEN: MOCK_SUPER_SECRET' {url}/_mock/scenarios/900"
    return f"for _ in $(seq 200); do {asked} | grep -q canceled && break; done"


def test_the_two_commands_are_one_line_each():
    commands = of_language("sh")

    assert README.count("```sh\n") == len(commands)
    assert [len(command.strip().splitlines()) for command in commands[:2]] == [1, 1]
