"""Ten ways in which a test goes wrong, and the line of its report that says why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.testing.test_pytest_plugin import PLAIN, PREAMBLE

if TYPE_CHECKING:
    from pathlib import Path

MOCK_YAML = """\
sandboxes: 3
projects: [{id: 42, path: group/app, refs: [main]}]
clock: {start: 2026-01-01T00:00:00Z, frozen: true}
scenarios:
  - scenario_id: 950
    name: waits for somebody
    jobs:
      - {name: build, stage: build, duration: 5s}
      - {name: deploy, stage: deploy, when: manual, allow_failure: false}
rules:
  - {when: {project: group/app, variables: {DEPLOY: prod}}, scenario: 950}
faults:
  - {when: {operation: get_metadata}, respond: {status: 502}}
  - {when: {operation: get_version}, delay: 60s}
"""

TESTS = """
    import http.client
    from urllib.parse import urlsplit

    PIPELINES = "/projects/group%2Fapp/pipelines"

    def ask(base, path, token, timeout=30):
        url = urlsplit(base + path)
        connection = http.client.HTTPConnection(url.netloc, timeout=timeout)
        connection.request("GET", url.path, headers={"PRIVATE-TOKEN": token})
        return connection.getresponse().status

    def trigger(world, **body):
        return call(world, "POST", "/projects/group%2Fapp/pipeline", **{"ref": "main", **body})

    def status(world):
        return call(world, "GET", f"{PIPELINES}/1")["status"]

    def test_wrong_ref(mock_gitlab):
        trigger(mock_gitlab, ref="mian")

    def test_wrong_token(mock_gitlab):
        assert ask(mock_gitlab.api_url, PIPELINES, "glpat-other") == 200

    def test_wrong_base_url(mock_gitlab, mock_gitlab_server):
        ask(mock_gitlab_server.mock.api_url, PIPELINES, mock_gitlab.token)
        assert mock_gitlab.requests()

    def test_unserved_endpoint(mock_gitlab):
        assert ask(mock_gitlab.api_url, "/projects/42/merge_trains", mock_gitlab.token) == 200

    def test_rule_not_matched(mock_gitlab):
        trigger(mock_gitlab, variables=[{"key": "DEPLOY", "value": "production"}])
        mock_gitlab.advance(5)
        assert status(mock_gitlab) == "manual"

    def test_fault(mock_gitlab):
        assert ask(mock_gitlab.api_url, "/metadata", mock_gitlab.token) == 200

    def test_evicted(mock_gitlab, mock_gitlab_server):
        for number in range(3):
            mock_gitlab_server.sandbox(f"another-{number}")
        assert ask(mock_gitlab.api_url, PIPELINES, mock_gitlab.token) == 200

    def test_time_out(mock_gitlab):
        ask(mock_gitlab.api_url, "/version", mock_gitlab.token, timeout=0.5)

    def test_clock_not_moved(mock_gitlab):
        trigger(mock_gitlab)
        assert status(mock_gitlab) == "success"

    def test_manual_job_waits(mock_gitlab):
        trigger(mock_gitlab, variables=[{"key": "DEPLOY", "value": "prod"}])
        mock_gitlab.advance("1h")
        assert status(mock_gitlab) == "success"
"""

SAID = {
    "wrong_ref": ["POST /projects/group%2Fapp/pipeline -> 400: *Reference not found*"],
    "wrong_token": ["GET /projects/group%2Fapp/pipelines -> 401: *its token is not the one of *"],
    "wrong_base_url": ["1 call went to the default world of this server: is the base URL wrong[?]"],
    "unserved_endpoint": ["GET /projects/42/merge_trains -> 404: *no such endpoint here*"],
    "rule_not_matched": [
        "#1 group/app main: running, scenario 500, the default: no rule matches",
        "  not the rule at *mock.yaml:11: variables.DEPLOY: wanted 'prod', got 'production'",
    ],
    "fault": ["GET /metadata -> 502, fault *mock.yaml:13: answer 502"],
    "evicted": ["*sandbox*test_evicted*evicted*"],
    "time_out": ["GET /version -> waiting, fault *mock.yaml:14: wait 60s"],
    "clock_not_moved": [
        "clock: 2026-01-01T00:00:00.000Z, frozen",
        "  next: pipeline success at 2026-01-01T00:05:00.000Z",
    ],
    "manual_job_waits": ["  next: nothing, unless somebody plays deploy"],
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What pytest prints of each test."""
    import subprocess
    import sys
    import textwrap

    folder: Path = tmp_path_factory.mktemp("red")
    (folder / "mock.yaml").write_text(MOCK_YAML)
    (folder / "test_bot.py").write_text(textwrap.dedent(PREAMBLE) + textwrap.dedent(TESTS))
    command = [sys.executable, "-m", "pytest", *PLAIN, "-q", "-p", "no:cacheprovider"]
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(
        [*command, "--tb=short"], cwd=folder, env=env, capture_output=True, text=True
    )
    sections = done.stdout.split("\n____")
    return {name: part for name in SAID for part in sections if f" test_{name} " in part}


@pytest.mark.parametrize("situation", SAID)
def test_the_report_of_a_red_test_says_why(reports: dict[str, str], situation: str):
    from fnmatch import fnmatch

    lines = reports[situation].partition("- mock_gitlab -")[2].splitlines()
    for said in SAID[situation]:
        found = [line for line in lines if fnmatch(line, said) or fnmatch(line, f"*Z {said}")]
        assert found, f"no line says {said!r}:\n" + "\n".join(lines)
