"""Jobs over HTTP: what they show, and what playing, retrying, cancelling and erasing them does."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

PIPELINE = "/api/v4/projects/1/pipelines/1"
JOBS = "/api/v4/projects/1/jobs"
DELIVERY = [
    {"name": "build", "stage": "build", "duration": 30, "trace": "one\ntwo\nthree\n",
     "tags": ["b", "a"], "artifacts": {"dist/app.txt": "1.4.0"}, "coverage": 80},
    {"name": "unit", "stage": "test", "duration": 10, "status": "failed",
     "failure_reason": "runner_system_failure"},
    {"name": "deploy", "stage": "deploy", "duration": 5, "when": "manual", "allow_failure": False},
]  # fmt: skip
KEYS = [
    "id", "status", "stage", "name", "ref", "tag", "coverage", "allow_failure", "created_at",
    "started_at", "finished_at", "erased_at", "duration", "queued_duration", "user", "commit",
    "pipeline", "web_url", "project", "artifacts", "runner", "runner_manager",
    "artifacts_expire_at", "archived", "tag_list",
]  # fmt: skip


@pytest.fixture
def delivery(mock: Mock) -> Mock:
    """A pipeline that builds for 30 seconds, tests for 10, and waits to deploy."""
    mock.declare(900, jobs=DELIVERY)
    mock.trigger(scenario_id=900)
    return mock


def job(mock: Mock, name: str) -> Any:
    """Find the newest attempt of a job."""
    return next(job for job in mock.get(f"{PIPELINE}/jobs").json() if job["name"] == name)


def test_a_job_has_gitlabs_keys_in_gitlabs_order(delivery: Mock):
    assert list(job(delivery, "build")) == KEYS


def test_a_failed_job_alone_has_a_failure_reason(delivery: Mock):
    delivery.advance("40s")

    failed = job(delivery, "unit")
    assert failed["failure_reason"] == "runner_system_failure"
    assert list(failed)[:18] == [*KEYS[:17], "failure_reason"]
    assert "failure_reason" not in job(delivery, "build")


def test_jobs_are_listed_newest_first_and_by_scope(delivery: Mock):
    delivery.advance("30s")

    names = [job["name"] for job in delivery.get(f"{PIPELINE}/jobs").json()]
    running = delivery.get(f"{PIPELINE}/jobs?scope[]=running&scope[]=pending").json()
    bad = delivery.get(f"{PIPELINE}/jobs?scope=x")

    assert names == ["deploy", "unit", "build"]
    assert [job["name"] for job in running] == ["unit"]
    assert (bad.status_code, bad.json()) == (400, {"error": "scope does not have a valid value"})


def test_a_trace_grows_by_whole_lines_while_the_job_runs(delivery: Mock):
    number = job(delivery, "build")["id"]

    read = []
    for _ in range(4):
        read.append(delivery.get(f"{JOBS}/{number}/trace").text)
        delivery.advance("10s")

    assert read == ["", "one\n", "one\ntwo\n", "one\ntwo\nthree\n"]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("byte_offset=4", "two\nthree\n"),
        ("byte_limit=3", "one"),
        ("byte_offset=4&byte_limit=3", "two"),
        ("byte_offset=99", ""),
    ],
)
def test_a_part_of_a_trace_is_read_by_its_bytes(delivery: Mock, asked: str, part: str):
    number = job(delivery, "build")["id"]
    delivery.advance("30s")

    assert delivery.get(f"{JOBS}/{number}/trace?{asked}").text == part


@pytest.mark.parametrize("asked", ["byte_offset=-1", "byte_limit=0"])
def test_a_part_of_a_trace_that_cannot_be_is_refused(delivery: Mock, asked: str):
    answer = delivery.get(f"{JOBS}/1001/trace?{asked}")

    error = f"{asked.partition('=')[0]} does not have a valid value"
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_a_skipped_stage_follows_a_failed_job(delivery: Mock):
    delivery.advance("40s")

    assert job(delivery, "deploy")["status"] == "skipped"
    assert delivery.pipeline(1)["status"] == "failed"
    assert delivery.pipeline(1)["duration"] == 40


def test_retrying_a_job_makes_a_new_one_and_hides_the_old(delivery: Mock):
    delivery.advance("40s")
    old = job(delivery, "unit")["id"]

    answer = delivery.post(f"{JOBS}/{old}/retry")
    again = delivery.post(f"{JOBS}/{old}/retry")

    listed = [job["id"] for job in delivery.get(f"{PIPELINE}/jobs").json()]
    everything = delivery.get(f"{PIPELINE}/jobs?include_retried=true").json()
    assert (answer.status_code, answer.json()["status"]) == (201, "running")
    assert old not in listed
    assert old in [job["id"] for job in everything]
    assert (again.status_code, again.json()) == (
        403,
        {"message": "403 Forbidden - Job is not retryable"},
    )


def test_a_manual_job_waits_until_it_is_played(mock: Mock):
    mock.declare(900, jobs=[DELIVERY[0], DELIVERY[2]])
    mock.trigger(scenario_id=900)
    mock.advance("1h")
    assert mock.pipeline(1)["status"] == "manual"
    number = job(mock, "deploy")["id"]

    played = mock.post(f"{JOBS}/{number}/play")
    again = mock.post(f"{JOBS}/{number}/play")
    mock.advance("5s")

    assert (played.status_code, played.json()["id"]) == (200, number)
    assert (again.status_code, again.json()) == (
        400,
        {"message": "400 Bad request - Unplayable Job"},
    )
    assert mock.pipeline(1)["status"] == "success"


def test_a_delayed_job_starts_after_its_delay_or_when_played(mock: Mock):
    mock.declare(900, jobs=[{"name": "later", "when": "delayed", "start_in": "1m", "duration": 5}])
    mock.trigger(scenario_id=900)
    mock.trigger(scenario_id=900)
    assert mock.pipeline(1)["status"] == "scheduled"

    mock.post(f"{JOBS}/{job(mock, 'later')['id']}/play")
    mock.advance("5s")
    assert mock.pipeline(1)["status"] == "success"
    mock.advance("1m")
    assert mock.pipeline(2)["status"] == "success"


def test_cancelling_a_job_leaves_a_finished_one_alone(delivery: Mock):
    number = job(delivery, "build")["id"]

    canceled = delivery.post(f"{JOBS}/{number}/cancel")
    again = delivery.post(f"{JOBS}/{number}/cancel")

    assert [(a.status_code, a.json()["status"]) for a in (canceled, again)] == [
        (201, "canceled"),
        (201, "canceled"),
    ]


def test_erasing_clears_trace_and_artifacts(delivery: Mock):
    number = job(delivery, "build")["id"]
    early = delivery.post(f"{JOBS}/{number}/erase")
    delivery.advance("30s")

    erased = delivery.post(f"{JOBS}/{number}/erase")

    assert (early.status_code, early.json()) == (
        403,
        {"message": "403 Forbidden - Job is not erasable!"},
    )
    assert (erased.status_code, erased.json()["artifacts"]) == (201, [])
    assert erased.json()["erased_at"] == "2026-01-01T00:00:30.000Z"
    assert delivery.get(f"{JOBS}/{number}/trace").text == ""
    assert delivery.get(f"{JOBS}/{number}/artifacts").status_code == 404


def test_artifacts_are_a_real_archive_and_single_files(mock: Mock):
    mock.declare(900, jobs=DELIVERY[:1])
    mock.trigger(scenario_id=900)
    number = job(mock, "build")["id"]
    assert mock.get(f"{JOBS}/{number}/artifacts").status_code == 404
    mock.advance("30s")

    archive = mock.get(f"{JOBS}/{number}/artifacts")
    single = mock.get(f"{JOBS}/{number}/artifacts/dist/app.txt")
    of_ref = mock.get(f"{JOBS}/artifacts/main/download?job=build")
    one_of_ref = mock.get(f"{JOBS}/artifacts/main/raw/dist/app.txt?job=build")
    outside = mock.get(f"{JOBS}/{number}/artifacts/..%2Fetc%2Fpasswd")

    assert zipfile.ZipFile(io.BytesIO(archive.content)).read("dist/app.txt") == b"1.4.0"
    assert archive.headers["content-disposition"].startswith('attachment; filename="artifacts.zip"')
    assert (single.content, one_of_ref.content) == (b"1.4.0", b"1.4.0")
    assert of_ref.content == archive.content
    assert outside.status_code == 400
    assert mock.get(f"{JOBS}/artifacts/main/download").json() == {"error": "job is missing"}


@pytest.mark.parametrize(
    ("ref", "job", "status"),
    [("main", "build", 200), ("main", "other", 404), ("other", "build", 404)],
)
def test_artifacts_of_a_ref_are_those_of_its_newest_success(
    mock: Mock, ref: str, job: str, status: int
):
    mock.declare(900, jobs=[{"name": "build", "artifacts": [{"path": "a", "content": "b"}]}])
    mock.trigger(scenario_id=900)
    mock.advance("1h")
    mock.trigger(scenario_id=0)

    answer = mock.get(f"/projects/1/jobs/artifacts/{ref}/raw/a?job={job}")

    assert answer.status_code == status


def test_the_jobs_of_a_project_are_never_counted(delivery: Mock):
    delivery.trigger(scenario_id=5)

    answer = delivery.get(f"{JOBS}?per_page=3")

    assert [job["pipeline"]["id"] for job in answer.json()] == [2, 1, 1]
    assert "x-total" not in answer.headers
    assert 'rel="last"' not in answer.headers["link"]
    assert answer.headers["x-next-page"] == "2"


def test_a_scenario_without_jobs_shows_one_job_of_the_pipelines_status(mock: Mock):
    mock.trigger(scenario_id=5)

    for status in ("running", "success"):
        [only] = mock.get(f"{PIPELINE}/jobs").json()
        assert only["status"] == status == mock.pipeline(1)["status"]
        mock.advance("5s")


def test_parallel_jobs_are_numbered(mock: Mock):
    mock.declare(900, jobs=[{"name": "rspec", "parallel": 3}])
    mock.trigger(scenario_id=900)

    names = [job["name"] for job in mock.get(f"{PIPELINE}/jobs").json()]

    assert names == ["rspec 3/3", "rspec 2/3", "rspec 1/3"]


def test_the_job_of_a_job_token_is_found_while_it_runs(delivery: Mock):
    running = delivery.get("/_mock/pipelines/1").json()["jobs"][0]
    client = delivery.anonymous()

    found = client.get("/job", headers={"JOB-TOKEN": running["token"]})
    delivery.advance("30s")
    ended = client.get("/job", headers={"JOB-TOKEN": running["token"]})

    assert (found.status_code, found.json()["id"]) == (200, running["id"])
    assert ended.status_code == 401
    assert delivery.get("/job").json() == {"message": "404 Job Not Found"}


@pytest.mark.parametrize("number", ["1", "999", "100004", "99999999999999999999999"])
def test_an_unknown_job_is_404(delivery: Mock, number: str):
    answer = delivery.get(f"{JOBS}/{number}")

    assert (answer.status_code, answer.json()) == (404, {"message": "404 Not found"})


def test_artifacts_are_deleted_and_the_log_stays(delivery: Mock):
    delivery.advance("30s")
    number = job(delivery, "build")["id"]
    kept = delivery.post(f"{JOBS}/{number}/artifacts/keep")

    deleted = delivery.delete(f"{JOBS}/{number}/artifacts")

    assert (kept.status_code, kept.json()["artifacts_file"]["filename"]) == (200, "artifacts.zip")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert [each["file_type"] for each in job(delivery, "build")["artifacts"]] == ["trace"]
    assert delivery.get(f"{JOBS}/{number}/artifacts").json() == {"message": "404 Not Found"}
    assert delivery.post(f"{JOBS}/{number}/artifacts/keep").status_code == 404
    assert delivery.get(f"{JOBS}/{number}/trace").text == "one\ntwo\nthree\n"
    assert delivery.delete(f"{JOBS}/{number}/artifacts").status_code == 204
    assert len(delivery.get("/_mock/pipelines/1").json()["actions"]) == 1


def test_the_artifacts_of_a_project_are_deleted_by_then_and_no_later_ones(delivery: Mock):
    delivery.trigger("2", scenario_id=900)
    delivery.advance("30s")
    delivery.trigger(scenario_id=900)

    accepted = delivery.delete("/api/v4/projects/1/artifacts")
    delivery.advance("30s")

    assert (accepted.status_code, accepted.json()) == (202, {"message": "202 Accepted"})
    found = [
        delivery.get(f"/api/v4/projects/{project}/jobs/{number}/artifacts").status_code
        for project, number in ((1, 100_001), (2, 200_001), (1, 300_001))
    ]
    assert found == [404, 200, 200]


def test_a_bridge_is_no_job_that_could_be_erased_or_downloaded(mock: Mock):
    mock.declare(900, jobs=[bridge_to("2", 5)])
    mock.trigger(scenario_id=900)
    for method, what in [("POST", "erase"), ("GET", "artifacts"), ("DELETE", "artifacts")]:
        answer = mock.request(method, f"{JOBS}/100001/{what}")
        assert (answer.status_code, answer.json()) == (404, {"message": "404 Not found"}), what


def test_the_variables_of_a_played_job_stand_in_the_journal(delivery: Mock):
    delivery.declare(901, jobs=[{"name": "gate", "when": "manual"}])
    number = delivery.trigger(scenario_id=901)["id"] * 100_000 + 1
    played = {"job_variables_attributes": [{"key": "TARGET", "value": "prod"}]}
    assert delivery.post(f"{JOBS}/{number}/play", json=played).status_code == 200

    wanted = {"operation": "play_job", "variables": {"TARGET": "prod"}, "times": 1}
    assert delivery.post("/_mock/verify", json=wanted).status_code == 200


# ---------------------------------------------------------------------------- bridges


BRIDGED = """
projects: [{id: 1, path: group/app}, {id: 2, path: group/deploy}]
scenarios:
  - scenario_id: 900
    jobs:
      - {name: build, stage: build, duration: 10s}
      - name: deploy
        stage: deploy
        downstream: {project: group/deploy, scenario: 5, strategy: depend, variables: {V: "1"}}
"""


def test_a_bridge_starts_a_pipeline_elsewhere_at_its_own_moment(mock_with: Callable[..., Mock]):
    mock = mock_with(BRIDGED)
    mock.trigger(scenario_id=900)
    assert mock.get("/projects/2/pipelines").json() == []

    mock.advance("12s")
    [downstream] = mock.get("/projects/2/pipelines").json()

    assert (downstream["created_at"], downstream["source"]) == (
        "2026-01-01T00:00:10.000Z",
        "pipeline",
    )
    assert downstream["status"] == "running"
    assert mock.get(f"/projects/2/pipelines/{downstream['id']}/variables").json()[0]["value"] == "1"


def test_a_depending_bridge_mirrors_its_pipeline(mock_with: Callable[..., Mock]):
    mock = mock_with(BRIDGED)
    mock.trigger(scenario_id=900)

    mock.advance("12s")
    [bridge] = mock.get(f"{PIPELINE}/bridges").json()
    mock.advance("3s")
    [after] = mock.get(f"{PIPELINE}/bridges").json()

    assert (bridge["status"], bridge["downstream_pipeline"]["project_id"]) == ("running", 2)
    assert (after["status"], after["downstream_pipeline"]["status"]) == ("success", "success")
    assert mock.pipeline(1)["status"] == "success"
    assert [job["name"] for job in mock.get(f"{PIPELINE}/jobs").json()] == ["build"]


@pytest.mark.parametrize("strategy", ["depend", None])
def test_a_list_says_of_a_bridge_that_cannot_start_what_its_pipeline_says(
    mock_with: Callable[..., Mock], strategy: str | None
):
    mock = mock_with("strict: true\nprojects: [{id: 1, path: a/b}]\n")
    downstream = {"project": "no/where", **({"strategy": strategy} if strategy else {})}
    jobs = [{"name": "a", "duration": 5}, {"name": "b", "stage": "c", "downstream": downstream}]
    mock.declare(900, jobs=jobs)
    mock.post("/projects/1/pipeline", json={"ref": "main", "scenario_id": 900})
    mock.advance("30s")

    listed = [row["status"] for row in mock.get("/projects/1/pipelines").json()]

    assert listed == [mock.pipeline(1)["status"]] == ["failed"]
    assert len(mock.get("/projects/1/pipelines?status=failed").json()) == 1


@pytest.mark.parametrize("moves", [["1m"], ["10s", "50s"], ["5s", "6s", "49s"]])
def test_one_jump_or_many_give_the_same_downstream(
    mock_with: Callable[..., Mock], moves: list[str]
):
    mock = mock_with(BRIDGED)
    mock.trigger(scenario_id=900)

    for move in moves:
        mock.advance(move)
        mock.get("/projects/2/pipelines")

    [downstream] = mock.get("/projects/2/pipelines").json()
    assert (downstream["id"], downstream["created_at"], downstream["updated_at"]) == (
        2,
        "2026-01-01T00:00:10.000Z",
        "2026-01-01T00:00:15.000Z",
    )


def bridge_to(project: str, scenario: int | None = None, **more: Any) -> dict[str, Any]:
    """Write a job that starts a pipeline elsewhere."""
    return {"name": "bridge", "downstream": {"project": project, "scenario": scenario, **more}}


def bridges(mock: Mock, number: int = 1) -> list[Any]:
    """List the bridges of a pipeline of project 1."""
    found: list[Any] = mock.get(f"/api/v4/projects/1/pipelines/{number}/bridges").json()
    return found


def test_rules_choose_the_scenario_of_a_bridge_that_names_none(mock_with: Callable[..., Mock]):
    mock = mock_with("""
rules:
  - when: {source: pipeline, project: group/deploy}
    respond: {status: 500}
  - {when: {source: pipeline}, scenario: 5, name: by the rule, variables: {A: "1"}}
""")
    mock.declare(900, jobs=[bridge_to("group/deploy")])
    mock.trigger(scenario_id=900)

    started = mock.get("/_mock/pipelines/2").json()

    assert (started["scenario_id"], started["name"], started["variables"]) == (
        5,
        "by the rule",
        {"A": "1"},
    )


def test_a_bridge_to_itself_ends_where_it_comes_round_a_third_time(mock: Mock):
    mock.declare(900, jobs=[bridge_to("1", 900), {**bridge_to("1", 900), "name": "other"}])
    mock.trigger(scenario_id=900)

    assert len(mock.get("/_mock/pipelines").json()) == 7
    assert [bridge["status"] for bridge in bridges(mock)] == ["success", "success"]
    assert [
        (bridge["status"], bridge["failure_reason"], bridge["started_at"])
        for bridge in bridges(mock, 7)
    ] == [("failed", "pipeline_loop_detected", None)] * 2


def test_what_happens_at_the_end_of_a_chain_reaches_its_beginning(mock: Mock):
    flaky = [{"status": "failed"}, {"status": "success"}]
    mock.declare(903, jobs=[{"name": "work", "duration": 10, "attempts": flaky}])
    for number in (902, 901, 900):
        mock.declare(number, jobs=[bridge_to("1", number + 1, strategy="depend")])
    mock.trigger(scenario_id=900)

    def seen() -> set[str]:
        return {mock.pipeline(number)["status"] for number in range(1, 5)}

    statuses = [seen()]
    mock.advance("10s")
    statuses.append(seen())
    mock.post("/api/v4/projects/1/pipelines/4/retry")
    statuses.append(seen())
    mock.advance("10s")
    statuses.append(seen())
    assert statuses == [{"running"}, {"failed"}, {"running"}, {"success"}]


def test_a_bridge_to_a_project_that_does_not_exist_fails(mock_with: Callable[..., Mock]):
    mock = mock_with("strict: true\nprojects: [{id: 1, path: group/app}]\n")
    mock.declare(900, jobs=[bridge_to("group/nowhere", 5, strategy="depend")])
    mock.declare(901, jobs=[bridge_to("group/app", 5, ref="nowhere")])
    for number in (900, 901):
        mock.post(f"/api/v4/projects/1/pipeline?ref=main&scenario_id={number}")

    reasons = [bridges(mock, number)[0]["failure_reason"] for number in (1, 2)]

    assert reasons == ["downstream_bridge_project_not_found", "downstream_pipeline_creation_failed"]
    assert mock.pipeline(1)["status"] == "failed"


def test_looking_ahead_makes_no_project(mock: Mock):
    mock.declare(900, jobs=[{"name": "build", "duration": 10}, {
        **bridge_to("group/later", 5), "stage": "deploy"}])  # fmt: skip
    mock.trigger(scenario_id=900)
    mock.get("/_mock/pipelines/1")
    assert mock.get("/api/v4/projects").json()[-1]["path_with_namespace"] != "group/later"


@pytest.mark.parametrize("looks", [[], ["7s"], ["3s", "4s", "4s"]])
def test_what_bridges_start_is_numbered_in_the_order_of_the_starts_whoever_looks(
    mock: Mock, looks: list[str]
):
    for number, wait in ((900, 10), (901, 5)):
        bridge = {**bridge_to("2", 5), "stage": "deploy"}
        mock.declare(number, jobs=[{"name": "build", "duration": wait}, bridge])
        mock.trigger(scenario_id=number)
    for look in looks:
        mock.advance(look)
        mock.get("/api/v4/projects/2/pipelines")
    mock.advance(f"{20 - sum(int(look[:-1]) for look in looks)}s")

    assert mock.trigger("2")["id"] == 5
    assert [bridges(mock, number)[0]["downstream_pipeline"]["id"] for number in (1, 2)] == [4, 3]


def test_a_list_follows_a_bridge_that_nobody_has_looked_at(mock_with: Callable[..., Mock]):
    mock = mock_with(BRIDGED)
    mock.trigger(scenario_id=900)
    assert mock.get("/api/v4/projects/1/pipelines").json()[0]["status"] == "running"
    for move in ("12s", "20s"):
        mock.advance(move)
        [row] = mock.get("/api/v4/projects/1/pipelines").json()

    assert row["status"] == "success"


def test_a_bridge_follows_a_pipeline_that_looks_end(mock: Mock):
    mock.declare(901, terminal_after_polls=2)
    mock.declare(900, jobs=[bridge_to("2", 901, strategy="depend")])
    mock.trigger(scenario_id=900)
    assert mock.get("/api/v4/projects/1/pipelines?status=success").json() == []

    for _ in range(2):
        mock.pipeline(2, "2")

    assert len(mock.get("/api/v4/projects/1/pipelines?status=success").json()) == 1


@pytest.mark.parametrize(
    "path",
    ["/api/v4/projects/2/pipelines/2", "/_mock/pipelines/2", "/_mock/pipelines?project_id=2"],
)
@pytest.mark.parametrize(("after", "status"), [("1s", "running"), ("5s", "success")])
def test_a_bridge_stays_as_it_is_when_its_pipeline_is_deleted(
    mock: Mock, path: str, after: str, status: str
):
    mock.declare(900, jobs=[bridge_to("2", 5, strategy="depend")])
    mock.trigger(scenario_id=900)
    mock.advance(after)
    assert mock.delete(path).status_code in (200, 204)
    mock.declare(901)  # has all bridges looked at again
    mock.advance("1m")

    [bridge] = bridges(mock)
    assert (bridge["status"], bridge["downstream_pipeline"]) == (status, None)
    assert mock.get("/api/v4/projects/2/pipelines").json() == []
    assert mock.get("/api/v4/projects/1/pipelines").json()[0]["status"] == status
    stopped = mock.post("/api/v4/projects/1/pipelines/1/cancel").json()
    assert stopped["status"] == ("canceled" if status == "running" else status)


def test_a_bridge_whose_pipeline_waits_for_a_person_cannot_be_played_itself(mock: Mock):
    mock.declare(901, jobs=[{"name": "gate", "when": "manual", "allow_failure": False}])
    mock.declare(900, jobs=[bridge_to("2", 901, strategy="depend")])
    mock.trigger(scenario_id=900)
    assert bridges(mock)[0]["status"] == "manual"

    refused = mock.post(f"{JOBS}/100001/play")

    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "400 Bad request - Unplayable Job"},
    )


# ---------------------------------------------------------------------------- test reports


def test_a_summary_names_the_latest_jobs_that_made_a_suite(mock: Mock):
    jobs = [{"name": "unit", "parallel": 2, "duration": 10}, {"name": "lint", "duration": 10}]
    mock.declare(900, jobs=jobs, test_report={"suites": [{"name": "unit"}]})
    mock.trigger(scenario_id=900)
    mock.advance("10s")
    mock.post(f"{JOBS}/100001/retry")
    mock.advance("10s")

    [suite] = mock.get(f"{PIPELINE}/test_report_summary").json()["test_suites"]

    assert suite["build_ids"] == [100_002, 101_001]


def test_a_test_report_is_empty_until_its_job_has_ended(mock: Mock):
    cases = [
        {"name": "adds", "execution_time": 0.5},
        {"name": "divides", "status": "failed", "system_output": "by zero"},
    ]
    mock.declare(
        900,
        jobs=[{"name": "unit", "duration": 5}],
        test_report={"suites": [{"name": "unit", "cases": cases}]},
    )
    mock.trigger(scenario_id=900)

    before = mock.get(f"{PIPELINE}/test_report").json()
    mock.advance("5s")
    after = mock.get(f"{PIPELINE}/test_report").json()
    summary = mock.get(f"{PIPELINE}/test_report_summary").json()

    assert (before["total_count"], before["test_suites"]) == (0, [])
    assert (after["total_count"], after["success_count"], after["failed_count"]) == (2, 1, 1)
    assert after["test_suites"][0]["test_cases"][1]["system_output"] == "by zero"
    assert summary["total"]["count"] == 2
    assert summary["test_suites"][0]["build_ids"] == [100001]


@pytest.mark.parametrize(("action", "parameter"), [("play", "job_inputs"), ("retry", "inputs")])
def test_the_inputs_of_a_job_are_a_map(mock: Mock, action: str, parameter: str):
    mock.trigger(scenario_id=5)

    answer = mock.post(f"/projects/1/jobs/100001/{action}", json={parameter: "x"})

    assert (answer.status_code, answer.json()) == (400, {"error": f"{parameter} is invalid"})
