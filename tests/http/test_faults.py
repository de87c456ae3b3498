"""Faults as a client meets them: a late answer, a broken connection, half a body, no JSON."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import TOKEN
from tests.live import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock


TOKEN_HEADER = {"PRIVATE-TOKEN": TOKEN}
GET_METADATA = f"GET /metadata HTTP/1.1\r\nHost: a\r\nPRIVATE-TOKEN: {TOKEN}\r\n\r\n".encode()


def declare(live: Client, **fault: Any) -> None:
    """Declare a fault of the next request, by default of one for the user."""
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
    headers = {"PRIVATE-TOKEN": "MOCK_SUPER_SECRET", "Content-Type": "application/json"}
    body = {"when": {"operation": "get_current_user"}, "times": 1, **fault}
    connection.request("POST", "/_mock/faults", json.dumps(body), headers)
    assert connection.getresponse().status == 201
    connection.close()


def newest(live: Client, operation: str) -> Any:
    """Return the newest request for an operation, once nothing holds it up."""
    for _ in range(200):
        found = live.call("GET", f"/_mock/requests?operation={operation}&limit=1").json()
        if found and found[0]["outcome"] != "waiting":
            return found[0]
    raise AssertionError(f"{operation} has not been logged")


def test_a_dropped_connection_has_no_answer_and_the_next_request_is_fine(live: Client):
    declare(live, drop=True)

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        live.call("GET", "/user")

    assert live.call("GET", "/user").status == 200


def test_a_truncated_body_is_shorter_than_announced(live: Client):
    declare(live, truncate=True)

    with pytest.raises(http.client.IncompleteRead) as broken:
        live.call("GET", "/user")

    assert broken.value.partial.startswith(b'{"id":1')
    assert live.call("GET", "/user").status == 200


def test_a_malformed_body_is_no_json(live: Client):
    declare(live, malformed=True)

    answer = live.call("GET", "/user")

    assert answer.status == 200
    with pytest.raises(ValueError, match=r"Expecting|control|Extra|Unterminated|delimiter"):
        answer.json()


def test_a_slow_body_arrives_whole(live: Client):
    declare(live, slow="50ms")

    assert live.call("GET", "/user").json()["username"] == "root"


def test_a_delay_holds_up_nobody_else(live: Client):
    answered = "/_mock/requests?operation=get_current_user"
    declare(live, delay="1h")
    live.call("DELETE", "/_mock/requests")
    waiting = http.client.HTTPConnection(live.host, live.port, timeout=30)
    waiting.request("GET", "/user", headers={"PRIVATE-TOKEN": "MOCK_SUPER_SECRET"})
    while live.call("GET", "/_mock/faults").json()[-1]["applied"] == 0:
        pass  # it has not arrived yet

    others = [live.call("GET", "/version").status for _ in range(10)]
    meanwhile = live.call("GET", answered).json()
    waiting.close()

    assert others == [200] * 10
    assert [each["outcome"] for each in meanwhile] == ["waiting"]


def test_the_logged_request_names_the_fault(live: Client):
    declare(live, respond={"status": 502})
    live.call("GET", "/user")

    logged = live.call("GET", "/_mock/requests?operation=get_current_user&limit=1").json()[0]

    assert (logged["status"], logged["outcome"]) == (502, "fault")
    assert logged["fault"].startswith("runtime-")


def test_a_client_that_gives_up_during_a_delay_has_been_served_all_the_same(live: Client):
    declare(live, when={"operation": "create_pipeline"}, delay="1h")
    before = live.call("GET", "/projects/1/pipelines").headers["x-total"]

    impatient = http.client.HTTPConnection(live.host, live.port, timeout=30)
    impatient.request("POST", "/projects/1/pipeline?ref=main", headers=TOKEN_HEADER)
    while live.call("GET", "/projects/1/pipelines").headers["x-total"] == before:
        pass  # it has not arrived yet
    impatient.close()

    assert int(live.call("GET", "/projects/1/pipelines").headers["x-total"]) == int(before) + 1
    logged = newest(live, "create_pipeline")
    assert (logged["outcome"], logged["status"]) == ("broken off", None)
    assert logged["fault"].startswith("runtime-")


@pytest.mark.parametrize("fault", [{"delay": "1h", "respond": {"status": 503}}, {"slow": "1h"},
                                   {"delay": "1h", "drop": True}])  # fmt: skip
def test_nothing_waits_for_a_client_that_has_gone(live: Client, fault: dict[str, Any]):
    live.call("DELETE", "/_mock/requests")
    declare(live, when={"operation": "get_metadata"}, **fault)

    with socket.create_connection((live.host, live.port), timeout=30) as client:
        client.sendall(GET_METADATA)
        live.call("GET", "/version")

    logged = newest(live, "get_metadata")
    assert (logged["outcome"], logged["status"]) == ("broken off", None)
    assert logged["fault"].startswith("runtime-")


@pytest.mark.parametrize("fault", [{"delay": "1ms"}, {"slow": "10ms"}, {"truncate": True}])
def test_a_client_that_waits_has_not_broken_off(live: Client, fault: dict[str, Any]):
    live.call("DELETE", "/_mock/requests")
    declare(live, when={"operation": "get_metadata"}, **fault)

    with contextlib.suppress(http.client.IncompleteRead):
        live.call("GET", "/metadata")

    logged = newest(live, "get_metadata")
    assert (logged["outcome"], logged["status"]) == ("fault", 200)


@pytest.mark.parametrize("fault", [{"drop": True}, {"truncate": True}])
def test_a_connection_ends_though_the_next_request_is_there_already(
    live: Client, fault: dict[str, Any]
):
    live.call("DELETE", "/_mock/requests")
    declare(live, when={"operation": "get_metadata"}, **fault)

    with socket.create_connection((live.host, live.port), timeout=30) as client:
        client.sendall(2 * GET_METADATA)
        with contextlib.suppress(ConnectionResetError):
            while client.recv(65536):
                pass

    assert newest(live, "get_metadata")["fault"]


@pytest.mark.parametrize("fault", [{"truncate": True}, {"malformed": True}, {"slow": "1h"}])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_an_answer_without_a_body_is_not_spoiled_and_the_connection_goes_on(
    live: Client, method: str, fault: dict[str, Any]
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


def test_a_limit_answers_429_in_virtual_time(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "faults: [{when: {operation: get_current_user}, limit: {requests: 2, per: 60s}}]\n"
    )

    answers = [mock.get("/user") for _ in range(3)]
    mock.advance("60s")
    after = mock.get("/user")

    assert [answer.status_code for answer in (*answers, after)] == [200, 200, 429, 200]
    headers = answers[2].headers
    assert (headers["retry-after"], headers["ratelimit-limit"]) == ("60", "2")
    assert (headers["ratelimit-observed"], headers["ratelimit-remaining"]) == ("3", "0")
    assert answers[2].text == "Retry later\n"


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        ({"requests": 0, "per": "60s"}, "0"),
        ({"requests": 1, "per": "1h"}, "1"),
        ({"requests": 1, "per": "7s"}, "9"),
    ],
)
def test_a_limit_is_shown_for_a_minute_rounded_up(mock: Mock, limit: dict[str, Any], shown: str):
    mock.post("/_mock/faults", json={"limit": limit})

    answers = [mock.get("/user") for _ in range(limit["requests"] + 1)]

    assert answers[-1].headers["ratelimit-limit"] == shown


def test_a_limit_may_have_an_answer_of_its_own_whose_headers_stand_in_their_places(mock: Mock):
    respond = {"status": 503, "headers": {"retry-after": "0", "X-A": "b"}, "body": []}
    mock.post("/_mock/faults", json={"limit": {"requests": 0, "per": "60s"}, "respond": respond})

    answer = mock.get("/user")

    assert (answer.status_code, answer.json()) == (503, [])
    assert answer.headers.get_list("retry-after") == ["0"]
    assert (answer.headers["x-a"], answer.headers["ratelimit-observed"]) == ("b", "1")


@pytest.mark.parametrize(
    ("respond", "body"),
    [
        ({}, "Retry later\n"),
        ({"headers": {"X-A": "b"}}, "Retry later\n"),
        ({"headers": {"X-A": "b"}, "body": "slow down"}, "slow down"),
        ({"body": ""}, ""),
    ],
)
def test_an_answer_of_a_limit_is_429_unless_it_has_a_status(
    mock: Mock, respond: dict[str, Any], body: str
):
    limit = {"requests": 0, "per": "60s"}
    declared = mock.post("/_mock/faults", json={"limit": limit, "respond": respond})

    answer = mock.get("/user")

    assert (declared.status_code, answer.status_code, answer.text) == (201, 429, body)
    assert (answer.headers["retry-after"], answer.headers.get("x-a")) == (
        "60",
        respond.get("headers", {}).get("X-A"),
    )


def test_a_declared_answer_that_has_no_body_by_its_status_has_none(mock: Mock):
    respond = {"status": 204, "body": {"a": 1}}
    mock.post("/_mock/faults", json={"respond": respond})

    answer = mock.get("/user")

    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers
