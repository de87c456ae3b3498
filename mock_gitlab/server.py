"""The application on a port: a bound socket, then uvicorn on it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from typing import TYPE_CHECKING

import uvicorn

from mock_gitlab.http.connections import Connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from mock_gitlab.app import MockGitLabApp

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75
"""As the proxy before GitLab has it; clients pause for less between polls."""
_SHUTDOWN_SECONDS = 1
"""How long a request may go on after the server was told to end."""
_TICKS_PER_SECOND = 10
"""How often uvicorn calls ``on_tick``."""


class PortInUse(Exception):
    """The server cannot listen on the address; the message is one line for people."""


def listen(host: str, port: int) -> socket.socket:
    """Bind a socket and listen; port 0 takes any free port.

    Raises:
        PortInUse: the port is taken, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except (OSError, TypeError, ValueError) as error:  # the latter of names that no host has
        bound.close()
        reason = error.strerror if isinstance(error, OSError) else error
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        raise PortInUse(f"cannot listen on {shown}: {reason}") from error
    return bound


def address(bound: socket.socket) -> str:
    """Return the base URL under which this machine reaches a bound socket."""
    return url_of(*bound.getsockname()[:2])


def url_of(host: str, port: int) -> str:
    """Return the base URL under which this machine reaches what listens on an address."""
    host = host.strip("[]")
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


class Server(uvicorn.Server):
    """uvicorn that calls ``ready`` when it answers requests, and ``ended`` when it has ended.

    If ``parent`` is the number of the process that has started this one, the server ends with it.
    """

    request_timeout = 60
    """How many seconds a client may take to send a request before it gets 408."""

    def __init__(
        self,
        app: MockGitLabApp,
        ready: Callable[[], None],
        ended: Callable[[], None] = lambda: None,
        parent: int | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=True,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            )
        )
        self.loop: asyncio.AbstractEventLoop | None = None  # None until it has started
        self._app = app
        self._ready = ready
        self._ended = ended
        self._parent = parent

    async def main_loop(self) -> None:
        """Call ``ready``, and serve; uvicorn calls this after a start that has succeeded."""
        self.loop = asyncio.get_running_loop()
        self._ready()
        await super().main_loop()

    async def on_tick(self, counter: int) -> bool:
        """Look whether the parent is still there, and once a second at the connections."""
        if self._parent is not None and os.getppid() != self._parent:
            logging.getLogger("mock_gitlab").warning("the process that has started this one ended")
            self.should_exit = True
        if counter % _TICKS_PER_SECOND == 0:
            for connection in list(self.server_state.connections):
                assert isinstance(connection, Connection)
                connection.check_progress(self.request_timeout)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """End on a signal; on a second one, without waiting for the requests under way.

        uvicorn would raise the signal again at the end, so that the process died of it.
        """
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, and call ``ended``."""
        self._app.begin_to_end()
        await super().shutdown(sockets)
        self._ended()


def serve(
    app: MockGitLabApp,
    bound: socket.socket,
    ready: Callable[[], None],
    ended: Callable[[], None],
    parent: int | None = None,
) -> None:
    """Serve on a bound socket until a signal, or the end of the parent, ends the server."""
    Server(app, ready, ended, parent).run(sockets=[bound])
