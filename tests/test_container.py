"""What can be known of the container image where no image can be built."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]


class Instruction(NamedTuple):
    """An instruction of the Dockerfile."""

    name: str
    value: str


def instructions() -> list[Instruction]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Instruction(*line.split(maxsplit=1)) for line in lines]


def last_stage() -> list[Instruction]:
    found = instructions()
    begin = max(index for index, each in enumerate(found) if each.name == "FROM")
    return found[begin:]


def value(name: str) -> str:
    [found] = [each.value for each in last_stage() if each.name == name]
    return found


def copied() -> list[str]:
    """List what the build copies from the folder of the project."""
    found = [each.value for each in instructions() if each.name == "COPY"]
    return [part for each in found if "--from" not in each for part in each.split()[:-1]]


def environment(port: int) -> dict[str, str]:
    """Make the environment of a container: what the image sets, and nothing else."""
    declared = dict(pair.split("=", 1) for pair in shlex.split(value("ENV")))
    path = os.pathsep.join((str(Path(sys.executable).parent), "/usr/bin", "/bin"))
    return {**declared, "PATH": path, "MOCK_HOST": "127.0.0.1", "MOCK_PORT": str(port)}


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_the_base_is_a_python_that_is_supported():
    images = [each.value.split()[0] for each in instructions() if each.name == "FROM"]
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    for image in images:
        version = re.fullmatch(r"python:(3\.\d+)-slim", image)
        assert version, image
        assert f"Programming Language :: Python :: {version[1]}" in pyproject


def test_the_image_runs_as_a_user_without_rights():
    assert value("USER") == "10001:10001"


def test_nothing_comes_from_the_network_but_what_the_package_declares():
    runs = [each.value for each in instructions() if each.name == "RUN"]

    assert not [each for each in instructions() if each.name == "ADD"]
    assert len(runs) == 1
    assert runs[0].endswith('install --no-cache-dir --no-compile ".[metrics]"')


def test_the_context_has_what_is_copied_and_little_else():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()

    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert kept == {each.rstrip("/") for each in copied()}


def test_what_is_copied_makes_the_package(tmp_path: Path):
    for name in copied():
        source = ROOT / name
        skip = shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, tmp_path / "source" / name, ignore=skip)
        else:
            (tmp_path / "source").mkdir(exist_ok=True)
            shutil.copy(source, tmp_path / "source" / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    done = subprocess.run([*build, str(tmp_path / "source")], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"mock_gitlab/app.py", "mock_gitlab/shipped/mock.yaml"} <= set(names)


def test_the_entry_point_serves_in_a_bare_environment_and_writes_no_file(tmp_path: Path, port: int):
    health = value("HEALTHCHECK").partition("CMD ")[2]
    command = [*json.loads(value("ENTRYPOINT")), *json.loads(value("CMD"))]
    env = environment(port)

    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        try:
            while not server.stdout.readline().startswith("watching: "):
                assert server.poll() is None
            healthy = subprocess.run(json.loads(health), cwd=tmp_path, env=env).returncode
        finally:
            server.send_signal(signal.SIGTERM)
        server.stdout.read()

    assert (healthy, server.returncode) == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_container_that_does_not_serve_is_not_healthy(tmp_path: Path, port: int):
    health = json.loads(value("HEALTHCHECK").partition("CMD ")[2])

    done = subprocess.run(health, cwd=tmp_path, env=environment(port), capture_output=True)

    assert done.returncode == 1
