"""The pytest plugin, in suites of a consumer that run in processes of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

# A consumer's pytest has few plugins; importing ours would take most of the time.
ABSENT = ("randomly", "cacheprovider", "schemathesis", "hypothesispytest", "pytest_cov", "timeout")
PLAIN = ("-W", "error", *(option for name in ABSENT for option in ("-p", f"no:{name}")))

PREAMBLE = """
    import urllib.request, json

    def call(world, method, path, **body):
        headers = {"PRIVATE-TOKEN": world.token, "Content-Type": "application/json"}
        sent = json.dumps(body).encode() if body else None
        request = urllib.request.Request(world.api_url + path, sent, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run a consumer's tests."""

    def run(tests: str, *options: str, **files: str) -> pytest.RunResult:
        for name, text in files.items():
            (pytester.path / f"{name}.yaml").write_text(text, encoding="utf-8")
        pytester.makepyfile(test_bot=PREAMBLE + tests)
        return pytester.runpytest_subprocess(*PLAIN, *options)

    return run


def test_a_test_triggers_moves_the_clock_and_polls(run: Run):
    done = run("""
    def test_release(mock_gitlab):
        pipeline = call(mock_gitlab, "POST", "/projects/42/pipeline", ref="main")
        mock_gitlab.advance("5m")
        again = call(mock_gitlab, "GET", f"/projects/42/pipelines/{pipeline['id']}")
        assert (pipeline["status"], again["status"]) == ("running", "success")
    """)

    done.assert_outcomes(passed=1)


def test_an_asynchronous_test_awaits_the_methods_of_its_world(run: Run):
    done = run("""
    import asyncio

    def test_it(async_mock_gitlab, mock_gitlab):
        asyncio.run(async_mock_gitlab.set_clock("2026-01-01T00:00:00Z", frozen=True))
        assert mock_gitlab.now() == "2026-01-01T00:00:00.000Z"
    """)

    done.assert_outcomes(passed=1)


def test_each_test_has_a_world_of_its_own_named_after_it(run: Run):
    done = run("""
    import pytest

    @pytest.mark.parametrize("ref", ["a/b", "a b", "ä"])
    def test_mine(mock_gitlab, ref):
        assert "/sandbox/test_mine-" in mock_gitlab.url
        call(mock_gitlab, "POST", "/projects/42/pipeline", ref="main")
        assert len(mock_gitlab.pipelines()) == 1
    """)

    done.assert_outcomes(passed=3)


def test_nothing_of_a_test_is_left_on_the_server(run: Run):
    done = run("""
    def test_one(mock_gitlab):
        pass

    def test_two(mock_gitlab_server):
        assert mock_gitlab_server.sandboxes() == []
    """)

    done.assert_outcomes(passed=2)


def test_two_tests_of_one_name_do_not_share_a_world(pytester: pytest.Pytester, run: Run):
    (pytester.path / "other").mkdir()
    (pytester.path / "other" / "test_same.py").write_text(
        "import pytest\n"
        "@pytest.fixture\n"
        "def outer(mock_gitlab_server):\n"
        "    return mock_gitlab_server.sandbox('test_same')\n"
        "def test_same(outer, mock_gitlab):\n"
        "    assert mock_gitlab.url.endswith('/test_same-2')\n"
        "    outer.close()\n"
    )

    run("").assert_outcomes(passed=1)


def test_the_configuration_is_mock_yaml_in_the_root_folder(run: Run):
    done = run(
        """
    def test_it(mock_gitlab):
        assert mock_gitlab.token == "glpat-mine"
    """,
        mock="version: 1\ntoken: glpat-mine\n",
    )

    done.assert_outcomes(passed=1)


OTHER = """
    def test_it(mock_gitlab):
        assert mock_gitlab.token == "glpat-other"
"""


def test_an_option_names_another_configuration(run: Run):
    done = run(OTHER, "--mock-gitlab-config=other.yaml", other="version: 1\ntoken: glpat-other\n")

    done.assert_outcomes(passed=1)


def test_an_option_names_a_file_from_where_pytest_was_started(
    pytester: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
):
    pytester.makeini("[pytest]")
    inner = pytester.mkdir("inner")
    (inner / "other.yaml").write_text("version: 1\ntoken: glpat-other\n")
    tests = pytester.makepyfile(test_other=OTHER)
    monkeypatch.chdir(inner)

    done = pytester.runpytest_subprocess("--mock-gitlab-config=other.yaml", "-n", "1", str(tests))

    done.assert_outcomes(passed=1)


def test_an_ini_setting_names_another_configuration(pytester: pytest.Pytester, run: Run):
    pytester.makeini("[pytest]\nmock_gitlab_config = other.yaml\n")

    run(OTHER, other="version: 1\ntoken: glpat-other\n").assert_outcomes(passed=1)


def test_a_marker_names_another_configuration_for_one_test(run: Run):
    done = run(
        """
    import pytest

    @pytest.mark.mock_gitlab(config="other.yaml")
    def test_other(mock_gitlab):
        assert mock_gitlab.token == "glpat-other"

    def test_usual(mock_gitlab):
        assert mock_gitlab.token == "glpat-mine"
    """,
        mock="version: 1\ntoken: glpat-mine\n",
        other="version: 1\ntoken: glpat-other\n",
    )

    done.assert_outcomes(passed=2)


def test_a_marker_declares_what_one_test_needs(run: Run):
    done = run("""
    import pytest

    @pytest.mark.mock_gitlab(
        clock={"start": "2026-01-01T00:00:00Z", "frozen": True},
        seed=7,
        scenarios=[{"scenario_id": 900, "name": "breaks", "terminal_after_seconds": "1m",
                    "terminal_status": "failed"}],
        rules=[{"when": {"ref": "main"}, "scenario": 900}],
        faults=[{"when": {"operation": "get_version"}, "respond": {"status": 502}}],
    )
    def test_declared(mock_gitlab):
        pipeline = call(mock_gitlab, "POST", "/projects/42/pipeline", ref="main")
        assert pipeline["created_at"] == "2026-01-01T00:00:00.000Z"
        mock_gitlab.advance("1m")
        again = call(mock_gitlab, "GET", f"/projects/42/pipelines/{pipeline['id']}")
        assert again["status"] == "failed"
        with pytest.raises(urllib.error.HTTPError, match="502"):
            call(mock_gitlab, "GET", "/version")

    def test_not_declared(mock_gitlab):
        assert call(mock_gitlab, "GET", "/version")["version"]
    """)

    done.assert_outcomes(passed=2)


def test_a_marker_gives_a_test_projects_and_a_user_of_its_own(run: Run):
    done = run("""
    import pytest

    @pytest.mark.mock_gitlab(
        strict=True,
        projects=[{"id": 7, "path": "a/b"}],
        user={"username": "jane"},
        default_scenario=900,
        scenarios=[{"scenario_id": 900, "name": "fails", "terminal_status": "failed"}],
    )
    def test_declared(mock_gitlab):
        assert call(mock_gitlab, "GET", "/user")["username"] == "jane"
        assert [each["id"] for each in call(mock_gitlab, "GET", "/projects")] == [7]
        call(mock_gitlab, "POST", "/projects/7/pipeline", ref="main")
        assert mock_gitlab.wait_until("failed", 1)["status"] == "failed"

    @pytest.mark.mock_gitlab(projects=[{"id": 7, "path": "b"}])
    def test_mistaken(mock_gitlab):
        pass
    """)

    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(
        [
            "mistakes in what the test declares:",
            "projects[[]0[]].path: must be a full path with its group, such as group/app*",
        ],
        consecutive=True,
    )


def test_the_markers_of_module_class_and_test_add_up_and_the_nearest_wins(run: Run):
    done = run(
        """
    import pytest

    pytestmark = pytest.mark.mock_gitlab(config="other.yaml", seed=1)

    @pytest.mark.mock_gitlab(clock={"start": "2026-01-01T00:00:00Z", "frozen": True})
    class TestRelease:
        @pytest.mark.mock_gitlab(clock={"start": "2027-01-01T00:00:00Z", "frozen": True})
        def test_it(self, mock_gitlab):
            assert mock_gitlab.token == "glpat-other"
            assert mock_gitlab.now() == "2027-01-01T00:00:00.000Z"
    """,
        other="version: 1\ntoken: glpat-other\n",
    )

    done.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("given", "named"), [('"other.yaml"', "'other.yaml'"), ("rule=[], seed=1", "rule")]
)
def test_what_a_marker_does_not_know_is_an_error(run: Run, given: str, named: str):
    done = run(f"""
    import pytest

    @pytest.mark.mock_gitlab({given})
    def test_it(mock_gitlab):
        pass
    """)

    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines([f"{named}: expected mock_gitlab(config=None, *"])


def test_mistakes_in_the_configuration_are_all_that_is_shown(run: Run):
    mistaken = "version: 1\ntokn: x\nseed: []\n"

    done = run("    def test_it(mock_gitlab): pass", mock=mistaken)

    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*mock.yaml:2:1: tokn: *did you mean token?", "*mock.yaml:3:7: *"])
    done.stdout.no_fnmatch_line("*Traceback*")
    done.stdout.no_fnmatch_line("*loader.py*")
    done.stdout.no_fnmatch_line("During handling*")


def test_the_marker_is_known_where_markers_are_strict(run: Run):
    done = run(
        """
    import pytest

    @pytest.mark.mock_gitlab(seed=1)
    def test_it(mock_gitlab):
        pass
    """,
        "--strict-markers",
    )

    done.assert_outcomes(passed=1)


def test_a_mistake_in_what_a_marker_declares_is_an_error_that_names_it(run: Run):
    done = run("""
    import pytest

    @pytest.mark.mock_gitlab(scenarios=[{"terminal_status": "broken"}])
    def test_it(mock_gitlab):
        pass

    def test_next(mock_gitlab_server):
        assert mock_gitlab_server.sandboxes() == []
    """)

    done.assert_outcomes(errors=1, passed=1)
    done.stdout.fnmatch_lines(
        [
            "mistakes in what the test declares, scenarios[[]0[]]:",
            'terminal_status: must be one of *, not the text "broken"',
        ]
    )
    done.stdout.no_fnmatch_line("*pytest_plugin.py*")
    done.stdout.no_fnmatch_line("During handling*")


def test_what_the_mock_refuses_is_said_at_the_line_of_the_test(run: Run):
    done = run("""
    def test_it(mock_gitlab):
        mock_gitlab.scenario(jobs=[{"name": "build", "durration": "3m"}])
    """)

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["E  *MockError: jobs[[]0[]].durration: is not a known key; did you mean duration?"]
    )
    done.stdout.no_fnmatch_line("*client.py*")


MARKED = """
    import pytest

    at_noon = pytest.mark.mock_gitlab(
        clock={"start": "2026-01-01T12:00:00Z", "frozen": True},
        faults=[{"when": {"operation": "get_pipeline"}, "times": 1, "respond": {"status": 502}}],
    )
"""


def test_a_failing_test_reports_its_calls_and_pipelines(run: Run):
    done = run(
        MARKED
        + """
    @at_noon
    def test_release(mock_gitlab):
        call(mock_gitlab, "POST", "/projects/42/pipeline", ref="main")
        with pytest.raises(urllib.error.HTTPError):
            call(mock_gitlab, "GET", "/projects/42/pipelines/1")
        for _ in range(3):
            mock_gitlab.advance(5)
            call(mock_gitlab, "GET", "/projects/42/pipelines/1")
        for _ in range(2):
            call(mock_gitlab, "GET", "/version")
        assert False
    """
    )

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "*- mock_gitlab -*",
            "clock: 2026-01-01T12:00:15.000Z, frozen",
            "configuration: none",
            '  with fault runtime-1: {"definition": {"when": {"operation": "get_pipeline"}, '
            '"times": 1, "respond": {"status": 502*}',
            "pipelines, newest first:",
            "#1 root/project-42 main: running, scenario 500, no rules are declared",
            "  jobs: pipeline running",
            "  next: pipeline success at 2026-01-01T12:05:00.000Z",
            "last requests, newest first:",
            "2026-01-01T12:00:15.000Z GET /version -> 200 (2 times)",
            "2026-01-01T12:00:15.000Z GET /projects/42/pipelines/1 -> 200 "
            "(3 times since 2026-01-01T12:00:05.000Z)",
            "2026-01-01T12:00:00.000Z GET /projects/42/pipelines/1 -> 502, "
            "fault runtime-1: answer 502",
            "2026-01-01T12:00:00.000Z POST /projects/42/pipeline -> 201",
            "changed through /_mock, newest first:",
            '2026-01-01T12:00:15.000Z POST /_mock/clock/advance {"seconds": 5}',
            '2026-01-01T12:00:10.000Z POST /_mock/clock/advance {"seconds": 5}',
            '2026-01-01T12:00:05.000Z POST /_mock/clock/advance {"seconds": 5}',
            '2026-01-01T12:00:00.000Z POST /_mock/faults {*"times": 1*}',
        ],
        consecutive=True,
    )


BREAKS = """version: 1
projects: [{id: 42, path: group/app}]
scenarios: [{scenario_id: 950, jobs: [{name: lint, status: failed}, {name: build}]}]
rules:
  - {when: {ref: broken}, scenario: 950}
faults:
  - {when: {operation: get_version}, respond: {status: 502}}
clock: {start: 2026-01-01T00:00:00Z, frozen: true}
"""


def test_a_failing_test_reports_why_a_pipeline_went_as_it_did(run: Run):
    done = run(
        """
    def test_release(mock_gitlab):
        variables = [{"key": "DEPLOY_ENV", "value": "prod"}, {"key": "A_TOKEN", "value": "s3cr3t"}]
        call(mock_gitlab, "POST", "/projects/42/pipeline", ref="broken", variables=variables)
        call(mock_gitlab, "POST", "/projects/42/pipeline", ref="main")
        call(mock_gitlab, "POST", "/projects/42/pipeline", ref="main", scenario_id=0)
        assert mock_gitlab is None
    """,
        mock=BREAKS,
    )

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["configuration: mock.yaml"])
    done.stdout.fnmatch_lines(
        [
            "pipelines, newest first:",
            "#3 group/app main: running, scenario 0, named by the request",
            "  jobs: pipeline running",
            "  next: nothing",
            "#2 group/app main: running, scenario 500, the default: no rule matches",
            "  not the rule at *mock.yaml:5: ref: wanted 'broken', got 'main'",
            "  jobs: pipeline running",
            "  next: pipeline success at 2026-01-01T00:05:00.000Z",
            "#1 group/app broken: failed, scenario 950, by the rule at *mock.yaml:5",
            "  variables: DEPLOY_ENV=prod, A_TOKEN=[[]MASKED[]]",
            "  jobs: lint failed, build success",
            "  next: nothing",
        ],
        consecutive=True,
    )


def test_a_failing_test_reports_what_is_declared_beside_the_files(run: Run):
    done = run(
        """
    def test_release(mock_gitlab):
        mock_gitlab.scenario(scenario_id=960, name="mine")
        mock_gitlab.rule(when={"ref": "main"}, scenario=960)
        of_file = mock_gitlab.rules()[1]["key"]
        mock_gitlab.switch_rule(of_file, enabled=False)
        for _ in range(8):
            mock_gitlab.fault(when={"method": "GET"}, delay=0.001)
        assert False
    """,
        mock=BREAKS,
    )

    done.stdout.fnmatch_lines(
        [
            "configuration: mock.yaml",
            "  with scenario 960: mine",
            '  with rule runtime-1: {"when": {"ref": "main"}, "scenarios": [[]960[]]}',
            "  without rule *mock.yaml:5, which is switched off",
            '  with fault runtime-1: {"definition": {"when": {"method": "GET"}, "delay": 0.001}}',
            *["  with fault runtime-?: *"] * 6,
            "  and 1 more",
            "pipelines, newest first:",
        ],
        consecutive=True,
    )


def test_a_failing_test_reports_what_got_no_answer(run: Run):
    done = run("""
    import http.client

    def test_release(mock_gitlab):
        mock_gitlab.fault(drop=True)
        try:
            call(mock_gitlab, "GET", "/version")
        except http.client.RemoteDisconnected:
            assert False
    """)

    done.stdout.fnmatch_lines(["*Z GET /version -> dropped, fault runtime-1: drop the connection"])


def test_a_failing_test_reports_no_endless_list(run: Run):
    done = run("""
    def test_release(mock_gitlab):
        for number in range(40):
            call(mock_gitlab, "POST", f"/projects/{number + 1}/pipeline", ref="main")
        assert False
    """)

    done.stdout.fnmatch_lines(
        ["[#]31 *", "  jobs: *", "  next: *", "and older ones", "last requests, newest first:"],
        consecutive=True,
    )
    done.stdout.fnmatch_lines(
        ["*POST /projects/11/pipeline -> 201", "and older ones"], consecutive=True
    )


LARGE = """version: 1
scenarios:
  - scenario_id: 950
    jobs: [{name: build, parallel: 25}, {name: gate, stage: gate, when: manual}]
  - {scenario_id: 951, yaml_errors: "jobs:build is no job"}
rules: [%s]
"""


def test_a_failing_test_reports_the_first_jobs_and_rules(run: Run):
    rules = ", ".join(f"{{when: {{ref: other-{number}}}, scenario: 1}}" for number in range(107))
    done = run(
        """
    import pytest

    def test_release(mock_gitlab):
        call(mock_gitlab, "POST", "/projects/42/pipeline", ref="main", scenario_id=950)
        call(mock_gitlab, "POST", "/projects/42/pipeline", ref="main")
        with pytest.raises(urllib.error.HTTPError, match="422"):
            call(mock_gitlab, "POST", "/projects/42/trigger/pipeline", ref="main", scenario_id=951)
        for _ in range(12):
            mock_gitlab.freeze()
        assert False
    """,
        mock=LARGE % rules,
    )

    done.stdout.fnmatch_lines(
        ["[#]3 *: failed, scenario 951, *", "  next: nothing"], consecutive=True
    )
    done.stdout.fnmatch_lines(["  not the rule at *ref: wanted 'other-4', got 'main'"])
    done.stdout.fnmatch_lines(
        [
            "  and not 102 more",
            "  jobs: pipeline running",
            "  next: *",
            "[#]1 *",
            "  jobs: build 1/25 success, *, build 20/25 success and 6 more",
            "  next: nothing, unless somebody plays gate",
        ],
        consecutive=True,
    )
    done.stdout.fnmatch_lines(
        [*["*POST /_mock/clock/freeze"] * 10, "and older ones"], consecutive=True
    )


def test_a_failing_test_reports_why_its_calls_were_refused(run: Run):
    done = run("""
    import pytest

    def get(world, path, token):
        request = urllib.request.Request(world.api_url + path, headers={"PRIVATE-TOKEN": token})
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request)

    def test_release(mock_gitlab):
        get(mock_gitlab, "/projects/1/pipelines", "glpat-wrong")
        get(mock_gitlab, "/projects/1/pipeline", mock_gitlab.token)
        assert False
    """)

    done.stdout.fnmatch_lines(
        [
            "*Z GET /projects/1/pipeline -> 404: 404 Not Found; no such endpoint here; "
            "the nearest is GET /projects/:id/pipelines",
            "*Z GET /projects/1/pipelines -> 401: 401 Unauthorized; "
            "its token is not the one of the mock *",
        ],
        consecutive=True,
    )


@pytest.mark.parametrize(("calls", "said"), [(1, "1 call"), (2, "2 calls")])
def test_a_failing_test_reports_calls_to_the_default_world(run: Run, calls: int, said: str):
    done = run(f"""
    def test_release(mock_gitlab, mock_gitlab_server):
        for _ in range({calls}):
            call(mock_gitlab_server.mock, "GET", "/version")
        assert False
    """)

    done.stdout.fnmatch_lines(
        [
            "last requests, newest first:",
            "none",
            f"{said} went to the default world of this server: is the base URL wrong?",
        ],
        consecutive=True,
    )


def test_a_failing_test_reports_who_has_changed_something(run: Run):
    done = run("""
    def test_release(mock_gitlab):
        request = urllib.request.Request(
            mock_gitlab.url + "/_mock/pipelines?project_id=1",
            method="DELETE",
            headers={"PRIVATE-TOKEN": mock_gitlab.token, "User-Agent": "bot/1"},
        )
        urllib.request.urlopen(request).close()
        assert False
    """)

    done.stdout.fnmatch_lines(
        [
            "changed through /_mock, newest first:",
            "*Z DELETE /_mock/pipelines[?]project_id=1, by bot/1",
        ],
        consecutive=True,
    )


def test_a_failing_test_reports_the_beginning_of_what_was_declared(run: Run):
    done = run("""
    def test_release(mock_gitlab):
        mock_gitlab.scenario(scenario_id=900, jobs=[{"name": "build", "trace": "x" * 2000}])
        mock_gitlab.next()
        assert False
    """)

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "changed through /_mock, newest first:",
            "*Z POST /_mock/clock/next",
            '*Z POST /_mock/scenarios {"scenario_id": 900, "jobs": *"trace": "xxx*xxx...',
        ],
        consecutive=True,
    )


def test_a_failing_fixture_that_uses_the_mock_is_reported_alike(run: Run):
    done = run("""
    import pytest

    @pytest.fixture
    def client(mock_gitlab):
        call(mock_gitlab, "GET", "/version")
        raise ValueError("not today")

    def test_release(client):
        pass
    """)

    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        ["*- mock_gitlab -*", "pipelines, newest first:", "none", "*", "*Z GET /version -> 200"]
    )


def test_a_failing_test_that_has_stopped_the_server_does_not_end_the_run(run: Run):
    done = run("""
    def test_stops(mock_gitlab, mock_gitlab_server):
        mock_gitlab_server.stop()
        assert False

    def test_next():
        pass
    """)

    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["*- mock_gitlab -*", "*/sandbox/test_stops does not answer: *"])


def test_a_failing_verification_shows_the_nearest_misses(run: Run):
    done = run("""
    def test_release(mock_gitlab):
        call(mock_gitlab, "POST", "/projects/42/pipeline", ref="develop")
        mock_gitlab.verify(operation="create_pipeline", ref="main")
    """)

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["E  *AssertionError:*", "E  *ref*develop*"])


def test_it_runs_under_xdist(run: Run):
    done = run(
        """
    import pytest

    @pytest.mark.parametrize("n", range(8))
    def test_alone(mock_gitlab, n):
        assert call(mock_gitlab, "POST", "/projects/42/pipeline", ref="main")["id"] == 1
    """,
        "-n",
        "2",
    )

    done.assert_outcomes(passed=8)


def test_a_run_that_does_not_use_it_imports_nothing_of_the_server(
    monkeypatch: pytest.MonkeyPatch, run: Run
):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # coverage imports sqlite3
    done = run("""
    import sys

    def test_it():
        assert not {"fastapi", "uvicorn", "pydantic", "yaml"} & set(sys.modules)
        assert sorted(name for name in sys.modules if name.startswith("mock_gitlab")) == [
            "mock_gitlab",
            "mock_gitlab.testing",
            "mock_gitlab.testing.pytest_plugin",
            "mock_gitlab.version",
        ]
    """)

    done.assert_outcomes(passed=1)


def test_the_package_does_not_import_pytest():
    code = (
        "import mock_gitlab.testing.library, mock_gitlab.cli.main, sys, json;"
        "print(json.dumps('pytest' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) is False


def test_help_shows_the_option(run: Run):
    done = run("", "--help")

    assert re.search(r"--mock-gitlab-config=FILE", done.stdout.str())
