"""The command line, in process where it can be, as a process of its own where it must."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab import __version__
from mock_gitlab.cli.main import main
from mock_gitlab.cli.ready_file import ReadyFile
from mock_gitlab.config.loader import load
from mock_gitlab.store.database import APPLICATION_ID, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN = "version: 1\nscenarios:\n  - {scenario_id: 900, name: x, terminal_status: broken}\n"
FINE = "version: 1\nscenarios:\n  - {scenario_id: 900, name: fails, terminal_status: failed}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with nothing in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MOCK_")]:
        monkeypatch.delenv(name)
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOCK_")}
    return {**kept, **more}


@contextmanager
def running(command: list[str], folder: Path, *, env: Any = None, **pipes: Any) -> Iterator[Any]:
    """Run a process until the block ends, however it ends."""
    process: subprocess.Popen[str] = subprocess.Popen(
        command, cwd=folder, env=env or environment(), text=True, **pipes
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def serving(folder: Path, *options: str, **env: str) -> Iterator[tuple[Any, dict[str, str], str]]:
    """Run the server until it is ready: the process, what its ready file says, what it printed."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "mock_gitlab", *options, "--ready-file", str(ready)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with running(command, folder, env=environment(**env), **pipes) as process:
        printed = ""
        while not ready.exists() or not printed.count("\n"):
            line = process.stdout.readline()
            assert line, f"the server has ended: {printed}"
            printed += line
        yield process, json.loads(ready.read_text()), printed


def tell(url: str, body: dict[str, Any]) -> Any:
    return call(url, "POST", json.dumps(body).encode(), kind="application/json")


def call(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    token: str = "",
    kind: str = "application/x-www-form-urlencoded",
) -> Any:
    headers = {"PRIVATE-TOKEN": token or "MOCK_SUPER_SECRET", "Content-Type": kind}
    request = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


# ---------------------------------------------------------------------------- serve


def test_the_ready_file_is_gone_when_the_server_has_ended(folder: Path):
    for ending in (signal.SIGTERM, signal.SIGINT):
        with serving(folder, "serve", "--port", "0") as (process, _, _):
            process.send_signal(ending)
            process.wait(10)

            assert [each.name for each in folder.iterdir() if "ready" in each.name] == []


def test_a_start_removes_the_ready_file_of_a_server_that_was_killed(folder: Path):
    with serving(folder, "serve", "--port", "0") as (process, _, _):
        process.kill()
        process.wait()
    assert (folder / "ready.json").exists()

    ReadyFile(folder / "ready.json")

    assert not (folder / "ready.json").exists()


def test_a_start_that_fails_leaves_the_ready_file_of_the_server_that_has_the_port(folder: Path):
    with serving(folder, "serve", "--port", "0") as (_, ready, _):
        port = ready["url"].rpartition(":")[2]
        assert main(["serve", "--port", port, "--ready-file", "ready.json"]) == 2

        assert (folder / "ready.json").exists()


def test_a_ready_file_that_cannot_be_written_ends_the_start_with_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["serve", "--port", "0", "--ready-file", "nowhere/ready.json"]) == 2

    said = "mock-gitlab: cannot write nowhere/ready.json: No such file or directory\n"
    assert capsys.readouterr().err == said


def test_port_0_takes_a_free_port_and_the_ready_file_names_it(folder: Path):
    with serving(folder, "serve", "--port", "0") as (_, ready, _):
        assert call(f"{ready['url']}/_mock/health")["status"] == "ok"
        assert ready["token"] == "MOCK_SUPER_SECRET"


def test_serve_is_the_command_when_none_is_named(folder: Path):
    with serving(folder, "--port", "0") as (_, ready, _):
        assert call(f"{ready['url']}/_mock/health")["version"] == __version__


def test_the_banner_names_address_sources_and_watched_paths_but_no_token(folder: Path):
    (folder / "mock.yaml").write_text(FINE, encoding="utf-8")

    with serving(folder, "--port", "0", MOCK_TOKEN="s3cr3t") as (process, ready, printed):
        process.send_signal(signal.SIGINT)
        printed += process.stdout.read()

    assert ready["url"] in printed
    assert "token: from MOCK_TOKEN" in printed
    assert "scenarios: 1 from mock.yaml" in printed
    assert f"watching: {folder}" in printed
    assert "s3cr3t" not in printed


def test_the_banner_says_that_the_clock_was_kept(folder: Path):
    with serving(folder, "--port", "0") as (process, ready, first):
        tell(f"{ready['url']}/_mock/clock/advance", {"seconds": 780})
        process.kill()
        first += process.stdout.read()
    with serving(folder, "--port", "0") as (process, ready, again):
        tell(f"{ready['url']}/_mock/clock/freeze", {})
        process.kill()
        again += process.stdout.read()
    with serving(folder, "--port", "0") as (process, _, frozen):
        process.terminate()  # which lets it say the rest
        frozen += process.stdout.read()

    assert "clock" not in first
    assert re.search(r"^clock: \d{4}-.*Z, 0:13:00 ahead of real time$", again, re.MULTILINE)
    assert re.search(r"^clock: stands still at \d{4}-.*Z$", frozen, re.MULTILINE)


def test_at_debug_each_call_is_logged_without_what_may_be_secret(folder: Path):
    order = b"ref=main&scenario_id=0&token=MOCK_SUPER_SECRET"
    with serving(folder, "--port", "0", "--log-level", "debug") as (process, ready, printed):
        call(f"{ready['url']}/api/v4/projects/7/trigger/pipeline?private_token=x", "POST", order)
        process.send_signal(signal.SIGINT)
        printed += process.stdout.read()

    assert "POST trigger_pipeline, project 7, pipeline 1, scenario 0: 201" in printed
    assert "MOCK_SUPER_SECRET" not in printed
    assert "private_token" not in printed


def test_ctrl_c_ends_at_once_and_cleanly(folder: Path):
    with serving(folder, "--port", "0") as (process, ready, _):
        call(f"{ready['url']}/_mock/health")
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=10) == 0
        assert "Traceback" not in process.stdout.read()


def test_an_option_beats_the_environment_which_beats_the_file(folder: Path):
    (folder / "mock.yaml").write_text("version: 1\ndatabase: file.db\nport: 1\n", encoding="utf-8")

    with serving(folder, "--port", "0", MOCK_PORT="2", MOCK_DATABASE="environment.db"):
        assert (folder / "environment.db").exists()
        assert not (folder / "file.db").exists()


def test_pipelines_survive_a_kill(folder: Path):
    order = b"ref=main&scenario_id=0"
    with serving(folder, "--port", "0") as (process, ready, _):
        made = call(f"{ready['url']}/api/v4/projects/1/trigger/pipeline", "POST", order)
        process.kill()
        process.wait()

    with serving(folder, "--port", "0") as (_, ready, _):
        kept = call(f"{ready['url']}/api/v4/projects/1/pipelines/{made['id']}")
        more = call(f"{ready['url']}/api/v4/projects/1/trigger/pipeline", "POST", order)

    assert (kept["id"], kept["sha"], kept["created_at"]) == (
        made["id"],
        made["sha"],
        made["created_at"],
    )
    assert more["id"] == made["id"] + 1


def test_uvicorn_can_serve_the_application_by_its_name(folder: Path):
    command = [sys.executable, "-m", "uvicorn", "mock_gitlab.app:app", "--port", "0"]
    with running(command, folder, stderr=subprocess.PIPE) as process:
        url = None
        while url is None:
            line = process.stderr.readline()
            assert line, "uvicorn has ended"
            found = re.search(r"http://[\d.:]+", line)
            url = found and found[0]
        assert call(f"{url}/api/v4/version")["enterprise"] is True


def failing(folder: Path, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mock_gitlab", *options],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr + done.stdout


def test_a_mistake_in_a_file_stops_the_start_with_its_place(folder: Path):
    (folder / "mock.yaml").write_text(BROKEN, encoding="utf-8")

    code, said = failing(folder, "serve", "--port", "0")

    assert code == 1
    assert said.startswith("mock.yaml:3:50: scenarios[0].terminal_status: ")
    assert len(said.splitlines()) == 1


def test_a_port_in_use_is_one_clear_line(folder: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = failing(folder, "--port", str(port))

    assert code == 2
    assert said == f"mock-gitlab: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"this is no database at all, whatever its name says" * 50, "file is not a database")],
)
def test_a_file_that_is_no_database_is_one_clear_line(folder: Path, content: bytes, words: str):
    (folder / "mock.db").write_bytes(content)

    code, said = failing(folder, "--port", "0")

    assert code == 2
    assert words in said
    assert len(said.splitlines()) == 1
    assert (folder / "mock.db").read_bytes() == content


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ("CREATE TABLE notes (text)", "is a database of another program"),
        ("PRAGMA application_id = 7", "is a database of another program"),
        ("PRAGMA user_version = 3", "is a database of another program"),
        (
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION + 1}",
            f"was written by a newer mock_gitlab (format {VERSION + 1}, this one reads up to"
            f" {VERSION})",
        ),
    ],
)
def test_a_database_that_is_not_for_this_program_is_left_as_it_was(
    folder: Path, statements: str, words: str
):
    database = sqlite3.connect(folder / "mock.db")
    database.executescript(statements)
    database.close()
    content = (folder / "mock.db").read_bytes()

    code, said = failing(folder, "--port", "0")

    assert (code, said) == (2, f"mock-gitlab: mock.db {words}\n")
    assert (folder / "mock.db").read_bytes() == content


def test_a_database_that_is_damaged_inside_is_one_clear_line(folder: Path):
    database = sqlite3.connect(folder / "mock.db")
    database.executescript(
        f"CREATE TABLE half (made); PRAGMA application_id = {APPLICATION_ID};"
        f"PRAGMA user_version = {VERSION}"
    )
    database.close()

    code, said = failing(folder, "--port", "0")

    assert (code, said) == (
        2,
        "mock-gitlab: cannot use the database mock.db: no such table: meta\n",
    )


# ---------------------------------------------------------------------------- check


def test_check_counts_what_it_found(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(FINE, encoding="utf-8")

    assert main(["check"]) == 0

    printed = capsys.readouterr().out
    assert "scenarios: 1 from mock.yaml" in printed
    assert printed.endswith("no mistakes\n")


def test_check_prints_every_mistake_and_ends_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(BROKEN + "strikt: true\n", encoding="utf-8")

    assert main(["check"]) == 1

    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["mock.yaml:3:50", "mock.yaml:4:1"]
    assert lines[1].endswith("did you mean strict?")


def test_check_for_machines_is_json(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(BROKEN, encoding="utf-8")

    assert main(["check", "--format", "json"]) == 1

    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert (found["mistakes"][0]["line"], found["mistakes"][0]["column"]) == (3, 50)


def test_check_for_github_is_annotations(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(BROKEN, encoding="utf-8")

    assert main(["check", "--format", "github"]) == 1

    assert capsys.readouterr().out.startswith("::error file=mock.yaml,line=3,col=50::scenarios[0]")


@pytest.mark.parametrize("format", ["text", "json", "github"])
def test_check_of_a_folder_without_a_configuration_ends_with_1(
    folder: Path, format: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["check", "--format", format]) == 1

    said = capsys.readouterr()
    assert "mock.yaml" in said.out + said.err
    assert "is not here, nor any scenarios/*.yaml" in said.out + said.err


def test_check_of_scenarios_alone_needs_no_mock_yaml(folder: Path):
    (folder / "scenarios").mkdir()
    (folder / "scenarios/mine.yaml").write_text("scenarios: [{scenario_id: 900}]\n")

    assert main(["check"]) == 0


def test_check_does_without_the_web_server(folder: Path):
    script = (
        "import sys; from mock_gitlab.cli.main import main; main(['check']);"
        "sys.exit(sorted({'fastapi', 'starlette', 'uvicorn', 'watchfiles'} & set(sys.modules)))"
    )
    (folder / "mock.yaml").write_text(FINE)

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True
    )

    assert done.stderr == "[]\n"


def test_an_annotation_escapes_what_github_would_take_apart(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "a,b:100%.yaml").write_text("x%: 1\n", encoding="utf-8")

    assert main(["check", "--config", "a,b:100%.yaml", "--format", "github"]) == 1

    assert capsys.readouterr().out == (
        '::error file=a%2Cb%3A100%25.yaml,line=1,col=1::["x%25"]: is not a known key\n'
    )


@pytest.mark.parametrize("command", [["schema"], ["preview", "1"]])
def test_a_reader_who_has_seen_enough_is_no_mistake(folder: Path, command: list[str]):
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_gitlab", *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()

    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 2


def test_check_warns_of_a_rule_that_is_never_reached(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    rules = "rules:\n  - {when: {}, scenario: 900}\n  - {when: {ref: main}, scenario: 1}\n"
    (folder / "mock.yaml").write_text(FINE + rules, encoding="utf-8")

    assert main(["check"]) == 0

    assert "mock.yaml:6:5: warning: rules[1]" in capsys.readouterr().err


def test_a_config_that_was_named_must_exist(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["check", "--config", "nowhere.yaml"]) == 1

    assert "nowhere.yaml" in capsys.readouterr().err


# ---------------------------------------------------------------------------- init, schema


def test_init_writes_a_starter_that_checks(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init"]) == 0
    assert main(["check"]) == 0

    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"mock.yaml", "scenarios/endings.yaml", "schemas/mock.schema.json"} <= names


def test_the_starter_names_the_schemas_beside_it(folder: Path):
    main(["init", "deep/inside"])

    for file, schema in (("mock.yaml", "mock"), ("scenarios/endings.yaml", "scenario")):
        path = folder / "deep/inside" / file
        named = re.search(r"\$schema=(\S+)", path.read_text(encoding="utf-8"))
        assert named is not None
        assert (path.parent / named[1]).resolve().name == f"{schema}.schema.json"
        assert (path.parent / named[1]).exists()


def test_init_never_writes_over_a_file(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text("version: 1\n", encoding="utf-8")

    assert main(["init"]) == 0

    assert (folder / "mock.yaml").read_text(encoding="utf-8") == "version: 1\n"
    assert "kept mock.yaml" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mock.yaml", "scenarios/mine.yaml"])
def test_init_adds_no_example_to_a_configuration_that_is_there(folder: Path, name: str):
    (folder / "scenarios").mkdir()
    (folder / name).write_text("scenarios: [{scenario_id: 900}]\n", encoding="utf-8")

    assert main(["init"]) == 0

    files = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
    assert files == {name, "schemas/mock.schema.json", "schemas/scenario.schema.json"}
    assert main(["check"]) == 0


@pytest.mark.parametrize("command", [["init", "taken"], ["schema", "--output", "taken"]])
def test_a_folder_that_cannot_be_written_is_one_clear_line(
    folder: Path, command: list[str], capsys: pytest.CaptureFixture[str]
):
    (folder / "taken").write_text("a file\n", encoding="utf-8")

    assert main(command) == 2

    said = capsys.readouterr().err
    assert said.startswith("mock-gitlab: cannot write taken/mock")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "x"], 'argument --port: must be a number from 0 to 65535, not "x"'),
        (["--port", "65536"], 'argument --port: must be a number from 0 to 65535, not "65536"'),
        (["preview", "x"], 'argument SCENARIO: must be the number of a scenario, not "x"'),
    ],
)
def test_an_argument_that_is_no_number_is_told_so(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)

    assert words in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["mock", "scenario"])
def test_schema_prints_a_json_schema(kind: str, capsys: pytest.CaptureFixture[str]):
    assert main(["schema", kind]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_schema_writes_both_into_a_folder(folder: Path):
    assert main(["schema", "--output", "schemas"]) == 0

    assert len(list((folder / "schemas").iterdir())) == 2


# ---------------------------------------------------------------------------- preview


JOBS = """\
scenarios:
  - scenario_id: 900
    name: build, gate
    jobs:
      - {name: build, stage: build, duration: 30s}
      - {name: gate, stage: gate, when: manual, allow_failure: false}
"""


def test_preview_draws_a_row_for_each_job(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(JOBS, encoding="utf-8")

    assert main(["preview", "900", "--width", "10"]) == 0

    _, scale, build, gate, pipeline, _ = capsys.readouterr().out.splitlines()
    assert scale.split() == ["0", "37.5s"]
    assert build == "build/build |========  | success at 30s"
    assert gate == "gate/gate   |        ??| manual"
    assert pipeline == "pipeline    |========??| waits: manual"


def test_preview_for_machines_tells_every_change(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(JOBS, encoding="utf-8")

    assert main(["preview", "900", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert {"at": 30.0, "job": "build", "status": "success"} in found["changes"]
    assert found["pipeline"][-1] == {"at": 30.0, "status": "manual"}
    assert found["ends_at"] is None


def test_preview_draws_what_a_retry_does(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(
        "version: 1\nscenarios:\n  - scenario_id: 900\n    name: flaky\n    jobs:\n"
        "      - {name: unit, duration: 5s, attempts: [{status: failed}, {status: success}]}\n"
        "      - {name: deploy, stage: deploy, duration: 5s}\n",
        encoding="utf-8",
    )

    assert main(["preview", "900", "--width", "15", "--retries", "3"]) == 0

    assert capsys.readouterr().out.splitlines()[2:6] == [
        "test/unit     |=====          | failed at 5s, retried",
        "test/unit     |     =====     | success at 10s",
        "deploy/deploy |          =====| success at 15s",
        "pipeline      |===============| success at 15s",
    ]


@pytest.mark.parametrize(
    ("scenario", "verdict"),
    [("0", "never ends"), ("7", "success at 7s"), ("500", "success at 5m")],
)
def test_preview_knows_the_built_in_scenarios(
    scenario: str, verdict: str, folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["preview", scenario]) == 0

    assert f"| {verdict}\n" in capsys.readouterr().out


def test_preview_follows_bridges_as_the_rules_do_and_not_in_circles(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(
        """\
projects: [{id: 2, path: group/deploy}]
rules: [{when: {project: group/deploy, source: pipeline}, scenario: 5}]
scenarios:
  - scenario_id: 900
    jobs: [{name: bridge, downstream: {project: 2, strategy: depend}}]
  - scenario_id: 901
    jobs:
      - {name: once, downstream: {project: 2, scenario: 901, strategy: depend}}
      - {name: twice, downstream: {project: 2, scenario: 901, strategy: depend}}
""",
        encoding="utf-8",
    )

    assert [main(["preview", number]) for number in ("900", "901")] == [0, 0]

    drawn = capsys.readouterr().out
    assert "| success at 5s" in drawn
    assert drawn.count("| failed at 0s") == 3


def test_preview_of_an_unknown_scenario_says_so(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["preview", "900"]) == 1

    assert capsys.readouterr().err == "mock-gitlab: there is no scenario 900\n"


def test_what_preview_draws_is_what_a_poll_would_see(folder: Path):
    from mock_gitlab.cli.preview import as_json
    from mock_gitlab.engine.model import PipelineRecord
    from mock_gitlab.engine.timeline import Timeline

    (folder / "mock.yaml").write_text(JOBS, encoding="utf-8")
    declared = load("mock.yaml", {}).declarations.declared(900)
    assert declared is not None
    record = PipelineRecord(1, 1, 1, "main", "", "trigger", 0, scenario_id=900)

    shown = as_json(declared.scenario, lambda _: None)["pipeline"]

    polled = Timeline(record, declared.scenario)
    assert [polled.at(round(each["at"] * 1000)).status for each in shown] == [
        each["status"] for each in shown
    ]
