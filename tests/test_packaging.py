"""What a wheel and an sdist contain, and that the installed wheel works away from the source."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]


def run(command: list[str], folder: Path, env: dict[str, str] | None = None) -> str:
    """Run a program and return what it prints; a failure shows what it said."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run(build, folder)
    return folder


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of a new virtual environment with the wheel in it.

    What the package depends on comes from the environment of this test, since nothing here may
    use the network.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    install += ["--disable-pip-version-check", "--no-deps", "--no-index"]
    run([*install, *map(str, built.glob("*.whl"))], folder)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return str(python)


@pytest.fixture
def away(python: str, tmp_path: Path) -> Callable[..., str]:
    """Run the installed Python in an unrelated folder, which nothing points back from."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MOCK_", "PYTHON", "COV"))}
    kept = {name: value for name, value in kept.items() if not name.startswith("PYTEST")}

    def away(*arguments: str) -> str:
        return run([python, *arguments], tmp_path, env=kept)

    return away


def test_the_wheel_has_the_types_the_schemas_and_the_shipped_files(built: Path):
    [wheel] = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    shipped = {
        f"mock_gitlab/shipped/scenarios/{each.name}" for each in (ROOT / "scenarios").iterdir()
    }
    assert shipped | {"mock_gitlab/shipped/mock.yaml", "mock_gitlab/py.typed"} <= names
    schemas = {each.name for each in (ROOT / "mock_gitlab" / "config" / "schemas").iterdir()}
    assert {f"mock_gitlab/config/schemas/{name}" for name in schemas} <= names
    assert {"mock_gitlab/store/schema.sql", "mock_gitlab/config/gallery.yaml"} <= names
    assert {name.partition("/")[0] for name in names if "dist-info" not in name} == {"mock_gitlab"}


def test_the_wheel_declares_the_command_and_the_plugin(built: Path):
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [declared] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        written = archive.read(declared).decode()

    assert "[console_scripts]\nmock-gitlab = mock_gitlab.cli.main:main" in written
    assert "[pytest11]\nmock_gitlab = mock_gitlab.testing.pytest_plugin" in written


def test_the_sdist_has_what_the_tests_need(built: Path):
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    wanted = {"README.md", "API.md", "LICENSE", "mock.yaml", "pyproject.toml", "tests/conftest.py"}
    assert wanted <= names
    assert not any(name.startswith((".git/", ".venv")) or name.endswith(".db") for name in names)


def test_the_package_comes_from_the_wheel(away: Callable[..., str]):
    where = away("-c", "import mock_gitlab; print(mock_gitlab.__file__)")

    assert str(ROOT) not in where


def test_the_library_serves(away: Callable[..., str]):
    code = (
        "from mock_gitlab import MockGitLab\n"
        "with MockGitLab() as mock:\n"
        "    print(mock.mock.advance('5m') and mock.mock.pipelines())"
    )

    assert away("-c", code).strip() == "[]"


def test_init_writes_a_starter_that_check_accepts(away: Callable[..., str], tmp_path: Path):
    away("-m", "mock_gitlab", "init", "mocks")

    found = json.loads(
        away("-m", "mock_gitlab", "check", "--config", "mocks/mock.yaml", "--format", "json")
    )
    assert found["mistakes"] == []
    assert list((tmp_path / "mocks" / "scenarios").iterdir())


def test_the_command_is_installed(python: str, tmp_path: Path):
    command = str(Path(python).with_name("mock-gitlab"))

    assert run([command, "--version"], tmp_path).startswith("mock-gitlab ")


def test_the_plugin_is_found(away: Callable[..., str], tmp_path: Path):
    (tmp_path / "test_it.py").write_text(
        "def test_it(mock_gitlab):\n    assert mock_gitlab.pipelines() == []\n", encoding="utf-8"
    )

    assert "1 passed" in away("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
