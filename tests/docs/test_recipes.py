"""The recipes of README.md run together, in one folder with the one mock.yaml.

Those for pytest, which reads the mock.yaml that it finds, run alone too.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import urlopen

import pytest
import yaml

from mock_gitlab import MockGitLab, MockWorld
from mock_gitlab.app import create_app
from mock_gitlab.config.overrides import VARIABLES
from tests.conftest import TOKEN, Mock
from tests.docs.shown import blocks, read
from tests.live import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

README = read("README.md")
_FILE = re.compile(r"(?:#|//) (\S+\.\w+)\n")
_ADDED = "# add to mock.yaml\n"


class Recipe(NamedTuple):
    """A block of the recipes: its language, and the name of its file where it has one."""

    language: str
    name: str
    text: str


def recipes() -> list[Recipe]:
    return [
        Recipe(block.language, name[1] if (name := _FILE.match(block.text)) else "", block.text)
        for block in blocks(README.partition("## Write your own mock.yaml\n")[2])
    ]


def recipe(name: str) -> str:
    [text] = [each.text for each in recipes() if each.name == name]
    return text


def configuration() -> str:
    """Put mock.yaml and all that recipes add to it into one text."""
    added: dict[str, str] = {}
    for each in recipes():
        if each.text.startswith(_ADDED):
            for key, lines in re.findall(r"^(\w+):\n((?: .*\n)+)", each.text, re.MULTILINE):
                added[key] = added.get(key, "") + lines
    return recipe("mock.yaml") + "".join(f"{key}:\n{lines}" for key, lines in added.items())


def write_all(folder: Path) -> None:
    """Write every file that README shows into one folder."""
    for each in recipes():
        if each.name:
            (folder / each.name).write_text(each.text, encoding="utf-8")
    (folder / "mock.yaml").write_text(configuration(), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The one folder with all recipes and the one mock.yaml."""
    write_all(tmp_path)
    return tmp_path


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
            printed, said = process.communicate(timeout=100)
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


def test_a_pytest_suite_with_python_gitlab(tmp_path: Path):
    assert "2 passed" in run("test_release.py", tmp_path, f"{PYTEST} test_release.py")


def test_polling_without_waiting(tmp_path: Path):
    assert "2 passed" in run("test_waiting.py", tmp_path, f"{PYTEST} test_waiting.py")


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("test_async.py", 1),
        ("test_exporter.py", 1),
        ("test_every_course.py", 27),
        ("test_program.py", 2),
        ("test_webhooks.py", 1),
    ],
)
def test_what_waits_elsewhere_does_not_wait_long(name: str, passed: int, tmp_path: Path):
    assert f"{passed} passed" in run(name, tmp_path, f"{PYTEST} {name}")


def test_a_program_that_listens_in_another_process(tmp_path: Path):
    (tmp_path / "listening_bot.py").write_text(recipe("listening_bot.py"), encoding="utf-8")

    assert "1 passed" in run("test_listening.py", tmp_path, f"{PYTEST} test_listening.py")


@pytest.mark.parametrize("options", ["", "-n 2"])
def test_all_recipes_for_pytest_pass_in_one_folder(folder: Path, options: str):
    done = shell(f"{PYTEST} {options}", folder)

    assert "38 passed" in done.stdout, done.stdout + done.stderr


def test_fixtures_of_a_wider_scope(folder: Path):
    (folder / "test_it.py").write_text(
        "def test_one(staging, nightly, mock_gitlab):\n"
        "    assert staging.url.endswith('/sandbox/staging')\n"
        "    assert mock_gitlab.url.endswith('/sandbox/test_one')\n"
        "def test_two(staging, mock_gitlab_server):\n"
        "    assert mock_gitlab_server.sandboxes() == ['staging']\n"
    )

    assert "2 passed" in run("conftest.py", folder, f"{PYTEST} test_it.py")


def test_unittest_without_pytest(folder: Path):
    run("test_unit.py", folder, "python -W error -m unittest test_unit.py")


class TestWhatTheRecipesAddToMockYaml:
    """The rules, scenarios and faults of the recipes, all in one mock.yaml."""

    @pytest.fixture
    def mock(self, folder: Path) -> Iterator[Mock]:
        app = create_app(folder / "mock.yaml", environ={}, watch=False, database=":memory:")
        with Mock(app, headers={"PRIVATE-TOKEN": TOKEN}) as mock:
            yield mock

    def test_a_pipeline_fails(self, mock: Mock):
        number = mock.trigger("42", ref="release/1", variables={"DEPLOY_ENV": "prod"})["id"]
        mock.advance("90s")

        assert mock.pipeline(number, "42")["status"] == "failed"

    def test_a_pipeline_fails_twice_and_then_succeeds(self, mock: Mock):
        numbers = [mock.trigger(ref="flaky")["id"] for _ in range(3)]
        mock.advance("90s")

        ends = [mock.pipeline(number)["status"] for number in numbers]
        assert ends == ["failed", "failed", "success"]

    def test_a_pipeline_hangs(self, mock: Mock):
        number = mock.trigger(ref="stuck")["id"]
        mock.advance("10d")

        assert mock.pipeline(number)["status"] == "running"

    def test_a_pipeline_shows_its_jobs_a_log_and_artifacts(self, mock: Mock):
        mock.trigger(ref="by-hand")
        mock.advance("30s")

        jobs = "/api/v4/projects/1/jobs"
        assert [(each["name"], each["status"]) for each in mock.get(jobs).json()] == [
            ("deploy", "manual"),
            ("build", "success"),
        ]
        assert mock.get(f"{jobs}/100001/trace").text == "compiling\ndone\n"
        assert mock.get(f"{jobs}/100001/artifacts/app.txt").text == "1.4.0"

    def test_another_ci_has_its_say(self, mock: Mock):
        number = mock.trigger(ref="reported")["id"]
        seen = []
        for step in ("1m", "4m"):
            mock.advance(step)
            seen.append(mock.pipeline(number)["status"])

        assert seen == ["running", "failed"]

    def test_gitlab_is_down_and_rate_limited(self, mock: Mock):
        project = "/api/v4/projects/group%2Funreliable"
        mock.trigger("group%2Funreliable")

        polls = [mock.get(f"{project}/pipelines/1").status_code for _ in range(3)]
        pages = [mock.get(f"{project}/pipelines").status_code for _ in range(11)]

        assert polls == [503, 503, 200]
        assert pages == [200] * 10 + [429]

    def test_what_is_not_served_is_answered(self, mock: Mock):
        answered = mock.get("/api/v4/projects/7/approval_rules")
        mock.get("/api/v4/projects/7/approvals")

        assert answered.json()[0]["approvals_required"] == 1
        refused = mock.get("/_mock/requests?limit=1").json()[0]
        assert refused["reason"] == "404 Not Found; no such endpoint here"


@pytest.mark.parametrize("described", [MockGitLab, MockWorld])
def test_the_tables_name_all_that_there_is(described: type):
    [table] = re.findall(
        rf"^\| of a `{described.__name__}` \| \|\n((?:\|.*\n)+)", read("API.md"), re.MULTILINE
    )
    offered = {name for name in dir(described) if not name.startswith("_")} | (
        {"url", "token"} if described is MockWorld else set()
    )

    assert set(re.findall(r"`(\w+)[`(]", table)) >= offered


def test_httpx_without_a_socket(folder: Path):
    assert run("no_socket.py", folder, "python no_socket.py") == "200 success\n"


def test_webhooks_for_an_app_without_a_socket(folder: Path):
    printed = run("no_socket_hooks.py", folder, "python no_socket_hooks.py")

    assert printed.splitlines() == ["running", "success"]


def test_a_pipeline_that_is_imported(folder: Path):
    [made] = [each.text for each in recipes() if each.text.startswith("# Made by")]
    options = "--durations 40s --durations test=2m"

    done = shell(f"mock-gitlab import {IMPORTED} {options} -o scenarios/my.yaml", folder)

    assert done.stdout == "wrote scenarios/my.yaml: scenario 950 with 3 jobs\n"
    assert (folder / "scenarios" / "my.yaml").read_text() == made
    assert f"`mock-gitlab import {IMPORTED} {options} -o scenarios/my.yaml` writes" in README


IMPORTED = "my.gitlab-ci.yml"


def test_a_ci_job_without_docker(folder: Path):
    [job] = yaml.safe_load(recipe(".gitlab-ci.yml")).values()
    steps: list[str] = [*job["before_script"], *job["script"]]
    assert steps[0] == "pip install mock-gitlab"  # what that brings, tests/test_packaging.py sees

    script = "\n".join([*steps[1:], "kill %1", "wait || true"])
    done = shell(script, folder, **job["variables"])

    assert '"username":"root"' in done.stdout, done.stdout + done.stderr

    (folder / "mock.yaml").write_text("version: 2\n")
    done = shell(script, folder, **job["variables"])

    assert done.returncode == 1
    assert "mock.yaml:1:10: version" in done.stdout + done.stderr


def test_one_server_for_many_ci_jobs(folder: Path):
    start, use = [each.text for each in recipes() if each.language == "bash"]
    settings = dict(re.findall(r"(MOCK_\w+)=(\S+)", start))
    name = settings["MOCK_ALLOWED_HOSTS"]
    assert "--host 0.0.0.0 --port 8000" in start

    with serving(folder, **settings) as server:
        # The name is that of no machine: it is resolved here, and the Host header stays.
        resolve = f"--connect-to {name}:8000:127.0.0.1:{server.port}"
        done = shell(use.replace("curl ", f"curl {resolve} "), folder, CI_JOB_ID="7")
        left = shell(
            f"curl {resolve} -s -H 'PRIVATE-TOKEN: glpat-shared' http://{name}:8000/_mock/sandboxes",
            folder,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert '"frozen":true' in done.stdout
    assert '"id":1,' in done.stdout
    assert left.stdout == "[]"


# ---------------------------------------------------------------------------- containers

SETTINGS = {*VARIABLES, "MOCK_CONFIG", "MOCK_ALLOWED_HOSTS"}


def test_compose_starts_the_tests_when_the_mock_is_healthy():
    services = yaml.safe_load(recipe("compose.yaml"))["services"]
    mock, tests = services["gitlab"], services["tests"]

    assert set(mock["environment"]) <= SETTINGS
    assert mock["volumes"] == [".:/mock:ro"]
    assert tests["depends_on"] == {"gitlab": {"condition": "service_healthy"}}
    assert tests["environment"]["GITLAB_URL"] == "http://gitlab:8000"


def test_a_service_of_a_gitlab_job_is_reached_by_its_alias():
    [job] = yaml.safe_load(recipe("service.gitlab-ci.yml")).values()

    assert f"http://{job['services'][0]['alias']}:8000" == job["variables"]["GITLAB_URL"]


def test_a_service_of_a_github_job_is_reached_by_its_port():
    [job] = yaml.safe_load(recipe("workflow.yml"))["jobs"].values()
    [service] = job["services"].values()

    assert set(service["env"]) <= SETTINGS
    assert service["ports"] == ["8000:8000"]
    assert job["steps"][-1]["env"]["GITLAB_URL"] == "http://localhost:8000"


def test_the_files_in_kubernetes_are_those_of_the_config_map(tmp_path: Path):
    files, deployment, service = yaml.safe_load_all(recipe("kubernetes.yaml"))
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]

    for name, text in files["data"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = shell("mock-gitlab check", tmp_path)
    assert done.returncode == 0, done.stderr
    assert pod["volumes"][0]["configMap"]["name"] == files["metadata"]["name"]
    assert container["volumeMounts"] == [{"name": "files", "mountPath": "/mock"}]
    assert {each["name"] for each in container["env"]} <= SETTINGS
    assert service["spec"]["ports"] == [{"port": 8000}]


def test_the_probes_of_kubernetes_are_answered(tmp_path: Path):
    _, deployment, _ = yaml.safe_load_all(recipe("kubernetes.yaml"))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    probes = [container[name]["httpGet"]["path"] for name in ("livenessProbe", "readinessProbe")]

    with serving(tmp_path) as live:
        for path in probes:
            with urlopen(f"{live.url}{path}", timeout=10) as answer:  # without a token
                assert answer.status == 200


# Node is no part of the test extra: it is a machine's, or it is not there.
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node on this machine")
def test_a_node_test_suite(folder: Path):
    printed = run("release.test.mjs", folder, "node --test release.test.mjs")

    assert "pass 1" in printed


def test_every_recipe_with_code_is_run_here():
    here = Path(__file__).read_text(encoding="utf-8")

    named = [each.name for each in recipes() if each.name]
    assert len(named) > 6
    assert [name for name in named if f'"{name}"' not in here] == []
