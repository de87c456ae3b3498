"""The control namespace: what a test's author reads, moves, verifies and resets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Mock


# ---------------------------------------------------------------------------- access


def test_health_needs_no_token(mock: Mock):
    answer = mock.anonymous().get("/_mock/health")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.parametrize(
    "headers",
    [{}, {"PRIVATE-TOKEN": "wrong"}, {"Authorization": "Bearer wrong"}, {"PRIVATE-TOKEN": "\xe9"}],
)
def test_everything_else_needs_the_token(mock: Mock, headers: dict[str, str]):
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}

    answer = mock.anonymous().get("/_mock/scenarios", headers=encoded)

    assert (answer.status_code, answer.json()) == (401, {"message": "401 Unauthorized"})


def test_a_bearer_is_as_good_as_a_private_token(mock: Mock):
    headers = {"Authorization": "Bearer MOCK_SUPER_SECRET"}

    assert mock.anonymous().get("/_mock/clock", headers=headers).status_code == 200


def test_the_prefix_of_gitlabs_api_leads_to_no_control(mock: Mock):
    assert mock.get("/api/v4/_mock/clock").status_code == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("mock-gitlab", 200),
        ("evil.example.com", 403),
        ("evil.example.com:8000", 403),
    ],
)
def test_a_page_under_a_name_of_its_own_cannot_drive_the_mock(mock: Mock, host: str, status: int):
    assert mock.get("/_mock/clock", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("allowed", ["other.example.com, Mock.example.com", "*"])
def test_a_host_name_can_be_allowed(mock_with: Callable[..., Mock], allowed: str):
    mock = mock_with(environ={"MOCK_ALLOWED_HOSTS": allowed})

    for host in ("mock.example.com", "MOCK.example.com:8000", "other.example.com"):
        assert mock.get("/_mock/clock", headers={"Host": host}).status_code == 200


def test_a_host_name_is_allowed_in_any_case(mock_with: Callable[..., Mock]):
    mock = mock_with(environ={"MOCK_ALLOWED_HOSTS": "Mock.example.com"})

    assert mock.get("/_mock/clock", headers={"Host": "mock.Example.com:8000"}).status_code == 200


ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://evil.example.com"},
    {"Origin": "http://testserver:1"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_page_of_another_site_cannot_drive_the_mock(mock: Mock, headers: dict[str, str]):
    refused = mock.post("/_mock/clock/advance", json={"seconds": 1}, headers=headers)
    preflight = mock.options("/_mock/reset", headers=headers)

    assert (refused.status_code, preflight.status_code) == (403, 403)
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"
    assert "access-control-allow-origin" not in {*refused.headers, *preflight.headers}


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_page_of_another_site_can_push_no_sandbox_out(
    mock_with: Callable[..., Mock], headers: dict[str, str]
):
    mock = mock_with("sandboxes: 1\n")
    mock.get("/sandbox/mine/version")

    assert mock.get("/sandbox/other/picture.png", headers=headers).status_code == 403
    assert [row["name"] for row in mock.get("/_mock/sandboxes").json()] == ["mine"]


def test_a_link_from_another_site_leads_to_the_documentation(mock: Mock):
    assert mock.get("/docs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-origin"},
        # Behind a proxy that has changed the Host, as what a browser says of itself tells.
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://mock.example.com"},
    ],
)
def test_a_page_of_the_mock_itself_may_drive_it(mock: Mock, headers: dict[str, str]):
    assert mock.get("/_mock/clock", headers=headers).status_code == 200


# ---------------------------------------------------------------------------- scenarios


def test_the_built_in_scenarios_are_listed_with_their_source(mock: Mock):
    rows = mock.get("/_mock/scenarios?source=builtin").json()

    assert [row["scenario_id"] for row in rows] == [*range(101), 200, 500]
    assert rows[7]["terminal_after_seconds"] == 7


def test_a_scenario_is_created_shown_replaced_and_deleted(mock: Mock):
    body = {"scenario_id": 900, "name": "a", "terminal_after_seconds": "3m"}

    created = mock.post("/_mock/scenarios", json=body)
    taken = mock.post("/_mock/scenarios", json=body)
    replaced = mock.put("/_mock/scenarios/900", json={**body, "name": "b"})
    deleted = mock.delete("/_mock/scenarios/900")
    gone = mock.get("/_mock/scenarios/900")

    assert (created.status_code, created.json()["terminal_after_seconds"]) == (201, 180)
    assert (created.json()["source"], created.json()["file"]) == ("runtime", None)
    assert taken.status_code == 409
    assert (replaced.status_code, replaced.json()["name"]) == (200, "b")
    assert (deleted.status_code, gone.status_code) == (204, 404)


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, {"scenario_id": 900, "name": "x", "terminal_status": "broken"},
     {"scenario_id": 900, "name": "x", "wrong": 1}, {"scenario_id": "x", "name": "x"}, []],
)  # fmt: skip
def test_a_bad_scenario_is_422_and_changes_nothing(mock: Mock, body: Any):
    before = mock.get("/_mock/scenarios").json()

    assert mock.post("/_mock/scenarios", json=body).status_code == 422
    assert mock.get("/_mock/scenarios").json() == before


def test_a_number_in_the_body_that_differs_from_the_path_is_422(mock: Mock):
    mock.declare(900)

    answer = mock.put("/_mock/scenarios/900", json={"scenario_id": 901, "name": "x"})

    assert answer.status_code == 422


def test_deleting_a_scenario_leaves_its_pipelines_their_inline_values(mock: Mock):
    mock.declare(900, terminal_after_seconds=60, terminal_status="failed")
    inline = mock.trigger(scenario_id=900, terminal_after_seconds=30, terminal_status="canceled")
    plain = mock.trigger(scenario_id=900)

    mock.delete("/_mock/scenarios/900")

    assert mock.pipeline(inline["id"])["status"] == "running"
    assert mock.pipeline(plain["id"])["status"] == "success"
    mock.advance("30s")
    assert mock.pipeline(inline["id"])["status"] == "canceled"


# ---------------------------------------------------------------------------- the clock


def test_the_clock_moves_by_seconds_or_by_a_duration(mock: Mock):
    mock.post("/_mock/clock/advance", json={"seconds": 1.5})
    moved = mock.post("/_mock/clock/advance", json={"duration": "5m"})

    assert moved.json() == {"now": "2026-01-01T00:05:01.500Z", "frozen": True}


@pytest.mark.parametrize(
    "body",
    [{}, {"seconds": 1, "duration": "1s"}, {"seconds": "x"}, {"duration": "soon"},
     {"seconds": 1e300}, {"seconds": -1e12}],
)  # fmt: skip
def test_a_bad_move_is_422_and_moves_nothing(mock: Mock, body: dict[str, Any]):
    assert mock.post("/_mock/clock/advance", json=body).status_code == 422
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"


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
def test_a_body_that_is_not_called_json_is_told_so(mock: Mock, kind: str | None):
    headers = {} if kind is None else {"Content-Type": kind}

    refused = mock.post("/_mock/clock/advance", content='{"seconds": 1}', headers=headers)

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["msg"] == "send the body as Content-Type: application/json"


def test_a_clock_can_be_set_frozen_and_resumed(mock: Mock):
    running = mock.post("/_mock/clock/resume").json()
    frozen = mock.post("/_mock/clock/freeze").json()
    put = mock.put("/_mock/clock", json={"now": "2030-06-01T12:00:00+02:00"}).json()

    assert (running["frozen"], frozen["frozen"]) == (False, True)
    assert put == {"now": "2030-06-01T10:00:00.000Z", "frozen": True}


def test_next_jumps_from_change_to_change_and_tells_them(mock: Mock):
    mock.declare(900, pending_seconds=5, terminal_after_seconds=20)
    mock.trigger(scenario_id=900)
    mock.trigger("2", scenario_id=3)

    jumps = [mock.post("/_mock/clock/next").json() for _ in range(4)]

    assert [jump["now"][17:19] for jump in jumps] == ["03", "05", "20", "20"]
    assert [
        [(c["pipeline_id"], c["after"]) for c in jump["changes"] if c["job_id"] is None]
        for jump in jumps
    ] == [[(2, "success")], [(1, "running")], [(1, "success")], []]


def test_next_can_look_at_one_project_or_pipeline_alone(mock: Mock):
    mock.trigger("1", scenario_id=3)
    mock.trigger("2", scenario_id=9)

    jump = mock.post("/_mock/clock/next", json={"project_id": 2}).json()

    assert jump["now"] == "2026-01-01T00:00:09.000Z"
    assert {change["pipeline_id"] for change in jump["changes"]} == {1, 2}


# ---------------------------------------------------------------------------- pipelines


def test_a_pipeline_shows_what_gitlab_hides(mock_with: Callable[..., Mock]):
    rules = "rules:\n  - {when: {ref: other}, scenario: 1}\n  - {when: {ref: main}, scenario: 2}\n"
    mock = mock_with(rules)
    mock.trigger(variables={"A": "1"})

    shown = mock.get("/_mock/pipelines/1").json()

    assert shown["variables"] == {"A": "1"}
    assert shown["scenario_id"] == 2
    assert shown["matched"]["by"] == "rule"
    assert shown["matched"]["rule"].endswith(":8")
    assert shown["matched"]["passed"][0]["differences"] == [
        {"what": "ref", "wanted": "other", "got": "main"}
    ]
    assert [(change["at"][17:19], change["after"]) for change in shown["timeline"]][-1] == (
        "02",
        "success",
    )


def test_pipelines_of_a_project_can_be_deleted_at_once(mock: Mock):
    for project in ("1", "2", "1"):
        mock.trigger(project)

    deleted = mock.delete("/_mock/pipelines?project_id=1")

    assert deleted.json() == {"deleted": 2}
    assert [row["id"] for row in mock.get("/_mock/pipelines").json()] == [2]


# ---------------------------------------------------------------------------- the journal


def test_the_journal_keeps_calls_newest_first_and_masks_secrets(mock: Mock):
    mock.post("/projects/1/trigger/pipeline?token=t0p", json={"ref": "main", "token": "s3cr3t"})
    mock.get("/projects/1/pipelines?private_token=t0p")

    newest, oldest = mock.get("/_mock/requests").json()

    assert (newest["operation"], oldest["operation"]) == ("list_pipelines", "trigger_pipeline")
    assert oldest["parameters"] == {"ref": "main", "token": "[MASKED]"}
    assert newest["query"] == "private_token=[MASKED]"
    assert (oldest["status"], oldest["ref"], oldest["scenario_id"]) == (201, "main", 500)


@pytest.mark.parametrize(
    "name", ["token", "private%5Ftoken", "%6Aob_token", "TOKEN", "a%5Btoken%5D"]
)
def test_the_journal_masks_a_secret_however_its_name_is_written(mock: Mock, name: str):
    mock.get(f"/projects/1/pipelines?ref=main&{name}=s3cr3t&per_page=5")

    assert f"ref=main&{name}=[MASKED]&per_page=5" in mock.get("/_mock/requests").text


def test_calls_with_and_without_the_prefix_count_alike(mock: Mock):
    mock.get("/projects/1/pipelines")
    mock.get("/api/v4/projects/1/pipelines")

    answer = mock.post("/_mock/verify", json={"path": "/projects/*/pipelines", "times": 2})

    assert (answer.status_code, answer.json()["verified"]) == (200, True)


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
def test_the_number_of_calls_can_be_bounded(mock: Mock, bounds: dict[str, int], status: int):
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
    assert "is no regular expression: unclosed" in refused.text


def test_the_journal_forgets_the_oldest_beyond_its_limit(mock_with: Callable[..., Mock]):
    mock = mock_with("journal: 2\n")
    for number in range(4):
        mock.get(f"/projects/{number + 1}/pipelines")

    assert [call["project_id"] for call in mock.get("/_mock/requests").json()] == [4, 3]


# ---------------------------------------------------------------------------- configuration


def test_an_edit_takes_effect_at_the_next_read_after_a_reload(mock_with: Callable[..., Mock]):
    mock = mock_with("scenarios:\n  - {scenario_id: 900, name: x, terminal_after_seconds: 5}\n")
    mock.trigger(scenario_id=900)
    mock.advance("5s")
    path = mock.app.live.path  # type: ignore[attr-defined]  # the application is ours
    text = path.read_text().replace("terminal_after_seconds: 5", "terminal_status: failed")

    path.write_text(text)
    reloaded = mock.post("/_mock/config/reload")

    assert reloaded.status_code == 200
    assert mock.pipeline(1)["status"] == "failed"


def test_a_broken_edit_leaves_the_last_good_configuration_whole(mock_with: Callable[..., Mock]):
    mock = mock_with("default_scenario: 7\n")
    path = mock.app.live.path  # type: ignore[attr-defined]  # the application is ours

    path.write_text(path.read_text() + "strikt: true\n")
    reloaded = mock.post("/_mock/config/reload")
    shown = mock.get("/_mock/config").json()

    assert reloaded.status_code == 422
    assert shown["default_scenario"] == 7
    assert [(error["line"], error["where"]) for error in shown["errors"]] == [(7, "strikt")]


def test_a_sequence_of_scenarios_is_counted_and_its_last_repeats(mock_with: Callable[..., Mock]):
    mock = mock_with("rules: [{when: {ref: main}, scenario: [3, 4, 5]}]\n")

    for _ in range(4):
        mock.trigger()

    listed = mock.get("/_mock/pipelines").json()
    assert [row["scenario_id"] for row in reversed(listed)] == [3, 4, 5, 5]
    assert mock.get("/_mock/config").json()["rules"][0]["matches"] == 4


def test_the_count_of_a_rule_is_reset_with_its_world(mock_with: Callable[..., Mock]):
    mock = mock_with("rules: [{when: {ref: main}, scenario: [3, 4]}]\n")
    mock.trigger()

    mock.post("/_mock/reset")
    mock.trigger()

    assert mock.get("/_mock/pipelines/1").json()["scenario_id"] == 3
    assert mock.get("/_mock/config").json()["rules"][0]["matches"] == 1


def test_a_rule_can_refuse_with_an_answer_of_its_own(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "rules:\n"
        "  - when: {ref: main}\n"
        '    respond: {status: 400, body: {message: {base: ["Missing CI config file"]}}}\n'
    )

    answer = mock.post("/projects/1/trigger/pipeline", json={"ref": "main"})

    assert (answer.status_code, answer.json()) == (
        400,
        {"message": {"base": ["Missing CI config file"]}},
    )
    assert mock.get("/projects/1/pipelines").json() == []


def test_a_rule_declared_at_run_time_is_tried_before_those_of_the_files(
    mock_with: Callable[..., Mock],
):
    mock = mock_with("rules: [{when: {ref: main}, scenario: 3}]\n")

    made = mock.post("/_mock/rules", json={"when": {"ref": "main"}, "scenario": [7, 8]})
    mock.trigger()

    assert (made.status_code, made.json()["key"], made.json()["source"]) == (
        201,
        "runtime-1",
        "runtime",
    )
    assert mock.get("/_mock/pipelines/1").json()["scenario_id"] == 7
    listed = mock.get("/_mock/rules").json()
    assert [(row["source"], row["matches"]) for row in listed] == [("runtime", 1), ("file", 0)]


def test_rules_of_the_run_are_taken_back_one_or_all(mock: Mock):
    for number in (1, 2, 3):
        mock.post("/_mock/rules", json={"scenario": number})

    def keys() -> list[str]:
        return [row["key"] for row in mock.get("/_mock/rules").json()]

    assert mock.delete("/_mock/rules?key=runtime-2").status_code == 204
    assert keys() == ["runtime-1", "runtime-3"]
    assert mock.delete("/_mock/rules?key=runtime-2").json() == {"message": "404 Rule Not Found"}
    assert mock.delete("/_mock/rules").status_code == 204
    assert keys() == []


def test_a_rule_of_the_run_counts_from_the_start_after_a_reset(mock: Mock):
    rule = {"when": {"ref": "main"}, "scenario": [3, 4]}
    picked = []
    for _ in range(2):
        mock.post("/_mock/rules", json=rule)
        mock.trigger()
        picked.append(mock.get("/_mock/pipelines").json()[0]["scenario_id"])
        mock.post("/_mock/reset")

    assert picked == [3, 3]


def test_a_rule_of_the_run_does_not_inherit_the_count_of_an_earlier_run(
    tmp_path: Path, mock_with: Callable[..., Mock]
):
    base = f"version: 1\ndatabase: '{tmp_path}/mock.db'\n"
    picked = []
    for _ in range(2):
        mock = mock_with(base=base)
        mock.post("/_mock/rules", json={"when": {"ref": "main"}, "scenario": [3, 4]})
        mock.trigger()
        picked.append(mock.get("/_mock/pipelines").json()[0]["scenario_id"])

    assert picked == [3, 3]


def test_a_rule_of_the_run_must_name_a_scenario_that_is_there(mock: Mock):
    refused = mock.post("/_mock/rules", json={"scenario": 4711})

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["msg"] == "there is no scenario 4711"
    assert mock.get("/_mock/rules").json() == []


# ---------------------------------------------------------------------------- faults


def test_a_declared_fault_strikes_as_often_as_it_says(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "faults:\n"
        '  - when: {method: GET, path: "/projects/*/pipelines/*"}\n'
        "    skip: 1\n"
        "    times: 2\n"
        '    respond: {status: 503, headers: {Retry-After: "1"}, body: {message: no}}\n'
    )
    mock.trigger()

    answers = [mock.get("/projects/1/pipelines/1") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 503, 503, 200, 200]
    assert (answers[1].headers["retry-after"], answers[1].json()) == ("1", {"message": "no"})


def test_a_fault_can_be_declared_and_taken_back_at_run_time(mock: Mock):
    body = {"when": {"operation": "get_current_user"}, "respond": {"status": 500}}
    key = mock.post("/_mock/faults", json=body).json()["key"]

    struck = mock.get("/user").status_code
    counted = mock.get("/_mock/faults").json()[0]
    mock.delete(f"/_mock/faults?key={key}")

    assert (struck, mock.get("/user").status_code) == (500, 200)
    assert (counted["matched"], counted["applied"], counted["source"]) == (1, 1, "runtime")


@pytest.mark.parametrize(
    "fault",
    [
        {"when": {}, "drop": True},
        {"when": {"method": "GET", "project": "group/*"}, "truncate": True, "times": 2},
        {"when": {"path": "/user"}, "malformed": True, "skip": 1, "every": 2},
        {"when": {"operation": "get_version"}, "slow": 2, "delay": 1.5},
        {"when": {}, "limit": {"requests": 0, "per": 60}},
        {"when": {}, "respond": {"status": 503, "headers": {"A": "b"}, "body": [{"a": None}]}},
    ],
)
def test_a_fault_is_shown_as_it_would_be_written(mock: Mock, fault: dict[str, Any]):
    made = mock.post("/_mock/faults", json=fault).json()

    assert made["definition"] == fault


def test_a_rule_is_shown_as_it_would_be_written(mock: Mock):
    when = {"project": "42", "variables": {"A": "x*", "B": False}, "inputs": {"n": [1]}}
    rule = {"when": when, "scenario": [1, 2], "cycle": True, "variables": {"V": "1"}, "name": "n"}
    refusal = {"respond": {"status": 400, "headers": {}, "body": "no"}}

    made = mock.post("/_mock/rules", json=rule).json()
    refusing = mock.post("/_mock/rules", json=refusal).json()

    assert {name: made[name] for name in rule if name != "scenario"} == {
        name: value for name, value in rule.items() if name != "scenario"
    }
    assert made["scenarios"] == [1, 2]
    assert (refusing["when"], refusing["respond"]) == ({}, refusal["respond"])


def test_a_limit_answers_429_in_virtual_time(mock_with: Callable[..., Mock]):
    mock = mock_with(
        "faults: [{when: {operation: get_current_user}, limit: {requests: 2, per: 60s}}]\n"
    )

    answers = [mock.get("/user") for _ in range(3)]
    mock.advance("60s")
    after = mock.get("/user")

    assert [answer.status_code for answer in (*answers, after)] == [200, 200, 429, 200]
    headers = answers[2].headers
    assert (headers["retry-after"], headers["ratelimit-limit"]) == ("60", "2")
    assert (headers["ratelimit-observed"], headers["ratelimit-remaining"]) == ("3", "0")
    assert answers[2].text == "Retry later\n"


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        ({"requests": 0, "per": "60s"}, "0"),
        ({"requests": 1, "per": "1h"}, "1"),
        ({"requests": 1, "per": "7s"}, "9"),
    ],
)
def test_a_limit_is_shown_for_a_minute_rounded_up(mock: Mock, limit: dict[str, Any], shown: str):
    mock.post("/_mock/faults", json={"limit": limit})

    answers = [mock.get("/user") for _ in range(limit["requests"] + 1)]

    assert answers[-1].headers["ratelimit-limit"] == shown


def test_a_limit_may_have_an_answer_of_its_own_whose_headers_stand_in_their_places(mock: Mock):
    respond = {"status": 503, "headers": {"retry-after": "0", "X-A": "b"}, "body": []}
    mock.post("/_mock/faults", json={"limit": {"requests": 0, "per": "60s"}, "respond": respond})

    answer = mock.get("/user")

    assert (answer.status_code, answer.json()) == (503, [])
    assert answer.headers.get_list("retry-after") == ["0"]
    assert (answer.headers["x-a"], answer.headers["ratelimit-observed"]) == ("b", "1")


def test_a_fault_may_answer_for_a_path_that_gitlab_has_and_the_mock_has_not(mock: Mock):
    body = {"when": {"path": "/projects/*/merge_requests"}, "respond": {"status": 200, "body": []}}
    mock.post("/_mock/faults", json=body)

    assert mock.get("/projects/1/merge_requests").json() == []


# ---------------------------------------------------------------------------- worlds


def test_reset_makes_the_world_as_new(mock: Mock):
    mock.declare(900)
    mock.trigger()
    mock.get("/projects/group%2Fapp")
    mock.post("/projects/1/triggers", json={"description": "x"})
    mock.advance("1h")

    assert mock.post("/_mock/reset").status_code == 204

    assert mock.get("/_mock/requests").json() == []
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"
    assert mock.get("/_mock/scenarios?source=runtime").json() == []
    assert mock.get("/projects").json() == []
    assert mock.trigger()["id"] == 1


def test_the_default_world_is_reset_only_where_that_is_allowed(mock_with: Callable[..., Mock]):
    mock = mock_with(base="version: 1\ndatabase: ':memory:'\n")
    mock.trigger()

    refused = mock.post("/_mock/reset")
    sandboxed = mock.post("/sandbox/mine/_mock/reset")

    assert (refused.status_code, sandboxed.status_code) == (403, 204)
    assert mock.pipeline(1)["id"] == 1


def test_a_sandbox_is_a_gitlab_of_its_own_from_its_first_use(mock: Mock):
    mock.trigger()
    mock.post("/sandbox/a/api/v4/projects/7/trigger/pipeline", json={"ref": "main"})
    mock.post("/sandbox/a/_mock/clock/advance", json={"duration": "1h"})

    inside = mock.get("/sandbox/a/api/v4/projects/7/pipelines/1").json()

    assert (inside["id"], inside["status"]) == (1, "success")
    assert inside["web_url"] == "http://testserver/sandbox/a/root/project-7/-/pipelines/1"
    assert mock.get("/sandbox/b/projects/7/pipelines").json() == []
    assert mock.get("/_mock/clock").json()["now"] == "2026-01-01T00:00:00.000Z"
    assert [row["name"] for row in mock.get("/_mock/sandboxes").json()] == ["a", "b"]


def test_the_least_recently_used_sandbox_goes_first(mock_with: Callable[..., Mock]):
    mock = mock_with("sandboxes: 2\n")
    for name in ("a", "b", "a", "c"):
        mock.get(f"/sandbox/{name}/version")

    assert [row["name"] for row in mock.get("/_mock/sandboxes").json()] == ["a", "c"]


def test_what_the_clock_of_a_sandbox_leaves_out_is_as_declared(mock: Mock):
    clocks = [
        mock.post("/_mock/sandboxes", json={"name": f"s{n}", "clock": clock}).json()["clock"]
        for n, clock in enumerate(({"now": "2030-01-01T00:00:00Z"}, {"frozen": False}))
    ]

    assert clocks[0] == {"now": "2030-01-01T00:00:00.000Z", "frozen": True}
    assert (clocks[1]["now"][:16], clocks[1]["frozen"]) == ("2026-01-01T00:00", False)


@pytest.mark.parametrize("seed", ["", "\ud800", [], True])
def test_a_seed_that_is_none_is_422(mock: Mock, seed: Any):
    body = json.dumps({"name": "a", "seed": seed})

    refused = mock.post(
        "/_mock/sandboxes", content=body, headers={"Content-Type": "application/json"}
    )

    assert refused.status_code == 422
    assert mock.get("/_mock/sandboxes").json() == []


def test_a_sandbox_can_have_a_clock_and_a_seed_of_its_own(mock: Mock):
    clock = {"now": "2030-01-01T00:00:00Z", "frozen": True}

    made = mock.post("/_mock/sandboxes", json={"name": "a", "clock": clock, "seed": 1})
    again = mock.post("/_mock/sandboxes", json={"name": "a"})

    assert (made.status_code, made.json()["clock"]["now"][:4]) == (201, "2030")
    assert again.status_code == 409
    assert mock.delete("/_mock/sandboxes/a").status_code == 204
    assert mock.delete("/_mock/sandboxes/a").status_code == 404


@pytest.mark.parametrize("name", ["a%2Fb", "%2e%2e", "-", "a" * 129, "%00"])
def test_a_name_that_could_be_a_path_is_no_sandbox(mock: Mock, name: str):
    assert mock.get(f"/sandbox/{name}/projects/1/pipelines").status_code in (400, 404)
    assert mock.get("/_mock/sandboxes").json() == []


def test_a_reload_reaches_every_sandbox(mock_with: Callable[..., Mock]):
    mock = mock_with("default_scenario: 1\n")
    mock.get("/sandbox/a/version")
    path = mock.app.live.path  # type: ignore[attr-defined]  # the application is ours

    path.write_text(path.read_text().replace("default_scenario: 1", "default_scenario: 2"))
    mock.post("/_mock/config/reload")

    assert mock.get("/sandbox/a/_mock/config").json()["default_scenario"] == 2


def test_a_fault_of_a_scenario_strikes_the_calls_about_its_pipelines_alone(mock: Mock):
    fault = {"when": {"method": "GET"}, "times": 1, "respond": {"status": 502}}
    mock.declare(900, faults=[fault], jobs=[{"name": "build", "duration": 5}])
    mock.trigger(scenario_id=900)
    mock.trigger(scenario_id=5)

    other = mock.get("/projects/1/pipelines/2").status_code
    about = [mock.get("/projects/1/jobs/100001").status_code for _ in range(2)]

    assert (other, about) == (200, [502, 200])


def test_a_fault_of_a_scenario_knows_its_pipeline_by_project_and_number(mock: Mock):
    mock.declare(900, faults=[{"respond": {"status": 502}}])
    mock.trigger(scenario_id=900)

    paths = ("1/pipelines/1", "1/pipelines/%31", "root%2Fproject-1/pipelines/1", "2/pipelines/1")
    statuses = [mock.get(f"/projects/{path}").status_code for path in paths]

    assert statuses == [502, 502, 502, 404]


def test_a_fault_can_be_bound_to_a_project(mock: Mock):
    body = {"when": {"project": "group/*"}, "respond": {"status": 503}}
    mock.post("/_mock/faults", json=body)

    statuses = [
        mock.get(f"/projects/{name}/pipelines").status_code for name in ("group%2Fapp", "1")
    ]

    assert statuses == [503, 200]
    assert [row["id"] for row in mock.get("/projects").json()] == [1]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b'{"now": "\xe4"}'])
def test_a_body_that_is_no_json_is_422(mock: Mock, body: bytes):
    headers = {"Content-Type": "application/json"}

    refused = mock.put("/_mock/clock", content=body, headers=headers)

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["type"] == "json_invalid"


def test_a_body_over_the_limit_is_413_under_mock_too(mock_with: Callable[..., Mock]):
    mock = mock_with("max_body_bytes: 100\n")

    refused = mock.post("/_mock/scenarios", json={"name": "x" * 100})

    assert (refused.status_code, refused.json()) == (
        413,
        {"message": "413 Request Entity Too Large"},
    )


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
