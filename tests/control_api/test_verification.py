"""A verification says all that its author needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock


def verified(mock: Mock, **expected: Any) -> Any:
    return mock.post("/_mock/verify", json=expected)


def test_a_failed_verification_says_what_differed(mock: Mock):
    mock.trigger(variables={"DEPLOY_ENV": "staging"})
    expected = {"operation": "trigger_pipeline", "variables": {"DEPLOY_ENV": "prod"}}

    answer = mock.post("/_mock/verify", json=expected)

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        "expected at least 1 matching request, found 0\n"
        "near miss: POST /projects/1/trigger/pipeline (201)\n"
        "  variables.DEPLOY_ENV: wanted 'prod', got 'staging'"
    )


@pytest.mark.parametrize(
    ("bounds", "status"),
    [({}, 200), ({"times": 2}, 200), ({"times": 1}, 409), ({"at_least": 3}, 409),
     ({"at_most": 1}, 409), ({"at_least": 1, "at_most": 2}, 200),
     ({"times": 1, "at_most": 2}, 422)],
)  # fmt: skip
def test_the_number_of_requests_can_be_bounded(mock: Mock, bounds: dict[str, int], status: int):
    mock.trigger()
    mock.trigger()

    body = {"operation": "trigger_pipeline", **bounds}

    assert mock.post("/_mock/verify", json=body).status_code == status


@pytest.mark.parametrize("body", [{"ref": "/(/"}, {"variables": {"A": "/[/"}}])
def test_a_verification_with_a_wrong_regular_expression_is_refused(
    mock: Mock, body: dict[str, Any]
):
    mock.trigger(variables={"A": "1"})

    refused = mock.post("/_mock/verify", json=body)

    assert refused.status_code == 422
    assert "is not a valid regular expression: unclosed" in refused.text


def test_too_many_requests_are_named(mock: Mock):
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
    assert [request["id"] for request in answer.json()["matched"]] == [2, 1]


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

    for verification in (enough, too_few):
        assert [request["id"] for request in verification["matched"]] == [1]
        assert (
            "\nmatched: POST /projects/1/trigger/pipeline (201) at 2026-" in verification["message"]
        )


def test_near_misses_that_are_alike_are_counted_and_those_elsewhere_left_out(mock: Mock):
    for _ in range(4):
        mock.get("/projects/1/pipelines/1")
    for _ in range(2):
        mock.trigger()

    verification = verified(mock, operation="trigger_pipeline", ref="v1").json()

    assert verification["message"] == (
        "expected at least 1 matching request, found 0\n"
        "near miss: POST /projects/1/trigger/pipeline (201), the last of 2\n"
        "  ref: wanted 'v1', got 'main'"
    )
    assert [(miss["request"]["id"], miss["count"]) for miss in verification["near_misses"]] == [
        (6, 2)
    ]
    assert verification["operations"] == {}


def test_where_nothing_came_near_it_says_whether_anything_came_at_all(mock: Mock):
    nothing = verified(mock, operation="trigger_pipeline").json()["message"]
    mock.trigger()
    one = verified(mock, operation="trigger_pipeline", times=2).json()["message"]

    assert nothing.endswith("found 0\nno requests came in")
    assert one.endswith("Z\nno other requests came in")


def test_an_operation_that_was_never_requested_is_named_with_those_that_were(mock: Mock):
    mock.get("/projcts")
    for _ in range(3):
        mock.get("/projects/1/pipelines/1")

    verification = verified(mock, operation="retry_pipeline").json()

    assert verification["message"].splitlines()[1:] == [
        "retry_pipeline was never requested; requested were get_pipeline 3 times, no endpoint once"
    ]
    assert verification["near_misses"] == []
    assert verification["operations"] == {"get_pipeline": 3, "no endpoint": 1}


def test_a_near_miss_says_which_fault_was_applied_to_it(mock: Mock):
    mock.post("/_mock/faults", json={"drop": True})
    mock.get("/user")

    message = verified(mock, method="POST").json()["message"]

    assert "near miss: GET /user (dropped, fault runtime-1)" in message


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"operation": "trigger_pipelin"}, "did you mean trigger_pipeline?"),
        ({"ref": "/(/"}, "is not a valid regular expression"),
        ({"variables": {"A": "/[/"}}, "is not a valid regular expression"),
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
