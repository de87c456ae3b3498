"""``serve`` starts, says where, and ends; or it says in one line why it cannot start."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

from mock_gitlab import __version__
from mock_gitlab.cli.main import main
from mock_gitlab.cli.ready_file import ReadyFile
from mock_gitlab.store.database import Database
from mock_gitlab.store.opening import APPLICATION_ID, VERSION
from tests.cli.inprocess import served
from tests.live import TOKEN, environment, serving

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "version: 1\nscenarios:\n  - {scenario_id: 900, name: x, terminal_status: broken}\n"
FINE = "version: 1\nscenarios:\n  - {scenario_id: 900, name: fails, terminal_status: failed}\n"


def get(url: str) -> Any:
    with urlopen(Request(url, headers={"PRIVATE-TOKEN": TOKEN}), timeout=10) as answer:
        return json.loads(answer.read())


# ---------------------------------------------------------------------------- the ready file


def test_the_ready_file_names_url_and_token_while_the_server_answers(folder: Path):
    ready = folder / "ready.json"

    def check(url: str) -> None:
        assert json.loads(ready.read_text()) == {"url": url, "token": TOKEN}
        assert get(f"{url}/_mock/health")["version"] == __version__

    code, _ = served("--ready-file", "ready.json", use=check)

    assert code == 0
    assert [each.name for each in folder.iterdir() if "ready" in each.name] == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly_and_removes_the_ready_file(
    folder: Path, ending: signal.Signals
):
    with serving(folder) as live:
        live.process.send_signal(ending)

        assert live.process.wait(10) == 0
        assert live.process.stdout is not None
        assert b"Traceback" not in live.process.stdout.read()
    assert [each.name for each in folder.iterdir() if "ready" in each.name] == []


def test_a_second_signal_ends_the_server_without_waiting(folder: Path):
    (folder / "mock.yaml").write_text(f"token: {TOKEN}\nfaults: [{{when: {{}}, delay: 1h}}]\n")
    with serving(folder) as live, socket.create_connection((live.host, live.port)) as delayed:
        delayed.sendall(b"GET /api/v4/version HTTP/1.1\r\nHost: x\r\n\r\n")
        get(f"{live.url}/_mock/health")  # what was sent before has arrived
        live.process.send_signal(signal.SIGTERM)
        live.process.send_signal(signal.SIGTERM)

        assert live.process.wait(10) == 0


# ---------------------------------------------------------------------------- the live page


def test_the_banner_links_to_the_page_with_the_token_that_everybody_knows(folder: Path):
    _, known = served()
    (folder / "mock.yaml").write_text(f"token: {TOKEN}x\n")
    _, own = served()
    (folder / "mock.yaml").write_text("dashboard: false\n")
    _, off = served()

    assert re.search(r"^page: http://[\d.:]+/#token=MOCK_SUPER_SECRET$", known, re.MULTILINE)
    assert re.search(r"^page: http://[\d.:]+/$", own, re.MULTILINE)
    assert "page: " not in off


def test_open_opens_the_page_with_the_token(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "mock.yaml").write_text("token: 'a/b#c'\n")
    opened = Event()
    urls: list[str] = []

    def open_url(url: str) -> None:
        urls.append(url)
        opened.set()

    monkeypatch.setattr("webbrowser.open", open_url)
    served("--open", use=lambda _: opened.wait(10))

    assert re.fullmatch(r"http://[\d.:]+/#token=a%2Fb%23c", urls[0])


def test_open_opens_nothing_where_there_is_no_page(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "mock.yaml").write_text("dashboard: false\n")
    urls: list[str] = []
    monkeypatch.setattr("webbrowser.open", urls.append)

    served("--open")

    assert urls == []


# ---------------------------------------------------------------------------- SIGHUP


def scenarios_of(url: str) -> list[int]:
    found = get(f"{url}/_mock/scenarios?source=file")
    return [each["scenario_id"] for each in found]


def hang_up(url: str, errors: int) -> None:
    """Send SIGHUP, and wait until the files have been read; no watch does that here."""
    before = get(f"{url}/_mock/config")["loaded_at"]
    os.kill(os.getpid(), signal.SIGHUP)
    while True:
        now = get(f"{url}/_mock/config")
        if len(now["errors"]) == errors and (errors or now["loaded_at"] != before):
            return


def test_sighup_reloads_the_files(folder: Path):
    (folder / "mock.yaml").write_text(f"token: {TOKEN}\nscenarios: [{{scenario_id: 900}}]\n")

    def edit(url: str) -> None:
        (folder / "mock.yaml").write_text(f"token: {TOKEN}\nscenarios: [{{scenario_id: 901}}]\n")
        hang_up(url, errors=0)
        assert scenarios_of(url) == [901]
        (folder / "mock.yaml").write_text("scenarios: [{scenario_id: no}]\n")
        hang_up(url, errors=1)
        assert scenarios_of(url) == [901]

    code, _ = served("--no-watch", use=edit)

    assert code == 0


def test_sighup_during_the_start_is_ignored(folder: Path, capsys: pytest.CaptureFixture[str]):
    before = signal.getsignal(signal.SIGHUP)
    (folder / "mock.yaml").write_text(BROKEN)
    try:
        assert main(["serve"]) == 1
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_sighup_of_a_terminal_that_closes_is_left_to_the_system(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    hung_up: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: hung_up.append(number))
    try:
        served(use=lambda _: os.kill(os.getpid(), signal.SIGHUP))
    finally:
        signal.signal(signal.SIGHUP, before)

    assert hung_up == [signal.SIGHUP]


def test_a_start_removes_the_ready_file_of_a_server_that_was_killed(folder: Path):
    with serving(folder) as live:
        live.process.kill()
        live.process.wait()
    assert (folder / "ready.json").exists()

    ReadyFile(folder / "ready.json")

    assert not (folder / "ready.json").exists()


def test_a_start_that_fails_leaves_the_ready_file_of_the_server_that_has_the_port(folder: Path):
    options = ["--database", ":memory:", "--ready-file", "ready.json"]
    with serving(folder) as live:
        assert main(["serve", "--port", str(live.port), *options]) == 2

        assert (folder / "ready.json").exists()


def test_a_ready_file_that_cannot_be_written_ends_the_start_with_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["serve", "--port", "0", "--ready-file", "nowhere/ready.json"]) == 2

    line = "mock-gitlab: cannot write nowhere/ready.json: No such file or directory\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("path", [".", "..", "/", "folder"])
def test_a_folder_is_no_ready_file(folder: Path, capsys: pytest.CaptureFixture[str], path: str):
    (folder / "folder").mkdir()

    assert main(["serve", "--port", "0", "--ready-file", path]) == 2
    assert capsys.readouterr().err == f"mock-gitlab: cannot write {path}: Is a directory\n"


def test_a_ready_file_that_can_no_longer_be_written_ends_the_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (folder / "ready").mkdir()

    def vanish(self: Path, target: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.replace", vanish)
    assert main(["serve", "--port", "0", "--ready-file", "ready/ready.json"]) == 2
    assert "cannot write ready/ready.json: No space left" in capsys.readouterr().err


# ---------------------------------------------------------------------------- where it listens


def test_an_ipv6_address_may_stand_in_brackets(folder: Path):
    def check(url: str) -> None:
        assert url.startswith("http://[::1]:")
        assert get(f"{url}/_mock/health")["status"] == "ok"

    code, _ = served("--host", "[::1]", use=check)
    assert code == 0


@pytest.mark.parametrize("port", ["tcp://10.0.0.1:8000", "udp://[fd00::1]:53"])
def test_a_port_that_kubernetes_sets_is_left_out_with_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, port: str
):
    monkeypatch.setenv("MOCK_PORT", port)

    _, printed = served()

    assert "warning: environment:1:1: MOCK_PORT: is ignored: Kubernetes" in printed
    assert port not in printed


def test_the_banner_says_that_other_machines_need_another_address(folder: Path):
    _, printed = served("--host", "0.0.0.0")

    assert re.match(r"mock_gitlab \S+ on http://127\.0\.0\.1:\d+ ", printed)
    assert f"other machines use http://{socket.gethostname()}:" in printed


@pytest.mark.parametrize("host", ["x" * 70, "a\0b", "no such host"])
def test_a_host_that_cannot_be_is_one_clear_line(
    folder: Path, capsys: pytest.CaptureFixture[str], host: str
):
    assert main(["serve", "--port", "0", "--host", host]) == 2
    assert capsys.readouterr().err.startswith(f"mock-gitlab: cannot listen on {host}:0: ")


def test_a_server_whose_banner_nobody_can_read_serves(folder: Path):
    ready = folder / "ready.json"
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "mock_gitlab", "--port", "0", "--ready-file", str(ready)]
        with subprocess.Popen(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment()
        ) as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            url = json.loads(ready.read_text())["url"]
            assert get(f"{url}/_mock/health")["status"] == "ok"
            process.send_signal(signal.SIGINT)
            assert process.wait(20) in (0, -signal.SIGINT)
            rest = process.stderr.read()
    assert said.endswith(" WARNING: cannot print the banner: No space left on device\n")
    assert rest == ""


def test_a_configuration_from_a_pipe_survives_a_reload(folder: Path):
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "mock_gitlab", "--port", "0", "--config", "-"]
    command += ["--ready-file", str(ready)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("default_scenario: 7")
        process.stdin.close()
        process.stdout.readline()
        url = json.loads(ready.read_text())["url"]
        send = Request(
            f"{url}/_mock/config/reload", method="POST", headers={"PRIVATE-TOKEN": TOKEN}
        )
        with urlopen(send, timeout=10) as answer:
            assert json.loads(answer.read())["default_scenario"] == 7
        process.send_signal(signal.SIGINT)
        process.wait(20)


def test_connect_is_refused_without_advice_about_other_packages(folder: Path):
    log = folder / "log"
    with (
        log.open("w") as stderr,
        serving(folder, stderr=stderr.fileno()) as live,
        socket.create_connection((live.host, live.port), timeout=10) as client,
    ):
        client.sendall(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 40")
    assert "install" not in log.read_text()


# ---------------------------------------------------------------------------- the banner


def test_the_banner_names_address_sources_and_watched_paths_but_no_token(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "mock.yaml").write_text(FINE, encoding="utf-8")
    monkeypatch.setenv("MOCK_TOKEN", "s3cr3t")

    _, printed = served("--log-level", "warning")

    assert re.match(rf"mock_gitlab {re.escape(__version__)} on http://127\.0\.0\.1:\d+ ", printed)
    assert "\ntoken: from MOCK_TOKEN\n" in printed
    assert "\ndatabase: mock.db\n" in printed
    assert "\nscenarios: 1 from mock.yaml\n" in printed
    assert f"\nwatching: {folder}" in printed
    assert "s3cr3t" not in printed


def test_the_banner_says_that_there_is_no_configuration(folder: Path):
    _, printed = served("--no-watch")

    assert "\ntoken: the default (see README.md)\n" in printed
    assert "\nconfiguration: there is no mock.yaml; run mock-gitlab init " in printed
    assert "WARNING" not in printed
    assert "watching" not in printed


def test_the_banner_repeats_the_warnings_of_check(folder: Path):
    rules = "rules:\n  - {when: {}, scenario: 900}\n  - {when: {ref: main}, scenario: 1}\n"
    (folder / "mock.yaml").write_text(f"{FINE}token: glpat-mine\n{rules}", encoding="utf-8")

    _, printed = served()

    assert "\ntoken: from the configuration file\n" in printed
    assert "\nwarning: mock.yaml:7:5: rules[1]" in printed


@pytest.mark.parametrize(("host", "warned"), [("0.0.0.0", True), ("localhost", False)])
def test_the_banner_warns_of_the_default_token_where_other_machines_may_use_it(
    folder: Path, host: str, warned: bool
):
    _, printed = served("--host", host)

    assert ("WARNING: other machines may reach 0.0.0.0" in printed) is warned


@pytest.mark.parametrize(
    ("start", "line"),
    [("2999-01-01T00:00:00Z", "ahead of"), ("2001-01-01T00:00:00Z", "behind")],
)
def test_the_banner_says_where_the_clock_is_not_real_time(folder: Path, start: str, line: str):
    (folder / "mock.yaml").write_text(f"clock: {{start: {start}}}\n", encoding="utf-8")

    _, printed = served()

    assert re.search(rf"^clock: {start[:17]}.*Z, .* {line} real time$", printed, re.MULTILINE)


def test_the_banner_says_that_the_clock_was_kept(folder: Path):
    with serving(folder) as live:
        live.control("POST", "/clock/advance", {"seconds": 780})
        live.process.kill()
        live.process.wait()

    _, ahead = served()
    with serving(folder) as live:
        live.control("POST", "/clock/freeze")
    _, frozen = served()

    assert re.search(r"^clock: \d{4}-.*Z, 0:13:00 ahead of real time$", ahead, re.MULTILINE)
    assert re.search(r"^clock: frozen at \d{4}-.*Z$", frozen, re.MULTILINE)


# ---------------------------------------------------------------------------- while it serves


def test_at_debug_each_request_is_logged_without_what_may_be_secret(folder: Path):
    with serving(folder, "--log-level", "debug", stderr=subprocess.STDOUT) as live:
        path = "/api/v4/projects/7/trigger/pipeline?private_token=x"
        live.call("POST", path, ref="main", scenario_id="0", token=TOKEN)
        live.process.send_signal(signal.SIGINT)
        assert live.process.stdout is not None
        printed = live.process.stdout.read().decode()

    assert "INFO: POST /api/v4/projects/7/trigger/pipeline 201 " in printed
    assert "operation=trigger_pipeline pipeline=1 scenario=0" in printed
    logged = [line for line in printed.splitlines() if " INFO: " in line]
    assert TOKEN not in "".join(logged)
    assert "private_token" not in printed


def test_an_option_beats_the_environment_which_beats_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "mock.yaml").write_text("version: 1\ndatabase: file.db\nport: 1\n", encoding="utf-8")
    monkeypatch.setenv("MOCK_PORT", "2")
    monkeypatch.setenv("MOCK_DATABASE", "environment.db")

    code, _ = served()

    assert code == 0
    assert (folder / "environment.db").exists()
    assert not (folder / "file.db").exists()


def test_pipelines_survive_a_kill(folder: Path):
    with serving(folder) as live:
        made = live.trigger().json()
        live.process.kill()
        live.process.wait()

    with serving(folder) as live:
        kept = live.call("GET", f"/api/v4/projects/1/pipelines/{made['id']}").json()
        more = live.trigger().json()

    same = ("id", "sha", "created_at")
    assert [kept[name] for name in same] == [made[name] for name in same]
    assert more["id"] == made["id"] + 1


def test_uvicorn_can_serve_the_application_by_its_name(folder: Path):
    command = [sys.executable, "-m", "uvicorn", "mock_gitlab.app:app", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            url = None
            while url is None:
                line = process.stderr.readline()
                assert line, "uvicorn has ended"
                url = re.search(r"http://[\d.:]+", line)
            assert get(f"{url[0]}/api/v4/version")["enterprise"] is True
        finally:
            process.kill()


# ---------------------------------------------------------------------------- starts that fail


def failing(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Return the exit code of a start that fails, and what it printed."""
    code = main(["--port", "0", *options])
    captured = capsys.readouterr()
    return code, captured.err + captured.out


def test_a_mistake_in_a_file_stops_the_start_with_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(BROKEN, encoding="utf-8")

    code, printed = failing(capsys)

    assert code == 1
    assert printed.startswith("mock.yaml:3:50: scenarios[0].terminal_status: ")
    assert len(printed.splitlines()) == 1


def test_a_port_in_use_is_one_clear_line(folder: Path, capsys: pytest.CaptureFixture[str]):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, printed = failing(capsys, "--port", str(port))

    assert code == 2
    assert printed == f"mock-gitlab: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_file_that_is_no_database_is_one_clear_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    content = b"this is no database at all, whatever its name says" * 50
    (folder / "mock.db").write_bytes(content)

    code, printed = failing(capsys)

    assert code == 2
    assert "file is not a database" in printed
    assert len(printed.splitlines()) == 1
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
    folder: Path, statements: str, words: str, capsys: pytest.CaptureFixture[str]
):
    with closing(sqlite3.connect(folder / "mock.db")) as database:
        database.executescript(statements)
    content = (folder / "mock.db").read_bytes()

    code, printed = failing(capsys)

    assert (code, printed) == (2, f"mock-gitlab: mock.db {words}\n")
    assert (folder / "mock.db").read_bytes() == content


def test_a_database_that_is_damaged_inside_is_one_clear_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    with closing(sqlite3.connect(folder / "mock.db")) as database:
        database.executescript(
            f"CREATE TABLE half (made); PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {VERSION}"
        )

    code, printed = failing(capsys)

    assert (code, printed) == (
        2,
        "mock-gitlab: cannot use the database mock.db: no such table: pipelines\n",
    )


def test_a_value_that_is_damaged_inside_is_one_clear_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    database = Database(folder / "mock.db")
    database.remember("clock", "no JSON")
    database.close()

    code, printed = failing(capsys)

    assert code == 2
    assert printed.startswith(
        'mock-gitlab: cannot use the database mock.db: the value of "clock" is damaged: '
    )
    assert len(printed.splitlines()) == 1


def test_a_database_that_another_server_has_is_one_clear_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    with serving(folder) as live:
        code, printed = failing(capsys)

    assert code == 2
    assert printed.startswith("mock-gitlab: mock.db is in use by another mock_gitlab (process ")
    assert f"(process {live.process.pid})" in printed
    assert "--database FILE" in printed
    assert len(printed.splitlines()) == 1


RUNNER = """
import subprocess, sys
command = [sys.executable, "-m", "mock_gitlab", "--port", "0", "--database", ":memory:"]
subprocess.Popen([*command, "--ready-file", "ready.json", "--exit-with-parent"])
input()
"""


def test_a_server_ends_with_the_process_that_has_started_it(tmp_path: Path):
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert runner.stdout is not None
    assert runner.stdin is not None
    while not (tmp_path / "ready.json").exists():
        assert runner.stdout.readline(), "the server has ended"

    runner.kill()

    runner.stdout.read()  # returns when nobody has the pipe any more
    assert not (tmp_path / "ready.json").exists()
    runner.wait()
    runner.stdin.close()
    runner.stdout.close()


def test_the_banner_says_how_fast_a_clock_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mock.yaml").write_text("clock: {speed: 60}\n", encoding="utf-8")

    _, printed = served("--database", ":memory:")

    assert re.search(r"^clock: \S+Z, 60 times as fast as real time$", printed, re.MULTILINE)
