"""The journal shows no secrets; a verification says all that its author needs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock


def last_call(mock: Mock) -> Any:
    return mock.get("/_mock/requests?limit=1").json()[0]


def verified(mock: Mock, **expected: Any) -> Any:
    return mock.post("/_mock/verify", json=expected)


# ---------------------------------------------------------------------------- secrets

S3CRET = "s3cr3t"


@pytest.mark.parametrize(
    "path",
    [
        f"/user?PRIVATE_TOKEN={S3CRET}",
        f"/user?tok%65n={S3CRET}&private%5Ftoken={S3CRET}",
        f"/user?nested[db_password]={S3CRET}",
        f"/user?variables[][key]=API_KEY&variables[][value]={S3CRET}",
        f"/user?x=glpat-{S3CRET}",
        f"/projects/glpat-{S3CRET}/pipelines",
        f"/projects/%67lptt-{S3CRET}/pipelines?ref=glcbt-1_{S3CRET}",
    ],
)
def test_no_secret_of_an_address_is_shown(mock: Mock, path: str):
    mock.get(path)

    assert S3CRET not in mock.get("/_mock/requests").text
    assert "[MASKED]" in mock.get("/_mock/requests").text


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"ref": "main", "token": S3CRET}},
        {"data": {"ref": "main", "token": S3CRET}},
        {"files": {"ref": (None, "main"), "token": (None, S3CRET)}},
        {"json": {"ref": "main", "variables": {"DB_PASSWORD": S3CRET, "sshPrivateKey": S3CRET}}},
        {"json": {"ref": "main", "variables": [{"key": "MY_SECRET", "value": S3CRET}]}},
        {"json": {"ref": "main", "inputs": {"deploy": {"api_key": S3CRET}}}},
        {"json": {"ref": f"glpat-{S3CRET}"}},
        {"json": {"ref": "main", "access_token": S3CRET}},
    ],
)
def test_no_secret_of_a_body_is_shown(mock: Mock, sent: dict[str, Any]):
    mock.post("/projects/1/trigger/pipeline", **sent)
    mock.post("/projects/1/pipeline", **sent)

    assert S3CRET not in mock.get("/_mock/requests").text
    assert S3CRET not in verified(mock, method="GET").text


def test_the_token_of_the_mock_is_shown_nowhere(mock_with: Callable[..., Mock]):
    mock = mock_with("token: house-key\n")
    mock.headers["PRIVATE-TOKEN"] = "house-key"

    mock.get("/projects/house-key/pipelines?x=house-key")
    mock.get("/user", headers={"Authorization": "Bearer house-key"})

    for path in ("requests", "config", "pipelines", "sandboxes"):
        assert "house-key" not in mock.get(f"/_mock/{path}").text
    for path in ("/openapi.json", "/docs", "/_mock/nothing", "/nothing"):
        assert "house-key" not in mock.get(path).text


def test_the_token_of_the_mock_is_hidden_within_other_text_too(mock: Mock):
    mock.trigger(ref=f"x-{TOKEN}", variables={"AUTH": f"Bearer {TOKEN}"})
    mock.get(f"/projects/1/{TOKEN}/x")

    assert TOKEN not in mock.get("/_mock/requests").text
    assert TOKEN not in verified(mock, path="/nothing", method="GET").text


def test_a_secret_variable_can_be_verified_though_it_is_not_shown(mock: Mock):
    mock.trigger(variables={"DB_PASSWORD": S3CRET})

    right = verified(mock, variables={"DB_PASSWORD": S3CRET})
    wrong = verified(mock, variables={"DB_PASSWORD": "other"})

    assert (right.status_code, wrong.status_code) == (200, 409)
    assert "variables.DB_PASSWORD: wanted 'other', got '[MASKED]'" in wrong.json()["message"]
    assert S3CRET not in wrong.text


# ---------------------------------------------------------------------------- what is counted


@pytest.mark.parametrize("fault", [{"respond": {"status": 503}}, {"drop": True}, {"delay": 0.001}])
def test_a_call_that_a_fault_struck_counts_with_what_it_asked_for(
    mock: Mock, fault: dict[str, Any]
):
    mock.post("/_mock/faults", json={"when": {"method": "POST"}, "times": 1, **fault})
    mock.post("/projects/1/ref/main/trigger/pipeline", json={"variables": {"A": "1"}})
    mock.trigger(variables={"A": "1"})

    answer = verified(mock, method="POST", ref="main", variables={"A": "1"}, times=2)

    assert answer.status_code == 200, answer.text


def test_a_call_that_was_refused_counts_with_what_it_asked_for(mock: Mock):
    order = {"ref": "main", "token": "wrong", "variables": {"A": "1"}}
    mock.anonymous().post("/projects/1/trigger/pipeline", json=order)

    assert verified(mock, ref="main", variables={"A": "1"}, status=401).status_code == 200


def test_a_call_that_was_too_large_counts_with_its_answer(mock_with: Callable[..., Mock]):
    mock = mock_with("max_body_bytes: 1000\n")
    mock.post("/projects/1/pipeline", json={"ref": "x" * 1001})

    assert mock.get("/_mock/requests").json()[0]["status"] == 413
    assert verified(mock, operation="create_pipeline", status=413).status_code == 200


def test_a_call_that_was_refused_names_its_project_though_nobody_looked_it_up(mock: Mock):
    mock.get("/projects/42/pipelines", headers={"PRIVATE-TOKEN": "wrong"})

    assert mock.get("/_mock/requests").json()[0]["project_id"] == 42
    assert verified(mock, project=42, status=401, times=1).status_code == 200


def test_a_call_that_broke_off_says_so(mock: Mock):
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError(message)

    path = "/projects/1/pipeline"
    scope = {"type": "http", "method": "POST", "scheme": "http", "path": path, "headers": [],
             "raw_path": path.encode(), "query_string": b""}  # fmt: skip

    asyncio.run(mock.app(scope, receive, send))  # type: ignore[arg-type]  # what a server would pass

    call = last_call(mock)
    assert (call["operation"], call["outcome"], call["status"]) == (
        "create_pipeline",
        "broken off",
        None,
    )


def test_the_journal_names_the_rule_that_decided_also_where_it_refused(
    mock_with: Callable[..., Mock],
):
    mock = mock_with(
        "rules:\n"
        "  - {when: {ref: main}, scenario: 3}\n"
        "  - {when: {ref: broken}, respond: {status: 400}}\n"
    )
    rules = []
    for ref in ("main", "broken", "other"):
        mock.post("/projects/1/trigger/pipeline", json={"ref": ref})
        rules.append(last_call(mock)["rule"])

    assert [None if rule is None else rule.rpartition(":")[2] for rule in rules] == ["7", "8", None]


# ---------------------------------------------------------------------------- what is said


def test_too_many_calls_are_named(mock: Mock):
    mock.trigger()
    mock.advance("5s")
    mock.trigger()

    answer = verified(mock, operation="trigger_pipeline", at_most=1)

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        "expected at most 1 matching request, found 2\n"
        "matched: POST /projects/1/trigger/pipeline (201) at 2026-01-01T00:00:05.000Z\n"
        "matched: POST /projects/1/trigger/pipeline (201) at 2026-01-01T00:00:00.000Z"
    )
    assert [call["id"] for call in answer.json()["matched"]] == [2, 1]


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"times": 0}, "exactly 0 matching requests"),
        ({"times": 1}, "exactly 1 matching request,"),
        ({"times": 3}, "exactly 3 matching requests"),
        ({"at_least": 1, "at_most": 4}, "at least 1 and at most 4 matching requests"),
        ({"at_least": 2}, "at least 2 matching requests"),
    ],
)
def test_what_is_expected_is_said_in_the_right_number(
    mock: Mock, bounds: dict[str, int], words: str
):
    assert f"expected {words}" in verified(mock, **bounds).json()["message"]


def test_what_matched_is_shown_whether_or_not_it_was_enough(mock: Mock):
    mock.trigger()

    enough, too_few = (verified(mock, ref="main", times=n).json() for n in (1, 2))

    for told in (enough, too_few):
        assert [call["id"] for call in told["matched"]] == [1]
        assert "\nmatched: POST /projects/1/trigger/pipeline (201) at 2026-" in told["message"]


def test_near_misses_that_are_alike_are_counted_and_those_elsewhere_left_out(mock: Mock):
    for _ in range(4):
        mock.get("/projects/1/pipelines/1")
    for _ in range(2):
        mock.trigger()

    told = verified(mock, operation="trigger_pipeline", ref="v1").json()

    assert told["message"] == (
        "expected at least 1 matching request, found 0\n"
        "near miss: POST /projects/1/trigger/pipeline (201), the last of 2\n"
        "  ref: wanted 'v1', got 'main'"
    )
    assert [(miss["request"]["id"], miss["count"]) for miss in told["near_misses"]] == [(6, 2)]
    assert told["operations"] == {}


def test_where_nothing_came_near_it_says_whether_anything_came_at_all(mock: Mock):
    nothing = verified(mock, operation="trigger_pipeline").json()["message"]
    mock.trigger()
    one = verified(mock, operation="trigger_pipeline", times=2).json()["message"]

    assert nothing.endswith("found 0\nno requests came in")
    assert one.endswith("Z\nno other requests came in")


def test_an_operation_that_was_never_called_is_told_with_those_that_were(mock: Mock):
    mock.get("/projcts")
    for _ in range(3):
        mock.get("/projects/1/pipelines/1")

    told = verified(mock, operation="retry_pipeline").json()

    assert told["message"].splitlines()[1:] == [
        "retry_pipeline was never requested; requested were get_pipeline 3 times, no endpoint once"
    ]
    assert told["near_misses"] == []
    assert told["operations"] == {"get_pipeline": 3, "no endpoint": 1}


def test_a_near_miss_that_was_struck_says_by_which_fault(mock: Mock):
    mock.post("/_mock/faults", json={"drop": True})
    mock.get("/user")

    message = verified(mock, method="POST").json()["message"]

    assert "near miss: GET /user (dropped, fault runtime-1)" in message


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"operation": "trigger_pipelin"}, "did you mean trigger_pipeline?"),
        ({"ref": "/(/"}, "is no regular expression"),
        ({"variables": {"A": "/[/"}}, "is no regular expression"),
        ({"path": "/api/v4/projects"}, "without"),
        ({"path": "projects"}, "must be a path"),
        ({"method": "PSOT"}, "POST"),
        ({"operatoin": "x"}, "did you mean operation?"),
        ({"at_least": 2, "at_most": 1}, "at_least is more than at_most"),
        ({"times": -1}, "must be 0 or more"),
    ],
)
def test_an_expectation_that_nothing_could_meet_is_422(
    mock: Mock, expected: dict[str, Any], words: str
):
    answer = verified(mock, **expected)

    assert answer.status_code == 422
    assert words in answer.text


def test_what_was_said_wrongly_is_nearer_than_what_was_not_said(mock: Mock):
    mock.trigger(variables={"A": "1"})
    mock.trigger()

    missed = verified(mock, variables={"A": "2"}).json()["near_misses"]

    assert [miss["differences"][0]["got"] for miss in missed] == ["1", None]


def test_a_number_may_be_expected_of_a_variable(mock: Mock):
    mock.trigger(variables={"N": "1"})

    assert verified(mock, variables={"N": 1}).status_code == 200
    assert verified(mock, variables={"N": 2}).status_code == 409


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/_mock/requests?operation=get_pipelin", "did you mean get_pipeline?"),
        ("/_mock/requests?methd=GET", "did you mean method?"),
        ("/_mock/requests?path=/api/v4/user", "without"),
        ("/_mock/requests?limit=0", "must be 1 or more"),
        ("/_mock/pipelines?project=1", "did you mean project_id?"),
    ],
)
def test_a_filter_that_is_none_is_422(mock: Mock, path: str, words: str):
    answer = mock.get(path)

    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.parametrize(
    ("query", "ids"),
    [("method=get", [2]), ("path=/projects/*/pipelines", [2]), ("project_id=2", [2]),
     ("status=201", [1]), ("operation=trigger_pipeline", [1]), ("project_id=2&status=201", [])],
)  # fmt: skip
def test_the_journal_can_be_filtered(mock: Mock, query: str, ids: list[int]):
    mock.trigger("1")
    mock.get("/projects/2/pipelines")

    assert [call["id"] for call in mock.get(f"/_mock/requests?{query}").json()] == ids


@pytest.mark.parametrize("path", ["/_mock/faults", "/_mock/scenarios"])
def test_a_fault_for_an_operation_that_is_none_is_422(mock: Mock, path: str):
    fault = {"when": {"operation": "get_pipelin"}, "drop": True}
    body = fault if path == "/_mock/faults" else {"scenario_id": 900, "faults": [fault]}

    answer = mock.post(path, json=body)

    assert answer.status_code == 422
    assert "did you mean get_pipeline?" in answer.text


LONG = "9" * 5000


@pytest.mark.parametrize("name", [LONG, "--5", f"root%2Fproject-{LONG}"])
def test_a_number_of_any_length_is_no_project(mock: Mock, name: str):
    mock.post("/_mock/faults", json={"when": {"project": LONG}, "drop": True})

    assert mock.get(f"/projects/{name}/pipelines").status_code == 404
    assert verified(mock, project=LONG).status_code == 409
