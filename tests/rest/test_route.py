"""The steps of a request to an endpoint, and what can answer in place of its function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

CREATE = "/projects/1/pipeline"
DOWN = "faults: [{when: {path: /**}, respond: {status: 502, body: down}}]\n"
LATE = "faults: [{when: {operation: create_pipeline}, delay: 1ms}]\n"
RULE = "rules: [{when: {ref: main}, respond: {status: 403, body: {message: closed}}}]\n"


@pytest.mark.parametrize(("sent", "ref"), [(b'{"ref": "main"}', "main"), (b"{", None)])
def test_a_fault_answers_before_the_parameters_are_checked(
    mock_with: Callable[..., Mock], sent: bytes, ref: str | None
):
    mock = mock_with(DOWN)

    answer = mock.post(CREATE, content=sent, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.text) == (502, "down")
    [logged] = mock.get("/_mock/requests").json()
    assert (logged["operation"], logged["ref"]) == ("create_pipeline", ref)


def test_a_fault_answers_for_a_path_that_gitlab_does_not_have(mock_with: Callable[..., Mock]):
    assert mock_with(DOWN).get("/nowhere").status_code == 502


def test_the_endpoint_answers_behind_a_fault_that_only_delays(mock_with: Callable[..., Mock]):
    mock = mock_with(LATE)

    answer = mock.post(CREATE, json={"ref": "main"})

    assert (answer.status_code, answer.json()["ref"]) == (201, "main")


def test_a_rule_may_answer_in_place_of_the_pipeline(mock_with: Callable[..., Mock]):
    mock = mock_with(RULE)

    answer = mock.post(CREATE, json={"ref": "main"})

    assert (answer.status_code, answer.json()) == (403, {"message": "closed"})
    assert mock.get("/projects/1/pipelines").json() == []
