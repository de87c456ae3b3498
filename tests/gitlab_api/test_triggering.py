"""Triggering a pipeline: forms of the call, who may, and what is refused in which words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

TRIGGER = "/api/v4/projects/1/trigger/pipeline"
TWO_PROJECTS = """
projects:
  - {id: 1, path: group/app, trigger_tokens: [{description: ci, token: glptt-one}]}
  - {id: 2, path: group/other, trigger_tokens: [{description: ci, token: glptt-two}]}
"""
FULL_REFS = """
projects:
  - {id: 1, path: group/app, refs: [main, release/*, vendor], tags: [v1],
     trigger_tokens: [{description: ci, token: glptt-one}]}
"""
KEYS = [
    "id", "iid", "project_id", "sha", "ref", "status", "source", "created_at", "updated_at",
    "web_url", "before_sha", "tag", "yaml_errors", "user", "started_at", "finished_at",
    "committed_at", "duration", "queued_duration", "coverage", "detailed_status", "archived",
]  # fmt: skip


def test_a_triggered_pipeline_has_gitlabs_keys_in_gitlabs_order(mock: Mock):
    pipeline = mock.trigger()

    assert list(pipeline) == KEYS
    assert (pipeline["source"], pipeline["status"]) == ("trigger", "running")
    assert pipeline["created_at"] == "2026-01-01T00:00:00.000Z"


def test_the_single_pipeline_also_has_a_name(mock: Mock):
    number = mock.trigger()["id"]

    assert list(mock.pipeline(number)) == [*KEYS, "name"]


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"ref": "main", "variables": {"A": "1"}}},
        {"data": {"ref": "main", "variables[A]": "1"}},
        {"files": {"ref": (None, "main"), "variables[A]": (None, "1")}},
        {"params": {"ref": "main", "variables[A]": "1"}},
    ],
    ids=["json", "urlencoded", "multipart", "query"],
)
def test_every_form_of_the_call_is_the_same_call(mock: Mock, sent: dict[str, Any]):
    answer = mock.post(TRIGGER, **sent)

    assert answer.status_code == 201
    variables = mock.get("/projects/1/pipelines/1/variables").json()
    assert variables[0] == {"variable_type": "env_var", "key": "A", "value": "1", "raw": False}


@pytest.mark.parametrize("form", ["json", "data"])
def test_inline_values_override_the_scenario_field_by_field(mock: Mock, form: str):
    mock.declare(900, terminal_after_seconds=60, terminal_status="failed")
    body = {"ref": "main", "scenario_id": "900", "terminal_after_seconds": "5"}

    number = mock.post(TRIGGER, **{form: body}).json()["id"]

    mock.advance("4999ms")
    assert mock.pipeline(number)["status"] == "running"
    mock.advance("1ms")
    assert mock.pipeline(number)["status"] == "failed"


@pytest.mark.parametrize(
    ("scenario", "seconds"), [(1, 1), (99, 99), (100, 60), (200, 120), (500, 300)]
)
def test_built_in_scenarios_succeed_at_exactly_their_time(mock: Mock, scenario: int, seconds: int):
    number = mock.trigger(scenario_id=scenario)["id"]

    mock.advance(f"{seconds * 1000 - 1}ms")
    assert mock.pipeline(number)["status"] == "running"
    mock.advance("1ms")
    assert mock.pipeline(number)["status"] == "success"


def test_scenario_0_never_completes_whatever_is_said_inline(mock: Mock):
    number = mock.trigger(scenario_id=0, terminal_after_seconds=1, terminal_status="failed")["id"]

    mock.advance("365d")

    assert mock.pipeline(number)["status"] == "running"


def test_the_ref_in_the_path_beats_the_one_in_the_body(mock: Mock):
    answer = mock.post("/projects/1/ref/release%2F1.0/trigger/pipeline", json={"ref": "main"})

    assert (answer.status_code, answer.json()["ref"]) == (201, "release/1.0")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "ref is missing, ref is empty"),
        ({"ref": ""}, "ref is empty"),
        ({"ref": "main", "variables": "x"}, "variables is invalid"),
        ({"ref": "main", "variables": ["x"]}, "variables is invalid"),
        ({"ref": "main", "scenario_id": "x"}, "scenario_id is invalid"),
        ({"ref": "main", "terminal_status": "x"}, "terminal_status does not have a valid value"),
        ({"ref": "main", "terminal_after_seconds": -1},
         "terminal_after_seconds does not have a valid value"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named_in_grapes_words(mock: Mock, body: dict[str, Any], error: str):
    answer = mock.post(TRIGGER, json=body)

    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_without_anything_everything_is_missing_at_once(mock: Mock):
    answer = mock.anonymous().post(TRIGGER)

    assert answer.status_code == 400
    assert answer.json() == {"error": "ref is missing, ref is empty, token is missing"}


@pytest.mark.parametrize("value", [1, True, None, ["x"], {"a": "b"}])
def test_a_variable_that_is_no_string_is_refused(mock: Mock, value: Any):
    answer = mock.post(TRIGGER, json={"ref": "main", "variables": {"A": value}})

    assert answer.status_code == 400
    assert answer.json() == {"message": "variables needs to be a map of key-valued strings"}


def test_an_unknown_scenario_is_404_and_makes_no_pipeline(mock: Mock):
    answer = mock.post(TRIGGER, json={"ref": "main", "scenario_id": 12345})

    assert (answer.status_code, answer.json()) == (404, {"message": "404 Scenario Not Found"})
    assert mock.get("/projects/1/pipelines").json() == []


def test_a_pipeline_hook_must_not_trigger(mock: Mock):
    answer = mock.post(TRIGGER, json={"ref": "main"}, headers={"X-Gitlab-Event": "Pipeline Hook"})

    assert (answer.status_code, answer.json()) == (403, {"message": "403 Forbidden"})


def test_malformed_json_is_400_and_another_content_type_415(mock: Mock):
    headers = {"Content-Type": "application/json"}
    malformed = mock.post(TRIGGER, content=b"{", headers=headers)
    other = mock.post(TRIGGER, content=b"x", headers={"Content-Type": "text/plain"})

    assert (malformed.status_code, list(malformed.json())) == (400, ["error"])
    assert other.status_code == 415
    assert other.json() == {"error": "The provided content-type 'text/plain' is not supported."}


def test_a_body_over_the_limit_is_413(mock_with: Callable[..., Mock]):
    mock = mock_with("max_body_bytes: 100\n")

    answer = mock.post(TRIGGER, json={"ref": "x" * 100})

    assert (answer.status_code, answer.json()) == (413, {"message": "413 Request Entity Too Large"})


def test_an_undeclared_ref_of_a_project_that_lists_its_refs_is_not_found(
    mock_with: Callable[..., Mock],
):
    mock = mock_with("projects: [{id: 1, path: group/app, refs: [main, release/*], tags: [v*]}]\n")

    found = {ref: mock.post(TRIGGER, json={"ref": ref}) for ref in ("release/1", "v1.0", "other")}

    assert found["release/1"].json()["tag"] is False
    assert found["v1.0"].json()["tag"] is True
    assert found["other"].status_code == 400
    assert found["other"].json() == {"message": {"base": ["Reference not found"]}}


# ---------------------------------------------------------------------------- who may


@pytest.mark.parametrize(
    ("strict", "token", "status"),
    [
        (False, "glptt-one", 201),
        (False, "glptt-two", 404),
        (False, "glptt-nobody", 401),
        (False, "MOCK_SUPER_SECRET", 201),
        (False, None, 401),
        (True, "glptt-one", 201),
        (True, "glptt-two", 404),
        (True, "glptt-nobody", 404),
        (True, "MOCK_SUPER_SECRET", 404),
        (True, None, 400),
    ],
)
def test_what_a_token_without_a_header_is_worth(
    mock_with: Callable[..., Mock], strict: bool, token: str | None, status: int
):
    mock = mock_with(f"strict: {str(strict).lower()}\n{TWO_PROJECTS}")
    body = {"ref": "main"} | ({} if token is None else {"token": token})

    answer = mock.anonymous().post(TRIGGER, json=body)

    assert answer.status_code == status


@pytest.mark.parametrize(("strict", "status"), [(False, 201), (True, 400)])
def test_a_header_alone_suffices_unless_strict(
    mock_with: Callable[..., Mock], strict: bool, status: int
):
    mock = mock_with(f"strict: {str(strict).lower()}\n{TWO_PROJECTS}")

    assert mock.post(TRIGGER, json={"ref": "main"}).status_code == status


def test_a_wrong_header_is_not_looked_at_where_a_trigger_token_is_right(
    mock_with: Callable[..., Mock],
):
    mock = mock_with(TWO_PROJECTS)
    headers = {"PRIVATE-TOKEN": "wrong"}

    right = mock.post(TRIGGER, json={"ref": "main", "token": "glptt-one"}, headers=headers)
    none = mock.post(TRIGGER, json={"ref": "main"}, headers=headers)
    unknown = mock.post(TRIGGER, json={"ref": "main", "token": "glptt-none"}, headers=headers)
    nothing = mock.post(TRIGGER, headers=headers)

    assert (right.status_code, none.status_code, unknown.status_code) == (201, 401, 401)
    assert nothing.json() == {"error": "ref is missing, ref is empty, token is missing"}
    assert none.json() == {"message": "401 Unauthorized"}


def test_an_unknown_project_is_a_bare_404_when_strict(mock_with: Callable[..., Mock]):
    mock = mock_with(f"strict: true\n{TWO_PROJECTS}")

    answer = mock.post("/projects/9/trigger/pipeline", json={"ref": "main", "token": "glptt-one"})

    assert (answer.status_code, answer.json()) == (404, {"message": "404 Not Found"})


def test_a_trigger_token_remembers_its_last_use(mock_with: Callable[..., Mock]):
    mock = mock_with(TWO_PROJECTS)
    assert mock.get("/projects/1/triggers").json()[0]["last_used"] is None

    mock.advance("1m")
    mock.trigger(token="glptt-one")

    assert mock.get("/projects/1/triggers").json()[0]["last_used"] == "2026-01-01T00:01:00.000Z"


def test_the_body_of_a_webhook_is_kept_as_a_file_for_the_jobs(mock_with: Callable[..., Mock]):
    mock = mock_with(TWO_PROJECTS)
    hook = {"object_kind": "push", "ref": "refs/heads/other", "project": {"id": 7}}

    answer = mock.anonymous().post(
        "/projects/1/ref/main/trigger/pipeline?token=glptt-one&variables[A]=1", json=hook
    )
    shown = mock.get(f"/projects/1/pipelines/{answer.json()['id']}/variables").json()

    assert [(each["key"], each["variable_type"]) for each in shown] == [
        ("A", "env_var"),
        ("TRIGGER_PAYLOAD", "file"),
    ]
    assert json.loads(shown[1]["value"]) == {
        "ref": "main",
        "id": "1",
        "variables": {"A": "1"},
        "object_kind": "push",
        "project": {"id": 7},
    }


def test_the_token_of_an_erased_or_ended_job_triggers_nothing(mock: Mock):
    mock.declare(900, jobs=[{"name": "build", "duration": 10, "trace": "done\n"}])
    mock.trigger(scenario_id=900)
    job = mock.get("/_mock/pipelines/1").json()["jobs"][0]
    order = {"ref": "main", "token": job["token"]}
    mock.advance("10s")

    ended = mock.anonymous().post(TRIGGER, json=order)
    mock.post(f"/projects/1/jobs/{job['id']}/erase")
    erased = mock.anonymous().post(TRIGGER, json=order)

    assert (ended.status_code, ended.json()) == (401, {"message": "Job is not running"})
    assert (erased.status_code, erased.json()) == (401, {"message": "Job has been erased!"})


def test_the_token_of_a_running_job_triggers_with_source_pipeline(mock: Mock):
    mock.declare(900, jobs=[{"name": "build", "duration": 30}])
    first = mock.trigger(scenario_id=900)["id"]
    token = mock.get(f"/_mock/pipelines/{first}").json()["jobs"][0]["token"]

    running = mock.anonymous().post(TRIGGER, json={"ref": "main", "token": token})
    mock.advance("30s")
    ended = mock.anonymous().post(TRIGGER, json={"ref": "main", "token": token})

    assert (running.status_code, running.json()["source"]) == (201, "pipeline")
    assert (ended.status_code, ended.json()) == (401, {"message": "Job is not running"})


# ---------------------------------------------------------------------------- the first look


def test_the_answer_shows_the_scenario_as_it_is_declared_now(mock: Mock):
    mock.declare(900, terminal_after_seconds=60)
    before = mock.trigger(scenario_id=900)
    changed = {"scenario_id": 900, "name": "at once", "terminal_after_seconds": 0}
    mock.put("/_mock/scenarios/900", json={**changed, "terminal_status": "failed"})

    after = mock.trigger(scenario_id=900)

    assert (before["status"], after["status"]) == ("running", "failed")
    assert after == {k: v for k, v in mock.pipeline(after["id"]).items() if k != "name"}


def test_the_answer_shows_what_is_asked_for_beside_the_scenario(mock: Mock):
    asked: list[dict[str, Any]] = [
        {},
        {"terminal_after_seconds": 0},
        {"terminal_after_seconds": 0, "terminal_status": "failed"},
        {"terminal_status": "failed"},
    ]

    answers = [mock.trigger(scenario_id=5, **more) for more in asked]

    assert [each["status"] for each in answers] == ["running", "success", "failed", "running"]
    for each in answers:
        assert each == {k: v for k, v in mock.pipeline(each["id"]).items() if k != "name"}


# ---------------------------------------------------------------------------- full refs


@pytest.mark.parametrize(
    ("ref", "name", "tag"),
    [
        ("refs/heads/main", "main", False),
        ("refs/heads/release/1", "release/1", False),
        ("refs/tags/v1", "v1", True),
    ],
)
@pytest.mark.parametrize("strict", ["true", "false"])
@pytest.mark.parametrize("sent", ["body", "query", "path", "create", "trigger token"])
def test_a_full_ref_is_taken_and_kept_as_its_name(
    mock_with: Callable[..., Mock], ref: str, name: str, tag: bool, strict: str, sent: str
):
    mock = mock_with(f"strict: {strict}\n" + FULL_REFS)
    path = f"/api/v4/projects/1/ref/{ref.replace('/', '%2F')}/trigger/pipeline"
    token = {"token": "glptt-one"}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "body": (TRIGGER, {"json": {"ref": ref, **token}}),
        "query": (TRIGGER, {"params": {"ref": ref, **token}}),
        "path": (path, {"json": token}),
        "create": ("/api/v4/projects/1/pipeline", {"json": {"ref": ref}}),
        "trigger token": (TRIGGER, {"data": {"ref": ref, **token}}),
    }
    url, body = calls[sent]

    pipeline = mock.post(url, **body).json()

    assert (pipeline["ref"], pipeline["tag"]) == (name, tag)
    kind = "tags" if tag else "branches"
    [commit] = [
        row["commit"]
        for row in mock.get(f"/projects/1/repository/{kind}").json()
        if row["name"] == name
    ]
    assert pipeline["sha"] == commit["id"]


@pytest.mark.parametrize("ref", ["refs/heads/v1", "refs/tags/main", "refs/heads/", "refs/tags/"])
def test_a_full_ref_that_does_not_exist_is_no_reference(mock_with: Callable[..., Mock], ref: str):
    mock = mock_with("strict: true\n" + FULL_REFS)

    answer = mock.post("/api/v4/projects/1/pipeline", json={"ref": ref})

    assert (answer.status_code, answer.json()) == (
        400,
        {"message": {"base": ["Reference not found"]}},
    )


@pytest.mark.parametrize("ref", ["main", "refs/heads/main"])
@pytest.mark.parametrize("pattern", ["main", "m*", "refs/heads/main", "refs/heads/*"])
def test_rules_know_a_branch_by_its_name_and_by_its_full_ref(
    mock_with: Callable[..., Mock], ref: str, pattern: str
):
    mock = mock_with(f'rules: [{{when: {{ref: "{pattern}"}}, scenario: 5}}]\n')

    mock.trigger(ref=ref)

    assert mock.get("/_mock/pipelines/1").json()["scenario_id"] == 5


def test_rules_tell_tags_from_branches_by_the_full_ref(mock_with: Callable[..., Mock]):
    mock = mock_with('rules: [{when: {ref: "refs/tags/v*"}, scenario: 5}]\n' + FULL_REFS)

    for ref in ("v1", "refs/tags/v1", "vendor", "refs/heads/vendor"):
        mock.trigger(ref=ref)

    rows = mock.get("/_mock/pipelines").json()
    assert [row["scenario_id"] for row in reversed(rows)] == [5, 5, 500, 500]
    [passed] = mock.get("/_mock/pipelines/3").json()["matched"]["passed"]
    assert passed["differences"] == [{"what": "ref", "wanted": "refs/tags/v*", "got": "vendor"}]


def test_verifications_know_a_full_ref_by_its_name(mock: Mock):
    for ref in ("refs/tags/v1", "v1"):
        mock.trigger(ref=ref)

    for ref, count in (("v1", 2), ("refs/tags/v*", 2), ("refs/heads/v1", 1)):
        answer = mock.post("/_mock/verify", json={"ref": ref, "times": count})
        assert answer.status_code == 200, answer.text


def test_the_payload_of_a_trigger_says_the_ref_as_it_was_sent(mock: Mock):
    mock.trigger(ref="refs/heads/main")

    [payload] = mock.get("/projects/1/pipelines/1/variables").json()

    assert json.loads(payload["value"])["ref"] == "refs/heads/main"


def test_a_bridge_starts_a_pipeline_of_a_full_ref(mock_with: Callable[..., Mock]):
    mock = mock_with("strict: true\n" + FULL_REFS)
    downstream = {"project": "group/app", "scenario": 5, "ref": "refs/tags/v1"}
    mock.declare(900, jobs=[{"name": "bridge", "downstream": downstream}])

    mock.post("/projects/1/pipeline", json={"ref": "main", "scenario_id": 900})

    started = mock.get("/projects/1/pipelines/2").json()
    assert (started["ref"], started["tag"]) == ("v1", True)
