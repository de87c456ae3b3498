"""MockGitLab: a mock as a library, on a free port in a thread of its own, or without a socket."""

from __future__ import annotations

import asyncio
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
    from types import TracebackType
    from typing import Unpack

    import httpx

    from mock_gitlab.testing.keywords import Settings
    from mock_gitlab.world.sandboxes import Worlds

_LONGEST_START = 30.0


class MockGitLab:
    """A mock that lives as long as a ``with`` block, sync or async.

    ``config`` names a configuration file; None takes none at all. The database is in memory and
    files are not watched unless ``overrides`` say otherwise, which beat ``environ`` (None: that of
    the process), which beats the file. Each has its own world, server and port, so that any number
    may live beside each other.

    Raises:
        ConfigurationError: the file has mistakes.
        PortInUse: the port that was asked for is taken.
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
        # A name that no file has: without a configuration nothing lying about is to be read.
        named = config or "/mock_gitlab/without/configuration"
        options = {"environ": environ, "must_exist": config is not None, **settings}
        self._make = partial(create_app, named, **options)
        self._app: MockGitLabApp | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._mock: MockWorld | None = None
        self._failure: BaseException | None = None

    # ------------------------------------------------------------------ on a port

    def start(self) -> MockGitLab:
        """Serve in a thread; returns once requests are answered."""
        self._failure = None
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
        ready.wait(_LONGEST_START)
        if self._failure is not None or not self._server.started:
            self.stop()
            raise RuntimeError("the mock did not start") from self._failure
        self._mock = MockWorld(address(bound), app.settings.token)
        return self

    def _run(self, bound: Any, ready: threading.Event) -> None:
        assert self._server is not None
        try:
            self._server.run(sockets=[bound])
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            self._failure = error
        finally:
            bound.close()
            ready.set()

    def stop(self) -> None:
        """End the server; nothing of it is left behind."""
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> MockGitLab:
        return await anyio.to_thread.run_sync(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await anyio.to_thread.run_sync(self.stop)

    @property
    def running(self) -> bool:
        """Whether it serves."""
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
        """What a client authenticates with."""
        return self.app.settings.token

    def sandbox(
        self, name: str, *, clock: Mapping[str, Any] | None = None, seed: int | str | None = None
    ) -> MockWorld:
        """Make an isolated world on the server, perhaps with a clock or seed of its own."""
        if clock is None and seed is None and self._did(lambda worlds: worlds.create(name)):
            return MockWorld(f"{self.url}/sandbox/{name}", self.token)
        return self.mock.sandbox(name, clock=clock, seed=seed)

    def delete_sandbox(self, name: str) -> None:
        """Drop a sandbox with all that is in it."""
        if not self._did(lambda worlds: worlds.delete(name)):
            self.mock.delete_sandbox(name)

    def _did(self, change: Callable[[Worlds], object]) -> bool:
        """Change the worlds without a call, which takes longer; False: a call will tell why not."""
        server = self._server
        if server is None or server.loop is None:
            return False

        async def do() -> None:
            change(self.app.worlds)

        try:
            asyncio.run_coroutine_threadsafe(do(), server.loop).result()
        except MockGitLabError:
            return False
        return True

    # ------------------------------------------------------------------ without a socket

    @property
    def app(self) -> MockGitLabApp:
        """The ASGI application, made when it is first needed."""
        if self._app is None:
            self._app = self._make()
        return self._app

    def transport(self) -> httpx.ASGITransport:
        """Make a transport for ``httpx.AsyncClient``, in place of a running server; needs httpx.

        Its client may use any host name, for ``/_mock`` too. ``stop()`` closes what was opened.
        """
        if self._thread is not None:
            raise RuntimeError("the mock is running: its world belongs to that thread")
        from mock_gitlab.testing.transport import Transport

        self.app.allowed_hosts.add("*")  # no browser gets here
        return Transport(self.app)
