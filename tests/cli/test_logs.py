"""What ``serve`` logs, and how."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.cli.logs import set_level, start_logging
from mock_gitlab.cli.main import main
from tests.cli.inprocess import served
from tests.live import TOKEN, Client

if TYPE_CHECKING:
    from pathlib import Path

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def folder(folder: Path) -> Path:
    (folder / "mock.yaml").write_text(f"token: {TOKEN}\n")
    return folder


def logged(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """Serve with options, send four requests, and return what was logged of requests."""

    def use(url: str) -> None:
        client = Client(url)
        client.trigger()
        client.call("GET", f"/api/v4/projects/1/pipelines/1?private_token={TOKEN}")
        client.call("GET", "/api/v4/nowhere")
        client.control("GET", "/clock")

    served("--database", ":memory:", *options, use=use)
    return [line for line in capsys.readouterr().err.splitlines() if "request_id" in line]


def test_requests_are_not_logged_unless_somebody_asks(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert logged(capsys) == []


@pytest.mark.parametrize("option", ["--log-requests", "--log-level=debug"])
def test_each_request_is_a_line(folder: Path, capsys: pytest.CaptureFixture[str], option: str):
    lines = logged(capsys, option)

    heads = [re.fullmatch(rf"{TIME} INFO: (.+) [\d.]+ ms .+", line) for line in lines]
    assert [each and each[1] for each in heads] == [
        "POST /api/v4/projects/1/trigger/pipeline 201",
        "GET /api/v4/projects/1/pipelines/1 200",
        "GET /api/v4/nowhere 404",
        "GET /_mock/clock 200",
    ]
    assert re.search(
        r" \d+\.\d+ ms world=default request_id=[0-9a-f-]{36} operation=get_pipeline "
        r"pipeline=1 scenario=0$",
        lines[1],
    )
    assert TOKEN not in "".join(lines)


def test_json_has_the_fields_of_a_request(folder: Path, capsys: pytest.CaptureFixture[str]):
    lines = [json.loads(each) for each in logged(capsys, "--log-requests", "--log-format", "json")]

    trigger: dict[str, Any] = lines[0]
    assert re.fullmatch(TIME, trigger.pop("time"))
    assert trigger.pop("duration_ms") > 0
    assert len(trigger.pop("request_id")) == 36
    assert trigger == {
        "level": "info",
        "logger": "mock_gitlab.requests",
        "method": "POST",
        "path": "/api/v4/projects/1/trigger/pipeline",
        "status": 201,
        "world": "default",
        "operation": "trigger_pipeline",
        "pipeline": 1,
        "scenario": 0,
    }
    assert lines[3]["operation"] == "/_mock/clock"
    assert TOKEN not in json.dumps(lines)


def test_the_format_may_be_declared(folder: Path, capsys: pytest.CaptureFixture[str]):
    with (folder / "mock.yaml").open("a") as file:
        file.write("log_format: json\nlog_requests: true\n")

    assert {json.loads(line)["world"] for line in logged(capsys)} == {"default"}


def test_every_line_of_json_is_an_object(capsys: pytest.CaptureFixture[str]):
    start_logging("json")
    set_level("warning")
    log = logging.getLogger("mock_gitlab")
    log.info("below the level")
    log.warning("sandbox %s is evicted", "a\nb")
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("internal error")

    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["message"]) == ("warning", "sandbox a\nb is evicted")
    assert second["message"] == "internal error"
    assert second["exception"].endswith("ValueError: broken")


def test_the_address_of_a_webhook_is_not_logged(capsys: pytest.CaptureFixture[str]):
    start_logging("text")
    set_level("debug")
    for name in ("httpx", "httpcore.connection"):
        logging.getLogger(name).info("HTTP Request: POST http://me:secret@localhost/")

    assert "secret" not in capsys.readouterr().err


def test_metrics_without_their_library_are_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "mock_gitlab.http.metrics", raising=False)

    assert main(["serve", "--metrics"]) == 1

    assert capsys.readouterr().err == (
        "mock.yaml:1:1: metrics: need the package prometheus_client: "
        "pip install 'mock-gitlab[metrics]'\n"
    )
