"""Faults as a client meets them: a connection that breaks, a body that is half or no JSON."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.live import Live, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("live"), "--database", ":memory:") as live:
        yield live


def declare(live: Live, **fault: Any) -> None:
    """Declare a fault of the next call for the user."""
    connection = http.client.HTTPConnection(live.host, live.port, timeout=30)
    headers = {"PRIVATE-TOKEN": "MOCK_SUPER_SECRET", "Content-Type": "application/json"}
    body = {"when": {"operation": "get_current_user"}, "times": 1, **fault}
    connection.request("POST", "/_mock/faults", json.dumps(body), headers)
    assert connection.getresponse().status == 201
    connection.close()


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
    declare(live, delay="2s")
    before = len(live.call("GET", answered).json())
    waiting = http.client.HTTPConnection(live.host, live.port, timeout=30)
    waiting.request("GET", "/user", headers={"PRIVATE-TOKEN": "MOCK_SUPER_SECRET"})

    others = [live.call("GET", "/version").status for _ in range(10)]
    meanwhile = len(live.call("GET", answered).json())

    assert others == [200] * 10
    assert meanwhile == before
    assert waiting.getresponse().status == 200
    waiting.close()


def test_the_journal_names_the_fault(live: Live):
    declare(live, respond={"status": 502})
    live.call("GET", "/user")

    call = live.call("GET", "/_mock/requests?operation=get_current_user&limit=1").json()[0]

    assert (call["status"], call["outcome"]) == (502, "fault")
    assert call["fault"].startswith("runtime-")
