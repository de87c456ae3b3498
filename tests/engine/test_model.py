"""The values that the engine speaks of."""

from __future__ import annotations

from mock_gitlab.engine.matching import Response
from mock_gitlab.engine.model import RejectedByRule

from .builders import record


def test_a_numbered_record_differs_in_its_numbers_alone():
    assert record().numbered(8, 9) == record()._replace(id=8, iid=9)


def test_a_rejection_carries_the_answer_of_the_rule_and_how_it_was_found():
    answer = Response(400, body="no")
    error = RejectedByRule(answer, "{}")
    assert (str(error), error.response, error.rule) == ("rejected with 400", answer, "{}")
