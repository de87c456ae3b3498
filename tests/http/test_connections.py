"""Clients that are slow, disconnect, send rare requests, or send what no client should."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from contextlib import ExitStack
from threading import Event, Thread
from typing import TYPE_CHECKING

import httptools
import pytest
import uvicorn
from uvicorn.server import ServerState

from mock_gitlab.app import create_app
from mock_gitlab.http.connections import Connection
from mock_gitlab.server import Server, listen
from tests.conftest import TOKEN
from tests.live import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.http.asgi import Receive, Scope, Send


TRIGGER = b"POST /api/v4/projects/1/trigger/pipeline HTTP/1.1\r\nHost: gitlab\r\n"
TRIGGER += b"PRIVATE-TOKEN: MOCK_SUPER_SECRET\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


def connect(live: Client) -> socket.socket:
    return socket.create_connection((live.host, live.port), timeout=30)


def status_of(client: socket.socket) -> int:
    """Read the status of the answer, and the answer to its end."""
    received = b""
    while chunk := client.recv(65536):
        received += chunk
        if b"\r\n\r\n" in received:
            break
    return int(received.split()[1]) if received else 0


def pipelines(live: Client) -> int:
    return len(live.call("GET", "/api/v4/projects/1/pipelines").json())


@pytest.mark.parametrize(
    ("path", "status"), [("/user", 200), ("/projects/1/pipelines", 200), ("/nothing", 404)]
)
def test_head_has_no_body_and_the_connection_goes_on(live: Client, path: str, status: int):
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
    for _ in range(2):
        connection.request("HEAD", f"/api/v4{path}", headers={"PRIVATE-TOKEN": TOKEN})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (status, b"")
        assert int(answer.headers["Content-Length"]) > 0
    connection.close()


def test_a_body_that_breaks_off_triggers_nothing(live: Client):
    before = pipelines(live)
    with connect(live) as client:
        client.sendall(TRIGGER + FORM + b"Content-Length: 100\r\n\r\nref=main&scenario_id=5")

    assert pipelines(live) == before


def test_a_body_that_comes_byte_by_byte_is_read_to_its_end(live: Client):
    body = b"ref=main&scenario_id=5"
    with connect(live) as client:
        client.sendall(TRIGGER + FORM + b"Content-Length: %d\r\n\r\n" % len(body))
        for byte in body:
            client.sendall(bytes((byte,)))

        assert status_of(client) == 201


def test_a_body_in_chunks_is_read_as_one(live: Client):
    with connect(live) as client:
        client.sendall(TRIGGER + FORM + b"Transfer-Encoding: chunked\r\n\r\n")
        client.sendall(b"4\r\nref=\r\n4\r\nmain\r\n0\r\n\r\n")

        assert status_of(client) == 201


def test_many_clients_that_never_finish_hold_up_nobody(live: Client):
    before = pipelines(live)
    with ExitStack() as waiting:
        for _ in range(200):
            client = waiting.enter_context(connect(live))
            client.sendall(TRIGGER + FORM + b"Content-Length: 100\r\n\r\nref=main")

        assert live.call("GET", "/api/v4/version").status == 200

    assert pipelines(live) == before


def test_an_endless_body_is_refused_before_it_is_read(live: Client):
    with connect(live) as client:
        client.sendall(TRIGGER + FORM + b"Content-Length: 99999999999\r\n\r\n")
        client.sendall(b"x" * 2_000_000)

        assert status_of(client) == 413


@pytest.mark.parametrize("path", ["/_mock/scenarios", "/_mock/verify"])
def test_an_endless_body_for_the_control_namespace_is_refused_too(live: Client, path: str):
    with connect(live) as client:
        client.sendall(b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n" % path.encode())
        client.sendall(b"Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n")
        client.sendall(b"[" * 2_000_000)

        assert status_of(client) == 413


@pytest.mark.parametrize(
    "request_text",
    [
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/v4/user HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"GET /api/v4/user HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /api/v4/user HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v4/user HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET /api/v4/projects/%ff%fe/pipelines/1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /sandbox/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /sandbox/%2e%2e%2fetc/api/v4/user HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v4/projects/1/pipelines/99999999999999999999 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_the_next_one_is_served(
    live: Client, request_text: bytes
):
    with connect(live) as client:
        client.sendall(request_text)

        assert 400 <= status_of(client) < 500

    assert live.call("GET", "/api/v4/version").status == 200


ENDLESS = {
    "a path": (b"GET /", b"a" * 65536),
    "a header": (b"GET / HTTP/1.1\r\nX: ", b"a" * 65536),
    "headers": (b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 8192),
    "what belongs to a chunk": (TRIGGER + b"Transfer-Encoding: chunked\r\n\r\n5;", b"a" * 65536),
    "trailers": (TRIGGER + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 8192),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_is_refused_before_it_fills_the_memory(live: Client, what: str):
    begin, piece = ENDLESS[what]
    with connect(live) as client:
        client.sendall(begin)
        with pytest.raises(OSError, match=r"reset|pipe|aborted"):  # noqa: PT012 - some time
            for _ in range(1000):
                client.sendall(piece)

    assert live.call("GET", "/api/v4/version").status == 200


class Impatient(Server):
    """A server that gives up at its first check."""

    request_timeout = 1


@pytest.fixture
def impatient() -> Iterator[tuple[str, int]]:
    app = create_app(environ={}, database=":memory:", watch=False, must_exist=False)
    bound = listen("127.0.0.1", 0)
    ready = Event()
    server = Impatient(app, ready.set)
    thread = Thread(target=server.run, args=([bound],))
    thread.start()
    assert ready.wait(30)
    yield bound.getsockname()
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /api/v4/ver",
        TRIGGER,
        TRIGGER + FORM + b"Content-Length: 100\r\n\r\nref=main",
        TRIGGER + FORM + b"Transfer-Encoding: chunked\r\n\r\n4\r\nref=\r\n",
    ],
)
def test_a_request_that_never_comes_to_its_end_is_408(impatient: tuple[str, int], sent: bytes):
    with socket.create_connection(impatient, timeout=30) as client:
        client.sendall(sent)
        answer = client.makefile("rb").read()

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert json.loads(body) == {"message": "408 Request Timeout"}


def test_a_connection_on_which_nothing_is_asked_is_closed(impatient: tuple[str, int]):
    with socket.create_connection(impatient, timeout=30) as client:
        assert client.recv(1) == b""


def test_a_connection_may_rest_between_requests(impatient: tuple[str, int]):
    resting = http.client.HTTPConnection(*impatient, timeout=30)
    with socket.create_connection(impatient, timeout=30) as other:
        for _ in range(2):
            resting.request("GET", "/api/v4/version")
            assert resting.getresponse().read()
            other.recv(1)  # until the server has looked after its connections
    resting.close()


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.writes = 0
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        self.writes += 1

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Do nothing: all data is there."""

    def resume_reading(self) -> None:
        """Do nothing: all data is there."""


def exchange(*pieces: bytes) -> Wire:
    """Send data in pieces to a new mock, and return where it has written its answers."""

    async def written() -> Wire:
        app = create_app(environ={}, database=":memory:", watch=False, must_exist=False)
        state = ServerState()
        config = uvicorn.Config(app, http=Connection, ws="none", log_config=None)
        connection, wire = Connection(config, state, {}), Wire()
        connection.connection_made(wire)
        for piece in pieces:
            connection.data_received(piece)
            await asyncio.sleep(0)
        while state.tasks:
            await asyncio.gather(*state.tasks)
            await asyncio.sleep(0)  # a task leaves the set when the loop goes round
        return wire

    return asyncio.run(written())


def answers(*pieces: bytes) -> list[tuple[int, str]]:
    """Send data in pieces to a new mock, and return the statuses and messages of its answers."""
    found = []
    for answer in exchange(*pieces).written.split(b"HTTP/1.1 ")[1:]:
        body = json.loads(answer.partition(b"\r\n\r\n")[2] or b"{}")
        found.append(
            (int(answer[:3]), body.get("ref") or body.get("message") or body.get("version"))
        )
    return found


UPGRADES = [
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    b"upgrade: h2c\r\nconnection: keep-alive, upgrade\r\n",
    b"UPGRADE: h2c \r\nCONNECTION:Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
    b"Connection: Upgrade\r\nUpGrAdE: h2c\r\nUpgrade: websocket\r\n",
]
LENGTH = b"Content-Length: 8\r\n\r\nref=main"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n4\r\nref=\r\n4\r\nmain\r\n0\r\n\r\n"
VERSION = b"GET /version HTTP/1.1\r\nHost: a\r\nPRIVATE-TOKEN: MOCK_SUPER_SECRET \t\r\n"


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("body", [LENGTH, CHUNKS])
def test_who_would_rather_speak_another_protocol_is_served_in_this_one(upgrade: bytes, body: bytes):
    order = TRIGGER + FORM + upgrade + body

    [first, second, third] = answers(order + VERSION + upgrade + b"\r\n" + order)

    assert first == third == (201, "main")
    assert second[0] == 200


@pytest.mark.parametrize("body", [LENGTH, CHUNKS])
def test_it_does_not_matter_where_requests_are_split(body: bytes):
    sent = TRIGGER + FORM + UPGRADES[1] + body + VERSION + UPGRADES[2] + b"\r\n" + TRIGGER + b"\r\n"
    whole = answers(sent)

    assert [status for status, _ in whole] == [201, 200, 400]
    assert answers(*(bytes((byte,)) for byte in sent)) == whole
    for at in range(0, len(sent), 25):
        assert answers(sent[:at], sent[at:]) == whole


@pytest.mark.parametrize(
    "header",
    [
        b"PRIVATE-TOKEN:   MOCK_SUPER_SECRET",
        b"PRIVATE-TOKEN:MOCK_SUPER_SECRET ",
        b"PRIVATE-TOKEN:\tMOCK_SUPER_SECRET \t ",
        b"Authorization: Bearer MOCK_SUPER_SECRET\t",
    ],
)
def test_blanks_around_the_value_of_a_header_are_no_part_of_it(header: bytes):
    request = b"GET /user HTTP/1.1\r\nHost: a\r\n" + header + b"\r\n\r\n"

    assert [status for status, _ in answers(request)] == [200]


def test_a_client_that_waits_for_a_go_ahead_with_a_blank_behind_gets_it(live: Client):
    head = TRIGGER + FORM + b"Expect: 100-continue \r\nContent-Length: 8\r\n\r\n"
    with connect(live) as client:
        client.sendall(head)
        assert status_of(client) == 100
        client.sendall(b"ref=main")

        assert status_of(client) == 201


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [(b"GET", b"/version", b"200"), (b"HEAD", b"/version", b"200"), (b"GET", b"/x", b"404")],
)
def test_an_answer_is_written_at_once(method: bytes, path: bytes, status: bytes):
    request = b"%s %s HTTP/1.1\r\nHost: a\r\nPRIVATE-TOKEN: %s\r\n\r\n"
    wire = exchange((request % (method, path, TOKEN.encode())) * 3)

    assert wire.written.count(b"HTTP/1.1 " + status) == wire.writes == 3


def test_an_answer_without_a_body_is_written_before_the_connection_is_closed():
    wire = exchange(b"HEAD /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert wire.written.startswith(b"HTTP/1.1 401")
    assert wire.writes == 1
    assert wire.closed


async def unreached(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(scope)


class Indifferent(Connection):
    """A connection that takes no notice of requests."""

    def on_headers_complete(self) -> None:
        pass

    def on_message_complete(self) -> None:
        pass


def test_a_tunnel_is_not_taken_for_an_upgrade():
    async def feed() -> None:
        config = uvicorn.Config(unreached, http=Connection, log_config=None)
        Indifferent(config, ServerState(), {}).parser.feed_data(b"CONNECT a:443 HTTP/1.1\r\n\r\n")

    with pytest.raises(httptools.HttpParserUpgrade):
        asyncio.run(feed())


def test_what_is_malformed_and_too_long_gets_one_answer():
    async def written() -> bytes:
        config = uvicorn.Config(unreached, http=Connection, log_config=None)
        connection, wire = Connection(config, ServerState(), {}), Wire()
        connection.connection_made(wire)
        connection.data_received(b"no request" + b"x" * 200_000)
        assert wire.closed
        return wire.written

    assert asyncio.run(written()).count(b"HTTP/1.1 ") == 1
