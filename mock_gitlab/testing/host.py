"""The process in which the servers of MockGitLab run. It starts and stops them on command.

A test may patch sleep, clocks, random numbers and sockets in its own process. Here nothing of that
is seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from itertools import count
from typing import TYPE_CHECKING, Any, BinaryIO

from mock_gitlab.app import MockGitLabApp, create_app
from mock_gitlab.engine.model import MockGitLabError
from mock_gitlab.server import Server, address, listen
from mock_gitlab.testing.messages import Started, read, write

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from mock_gitlab.world.sandboxes import Worlds

_START_TIMEOUT = 30.0


class ServerThread:
    """A server on a port, in a thread of its own.

    Raises:
        PortInUse: the port is taken.
        RuntimeError: the application does not start.
    """

    def __init__(self, app: MockGitLabApp, host: str, port: int) -> None:
        self.app = app
        bound = listen(host, port)
        self.url = address(bound)
        self._ready = threading.Event()
        self._server = Server(app, self._ready.set)
        self._thread = threading.Thread(target=self._run, args=(bound,), daemon=True)
        self._thread.start()
        self._ready.wait(_START_TIMEOUT)
        if not self._server.started:
            self.stop()
            raise RuntimeError("the mock did not start")

    def _run(self, bound: socket.socket) -> None:
        try:
            with contextlib.suppress(SystemExit):  # uvicorn's, if the application does not start
                self._server.run(sockets=[bound])
        finally:
            bound.close()
            self._ready.set()

    def end(self) -> None:
        """Ask the server to end, without waiting for it."""
        self._server.should_exit = True

    def stop(self) -> None:
        """End the server, and release everything it has opened."""
        self.end()
        self._thread.join()
        self.app.close()

    def execute(self, change: Callable[[Worlds], Any]) -> Any:
        """Call a function with the worlds, between two requests."""
        assert self._server.loop is not None

        async def do() -> Any:
            return change(self.app.worlds)

        return asyncio.run_coroutine_threadsafe(do(), self._server.loop).result()


class Host:
    """The servers of this process, and the commands for them."""

    def __init__(self) -> None:
        self._servers: dict[int, ServerThread] = {}
        self._keys = count(1)

    def start(
        self, folder: str, config: str, host: str, port: int, options: dict[str, Any]
    ) -> Started:
        """Start a server. Relative paths are relative to ``folder``."""
        with contextlib.chdir(folder):
            app = create_app(config, **options)
        try:
            server = ServerThread(app, host, port)
        except Exception:
            app.close()
            raise
        key = next(self._keys)
        self._servers[key] = server
        return Started(key, server.url, app.settings.token)

    def stop(self, key: int) -> None:
        """Stop a server."""
        self._servers.pop(key).stop()

    def create_sandbox(self, key: int, name: str) -> bool:
        """Create a sandbox with default options; return False if that is refused."""
        return self._try(key, lambda worlds: worlds.create(name))

    def delete_sandbox(self, key: int, name: str) -> bool:
        """Delete a sandbox; return False if that is refused."""
        return self._try(key, lambda worlds: worlds.delete(name))

    def _try(self, key: int, change: Callable[[Worlds], Any]) -> bool:
        try:
            self._servers[key].execute(change)
        except MockGitLabError:
            return False
        return True

    def sandboxes(self, key: int) -> list[str]:
        """List the names of the sandboxes, the least recently used first."""
        names: list[str] = self._servers[key].execute(lambda worlds: worlds.names())
        return names

    def stop_all(self) -> None:
        """Stop all servers, at the same time."""
        for server in self._servers.values():
            server.end()
        for key in list(self._servers):
            self.stop(key)

    def execute(self, command: str, *arguments: Any) -> Any:
        """Execute a command; return its result, or the exception that it raised."""
        try:
            return getattr(self, command)(*arguments)
        except Exception as error:  # noqa: BLE001 - the test's process raises it
            return error


def serve(commands: BinaryIO, results: BinaryIO) -> None:
    """Execute commands until the process that sends them ends."""
    host = Host()
    with contextlib.suppress(EOFError):
        while True:
            write(results, host.execute(*read(commands)))
    host.stop_all()


def main() -> None:
    """Serve the process that has started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the test's process ends this one
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as results:
        sys.stdout = sys.stderr
        serve(sys.stdin.buffer, results)
