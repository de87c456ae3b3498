"""The application on a port: a socket bound first, then uvicorn on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

from mock_gitlab.http.connections import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.app import MockGitLabApp

_BACKLOG = 2048
_KEPT_ALIVE_SECONDS = (
    75  # longer than clients pause between polls, as the proxy before GitLab has it
)
_TICKS_IN_A_SECOND = 10  # of uvicorn
_GRACE_SECONDS = 1  # how long a call that is under way may go on when the server is to end


class PortInUse(Exception):
    """The address cannot be listened on; the message is one line for people."""


def listen(host: str, port: int) -> socket.socket:
    """Bind a socket; port 0 takes any that is free.

    Raises:
        PortInUse: somebody else has it, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise PortInUse(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return bound


def address(bound: socket.socket) -> str:
    """Give the base URL under which a bound socket is reached from this machine."""
    host, port = bound.getsockname()[:2]
    reached = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return (
        f"http://[{reached}]:{port}"
        if reached.count(":") > 1 and reached[0] != "["
        else (f"http://{reached}:{port}")
    )


class Server(uvicorn.Server):
    """uvicorn, saying when it is ready and when it has ended."""

    patience = 60
    """How many seconds a client may take to send a request, until it gets 408."""

    def __init__(
        self,
        app: MockGitLabApp,
        ready: Callable[[], None],
        ended: Callable[[], None] = lambda: None,
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
                timeout_keep_alive=_KEPT_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self.loop: asyncio.AbstractEventLoop | None = None  # once it has started
        self._app = app
        self._ready = ready
        self._ended = ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections once in a second."""
        if counter % _TICKS_IN_A_SECOND == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.look(self.patience)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, and tell: what follows may be the signal that asked for it."""
        self._app.ending = True
        await super().shutdown(sockets)
        self._ended()


def serve(
    app: MockGitLabApp,
    bound: socket.socket,
    ready: Callable[[], None],
    ended: Callable[[], None],
) -> None:
    """Serve until interrupted; ``ready`` is called once requests are answered, ``ended`` after."""
    server = Server(app, ready, ended)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[bound])
