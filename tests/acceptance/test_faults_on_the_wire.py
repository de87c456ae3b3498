"""Faults as a client meets them: a connection that breaks, a body that is half or no JSON."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.live import Live, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = b"MOCK_SUPER_SECRET"
TOKEN_HEADER = {"PRIVATE-TOKEN": TOKEN.decode()}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("live"), "--database", ":memory:") as live:
        yield live


def declare(live: Live, **fault: Any) -> None:
    """Declare a fault of the next call, for the user unless something else is said."""
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
    headers = {"PRIVATE-TOKEN": "MOCK_SUPER_SECRET", "Content-Type": "application/json"}
    body = {"when": {"operation": "get_current_user"}, "times": 1, **fault}
    connection.request("POST", "/_mock/faults", json.dumps(body), headers)
    assert connection.getresponse().status == 201
    connection.close()


def journaled(live: Live, operation: str) -> Any:
    """Take the newest call from the journal, once it is there."""
    for _ in range(200):
        found = live.call("GET", f"/_mock/requests?operation={operation}&limit=1").json()
        if found:
            return found[0]
    raise AssertionError(f"{operation} is not in the journal")


def test_a_dropped_connection_has_no_answer_and_the_next_call_is_fine(live: Live):
    declare(live, drop=True)

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        live.call("GET", "/user")

    assert live.call("GET", "/user").status == 200


def test_a_truncated_body_is_shorter_than_announced(live: Live):
    declare(live, truncate=True)

    with pytest.raises(http.client.IncompleteRead) as broken:
        live.call("GET", "/user")

    assert broken.value.partial.startswith(b'{"id":1')
    assert live.call("GET", "/user").status == 200


def test_a_malformed_body_is_no_json(live: Live):
    declare(live, malformed=True)

    answer = live.call("GET", "/user")

    assert answer.status == 200
    with pytest.raises(ValueError, match=r"Expecting|control|Extra|Unterminated|delimiter"):
        answer.json()


def test_a_slow_body_arrives_whole(live: Live):
    declare(live, slow="50ms")

    assert live.call("GET", "/user").json()["username"] == "root"


def test_a_delay_holds_up_nobody_else(live: Live):
    answered = "/_mock/requests?operation=get_current_user"
    declare(live, delay="1h")
    before = len(live.call("GET", answered).json())
    waiting = http.client.HTTPConnection(live.host, live.port, timeout=30)
    waiting.request("GET", "/user", headers={"PRIVATE-TOKEN": "MOCK_SUPER_SECRET"})
    while live.call("GET", "/_mock/faults").json()[-1]["applied"] == 0:
        pass  # it has not arrived yet

    others = [live.call("GET", "/version").status for _ in range(10)]
    meanwhile = len(live.call("GET", answered).json())
    waiting.close()

    assert others == [200] * 10
    assert meanwhile == before


def test_the_journal_names_the_fault(live: Live):
    declare(live, respond={"status": 502})
    live.call("GET", "/user")

    call = live.call("GET", "/_mock/requests?operation=get_current_user&limit=1").json()[0]

    assert (call["status"], call["outcome"]) == (502, "fault")
    assert call["fault"].startswith("runtime-")


def test_a_client_that_gives_up_during_a_delay_has_been_served_all_the_same(live: Live):
    declare(live, when={"operation": "create_pipeline"}, delay="1h")
    before = live.call("GET", "/projects/1/pipelines").headers["x-total"]

    impatient = http.client.HTTPConnection(live.host, live.port, timeout=30)
    impatient.request("POST", "/projects/1/pipeline?ref=main", headers=TOKEN_HEADER)
    while live.call("GET", "/projects/1/pipelines").headers["x-total"] == before:
        pass  # it has not arrived yet
    impatient.close()

    assert int(live.call("GET", "/projects/1/pipelines").headers["x-total"]) == int(before) + 1
    assert journaled(live, "create_pipeline")["outcome"] == "fault"


@pytest.mark.parametrize("fault", [{"delay": "1h", "respond": {"status": 503}}, {"slow": "1h"},
                                   {"delay": "1h", "drop": True}])  # fmt: skip
def test_nothing_waits_for_a_client_that_has_gone(live: Live, fault: dict[str, Any]):
    live.call("DELETE", "/_mock/requests")
    declare(live, when={"operation": "get_metadata"}, **fault)

    with socket.create_connection((live.host, live.port), timeout=30) as client:
        client.sendall(b"GET /metadata HTTP/1.1\r\nHost: a\r\nPRIVATE-TOKEN: %s\r\n\r\n" % TOKEN)
        live.call("GET", "/version")

    assert journaled(live, "get_metadata")["outcome"] in ("fault", "dropped")


def test_a_server_ends_though_an_answer_is_due_in_an_hour(tmp_path: Path):
    with serving(tmp_path, "--database", ":memory:") as live:
        declare(live, delay="1h")
        waiting = http.client.HTTPConnection(live.host, live.port, timeout=30)
        waiting.request("GET", "/user", headers=TOKEN_HEADER)
        live.call("GET", "/version")

        live.process.terminate()

        assert waiting.getresponse().status == 503
        assert live.process.wait(timeout=20) == -signal.SIGTERM
        waiting.close()


@pytest.mark.parametrize("fault", [{"drop": True}, {"truncate": True}])
def test_a_connection_ends_though_the_next_request_is_there_already(
    live: Live, fault: dict[str, Any]
):
    live.call("DELETE", "/_mock/requests")
    declare(live, when={"operation": "get_metadata"}, **fault)
    request = b"GET /metadata HTTP/1.1\r\nHost: a\r\nPRIVATE-TOKEN: %s\r\n\r\n" % TOKEN

    with socket.create_connection((live.host, live.port), timeout=30) as client:
        client.sendall(2 * request)
        with contextlib.suppress(ConnectionResetError):
            while client.recv(65536):
                pass

    assert journaled(live, "get_metadata")["fault"]


@pytest.mark.parametrize("fault", [{"truncate": True}, {"malformed": True}, {"slow": "1h"}])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_an_answer_without_a_body_is_not_spoiled_and_the_connection_goes_on(
    live: Live, method: str, fault: dict[str, Any]
):
    respond = {"status": 503} if method == "GET" else None
    declare(live, **fault, respond=respond)
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)

    seen = []
    for _ in range(2):
        connection.request(method, "/user", headers=TOKEN_HEADER)
        answer = connection.getresponse()
        seen.append((answer.status, len(answer.read()), answer.headers["Content-Length"]))
    connection.close()

    assert seen[0] == ((503, 0, "0") if method == "GET" else (200, 0, seen[1][2]))
    assert seen[1][0] == 200
