"""MockGitLab: the mock as a library, on a free port in its own thread, or without a socket."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from mock_gitlab.app import MockGitLabApp, create_app
from mock_gitlab.engine.model import MockGitLabError
from mock_gitlab.server import PortInUse, Server, address, listen
from mock_gitlab.testing.client import MockWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Unpack

    import httpx

    from mock_gitlab.testing.keywords import Settings
    from mock_gitlab.world.sandboxes import Worlds

_START_TIMEOUT = 30.0
_NO_CONFIG = "/mock_gitlab/without/configuration"
"""A path that no file has, so that no mock.yaml in the working directory is read."""


class MockGitLab:
    """A mock that lives as long as a ``with`` block, sync or async.

    ``config`` is the path of a configuration file; None: no file. ``overrides`` beat ``environ``
    (None: the environment of the process), which beats the file. Without overrides the database is
    in memory, and files are not watched. Each MockGitLab has its own world, server and port, so any
    number can run at the same time.

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
        settings: dict[str, Any] = {
            "database": ":memory:",
            "watch": False,
            "allow_reset": True,
            **overrides,
        }
        options = {"environ": environ, "must_exist": config is not None, **settings}
        self._make_app = partial(create_app, config or _NO_CONFIG, **options)
        self._app: MockGitLabApp | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._mock: MockWorld | None = None

    # ------------------------------------------------------------------ on a port

    def start(self) -> MockGitLab:
        """Serve in a thread; returns when the server answers requests."""
        app = self.app
        try:
            bound = listen(*self._address)
        except PortInUse:
            self.stop()
            raise
        ready = threading.Event()
        self._server = Server(app, ready.set)
        self._thread = threading.Thread(
            target=self._run, args=(bound, ready), name="mock_gitlab", daemon=True
        )
        self._thread.start()
        ready.wait(_START_TIMEOUT)
        if not self._server.started:
            self.stop()
            raise RuntimeError("the mock did not start")
        self._mock = MockWorld(address(bound), app.settings.token)
        return self

    def _run(self, bound: Any, ready: threading.Event) -> None:
        assert self._server is not None
        try:
            with contextlib.suppress(SystemExit):  # uvicorn's, if the application does not start
                self._server.run(sockets=[bound])
        finally:
            bound.close()
            ready.set()

    def stop(self) -> None:
        """End the server, and release everything it has opened."""
        if self._mock is not None:
            self._mock.close()
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        if self._app is not None:
            self._app.close()
        self._mock = self._server = self._thread = self._app = None

    def __enter__(self) -> MockGitLab:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    async def __aenter__(self) -> MockGitLab:
        return await anyio.to_thread.run_sync(self.start)

    async def __aexit__(self, *exception: object) -> None:
        await anyio.to_thread.run_sync(self.stop)

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self._mock is not None

    @property
    def mock(self) -> MockWorld:
        """The default world of the running server."""
        if self._mock is None:
            raise RuntimeError("the mock is not running: use it in a with block, or call start()")
        return self._mock

    @property
    def url(self) -> str:
        """The base URL for a client of GitLab."""
        return self.mock.url

    @property
    def token(self) -> str:
        """The token that a client authenticates with."""
        return self.app.settings.token

    def sandbox(
        self, name: str, *, clock: Mapping[str, Any] | None = None, seed: int | str | None = None
    ) -> MockWorld:
        """Make an isolated world on the server, optionally with a clock or seed of its own."""
        if clock is None and seed is None and self._change(lambda worlds: worlds.create(name)):
            return MockWorld(f"{self.url}/sandbox/{name}", self.token)
        return self.mock.sandbox(name, clock=clock, seed=seed)

    def delete_sandbox(self, name: str) -> None:
        """Delete a sandbox with everything in it."""
        if not self._change(lambda worlds: worlds.delete(name)):
            self.mock.delete_sandbox(name)

    def _change(self, change: Callable[[Worlds], object]) -> bool:
        """Change the worlds directly, which is faster than a request.

        Returns:
            False if that fails; the same change by a request then raises the right error.
        """
        loop = None if self._server is None else self._server.loop
        if loop is None:
            return False

        async def do() -> None:
            change(self.app.worlds)

        try:
            asyncio.run_coroutine_threadsafe(do(), loop).result()
        except MockGitLabError:
            return False
        return True

    # ------------------------------------------------------------------ without a socket

    @property
    def app(self) -> MockGitLabApp:
        """The ASGI application; it is made on first use."""
        if self._app is None:
            self._app = self._make_app()
        return self._app

    def transport(self) -> httpx.ASGITransport:
        """Make a transport for ``httpx.AsyncClient``, which needs no running server; needs httpx.

        The client may use any host name, also for ``/_mock``. ``stop()`` closes what was opened.
        """
        if self._thread is not None:
            raise RuntimeError("the mock is running: its world belongs to the thread of the server")
        from mock_gitlab.testing.transport import Transport

        self.app.allowed_hosts.add("*")  # no browser can reach it
        return Transport(self.app)
