"""A request to ``/_mock`` that has no meaning is 422, and changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

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
    (detail,) = answer.json()["detail"]
    assert detail["loc"] == loc
    assert detail["msg"].endswith(words)
    assert set(detail) == {"type", "loc", "msg"}


@pytest.mark.parametrize("body", [{"drop": TOKEN}, {"times": "glpat-secret"}])
def test_a_token_in_the_wrong_place_is_not_repeated(mock: Mock, body: dict[str, Any]):
    answer = mock.post("/_mock/faults", json=body)

    assert answer.json()["detail"][0]["msg"].endswith('not the text "[MASKED]"')


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PUT", "/_mock/clock", {"frozen": "yes"}), ("PUT", "/_mock/clock", {"now": 5}),
     ("POST", "/_mock/clock/advance", {"seconds": True}),
     ("POST", "/_mock/clock/next", {"pipeline_id": "1"}), ("POST", "/_mock/sandboxes", {"name": 1}),
     ("POST", "/_mock/sandboxes", {"name": "a", "clock": {"frozen": 1}})],
)  # fmt: skip
def test_a_value_of_another_type_is_422(mock: Mock, method: str, path: str, body: dict[str, Any]):
    assert mock.request(method, path, json=body).status_code == 422


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "text/json", "application/x-www-form-urlencoded"]
)
def test_a_body_is_json_whatever_it_is_called(mock: Mock, kind: str | None):
    headers = {} if kind is None else {"Content-Type": kind}

    moved = mock.post("/_mock/clock/advance", content='{"seconds": 1}', headers=headers)
    refused = mock.post("/_mock/clock/advance", content="seconds=1", headers=headers)

    assert moved.json()["now"] == "2026-01-01T00:00:01.000Z"
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["msg"] == "the body is not JSON"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_mock/nothing", 404),
        ("PATCH", "/_mock/clock", 405),
        ("GET", "/_mock/pipelines/7", 404),
        ("POST", "/_mock/reset", 403),
        ("DELETE", "/_mock/rules?key=x", 404),
        ("POST", "/_mock/scenarios", 422),
        ("POST", "/_mock/sandboxes", 409),
        ("POST", "/_mock/faults", 413),
        ("GET", "/_mock/requests?limt=1", 422),
        ("POST", "/_mock/config/reload", 422),
    ],
)
def test_every_error_has_the_same_shape(
    mock_with: Callable[..., Mock], method: str, path: str, status: int
):
    mock = mock_with(base="database: ':memory:'\nmax_body_bytes: 100\n")
    mock.post("/_mock/sandboxes", json={"name": "a"})
    live = mock.app.live  # type: ignore[attr-defined]  # the application is ours
    live.path.write_text("strikt: true")
    body = {"name": "a"} if "sandboxes" in path else {"name": "x" * 100} if status == 413 else {}

    answer = mock.request(method, path, json=body if method == "POST" else None)

    assert answer.status_code == status
    assert set(answer.json()) == {"message", "detail"}
    assert isinstance(answer.json()["message"], str)
    for each in answer.json()["detail"]:
        assert {"type", "loc", "msg"} <= set(each)
        assert each["msg"] in answer.json()["message"]


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_an_error_of_the_gateway_has_the_same_shape(mock: Mock, headers: dict[str, str]):
    answer = mock.get("/_mock/clock", headers=headers)

    assert answer.status_code == 403
    assert set(answer.json()) == {"message", "detail"}


def test_a_missing_token_is_told_in_the_same_shape(mock: Mock):
    assert mock.anonymous().get("/_mock/clock").json() == {
        "message": "401 Unauthorized",
        "detail": [{"type": "error", "loc": [], "msg": "401 Unauthorized"}],
    }


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b'{"now": "\xe4"}'])
def test_a_body_that_is_no_json_is_422(mock: Mock, body: bytes):
    headers = {"Content-Type": "application/json"}

    refused = mock.put("/_mock/clock", content=body, headers=headers)

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["type"] == "json_invalid"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_mock/faults", {"when": {"operation": "get_pipelin"}, "drop": True}),
        (
            "/_mock/scenarios",
            {"scenario_id": 900, "faults": [{"when": {"operation": "get_pipelin"}, "drop": True}]},
        ),
        ("/_mock/verify", {"operation": "get_pipelin", "times": 0}),
    ],
)
def test_an_operation_that_is_not_there_is_refused_and_the_nearest_named(
    mock: Mock, path: str, body: dict[str, Any]
):
    refused = mock.post(path, json=body)

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["msg"] == (
        'there is no operation "get_pipelin"; did you mean get_pipeline?'
    )
    assert mock.get("/_mock/faults").json() == []


def test_too_many_jobs_are_refused_before_they_are_read(mock: Mock):
    refused = mock.post("/_mock/scenarios", json={"scenario_id": 901, "jobs": ["wrong"] * 1000})

    assert refused.status_code == 422
    assert [each["msg"] for each in refused.json()["detail"]] == [
        "has 1000 jobs; at most 999 are allowed"
    ]


def test_an_answer_about_many_mistakes_is_short(mock: Mock):
    jobs = [{"name": f"job {n}", "stage": "x", "wrong": 1} for n in range(999)]
    long = {"scenario_id": 1, "stages": [f"stage {n}" for n in range(1000)]}

    unknown = mock.post("/_mock/scenarios", json={**long, "jobs": jobs})
    stages = [{"name": each["name"], "stage": "x"} for each in jobs]
    outside = mock.post("/_mock/scenarios", json={**long, "jobs": stages})
    named = mock.post("/_mock/scenarios", json={"x" * 100_000: 1})

    for answer in (unknown, outside):
        assert answer.status_code == 422
        assert len(answer.json()["detail"]) == 100
        assert len(answer.content) < 1_000_000
    assert len(named.content) < 1000
