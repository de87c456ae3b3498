"""Whatever is sent, the answer is one that the OpenAPI document has, and never a 500.

Schemathesis makes the calls from the document itself: valid ones and broken ones, some hundreds in
all; ``MOCK_TEST_CASES`` says how many for each endpoint.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mock_gitlab.app import create_app
from tests.conftest import FROZEN, TOKEN

if TYPE_CHECKING:
    from pathlib import Path

Case = schemathesis.Case[Any]
CASES = int(os.environ.get("MOCK_TEST_CASES", "20"))
# To GitLab, a path with another method is an unknown path, and it forgives much: API.md says so.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def operations(tmp_path: Path) -> list[Any]:
    """Everything that the document says can be asked of a mock."""
    path = tmp_path / "mock.yaml"
    path.write_text(
        FROZEN + "projects: [{id: 42, path: group/app, trigger_tokens: [{token: glptt-abc}]}]\n",
        encoding="utf-8",
    )
    app = create_app(path, environ={}, watch=False)
    document = schemathesis.openapi.from_asgi("/openapi.json", app)
    found = map(unwrap, document.get_all_operations())
    # The client in use reads a body after HEAD, which has none, and waits for the end of a stream.
    return [each for each in found if each.method != "head" and each.path != "/_mock/events"]


def unwrap(found: Any) -> Any:
    return found.ok()


def valid_or_broken(operation: Any) -> st.SearchStrategy[Case]:
    valid, broken = (
        operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode
    )
    return st.one_of(valid, broken)


@pytest.mark.timeout(60 + 10 * CASES)
def test_every_answer_is_as_documented(operations: list[Any]):
    answered = set()

    for operation in operations:

        @settings(
            max_examples=CASES,
            suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
        )
        @given(valid_or_broken(operation))
        def ask(case: Case) -> None:
            answer = case.call_and_validate(headers={"PRIVATE-TOKEN": TOKEN}, checks=CHECKS)
            answered.add(answer.status_code)

        ask()

    assert len(operations) > 70
    assert {200, 201, 400, 404} <= answered
