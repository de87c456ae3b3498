"""``/_mock/events`` tells a client at once what has changed."""

from __future__ import annotations

import http.client
import json
import signal
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.http.follower import EVERYTHING
from tests.live import TOKEN, Live, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Stream:
    """A stream of events."""

    def __init__(self, live: Live, root: str = "") -> None:
        self._connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
        headers = {"PRIVATE-TOKEN": TOKEN}
        self._connection.request("GET", f"{root}/_mock/events", headers=headers)
        self.answer = self._connection.getresponse()

    def lines(self) -> list[str]:
        """Read the lines up to the next blank one."""
        found: list[str] = []
        while line := self.answer.readline().decode().rstrip("\n"):
            found.append(line)
        return found

    def changed(self) -> list[str]:
        """Read an event, and return what has changed."""
        [data] = [line for line in self.lines() if line.startswith("data: ")]
        return list(json.loads(data.removeprefix("data: "))["changed"])

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    (tmp_path / "mock.yaml").write_text(f"token: {TOKEN}\ndatabase: ':memory:'\n")
    with serving(tmp_path, "--no-watch") as live:
        yield live


@pytest.fixture
def stream(live: Live) -> Iterator[Stream]:
    with closing(Stream(live)) as stream:
        assert stream.changed() == sorted(EVERYTHING)  # so that a client loads all, once more too
        yield stream


def test_the_stream_is_one_of_server_sent_events(live: Live):
    with closing(Stream(live)) as stream:
        assert stream.answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert stream.answer.getheader("cache-control") == "no-store"
        assert stream.lines()[:3] == ["retry: 1000", "id: 0", "event: changed"]


def test_a_trigger_and_a_move_of_the_clock_are_told(live: Live, stream: Stream):
    live.trigger()
    assert stream.changed() == ["pipelines", "requests"]

    live.control("POST", "/clock/advance", {"duration": "5s"})
    assert stream.changed() == ["clock", "pipelines"]


def test_a_poll_is_told_as_a_request(live: Live, stream: Stream):
    live.call("GET", "/api/v4/version")

    assert stream.changed() == ["requests"]


def test_a_world_is_told_of_itself_alone(live: Live):
    live.control("POST", "/sandboxes", {"name": "mine"})
    with closing(Stream(live, "/sandbox/mine")) as stream:
        stream.changed()
        live.trigger()
        live.call("GET", "/sandbox/mine/api/v4/version")

        assert stream.changed() == ["requests"]


def test_files_that_were_read_again_are_told_whether_they_have_mistakes_or_not(
    tmp_path: Path, live: Live, stream: Stream
):
    (tmp_path / "mock.yaml").write_text("tokn: x\n")
    live.control("POST", "/config/reload")
    assert "configuration" in stream.changed()

    (tmp_path / "mock.yaml").write_text(f"token: {TOKEN}\n")
    live.control("POST", "/config/reload")
    assert "configuration" in stream.changed()


def test_a_stream_does_not_hold_up_the_end_of_the_server(live: Live, stream: Stream):
    live.process.send_signal(signal.SIGTERM)

    assert stream.lines() == [": nothing has changed"]
    assert stream.answer.read() == b""
    assert live.process.wait(20) == 0


def test_nobody_is_told_after_the_client_has_gone(live: Live):
    with closing(Stream(live)) as stream:
        stream.changed()
    for _ in range(3):
        live.trigger()

    assert live.control("GET", "/clock").status == 200


def test_events_need_the_token(live: Live):
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
    with closing(connection):
        connection.request("GET", "/_mock/events")

        assert connection.getresponse().status == 401
