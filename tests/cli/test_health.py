"""``health`` says whether a server is ready."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main
from tests.cli.inprocess import served
from tests.live import TOKEN, environment, serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)


def test_a_server_that_is_ready_is_0(folder: Path, capsys: pytest.CaptureFixture[str]):
    codes: list[int] = []

    served(use=lambda url: codes.append(main(["health", "--url", f"{url}/"])))

    assert codes == [0]


def test_what_it_says_of_a_server_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text(f"token: {TOKEN}\n")
    with serving(folder) as live:
        assert main(["health", "--url", live.url]) == 0
        assert capsys.readouterr().out == "ready: database ok, files ok\n"


def test_mistakes_in_the_files_are_counted_while_the_last_good_ones_serve(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "mock.yaml").write_text(f"token: {TOKEN}\n")
    with serving(folder, "--no-watch") as live:
        (folder / "mock.yaml").write_text("tokn: x\nprt: 1\n")
        live.control("POST", "/config/reload")

        assert main(["health", "--url", live.url]) == 0
        assert capsys.readouterr().out == "ready: database ok, 2 mistakes in its files\n"


def test_a_server_whose_database_is_gone_is_1(folder: Path, capsys: pytest.CaptureFixture[str]):
    with serving(folder) as live:
        (folder / "mock.db").unlink()

        assert main(["health", "--url", live.url]) == 1
        assert capsys.readouterr().err == "503: not ready: database gone, files ok\n"


@pytest.mark.parametrize("file", ["port: %d", "port: %d\ntokn: x", "host: 0.0.0.0\nport: %d"])
def test_the_address_is_the_one_that_serve_would_take(
    folder: Path, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with serving(folder) as live:
        (folder / "mock.yaml").write_text(file % live.port)
        if "tokn" in file:  # only the environment tells the port
            monkeypatch.setenv("MOCK_PORT", str(live.port))

        assert main(["health"]) == 0


def test_an_address_in_the_environment_that_cannot_be_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MOCK_PORT", "many")

    assert main(["health"]) == 1
    assert "MOCK_PORT" in capsys.readouterr().err


def test_nobody_there_is_1(capsys: pytest.CaptureFixture[str]):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

        assert main(["health", "--url", url]) == 1

    assert capsys.readouterr().err.startswith(f"cannot reach {url}: ")


def test_a_server_that_does_not_answer_in_time_is_1(capsys: pytest.CaptureFixture[str]):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        assert main(["health", "--url", url, "--timeout", "0.1"]) == 1

    assert "timed out" in capsys.readouterr().err


def test_what_is_no_url_is_1(capsys: pytest.CaptureFixture[str]):
    assert main(["health", "--url", "nowhere"]) == 1

    assert "cannot reach nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("prefix", ["/api/v4/projects/1/jobs/1?", "/openapi.json?"])
def test_another_servers_answer_is_1(folder: Path, prefix: str, capsys: pytest.CaptureFixture[str]):
    """The two addresses stand for other programs: one refuses, the other sends foreign JSON."""
    with serving(folder) as live:
        assert main(["health", "--timeout", "60", "--url", f"{live.url}{prefix}"]) == 1

    assert capsys.readouterr().err.endswith("it is no mock_gitlab\n")


@pytest.mark.parametrize("timeout", ["0", "nan", "x", "3601"])
def test_a_timeout_must_be_seconds(timeout: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["health", "--timeout", timeout])

    assert "must be a number of seconds up to 3600" in capsys.readouterr().err
