"""The servers that are measured, each in a process of its own, and what the system says of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "MOCK_SUPER_SECRET"
ROOT = Path(__file__).parents[2]
_TICK = os.sysconf("SC_CLK_TCK")


class Process:
    """A server under measurement."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self._process = process
        self.url = url
        host, port = url.removeprefix("http://").split(":")
        self.host, self.port = host, int(port)

    def cpu_seconds(self) -> float:
        """Read how much processor time it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def memory_mb(self) -> float:
        """Read how much memory it holds."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call it once, and read its JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"PRIVATE-TOKEN": TOKEN, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def load(self, request: bytes, connections: int, seconds: float) -> dict[str, float]:
        """Put it under load and tell throughput, latencies and processor time per request."""
        before = self.cpu_seconds()
        command = [sys.executable, "-m", "tests.benchmarks.load", self.host, str(self.port)]
        done = subprocess.run(
            [*command, str(connections), str(seconds)],
            input=request,
            capture_output=True,
            cwd=ROOT,
            check=True,
            timeout=seconds + 30,
        )
        measured: dict[str, float] = json.loads(done.stdout)
        measured["cpu_us"] = (self.cpu_seconds() - before) / measured["requests"] * 1e6
        return measured

    def loading(
        self, method: str, path: str, body: str, connections: int
    ) -> Callable[[], dict[str, float]]:
        """Make a function that puts it under load with one request for a second."""
        return partial(self.load, self.request(method, path, body), connections, 1)

    def request(self, method: str, path: str, body: str = "") -> bytes:
        """Write a request as it goes over the wire."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
        head += f"PRIVATE-TOKEN: {TOKEN}\r\n"
        if body:
            head += "Content-Type: application/x-www-form-urlencoded\r\n"
            head += f"Content-Length: {len(body)}\r\n"
        return f"{head}\r\n{body}".encode()


@contextmanager
def ceiling(folder: Path) -> Iterator[Process]:
    """Serve the bare application."""
    command = [sys.executable, "-m", "tests.benchmarks.ceiling", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    url = process.stdout.readline().decode().strip()
    yield from until_done(process, url)


@contextmanager
def mock_gitlab(folder: Path, *, yaml: str = "", database: str = "mock.db") -> Iterator[Process]:
    """Serve the mock over a database file in ``folder``."""
    config = folder / "mock.yaml"
    config.write_text(yaml or "version: 1\n", encoding="utf-8")
    declared = folder / "scenarios"
    if not declared.exists():
        declared.mkdir()
        (declared / "a.yaml").write_text("scenarios: [{scenario_id: 900}]\n", encoding="utf-8")
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "mock_gitlab", "serve", "--port", "0", "--ready-file"]
    command += [str(ready), "--config", str(config), "--database", str(folder / database)]
    command += ["--log-level", "warning"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    while not ready.exists():
        assert process.poll() is None, "the server has ended"
        time.sleep(0.01)
    yield from until_done(process, json.loads(ready.read_text())["url"])


def until_done(process: subprocess.Popen[bytes], url: str) -> Iterator[Process]:
    """Hand out a server, and end it in any case."""
    try:
        yield Process(process, url)
    finally:
        process.terminate()
        process.wait()
