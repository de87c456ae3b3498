"""The recipes of README.md, each run as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from mock_gitlab import MockGitLab, MockWorld
from tests.live import serving

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RECIPES = README.partition("## Recipes\n")[2].partition("\n## ")[0]


class Recipe(NamedTuple):
    """A block of the recipes: its language, and the name of its file where it says one."""

    language: str
    name: str
    text: str


def recipes() -> list[Recipe]:
    found = re.findall(r"^```(\w+)\n(.*?)^```", RECIPES, re.DOTALL | re.MULTILINE)
    named = re.compile(r"(?:#|//) (\S+\.\w+)\n")
    return [
        Recipe(language, name[1] if (name := named.match(text)) else "", text)
        for language, text in found
    ]


def recipe(name: str) -> str:
    [text] = [each.text for each in recipes() if each.name == name]
    return text


def shell(text: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run with the installed commands at hand, and without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOCK_")}
    path = os.pathsep.join((str(Path(sys.executable).parent), kept["PATH"]))
    process = subprocess.Popen(
        ["bash", "-e", "-c", text],
        cwd=folder,
        env={**kept, "PATH": path, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            printed, said = process.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what the recipe has left running too
    return subprocess.CompletedProcess(text, process.returncode, printed, said)


def run(name: str, folder: Path, command: str) -> str:
    """Write a recipe's file and run it."""
    (folder / name).write_text(recipe(name), encoding="utf-8")
    done = shell(command, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


PYTEST = "pytest -q -p no:cacheprovider -p no:randomly"


@pytest.mark.parametrize("options", ["", "-n 2"])
def test_a_pytest_suite_with_python_gitlab(tmp_path: Path, options: str):
    printed = run("test_release.py", tmp_path, f"{PYTEST} {options} test_release.py")

    assert "2 passed" in printed


def test_a_program_that_sleeps_between_its_polls(tmp_path: Path):
    assert "2 passed" in run("test_waiting.py", tmp_path, f"{PYTEST} test_waiting.py")


def test_fixtures_of_a_wider_scope(tmp_path: Path):
    (tmp_path / "test_it.py").write_text(
        "def test_one(staging, nightly, mock_gitlab):\n"
        "    assert staging.url.endswith('/sandbox/staging')\n"
        "    assert mock_gitlab.url.endswith('/sandbox/test_one')\n"
        "def test_two(staging, mock_gitlab_server):\n"
        "    assert mock_gitlab_server.app.worlds.names() == ['staging']\n"
    )

    assert "2 passed" in run("conftest.py", tmp_path, f"{PYTEST} test_it.py")


def test_unittest_without_pytest(tmp_path: Path):
    shutil.copy(ROOT / "mock.yaml", tmp_path)
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")

    run("test_unit.py", tmp_path, "python -W error -m unittest test_unit.py")


@pytest.mark.parametrize("described", [MockGitLab, MockWorld])
def test_the_tables_name_all_that_there_is(described: type):
    [table] = re.findall(
        rf"^\| of a `{described.__name__}` \| \|\n((?:\|.*\n)+)", README, re.MULTILINE
    )
    offered = {name for name in dir(described) if not name.startswith("_")} | (
        {"url", "token"} if described is MockWorld else set()
    )

    assert set(re.findall(r"`(\w+)[`(]", table)) >= offered


def test_httpx_without_a_socket(tmp_path: Path):
    assert run("no_socket.py", tmp_path, "python no_socket.py") == "200 success\n"


def test_a_ci_job_without_docker(tmp_path: Path):
    [job] = yaml.safe_load(recipe(".gitlab-ci.yml")).values()
    steps: list[str] = [*job["before_script"], *job["script"]]
    assert steps[0] == "pip install mock-gitlab"  # what that brings, tests/test_packaging.py sees

    script = "\n".join([*steps[1:], "kill %1", "wait || true"])
    done = shell(script, tmp_path, **job["variables"])

    assert '"username":"root"' in done.stdout, done.stdout + done.stderr

    (tmp_path / "mock.yaml").write_text("version: 2\n")
    done = shell(script, tmp_path, **job["variables"])

    assert done.returncode == 1
    assert "mock.yaml:1:10: version" in done.stdout + done.stderr


def test_one_server_for_many_ci_jobs(tmp_path: Path):
    start, use = [each.text for each in recipes() if each.language == "bash"]
    settings = dict(re.findall(r"(MOCK_\w+)=(\S+)", start))
    name = settings["MOCK_ALLOWED_HOSTS"]
    assert "--host 0.0.0.0 --port 8000" in start

    with serving(tmp_path, **settings) as server:
        # The name is that of no machine: it is resolved here, and the Host header stays.
        resolve = f"--connect-to {name}:8000:127.0.0.1:{server.port}"
        done = shell(use.replace("curl ", f"curl {resolve} "), tmp_path, CI_JOB_ID="7")
        left = shell(
            f"curl {resolve} -s -H 'PRIVATE-TOKEN: glpat-shared' http://{name}:8000/_mock/sandboxes",
            tmp_path,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"frozen":true' in done.stdout
    assert '"id":1,' in done.stdout
    assert left.stdout == "[]"


# Node is no part of the test extra: it is a machine's, or it is not there.
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node on this machine")
def test_a_node_test_suite(tmp_path: Path):
    printed = run("release.test.mjs", tmp_path, "node --test release.test.mjs")

    assert "pass 1" in printed


def test_every_recipe_with_code_is_run_here():
    here = Path(__file__).read_text(encoding="utf-8")

    named = [each.name for each in recipes() if each.language != "bash"]
    assert len(named) > 4
    assert [name for name in named if f'"{name}"' not in here] == []
