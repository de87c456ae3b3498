"""The requests that came in, with what they asked for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock


def last_request(mock: Mock) -> Any:
    return mock.get("/_mock/requests?limit=1").json()[0]


def verified(mock: Mock, **expected: Any) -> Any:
    return mock.post("/_mock/verify", json=expected)


def test_requests_are_listed_newest_first_and_without_secrets(mock: Mock):
    mock.post("/projects/1/trigger/pipeline?token=t0p", json={"ref": "main", "token": "s3cr3t"})
    mock.get("/projects/1/pipelines?private_token=t0p")

    newest, oldest = mock.get("/_mock/requests").json()

    assert (newest["operation"], oldest["operation"]) == ("list_pipelines", "trigger_pipeline")
    assert oldest["parameters"] == {"ref": "main", "token": "[MASKED]"}
    assert newest["query"] == "private_token=[MASKED]"
    assert (oldest["status"], oldest["ref"], oldest["scenario_id"]) == (201, "main", 500)


def test_requests_with_and_without_the_prefix_count_alike(mock: Mock):
    mock.get("/projects/1/pipelines")
    mock.get("/api/v4/projects/1/pipelines")

    answer = mock.post("/_mock/verify", json={"path": "/projects/*/pipelines", "times": 2})

    assert (answer.status_code, answer.json()["verified"]) == (200, True)


def test_the_oldest_requests_are_forgotten_beyond_the_limit(mock_with: Callable[..., Mock]):
    mock = mock_with("journal: 2\n")
    for number in range(4):
        mock.get(f"/projects/{number + 1}/pipelines")

    assert [request["project_id"] for request in mock.get("/_mock/requests").json()] == [4, 3]


@pytest.mark.parametrize("fault", [{"respond": {"status": 503}}, {"drop": True}, {"delay": 0.001}])
def test_a_request_that_met_a_fault_counts_with_what_it_asked_for(
    mock: Mock, fault: dict[str, Any]
):
    mock.post("/_mock/faults", json={"when": {"method": "POST"}, "times": 1, **fault})
    mock.post("/projects/1/ref/main/trigger/pipeline", json={"variables": {"A": "1"}})
    mock.trigger(variables={"A": "1"})

    answer = verified(mock, method="POST", ref="main", variables={"A": "1"}, times=2)

    assert answer.status_code == 200, answer.text


def test_a_request_that_was_refused_counts_with_what_it_asked_for(mock: Mock):
    order = {"ref": "main", "token": "wrong", "variables": {"A": "1"}}
    mock.anonymous().post("/projects/1/trigger/pipeline", json=order)

    assert verified(mock, ref="main", variables={"A": "1"}, status=401).status_code == 200


def test_a_request_that_was_too_large_counts_with_its_answer(mock_with: Callable[..., Mock]):
    mock = mock_with("max_body_bytes: 1000\n")
    mock.post("/projects/1/pipeline", json={"ref": "x" * 1001})

    assert mock.get("/_mock/requests").json()[0]["status"] == 413
    assert verified(mock, operation="create_pipeline", status=413).status_code == 200


def test_a_request_that_was_refused_names_its_project_though_nobody_looked_it_up(mock: Mock):
    mock.get("/projects/42/pipelines", headers={"PRIVATE-TOKEN": "wrong"})

    assert mock.get("/_mock/requests").json()[0]["project_id"] == 42
    assert verified(mock, project=42, status=401, times=1).status_code == 200


def test_the_request_names_the_rule_that_decided_also_where_it_refused(
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
        rules.append(last_request(mock)["rule"])

    assert [None if rule is None else rule.rpartition(":")[2] for rule in rules] == ["7", "8", None]


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
def test_the_list_can_be_filtered(mock: Mock, query: str, ids: list[int]):
    mock.trigger("1")
    mock.get("/projects/2/pipelines")

    assert [request["id"] for request in mock.get(f"/_mock/requests?{query}").json()] == ids


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


# ---------------------------------------------------------------------------- answers


def test_a_request_is_listed_with_its_answer(mock: Mock):
    mock.trigger()

    answer = last_request(mock)["answer"]

    assert answer["body"]["status"] == "running"
    assert answer["cut"] is False
    assert answer["bytes"] > 100


def test_the_headers_of_an_answer_are_listed_but_for_the_usual_ones(mock: Mock):
    mock.get("/projects/1/pipelines")

    headers = last_request(mock)["answer"]["headers"]

    assert headers["x-total"] == "0"
    assert not headers.keys() & {"etag", "content-type", "x-request-id"}


def test_of_a_long_answer_the_beginning_is_kept(mock: Mock):
    mock.declare(900, jobs=[{"name": "build", "duration": "1s", "trace": "x" * 5000}])
    mock.trigger(scenario_id=900)
    mock.advance("5s")
    trace = mock.get("/projects/1/jobs/100001/trace").content

    answer = last_request(mock)["answer"]

    assert answer["cut"] is True
    assert answer["bytes"] == len(trace)
    assert answer["body"] == trace[:2048].decode()


def test_an_answer_that_is_no_text_is_not_shown(mock: Mock):
    mock.declare(900, jobs=[{"name": "build", "artifacts": [{"path": "a", "content": "1"}]}])
    mock.trigger(scenario_id=900)
    archive = mock.get("/projects/1/jobs/100001/artifacts").content

    answer = last_request(mock)["answer"]

    assert (answer["body"], answer["bytes"]) == (None, len(archive))


def test_secrets_in_an_answer_are_masked(mock: Mock):
    made = mock.post("/projects/1/triggers", json={"description": "d"}).json()
    rows = mock.get("/_mock/requests").text

    assert made["token"] not in rows
    assert last_request(mock)["answer"]["body"]["token"] == "[MASKED]"


def test_secrets_in_the_beginning_of_a_long_answer_are_masked(mock: Mock):
    body = {"my_secret": "hunter2", "text": "x" * 3000}
    mock.post("/_mock/faults", json={"respond": {"status": 200, "body": body}})
    mock.get("/version")

    shown = last_request(mock)["answer"]["body"]

    assert shown.startswith('{"my_secret": "[MASKED]", "text": "xxx')


def test_a_request_without_an_answer_has_none(mock: Mock):
    mock.post("/_mock/faults", json={"drop": True})
    with suppress(Exception):
        mock.get("/version")

    listed = last_request(mock)

    assert listed["answer"] is None
    assert (listed["reason"], listed["does"]) == (None, "drop the connection")


@pytest.mark.parametrize(
    ("yaml", "call", "reason"),
    [
        ("", ("GET", "/projects/1/pipelines/7"), "404 Not found"),
        ("", ("GET", "/projects/x/pipelines"), "a project is a number, or a path such as"),
        ("strict: true\n", ("GET", "/projects/9"), "the mock is strict, and no file declares"),
        ("", ("POST", "/projects/1/pipeline?ref=%20"), "Reference not found"),
        (
            "projects: [{id: 1, path: a/b, refs: [main]}]\n",
            ("POST", "/projects/1/pipeline?ref=other"),
            "the project declares its refs, and other is none of a/b",
        ),
        ("", ("POST", "/projects/1/pipeline"), "ref is missing"),
        ("", ("GET", "/projects/1/pipline/7"), "the nearest is GET /projects/:id/pipelines/:pipe"),
        ("", ("PUT", "/projects/1/pipelines"), "the nearest is GET /projects/:id/pipelines"),
        ("", ("GET", "/projects/1/approval_rules/a/b/c"), "404 Not Found; no such endpoint here"),
        ("", ("GET", "/api/v4/api/v4/version"), "the path has /api/v4 twice"),
        ("", ("POST", "/api/graphql"), "only /api/v4 is served"),
    ],
)
def test_a_refusal_is_listed_with_its_reason(
    mock_with: Callable[..., Mock], yaml: str, call: tuple[str, str], reason: str
):
    mock = mock_with(yaml)
    refused = mock.request(*call)

    assert refused.status_code >= 400
    assert reason in last_request(mock)["reason"]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "401 Unauthorized; the request has no token"),
        ({"PRIVATE-TOKEN": "glpat-x"}, "401 Unauthorized; its token is not the one of the mock"),
    ],
)
def test_a_request_with_no_good_token_is_listed_with_the_reason(
    mock: Mock, headers: dict[str, str], reason: str
):
    mock.anonymous().get("/projects/1/pipelines", headers=headers)

    assert last_request(mock)["reason"].startswith(reason)


def test_a_trigger_with_a_token_of_no_project_is_listed_with_the_reason(mock: Mock):
    mock.anonymous().post("/projects/1/trigger/pipeline?ref=main&token=other")

    assert last_request(mock)["reason"].endswith("no project has its trigger token")


def test_a_refusal_without_words_has_no_reason(mock: Mock):
    mock.post("/_mock/faults", json={"respond": {"status": 503}})
    mock.get("/version")

    assert last_request(mock)["reason"] is None


def test_a_refusal_in_a_list_has_no_reason_of_its_own(mock: Mock):
    mock.post("/_mock/faults", json={"respond": {"status": 503, "body": ["no"]}})
    mock.get("/version")

    assert last_request(mock)["reason"] is None


def test_a_near_miss_shows_why_it_was_refused(mock: Mock):
    mock.get("/projects/1/pipelines/7")

    message = verified(mock, operation="get_pipeline", status=200).json()["message"]

    assert "near miss: GET /projects/1/pipelines/7 (404: 404 Not found)" in message


# ---------------------------------------------------------------------------- controls


def test_controls_that_change_something_are_listed(mock: Mock):
    mock.advance("5s")
    mock.get("/_mock/clock")
    mock.post("/_mock/verify", json={})
    mock.post("/_mock/clock/advance", json={"duration": "soon"})
    mock.post("/_mock/rules", json={"when": {"variables": {"A_TOKEN": "hunter2"}}, "scenario": 1})
    mock.delete("/_mock/rules?key=runtime-1")

    found = mock.get("/_mock/controls").json()

    assert [(row["method"], row["path"], row["query"]) for row in found] == [
        ("DELETE", "/_mock/rules", "key=runtime-1"),
        ("POST", "/_mock/rules", ""),
        ("POST", "/_mock/clock/advance", ""),
    ]
    assert found[1]["body"]["when"]["variables"] == {"A_TOKEN": "[MASKED]"}
    assert found[2]["at"] == "2026-01-01T00:00:05.000Z"
    assert {row["client"] for row in found} == {"testclient"}


def test_controls_outlive_a_reset(mock: Mock):
    mock.advance("5s")
    mock.post("/_mock/reset")

    assert [row["path"] for row in mock.get("/_mock/controls?limit=1").json()] == ["/_mock/reset"]
    assert len(mock.get("/_mock/controls").json()) == 2


def test_controls_belong_to_their_world(mock: Mock):
    mock.post("/sandbox/mine/_mock/clock/freeze")

    assert mock.get("/_mock/controls").json() == []
    (row,) = mock.get("/sandbox/mine/_mock/controls").json()
    assert row["path"] == "/_mock/clock/freeze"
