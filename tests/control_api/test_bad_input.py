"""What no call of ``/_mock`` can mean is 422, and changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock

HALF = "\ud800"  # half of a pair that stands for one character: no text
JSON = {"Content-Type": "application/json"}


def send(mock: Mock, path: str, body: dict[str, Any]) -> Any:
    return mock.post(path, content=json.dumps(body), headers=JSON)


@pytest.mark.parametrize("seconds", ["1e308", "-1e308", "1e999", "NaN", "1e16"])
def test_a_clock_is_not_moved_out_of_its_time(mock: Mock, seconds: str):
    before = mock.get("/_mock/clock").json()

    answer = mock.post("/_mock/clock/advance", content=f'{{"seconds": {seconds}}}', headers=JSON)

    assert answer.status_code == 422
    assert mock.get("/_mock/clock").json() == before


@pytest.mark.parametrize(
    "body",
    [
        {"method": HALF},
        {"path": HALF},
        {"operation": HALF},
        {"project": HALF},
        {"ref": HALF},
        {"variables": {"A": HALF}},
        {"variables": {HALF: "1"}},
    ],
)
def test_an_expectation_of_what_is_no_text_is_refused(mock: Mock, body: dict[str, Any]):
    answer = send(mock, "/_mock/verify", {**body, "times": 3})

    assert answer.status_code == 422
    assert "unicode" in answer.json()["detail"][0]["msg"].lower()


def test_a_seed_that_is_no_text_is_refused(mock: Mock):
    assert send(mock, "/_mock/sandboxes", {"name": "mine", "seed": HALF}).status_code == 422

    assert mock.get("/_mock/sandboxes").json() == []
