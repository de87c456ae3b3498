"""MockGitLab: the mock as a library, on a port in another process, or without a socket."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from mock_gitlab.testing.client import MockWorld
from mock_gitlab.testing.process import ServerProcess, server_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Unpack

    import httpx

    from mock_gitlab.app import MockGitLabApp
    from mock_gitlab.testing.keywords import SandboxFields, Settings

_NO_CONFIG = "/mock_gitlab/without/configuration"
"""A path that no file has, so that no mock.yaml in the working directory is read."""


class _Running(NamedTuple):
    """A server that runs, and its default world."""

    process: ServerProcess
    key: int
    mock: MockWorld


class MockGitLab:
    """A mock that lives as long as a ``with`` block, sync or async.

    ``config`` is the path of a configuration file; None: no file. ``overrides`` beat ``environ``
    (None: the environment of the process), which beats the file. Without overrides the database is
    in memory, and files are not watched. Each MockGitLab has its own world, server and port, so any
    number can run at the same time.

    All servers run in one other process. What a test patches in its own process does not reach
    them.

    Raises:
        ConfigurationError: the file has mistakes.
        PortInUse: ``port`` is taken.
    """

    def __init__(
        self,
        config: Path | str | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        environ: Mapping[str, str] | None = None,
        **overrides: Unpack[Settings],
    ) -> None:
        self._address = (host, port)
        self._config = _NO_CONFIG if config is None else os.fspath(config) or _NO_CONFIG
        self._environ = environ
        self._options: dict[str, Any] = {
            "must_exist": config is not None,
            "database": ":memory:",
            "watch": False,
            "allow_reset": True,
            **overrides,
        }
        self._app: MockGitLabApp | None = None
        self._running: _Running | None = None
        self._sandboxes: WeakSet[MockWorld] = WeakSet()

    def _create_options(self) -> dict[str, Any]:
        environ = os.environ if self._environ is None else self._environ
        return {"environ": dict(environ), **self._options}

    # ------------------------------------------------------------------ on a port

    def start(self) -> MockGitLab:
        """Serve in the process for servers; returns when the server answers requests."""
        self._close_app()
        process = server_process()
        started = process.execute(
            "start", os.getcwd(), self._config, *self._address, self._create_options()
        )
        self._running = _Running(process, started.key, MockWorld(started.url, started.token))
        return self

    def stop(self) -> None:
        """End the server, and release everything it has opened."""
        if self._running is not None:
            process, key, mock = self._running
            self._running = None
            for world in (mock, *self._sandboxes):
                world.close()
            with suppress(RuntimeError):  # the process has ended before
                process.execute("stop", key)
        self._close_app()

    def _close_app(self) -> None:
        if self._app is not None:
            self._app.close()
            self._app = None

    def __enter__(self) -> MockGitLab:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    async def __aenter__(self) -> MockGitLab:
        from anyio.to_thread import run_sync

        return await run_sync(self.start)

    async def __aexit__(self, *exception: object) -> None:
        from anyio.to_thread import run_sync

        await run_sync(self.stop)

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self._running is not None

    @property
    def mock(self) -> MockWorld:
        """The default world of the running server."""
        return self._get_running().mock

    def _get_running(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the mock is not running: use it in a with block, or call start()")
        return self._running

    @property
    def url(self) -> str:
        """The base URL for a client of GitLab."""
        return self.mock.url

    @property
    def token(self) -> str:
        """The token that a client authenticates with."""
        return self.app.settings.token if self._running is None else self.mock.token

    def sandbox(self, name: str, **own: Unpack[SandboxFields]) -> MockWorld:
        """Make an isolated world, optionally with a clock, a seed, projects, ... of its own.

        ``stop()`` closes its connection.
        """
        # The command is faster than a request. If it fails, the request raises the right error.
        if not own and self._execute("create_sandbox", name):
            world = MockWorld(f"{self.url}/sandbox/{name}", self.token)
        else:
            world = self.mock.sandbox(name, **own)
        self._sandboxes.add(world)
        return world

    def delete_sandbox(self, name: str) -> None:
        """Delete a sandbox with everything in it."""
        if not self._execute("delete_sandbox", name):
            self.mock.delete_sandbox(name)

    def sandboxes(self) -> list[str]:
        """List the names of the sandboxes, the least recently used first."""
        names: list[str] = self._execute("sandboxes")
        return names

    def _execute(self, command: str, *arguments: Any) -> Any:
        process, key, _ = self._get_running()
        return process.execute(command, key, *arguments)

    # ------------------------------------------------------------------ without a socket

    @property
    def app(self) -> MockGitLabApp:
        """The ASGI application in this process, which needs no server; it is made on first use."""
        if self._running is not None:
            raise RuntimeError("the mock is running: its application is in another process")
        if self._app is None:
            from mock_gitlab.app import create_app

            self._app = create_app(self._config, **self._create_options())
        return self._app

    def transport(self) -> httpx.ASGITransport:
        """Make a transport for ``httpx.AsyncClient``, which needs no running server; needs httpx.

        The client may use any host name, also for ``/_mock``. ``stop()`` closes what was opened.
        """
        app = self.app
        from mock_gitlab.testing.transport import Transport

        app.allowed_hosts.add("*")  # no browser can reach it
        return Transport(app)

    def deliver_to(self, app: Callable[..., Any], host: str = "localhost") -> None:
        """Hand the webhooks for a host to an application in this process, ASGI or WSGI.

        The mock must not be running on a port; needs httpx. Another ``host`` than a loopback one
        must stand in ``webhook_hosts``.
        """
        own = self.app
        from mock_gitlab.testing.transport import transport_to

        own.webhook_apps[host] = transport_to(app)
