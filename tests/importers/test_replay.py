"""What a replay shows otherwise than a recording is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.model import Downstream, Invalid, JobSpec, Retry, Scenario
from mock_gitlab.importers.recorded import make_scenarios
from mock_gitlab.importers.recording import Pages, read_recording
from mock_gitlab.importers.replay import compare
from mock_gitlab.importers.secrets import Cleaner

if TYPE_CHECKING:
    from mock_gitlab.importers.recorded import Made

PIPELINE = {
    "id": 5,
    "project_id": 42,
    "ref": "main",
    "status": "success",
    "created_at": "2026-01-01T00:00:00.000Z",
    "started_at": "2026-01-01T00:00:00.000Z",
    "finished_at": "2026-01-01T00:00:10.000Z",
}


def at(second: int) -> str:
    return f"2026-01-01T00:{second // 60:02}:{second % 60:02}.000Z"


def job(number: int, name: str = "a", start: int = 0, end: int = 10, **more: Any) -> dict[str, Any]:
    times = {"created_at": at(start), "started_at": at(start), "finished_at": at(end)}
    return {"id": number, "name": name, "stage": "test", "status": "success", **times, **more}


def made_of(*jobs: dict[str, Any], **more: Any) -> Made:
    pages = Pages("saved", {**PIPELINE, **more}, jobs=list(jobs))
    return make_scenarios(read_recording(pages), 950, Cleaner())[0]


def differences(made: Made, *jobs: JobSpec) -> list[str]:
    return compare(made, Scenario(950, "played", jobs=jobs), lambda _: None)


def test_the_same_has_no_differences():
    assert differences(made_of(job(1)), JobSpec("a", duration=10_000)) == []


def test_a_status_at_a_moment_is_compared():
    found = differences(made_of(job(1)), JobSpec("a", duration=12_500, pending=2000))

    assert found == [
        "at +0s the job a was running, and is pending here",
        "at +10s the job a was success, and is running here",
        "at +10s the pipeline was success, and is running here",
        "the pipeline ended at +10s, and never here",
    ]


def test_a_run_that_started_later_was_not_yet_running():
    late = {**job(1), "started_at": at(4), "queued_duration": 1}

    found = differences(made_of(late), JobSpec("a", duration=10_000))

    assert "at +0s the job a was not yet running, and is running here" in found
    assert "at +3s the job a was pending, and is running here" in found


def test_a_missing_run_is_absent():
    failed = job(1, status="failed", end=4)

    found = differences(made_of(failed, job(2, start=4)), JobSpec("a", duration=10_000))

    assert "at +4s the job a was running, and is absent here" in found


def test_a_run_too_many_is_named():
    spec = JobSpec("a", duration=10_000, status="failed", retry=Retry(1))

    found = differences(made_of(job(1)), spec)

    assert "at +10s there was no run 2 of a, and is here" in found


def test_failure_reasons_are_compared():
    made = made_of(job(1, status="failed", failure_reason="api_failure"), status="failed")

    assert differences(made, JobSpec("a", duration=10_000, status="failed")) == [
        "the job a failed as api_failure, and as script_failure here"
    ]


def test_a_pipeline_is_under_way_until_it_has_ended():
    assert differences(made_of(job(1), status="running", finished_at=None), JobSpec("a")) == [
        "at +0s the job a was running, and is success here",
        "at +10s the pipeline was running, and is success here",
    ]


def test_a_job_under_way_may_be_canceling():
    made = made_of(job(1, status="canceling", finished_at=None), status="canceling")

    found = differences(made, JobSpec("a", duration=1000))

    assert "at +10s the job a was under way, and is success here" in found


def test_only_the_first_hundred_differences_are_listed():
    jobs = [job(number, f"job {number}", end=number) for number in range(1, 121)]
    made = made_of(*jobs, finished_at=at(120))

    found = differences(made, *(JobSpec(each["name"], never_complete=True) for each in jobs))

    assert len(found) == 101
    assert found[-1].startswith("... and ")


def test_what_cannot_be_played_is_said():
    def refuse(_: Downstream) -> Scenario | None:
        raise Invalid("too many pipelines")

    bridge = JobSpec("a", downstream=Downstream("group/b", strategy="depend"))

    assert compare(made_of(job(1)), Scenario(950, "played", jobs=(bridge,)), refuse) == [
        "it cannot be played: too many pipelines"
    ]


def test_a_delayed_job_waits_for_ever():
    made = made_of(
        job(1, status="scheduled", started_at=None, finished_at=None), status="scheduled"
    )

    [written] = made.scenario["jobs"]

    assert (written["when"], written["start_in"]) == ("delayed", 1_000_000_000)


def test_what_ran_after_a_cancel_needs_nothing():
    canceled = job(1, status="canceled", end=4)

    made = made_of(canceled, job(2, "b", start=5, stage="deploy"))

    assert made.scenario["jobs"][1]["needs"] == []


def test_what_ran_beside_an_earlier_stage_needs_what_had_ended():
    made = made_of(job(1), job(2, "b", end=4), job(3, "c", start=5, stage="deploy"))

    assert made.scenario["jobs"][2]["needs"] == ["b"]
    assert made.scenario["jobs"][2]["created_seconds"] == 1
    assert made.notes == ["c: needs is a guess, by when it ran"]


def test_a_retry_after_a_while_was_by_hand():
    runs = [
        job(1, status="failed", end=1),
        job(2, start=2, end=3, status="failed"),
        job(3, start=9),
    ]

    [written] = made_of(*runs).scenario["jobs"]

    assert written["retry"] == 1
    assert [each["status"] for each in written["attempts"]] == ["failed", "failed", "success"]


def test_what_ran_after_a_failure_runs_always():
    made = made_of(job(1, status="failed", end=4), job(2, "b", start=4, stage="deploy"))

    assert made.scenario["jobs"][1]["when"] == "always"


def test_a_suite_may_be_without_errors_and_cases():
    pages = Pages("saved", PIPELINE, report={"test_suites": [{"name": "unit"}]})

    made = make_scenarios(read_recording(pages), 950, Cleaner())[0]

    assert made.scenario["test_report"] == {"suites": [{"name": "unit", "cases": []}]}


def test_a_job_may_be_made_a_moment_early():
    late = {**job(1), "created_at": at(2), "started_at": at(3), "queued_duration": 1}
    spec = JobSpec("a", created=2000, pending=1000, duration=7000)

    assert differences(made_of(late, started_at=at(3)), spec) == []


def test_a_job_that_was_made_later_is_named():
    late = {**job(1), "created_at": at(3), "started_at": at(3)}

    found = differences(made_of(late), JobSpec("a", created=3000, duration=7000))

    assert "at +0s the job a was absent, and is created here" in found
