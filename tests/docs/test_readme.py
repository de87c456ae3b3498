"""What README.md shows is what happens."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main
from mock_gitlab.config.loader import load
from mock_gitlab.config.overrides import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAID_WHEN_DONE = "-- done --"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


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
    shown = [step for block in blocks("console") for step in steps(block)]
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


@pytest.mark.parametrize("text", [each for each in blocks("yaml") if "# mock.yaml" in each])
def test_every_yaml_example_is_a_configuration(text: str, tmp_path: Path):
    path = tmp_path / "mock.yaml"
    path.write_text(text, encoding="utf-8")

    assert load(path, {}).declarations.scenarios


def test_every_option_of_serve_is_in_the_readme_or_explained_by_its_help(
    capsys: pytest.CaptureFixture[str],
):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])

    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert {option for option in options if option not in README} == set()


def test_every_variable_is_in_the_readme():
    assert {name for name in VARIABLES if name not in README} == set()


def test_the_two_commands_are_one_line_each():
    commands = blocks("sh")

    assert [len(command.strip().splitlines()) for command in commands[:2]] == [1, 1]
