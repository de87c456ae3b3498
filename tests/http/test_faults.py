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


# ---------------------------------------------------------------------------- several answers


def declare_in(mock: Mock, **fault: Any) -> None:
    body = {"when": {"operation": "get_current_user"}, **fault}
    assert mock.post("/_mock/faults", json=body).status_code == 201


def test_answers_follow_one_another_and_the_last_repeats(mock: Mock):
    answers = [{"status": 502}, {"status": 429, "headers": {"Retry-After": "1"}}]
    declare_in(mock, when={"operation": "get_current_user"}, times=3, respond=answers)

    seen = [mock.get("/api/v4/user") for _ in range(4)]

    assert [each.status_code for each in seen] == [502, 429, 429, 200]
    logged = mock.get("/_mock/requests?operation=get_current_user&limit=4").json()
    assert [each["does"] for each in logged] == [None, "answer 429", "answer 429", "answer 502"]


def test_the_answers_are_listed_as_they_were_declared(mock: Mock):
    answers = [
        {"status": 502, "headers": {}, "body": None},
        {"status": 503, "headers": {"A": "b"}, "body": "x"},
    ]
    declare_in(mock, respond=answers)

    assert mock.get("/_mock/faults").json()[-1]["definition"]["respond"] == answers


def test_a_fault_applies_to_each_of_several_operations(mock: Mock):
    operations = ["get_current_user", "get_version"]
    declare_in(mock, when={"operation": operations}, respond={"status": 502})

    assert [
        mock.get(f"/api/v4/{path}").status_code for path in ("user", "version", "metadata")
    ] == [
        502,
        502,
        200,
    ]
    definition = mock.get("/_mock/faults").json()[-1]["definition"]
    assert definition["when"] == {"operation": operations}


# ---------------------------------------------------------------------------- a changed answer


def test_a_patch_changes_the_answer_of_the_mock(mock: Mock):
    usual = mock.get("/api/v4/user").json()
    patch = {
        "status": 203,
        "headers": {"X-Extra": "1", "content-type": "application/vnd.x+json"},
        "body": {"username": None, "extra": {"a": 1}},
    }
    declare_in(mock, when={"operation": "get_current_user"}, patch=patch)

    changed = mock.get("/api/v4/user")

    assert changed.status_code == 203
    assert (changed.headers["x-extra"], changed.headers["content-type"]) == (
        "1",
        "application/vnd.x+json",
    )
    assert changed.json() == {**usual, "username": None, "extra": {"a": 1}}
    assert mock.get("/_mock/requests?limit=1").json()[0]["does"] == "change the answer"
    assert mock.get("/_mock/faults").json()[-1]["definition"]["patch"] == patch


def test_a_patch_changes_each_entry_of_a_list_and_removes_a_header(mock: Mock):
    for _ in range(2):
        mock.post("/api/v4/projects/7/pipeline?ref=main")
    patch = {"headers": {"X-Total": None}, "body": {"user": {"name": "somebody"}}}
    declare_in(mock, when={"operation": "list_pipelines"}, patch=patch)

    answer = mock.get("/api/v4/projects/7/pipelines")

    assert [each["user"] for each in answer.json()] == [{"name": "somebody"}] * 2
    assert "x-total" not in answer.headers
    assert answer.headers["x-total-pages"] == "1"


def test_a_body_that_is_no_json_is_patched_in_its_head_alone(mock: Mock):
    made = mock.post("/api/v4/projects/8/pipeline?ref=main").json()
    job = mock.get(f"/api/v4/projects/8/pipelines/{made['id']}/jobs").json()[0]["id"]
    patch = {"headers": {"X-A": 1}, "body": {"a": 1}}
    declare_in(mock, when={"operation": "get_job_trace"}, patch=patch)

    trace = mock.get(f"/api/v4/projects/8/jobs/{job}/trace")

    assert (trace.status_code, trace.headers["x-a"]) == (200, "1")
    assert not trace.content.startswith(b"{")


# ---------------------------------------------------------------------------- conditions


def statuses(mock: Mock, *calls: tuple[str, str, dict[str, Any]]) -> list[int]:
    return [
        mock.request(method, f"/api/v4{path}", **sent).status_code for method, path, sent in calls
    ]


@pytest.mark.parametrize(
    ("wanted", "sent", "other"),
    [
        ({"ref": "release/*"}, {"json": {"ref": "release/1"}}, {"json": {"ref": "main"}}),
        ({"ref": "/^v\\d/"}, {"data": {"ref": "v1"}}, {"data": {"ref": "1v"}}),
        ({"ref": "x"}, {"params": {"ref": "x"}}, {"params": {"ref": "y"}}),
        ({"extra": {"present": True}}, {"json": {"ref": "a", "extra": 1}}, {"json": {"ref": "a"}}),
        ({"extra": {"present": False}}, {"json": {"ref": "a"}}, {"json": {"ref": "a", "extra": 1}}),
        ({"n": 3}, {"json": {"ref": "a", "n": 3}}, {"json": {"ref": "a", "n": 4}}),
    ],
)
def test_a_fault_may_ask_for_parameters_of_query_and_body(
    mock: Mock, wanted: dict[str, Any], sent: dict[str, Any], other: dict[str, Any]
):
    when = {"operation": "create_pipeline", "parameters": wanted}
    declare_in(mock, when=when, respond={"status": 503})

    path = "/projects/1/pipeline"
    assert statuses(mock, ("POST", path, sent), ("POST", path, other)) == [503, 201]
    assert mock.get("/_mock/faults").json()[0]["definition"]["when"] == when


def test_a_fault_may_ask_for_headers(mock: Mock):
    headers = {"User-Agent": "bot/*", "X-Other": False}
    when = {"operation": "get_version", "headers": headers}
    declare_in(mock, when=when, respond={"status": 503})

    bot = {"User-Agent": "bot/1.0"}
    assert statuses(
        mock,
        ("GET", "/version", {"headers": bot}),
        ("GET", "/version", {"headers": {**bot, "X-Other": "1"}}),
        ("GET", "/version", {}),
    ) == [503, 200, 200]
    shown = mock.get("/_mock/faults").json()[0]["definition"]["when"]
    assert shown == {
        "operation": "get_version",
        "headers": {"user-agent": "bot/*", "x-other": False},
    }


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": {"PRIVATE-TOKEN": "glpat-other"}},
        {"headers": {"PRIVATE-TOKEN": TOKEN, "Authorization": "Bearer glpat-other"}},
        {"headers": {"JOB-TOKEN": "glpat-other"}},
        {"params": {"private_token": "glpat-other"}},
    ],
)
def test_a_fault_may_ask_for_a_token_which_is_never_shown(mock: Mock, sent: dict[str, Any]):
    declare_in(mock, when={"token": "glpat-other"}, respond={"status": 403})

    assert statuses(mock, ("GET", "/version", sent), ("GET", "/version", {})) == [403, 200]
    shown = mock.get("/_mock/faults")
    assert shown.json()[0]["definition"]["when"] == {"token": "[MASKED]"}
    assert "glpat-other" not in shown.text


def test_a_fault_for_an_endpoint_that_is_not_served_may_ask_for_its_body(mock: Mock):
    when = {"path": "/projects/*/merge_trains", "parameters": {"sha": "abc*"}}
    declare_in(mock, when=when, respond={"status": 201, "body": {"id": 1}})

    path = "/projects/1/merge_trains"
    assert statuses(
        mock,
        ("POST", path, {"json": {"sha": "abcdef"}}),
        ("POST", path, {"json": {"sha": "b"}}),
        ("POST", path, {"content": "{", "headers": {"Content-Type": "application/json"}}),
    ) == [201, 404, 404]
    logged = mock.get("/_mock/requests").json()
    assert [each["parameters"] for each in logged] == [{}, {"sha": "b"}, {"sha": "abcdef"}]


def test_a_verification_may_ask_for_parameters(mock: Mock):
    mock.trigger(ref="main")

    def verified(ref: str) -> tuple[int, str]:
        body = {"operation": "trigger_pipeline", "parameters": {"ref": ref}}
        answer = mock.post("/_mock/verify", json=body)
        return answer.status_code, answer.json()["message"]

    assert verified("ma*")[0] == 200
    status, message = verified("other")
    assert status == 409
    assert "parameters.ref: wanted 'other', got 'main'" in message
