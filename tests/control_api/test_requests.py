"""The requests that came in, with what they asked for."""

from __future__ import annotations

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
