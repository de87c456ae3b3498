"""Webhooks for an application in the process of the test, without a socket."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI, Request

from mock_gitlab import MockGitLab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def deliver(mock: MockGitLab, url: str) -> list[dict[str, Any]]:
    """Let a pipeline end, and return the deliveries."""

    async def play() -> list[dict[str, Any]]:
        async with httpx.AsyncClient(
            transport=mock.transport(),
            base_url="http://gitlab.test",
            headers={"PRIVATE-TOKEN": mock.token},
        ) as client:
            await client.put("/_mock/clock", json={"frozen": True})
            hook = {"url": url, "pipeline_events": True}
            made = await client.post("/api/v4/projects/1/hooks", json=hook)
            assert made.status_code == 201, made.text
            await client.post("/api/v4/projects/1/pipeline", json={"ref": "main"})
            await client.post("/_mock/clock/advance", json={"duration": "5m"})
            found: list[dict[str, Any]] = (await client.get("/_mock/deliveries")).json()
            return found

    try:
        return asyncio.run(play())
    finally:
        mock.stop()


def test_an_asgi_application_is_called():
    heard = []
    app = FastAPI()

    @app.post("/hook", status_code=202)
    async def hook(request: Request) -> None:
        heard.append((await request.json())["object_attributes"]["status"])

    mock = MockGitLab()
    mock.deliver_to(app)

    answers = [each["response_status"] for each in deliver(mock, "http://localhost/hook")]

    assert heard == ["running", "success"]
    assert answers == [202, 202]


def test_a_wsgi_application_is_called():
    heard = []

    def app(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        body = json.loads(environ["wsgi.input"].read())
        heard.append((environ["PATH_INFO"], body["object_attributes"]["status"]))
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"thanks"]

    mock = MockGitLab()
    mock.deliver_to(app, host="127.0.0.1")

    deliver(mock, "http://127.0.0.1:1/gitlab")

    assert heard == [("/gitlab", "running"), ("/gitlab", "success")]


def test_another_host_must_be_allowed():
    async def app(*_: Any) -> None:
        raise AssertionError

    mock = MockGitLab()
    mock.deliver_to(app, host="bot.test")

    with pytest.raises(AssertionError, match="Invalid url given"):
        deliver(mock, "http://bot.test/hook")


def test_a_running_mock_is_in_another_process():
    with MockGitLab() as mock, pytest.raises(RuntimeError, match="in another process"):
        mock.deliver_to(FastAPI())
