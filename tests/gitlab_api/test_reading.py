"""Reading pipelines: single, latest, lists with their filters, orders and pages, variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

LIST = "/api/v4/projects/1/pipelines"
ROW = [
    "id", "iid", "project_id", "sha", "ref", "status", "source", "created_at", "updated_at",
    "web_url", "name",
]  # fmt: skip


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


def test_a_row_of_a_list_has_eleven_keys(mock: Mock):
    mock.trigger()

    assert list(mock.get(LIST).json()[0]) == ROW


def test_ids_count_over_all_projects_and_iids_within_one(mock: Mock):
    made = [mock.trigger(project) for project in ("1", "2", "1")]

    assert [(each["id"], each["iid"]) for each in made] == [(1, 1), (2, 1), (3, 2)]


def test_a_list_agrees_with_what_a_read_of_each_shows_after_every_move(mock: Mock):
    mock.declare(900, pending_seconds=5, terminal_after_seconds=20, terminal_status="failed")
    for scenario in (0, 5, 10, 900):
        mock.trigger(scenario_id=scenario)
    mock.post(f"{LIST}/2/cancel")

    for move in ("5s", "5s", "10s", "1m"):
        mock.advance(move)
        listed = {row["id"]: row for row in mock.get(LIST).json()}
        for number, row in listed.items():
            single = mock.pipeline(number)
            assert row == {key: single[key] for key in ROW}
            assert number in ids(mock.get(f"{LIST}?status={single['status']}"))


@pytest.mark.parametrize("query", ["", "?status=running", "?order_by=updated_at"])
def test_lists_follow_a_clock_that_is_set_back(mock: Mock, query: str):
    mock.trigger(scenario_id=5)
    mock.advance("1m")
    assert mock.get(LIST).json()[0]["status"] == "success"

    mock.put("/_mock/clock", json={"now": "2026-01-01T00:00:01Z"})

    assert [row["status"] for row in mock.get(LIST + query).json()] == ["running"]


def test_lists_follow_an_edited_scenario(mock: Mock):
    mock.declare(900, terminal_after_seconds=5)
    mock.trigger(scenario_id=900)
    mock.advance("5s")
    assert ids(mock.get(f"{LIST}?status=success")) == [1]

    edited = {"scenario_id": 900, "name": "x", "terminal_status": "failed"}
    assert mock.put("/_mock/scenarios/900", json=edited).status_code == 200

    assert ids(mock.get(f"{LIST}?status=failed")) == [1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("scope=running", [1]),
        ("scope=finished", [3, 2]),
        ("scope=branches", [4, 3]),
        ("status=skipped", [4]),
        ("ref=main", [4, 2, 1]),
        ("ref=", [4, 3, 2, 1]),
        ("ref=main&status=success", [2]),
        ("username=root", [4, 3, 2, 1]),
        ("username=somebody", []),
        ("yaml_errors=true", []),
        ("yaml_errors=false", [4, 3, 2, 1]),
        ("source=trigger", [3, 2, 1]),
        ("source=api", [4]),
        ("name=nightly", [2]),
        ("updated_after=2026-01-01T00:00:05Z", [4]),
        ("updated_before=2026-01-01T00:00:05Z", [1]),
        ("created_after=2026-01-01T00:00:00Z", [4]),
        ("created_before=2026-01-01T00:00:01Z", [3, 2, 1]),
        ("sort=asc", [1, 2, 3, 4]),
        ("order_by=ref", [3, 4, 2, 1]),
        ("order_by=ref&sort=asc", [1, 2, 4, 3]),
        ("order_by=status&sort=asc", [3, 1, 4, 2]),
        ("order_by=user_id", [4, 3, 2, 1]),
        ("per_page=2", [4, 3]),
        ("per_page=2&page=2", [2, 1]),
        ("page=9", []),
    ],
)
def test_filters_and_orders(mock: Mock, query: str, expected: list[int]):
    mock.trigger(scenario_id=0)
    mock.trigger(scenario_id=5)
    mock.trigger(scenario_id=5, ref="other", terminal_status="failed")
    mock.put(f"{LIST}/2/metadata", json={"name": "nightly"})
    mock.advance("10s")
    body = {"ref": "main", "terminal_after_seconds": 0, "terminal_status": "skipped"}
    mock.post("/projects/1/pipeline", json=body)

    assert ids(mock.get(f"{LIST}?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("status=x", "status does not have a valid value"),
        ("scope=x", "scope does not have a valid value"),
        ("order_by=x", "order_by does not have a valid value"),
        ("sort=x", "sort does not have a valid value"),
        ("source=x", "source does not have a valid value"),
        ("yaml_errors=x", "yaml_errors is invalid"),
        ("updated_after=x", "updated_after is invalid"),
        ("per_page=0", "per_page has a value not allowed"),
        ("page=x", "page is invalid"),
    ],
)
def test_bad_filters_are_400(mock: Mock, query: str, error: str):
    answer = mock.get(f"{LIST}?{query}")

    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_the_headers_of_a_page_in_the_middle(mock: Mock):
    for _ in range(8):
        mock.trigger()

    headers = mock.get(f"{LIST}?per_page=3&page=2").headers

    names = ["x-page", "x-per-page", "x-next-page", "x-prev-page", "x-total", "x-total-pages"]
    assert [headers[name] for name in names] == ["2", "3", "3", "1", "8", "3"]
    url = "http://testserver/api/v4/projects/1/pipelines"
    assert headers["link"] == ", ".join(
        f'<{url}?id=1&order_by=id&page={page}&per_page=3&sort=desc>; rel="{rel}"'
        for rel, page in (("prev", 1), ("next", 3), ("first", 1), ("last", 3))
    )


def test_the_latest_pipeline_is_that_of_the_default_branch_or_of_a_ref(mock: Mock):
    for ref in ("main", "other", "main", "other"):
        mock.trigger(ref=ref)

    assert mock.get(f"{LIST}/latest").json()["id"] == 3
    assert mock.get(f"{LIST}/latest?ref=other").json()["id"] == 4


def test_no_latest_pipeline_is_403_as_in_gitlab(mock: Mock):
    answer = mock.get(f"{LIST}/latest?ref=nowhere")

    assert (answer.status_code, answer.json()) == (403, {"message": "403 Forbidden"})


@pytest.mark.parametrize("number", ["7", "-1", "99999999999999999999999999"])
def test_an_unknown_pipeline_is_404_with_a_small_f(mock: Mock, number: str):
    answer = mock.get(f"{LIST}/{number}")

    assert (answer.status_code, answer.json()) == (404, {"message": "404 Not found"})


def test_a_pipeline_of_another_project_is_404(mock: Mock):
    mock.trigger("2")

    assert mock.get(f"{LIST}/1").status_code == 404


def test_what_is_no_number_is_400(mock: Mock):
    answer = mock.get(f"{LIST}/abc")

    assert (answer.status_code, answer.json()) == (400, {"error": "pipeline_id is invalid"})


def test_a_deleted_pipeline_is_gone_and_its_numbers_are_never_given_again(mock: Mock):
    mock.trigger()

    deleted = mock.delete(f"{LIST}/1")
    again = mock.trigger()

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert mock.get(f"{LIST}/1").status_code == 404
    assert (again["id"], again["iid"]) == (2, 2)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("x" * 256, "too long (maximum is 255 characters)"),
        ("", "too short (minimum is 1 character)"),
    ],
)
def test_a_name_has_1_to_255_characters(mock: Mock, name: str, problem: str):
    mock.trigger()

    fine = mock.put(f"{LIST}/1/metadata", json={"name": "x" * 255})
    refused = mock.put(f"{LIST}/1/metadata", json={"name": name})

    assert fine.json()["name"] == "x" * 255
    assert refused.status_code == 400
    assert refused.json() == {"message": f"Failed to update pipeline - Name is {problem}"}


def test_a_name_of_null_is_none(mock: Mock):
    mock.trigger()
    mock.put(f"{LIST}/1/metadata", json={"name": "nightly"})

    answer = mock.put(f"{LIST}/1/metadata", json={"name": None})

    assert (answer.status_code, answer.json()["name"]) == (200, None)


def test_cancel_answers_200_whatever_the_state_and_stays(mock: Mock):
    mock.trigger(scenario_id=0)

    first = mock.post(f"{LIST}/1/cancel")
    mock.advance("1h")
    second = mock.post(f"{LIST}/1/cancel")

    assert [first.status_code, second.status_code] == [200, 200]
    assert first.json()["status"] == "canceled"
    assert second.json()["finished_at"] == "2026-01-01T00:00:00.000Z"


def test_retry_runs_the_next_attempt_and_leaves_a_success_alone(mock: Mock):
    attempts = [
        {"terminal_after_seconds": 10, "terminal_status": "failed"},
        {"terminal_after_seconds": 10},
    ]
    mock.declare(900, attempts=attempts)
    mock.trigger(scenario_id=900)
    mock.advance("10s")

    retried = mock.post(f"{LIST}/1/retry")
    mock.advance("10s")
    after = mock.pipeline(1)
    again = mock.post(f"{LIST}/1/retry")

    assert (retried.status_code, retried.json()["status"]) == (201, "running")
    assert (after["status"], again.status_code, again.json()["status"]) == (
        "success",
        201,
        "success",
    )


def test_created_pipelines_are_of_source_api_and_take_typed_variables(mock: Mock):
    variables = [{"key": "A", "value": "1"}, {"key": "F", "value": "x", "variable_type": "file"}]

    answer = mock.post("/projects/1/pipeline", json={"ref": "main", "variables": variables})

    assert (answer.status_code, answer.json()["source"]) == (201, "api")
    assert [
        (each["key"], each["variable_type"]) for each in mock.get(f"{LIST}/1/variables").json()
    ] == [("A", "env_var"), ("F", "file")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"error": "ref is missing"}),
        ({"ref": ""}, {"message": {"base": ["Reference not found"]}}),
        ({"ref": None}, {"message": {"base": ["Reference not found"]}}),
        ({"ref": "main", "variables": {"A": "1"}}, {"error": "variables is invalid"}),
        (
            {"ref": "main", "variables": [{"key": "A", "value": "1", "variable_type": "x"}]},
            {"error": "variables[0][variable_type] does not have a valid value"},
        ),
        (
            {"ref": "main", "variables": [{"key": "A", "value": "1"}] * 2},
            {"message": {"base": ["Duplicate variable name: A"]}},
        ),
    ],
)
def test_bad_creates_are_400(mock: Mock, body: dict[str, Any], expected: dict[str, Any]):
    answer = mock.post("/projects/1/pipeline", json=body)

    assert (answer.status_code, answer.json()) == (400, expected)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    orders=st.lists(st.sampled_from([0, 3, 7, 900, 901]), min_size=1, max_size=8),
    moves=st.lists(st.integers(-5, 12), max_size=6),
    cancel=st.integers(1, 8),
)
def test_a_status_filter_never_disagrees_with_a_read(
    mock: Mock, orders: list[int], moves: list[int], cancel: int
):
    mock.post("/_mock/reset")
    mock.declare(900, pending_seconds=2, terminal_after_seconds=6, terminal_status="failed")
    mock.declare(
        901, jobs=[{"name": "a", "duration": 2}, {"name": "b", "stage": "s", "duration": 3}]
    )
    numbers = [mock.trigger(scenario_id=order)["id"] for order in orders]
    for index, move in enumerate(moves):
        mock.post("/_mock/clock/advance", json={"seconds": move})
        if index == 1 and cancel <= len(numbers):
            mock.post(f"{LIST}/{numbers[cancel - 1]}/cancel")
        listed = {
            status: set(ids(mock.get(f"{LIST}?status={status}")))
            for status in ("created", "pending", "running", "success", "failed", "canceled")
        }
        for number in numbers:
            status = mock.pipeline(number)["status"]
            assert [each for each, found in listed.items() if number in found] == [status]


def test_a_list_over_ten_thousand_is_not_counted(mock_with: Callable[..., Mock]):
    mock = mock_with()
    mock.trigger()
    world = mock.app.worlds.default  # type: ignore[attr-defined]  # the application is ours
    world._db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) "
        "INSERT INTO pipelines (project_id, iid, ref, sha, created_at, updated_at) "
        "SELECT 1, i, 'main', '', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z' FROM n"
    )

    headers = mock.get(LIST).headers

    assert "x-total" not in headers
    assert 'rel="last"' not in headers["link"]
    assert headers["x-next-page"] == "2"
