"""A real server in a process of its own, for what only shows over a wire and over a restart."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "MOCK_SUPER_SECRET"


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


class Client:
    """A client of a server that opens a connection for each request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host, port = url.removeprefix("http://").split(":")
        self.port = int(port)

    def call(self, method: str, path: str, **form: str) -> Answer:
        """Send a request with the token, and with a form if there is one."""
        return self._send(method, path, urlencode(form), "application/x-www-form-urlencoded")

    def control(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request to the control API, with JSON if there is a body."""
        sent = "" if body is None else json.dumps(body)
        return self._send(method, f"/_mock{path}", sent, "application/json")

    def _send(self, method: str, path: str, body: str, content_type: str) -> Answer:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        headers = {"PRIVATE-TOKEN": TOKEN}
        if body:
            headers["Content-Type"] = content_type
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            connection.close()

    def post_json(self, path: str, body: str) -> Answer:
        """Post JSON with the token."""
        return self._send("POST", path, body, "application/json")

    def trigger(self, **form: str) -> Answer:
        """Trigger a pipeline that never ends."""
        order = {"ref": "main", "scenario_id": "0", **form}
        return self.call("POST", "/api/v4/projects/1/trigger/pipeline", **order)


class Live(Client):
    """A server in a process of its own, and its client."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        super().__init__(url)
        self.process = process


def environment(**more: str) -> dict[str, str]:
    """Return the environment without MOCK_ variables but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOCK_")}
    return {**kept, **more}


@contextmanager
def serving(
    folder: Path,
    *options: str,
    before: str = "",
    stderr: int = subprocess.DEVNULL,
    **env: str,
) -> Iterator[Live]:
    """Serve from a folder until the block ends; ``before`` is shell that precedes the server."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "mock_gitlab", "--port", "0", "--ready-file", str(ready)]
    process = subprocess.Popen(
        ["bash", "-c", f'{before} exec "$@"', "bash", *command, *options],
        cwd=folder,
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=stderr,
    )
    assert process.stdout is not None
    try:
        while not ready.exists():
            assert process.stdout.readline(), "the server has ended"
        yield Live(process, json.loads(ready.read_text())["url"])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
