"""What no call of ``/_mock`` can mean is 422, and changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import TOKEN

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


@pytest.mark.parametrize(
    ("method", "path", "body", "loc", "words"),
    [
        ("POST", "scenarios", {"scenario_id": 1, "jobs": [{"name": "a", "durration": 1}]},
         ["body", "jobs", 0, "durration"], "is not a known key; did you mean duration?"),
        ("POST", "rules", {"scenario": [1, "x"]},
         ["body", "scenario", 1], 'must be a whole number, not the text "x"'),
        ("POST", "faults", {"drop": 1}, ["body", "drop"], "not the number 1"),
        ("POST", "verify", {"method": "PSOT"}, ["body", "method"], 'not the text "PSOT"'),
        ("POST", "sandboxes", {"name": "a", "clock": {"frozn": 1}},
         ["body", "clock", "frozn"], "did you mean frozen?"),
        ("POST", "clock/next", {"pipeline": 1},
         ["body", "pipeline"], "did you mean pipeline_id?"),
        ("POST", "verify", [], ["body"], "must be a mapping, not a list"),
        ("POST", "verify", None, ["body"], "is missing"),
        ("GET", "requests?limit=0", None, ["query", "limit"], "must be 1 or more"),
        ("GET", "requests?status=x", None,
         ["query", "status"], 'must be a whole number, not the text "x"'),
        ("GET", "pipelines/x", None, ["path", "id"], 'must be a whole number, not the text "x"'),
        ("GET", "scenarios?source=fil", None, ["query", "source"], "did you mean file?"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_in_the_words_of_the_files(
    mock: Mock, method: str, path: str, body: Any, loc: list[str | int], words: str
):
    answer = mock.request(method, f"/_mock/{path}", json=body)

    assert answer.status_code == 422
    (told,) = answer.json()["detail"]
    assert told["loc"] == loc
    assert told["msg"].endswith(words)
    assert set(told) == {"type", "loc", "msg"}


@pytest.mark.parametrize("body", [{"drop": TOKEN}, {"times": "glpat-secret"}])
def test_a_token_in_the_wrong_place_is_not_repeated(mock: Mock, body: dict[str, Any]):
    answer = mock.post("/_mock/faults", json=body)

    assert answer.json()["detail"][0]["msg"].endswith('not the text "[MASKED]"')
