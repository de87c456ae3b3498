"""Other mocks, answering with the body of a pipeline: what people would use instead.

They are measured where they are installed: pytest-httpserver as a package, mountebank by its
command ``mb`` (or what ``MOUNTEBANK`` names).
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .ceiling import body
from .servers import ROOT, Process, until_done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

CANNED = json.dumps(body(1), separators=(",", ":"))
_SECONDS_TO_START = 30
_AT_ITS_BEST = {
    "Content-Type": "application/json",
    "Content-Length": len(CANNED),
}
"""What mountebank is told to send, since of itself it closes every connection."""


def installed() -> dict[str, Callable[[Path], AbstractContextManager[Process]]]:
    """Name the peers that are there, and how each is served from a folder."""
    found: dict[str, Callable[[Path], AbstractContextManager[Process]]] = {}
    if importlib.util.find_spec("pytest_httpserver"):
        found["pytest-httpserver"] = pytest_httpserver
    if _mountebank():
        found["mountebank"] = mountebank
    return found


def _mountebank() -> str | None:
    return shutil.which(os.environ.get("MOUNTEBANK", "mb"))


@contextmanager
def pytest_httpserver(folder: Path) -> Iterator[Process]:
    """Serve any path with a handler of pytest-httpserver."""
    command = [sys.executable, "-m", "tests.benchmarks.peers"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    yield from until_done(process, process.stdout.readline().decode().strip())


@contextmanager
def mountebank(folder: Path) -> Iterator[Process]:
    """Serve any path with an imposter of mountebank."""
    port, admin = _free_port(), _free_port()
    answer = {"statusCode": 200, "headers": _AT_ITS_BEST, "body": CANNED}
    imposter = {"port": port, "protocol": "http", "stubs": [{"responses": [{"is": answer}]}]}
    config = folder / "imposters.json"
    config.write_text(json.dumps({"imposters": [imposter]}), encoding="utf-8")
    command = [str(_mountebank()), "start", "--configfile", str(config), "--port", str(admin)]
    command += ["--host", "127.0.0.1", "--nologfile", "--loglevel", "error", "--pidfile", "mb.pid"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)
    _wait_for(port)
    yield from until_done(process, f"http://127.0.0.1:{port}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < until, "the peer has not started"
            time.sleep(0.05)
        else:
            return


def main() -> None:
    """Serve the canned body by pytest-httpserver until killed; print the address first."""
    from pytest_httpserver import HTTPServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # as quiet as the others
    server = HTTPServer(host="127.0.0.1", port=0)
    server.expect_request(re.compile("")).respond_with_data(CANNED, content_type="application/json")
    server.start()
    print(f"http://127.0.0.1:{server.port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
