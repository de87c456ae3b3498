"""Pipelines with jobs and without actions: stages, needs, when, limits, bridges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.model import (
    Action,
    Attempt,
    Downstream,
    JobAttempt,
    JobSpec,
    Scenario,
    TerminalStatus,
    When,
)
from mock_gitlab.engine.timeline import Timeline

from .builders import (
    CREATED,
    at,
    done,
    job,
    latest,
    record,
    run,
    scenario,
    status,
    statuses,
    timeline,
)

if TYPE_CHECKING:
    from mock_gitlab.engine.failures import FailureReason

# ---------------------------------------------------------------------------- stages


def test_the_jobs_of_a_stage_run_side_by_side():
    seen = timeline(scenario(job("unit", 10), job("lint", 20)))
    assert statuses(seen, 0) == {"unit": "running", "lint": "running"}
    assert statuses(seen, 10) == {"unit": "success", "lint": "running"}
    assert status(seen, 10) == "running"
    assert status(seen, 20) == "success"


def test_a_stage_starts_when_the_one_before_it_is_over():
    seen = timeline(scenario(job("a", 10), job("b", 20), job("c", 5, stage="later")))
    assert statuses(seen, 19.999)["c"] == "created"
    assert latest(seen, 20)["c"].started_at == at(20)
    assert status(seen, 24.999) == "running"
    assert seen.at(at(25)).finished_at == at(25)


def test_stages_come_in_the_order_in_which_jobs_name_them():
    seen = timeline(scenario(job("a", stage="zulu"), job("b", stage="alpha")))
    assert statuses(seen, 0) == {"a": "running", "b": "created"}


def test_a_declared_order_of_stages_comes_first():
    declared = scenario(
        job("a", stage="other"), job("b", stage="two"), job("c", stage="one"), stages=("one", "two")
    )
    seen = timeline(declared)
    assert statuses(seen, 0) == {"a": "created", "b": "created", "c": "running"}
    assert statuses(seen, 10) == {"a": "created", "b": "running", "c": "success"}


def test_the_stages_pre_and_post_are_first_and_last_wherever_they_stand():
    seen = timeline(scenario(job("z", stage=".post"), job("b"), job("a", stage=".pre")))
    assert statuses(seen, 0) == {"z": "created", "b": "created", "a": "running"}
    assert statuses(seen, 10) == {"z": "created", "b": "running", "a": "success"}


def test_a_stage_without_jobs_holds_nothing_up():
    seen = timeline(scenario(job("a", stage="three"), stages=("one", "two", "three")))
    assert statuses(seen, 0) == {"a": "running"}


def test_a_failure_skips_what_comes_after_it():
    seen = timeline(scenario(job("a", 10, status="failed"), job("b", stage="later")))
    assert statuses(seen, 10) == {"a": "failed", "b": "skipped"}
    assert status(seen, 10) == "failed"


def test_a_failure_lets_its_own_stage_finish_first():
    seen = timeline(scenario(job("a", 10, status="failed"), job("b", 20), job("c", stage="later")))
    assert statuses(seen, 10) == {"a": "failed", "b": "running", "c": "created"}
    assert status(seen, 10) == "running"
    assert status(seen, 20) == "failed"


def test_an_allowed_failure_holds_nothing_up_but_leaves_a_warning():
    declared = scenario(
        job("a", 10, status="failed", allow_failure=True), job("b", 5, stage="later")
    )
    seen = timeline(declared)
    assert statuses(seen, 10) == {"a": "failed", "b": "running"}
    assert not seen.at(at(10)).has_warnings
    assert status(seen, 15) == "success"
    assert seen.at(at(15)).has_warnings


def test_without_a_failure_there_is_no_warning():
    assert not timeline(scenario(job("a"))).at(at(10)).has_warnings


def test_a_chain_of_jobs_that_take_no_time_is_over_at_once():
    declared = scenario(*(job(f"j{n}", 0, stage=f"s{n}") for n in range(50)))
    assert status(timeline(declared), 0) == "success"


def test_each_run_has_a_number_of_its_own_in_the_order_of_declaration():
    seen = timeline(scenario(job("z", stage="b"), job("a", stage="a")))
    assert [(j.name, j.id) for j in seen.at(at(0)).jobs] == [("z", run(1)), ("a", run(2))]


def test_a_failed_job_gives_its_declared_reason():
    seen = timeline(scenario(job("a", 10, status="failed", failure_reason="api_failure")))
    assert latest(seen, 9)["a"].failure_reason is None
    assert latest(seen, 10)["a"].failure_reason == "api_failure"


# ---------------------------------------------------------------------------- pending


def test_a_job_waits_for_a_runner_where_that_is_declared():
    seen = timeline(scenario(job("a", 10, pending=3), job("b", 10, pending=2, stage="later")))
    assert [status(seen, second) for second in (0, 2.999, 3)] == ["pending", "pending", "running"]
    b = latest(seen, 99)["b"]
    assert (b.queued_at, b.started_at, b.finished_at) == (at(13), at(15), at(25))


def test_no_job_starts_before_the_pipeline_may():
    declared = scenario(job("a", 3, pending=1), job("b", 1, pending=9), pending=5)
    seen = timeline(declared)
    assert latest(seen, 99)["a"].started_at == at(5)
    assert latest(seen, 99)["b"].started_at == at(9)
    assert latest(seen, 99)["a"].queued_at == CREATED


def test_a_job_may_never_complete():
    seen = timeline(scenario(job("a", never_complete=True), job("b", stage="later")))
    assert statuses(seen, 10**9) == {"a": "running", "b": "created"}


# ---------------------------------------------------------------------------- needs


def test_needs_take_the_place_of_stages():
    declared = scenario(
        job("build", 10), job("slow", 60), job("test", 5, stage="later", needs=("build",))
    )
    seen = timeline(declared)
    assert statuses(seen, 9.999)["test"] == "created"
    assert statuses(seen, 10)["test"] == "running"
    assert status(seen, 60) == "success"


def test_a_job_that_needs_nothing_starts_at_once():
    seen = timeline(scenario(job("build", 10), job("docs", stage="later", needs=())))
    assert statuses(seen, 0)["docs"] == "running"


def test_a_job_waits_for_everything_that_it_needs():
    seen = timeline(scenario(job("a", 10), job("b", 20), job("c", needs=("a", "b"))))
    assert statuses(seen, 19.999)["c"] == "created"
    assert statuses(seen, 20)["c"] == "running"


def test_a_needed_job_may_stand_later_in_the_file():
    seen = timeline(scenario(job("c", needs=("b",)), job("b", 10, needs=("a",)), job("a", 5)))
    assert latest(seen, 99)["c"].started_at == at(15)


def test_all_jobs_of_a_name_are_needed():
    seen = timeline(scenario(job("a", 5), job("a", 10), job("b", needs=("a",))))
    assert latest(seen, 99)["b"].started_at == at(10)


def test_what_is_needed_and_does_not_exist_holds_nothing_up():
    assert statuses(timeline(scenario(job("b", needs=("gone",)))), 0) == {"b": "running"}


def test_the_failure_of_a_needed_job_skips_the_chain():
    declared = scenario(
        job("a", 10, status="failed"), job("b", needs=("a",)), job("c", needs=("b",))
    )
    assert statuses(timeline(declared), 10) == {"a": "failed", "b": "skipped", "c": "skipped"}


def test_an_allowed_failure_of_a_needed_job_is_as_good_as_success():
    declared = scenario(job("a", 10, status="failed", allow_failure=True), job("b", needs=("a",)))
    assert statuses(timeline(declared), 10)["b"] == "running"


def test_a_job_that_needs_one_that_waits_for_a_person_is_skipped_if_that_is_optional():
    declared = scenario(job("a", when="manual", allow_failure=True), job("b", needs=("a",)))
    assert statuses(timeline(declared), 0) == {"a": "manual", "b": "skipped"}


def test_a_job_that_needs_one_that_waits_for_a_person_waits_if_that_is_blocking():
    declared = scenario(job("a", when="manual"), job("b", needs=("a",)))
    assert statuses(timeline(declared), 0) == {"a": "manual", "b": "created"}


def test_circular_needs_start_nothing_and_end():
    declared = scenario(job("a", needs=("b",)), job("b", needs=("a",)))
    assert status(timeline(declared), 99) == "created"


# ---------------------------------------------------------------------------- when


@pytest.mark.parametrize(
    ("when", "before", "expected"),
    [
        ("on_success", "success", "running"),
        ("on_success", "skipped", "running"),
        ("on_success", "failed", "skipped"),
        ("on_success", "canceled", "skipped"),
        ("on_failure", "success", "skipped"),
        ("on_failure", "skipped", "skipped"),
        ("on_failure", "failed", "running"),
        ("on_failure", "canceled", "skipped"),
        ("always", "success", "running"),
        ("always", "skipped", "running"),
        ("always", "failed", "running"),
        ("always", "canceled", "skipped"),
        ("manual", "success", "manual"),
        ("manual", "skipped", "manual"),
        ("manual", "failed", "skipped"),
        ("manual", "canceled", "skipped"),
        ("delayed", "success", "scheduled"),
        ("delayed", "skipped", "scheduled"),
        ("delayed", "failed", "skipped"),
        ("delayed", "canceled", "skipped"),
    ],
)
def test_when_decides_by_the_stages_before(when: When, before: TerminalStatus, expected: str):
    declared = scenario(job("a", 10, status=before), job("b", stage="later", when=when, start_in=5))
    assert statuses(timeline(declared), 10)["b"] == expected


@pytest.mark.parametrize(
    ("when", "before", "expected"),
    [
        ("on_success", "success", "running"),
        ("on_success", "skipped", "skipped"),
        ("on_success", "failed", "skipped"),
        ("on_failure", "failed", "running"),
        ("on_failure", "success", "skipped"),
        ("always", "success", "running"),
        ("always", "skipped", "running"),
        ("always", "failed", "running"),
        ("manual", "success", "manual"),
        ("manual", "skipped", "skipped"),
        ("delayed", "success", "scheduled"),
        ("delayed", "skipped", "skipped"),
    ],
)
def test_when_decides_by_the_needs(when: When, before: TerminalStatus, expected: str):
    declared = scenario(job("a", 10, status=before), job("b", needs=("a",), when=when, start_in=5))
    assert statuses(timeline(declared), 10)["b"] == expected


def test_a_job_on_failure_has_no_reason_to_run_in_the_first_stage():
    assert status(timeline(scenario(job("a", when="on_failure"))), 0) == "skipped"


def test_a_job_that_always_runs_still_waits_for_all_that_it_needs():
    declared = scenario(
        job("a", 10, when="on_failure"), job("b", 20), job("c", needs=("a", "b"), when="always")
    )
    seen = timeline(declared)
    assert statuses(seen, 0) == {"a": "skipped", "b": "running", "c": "created"}
    assert latest(seen, 99)["c"].started_at == at(20)


def test_a_manual_job_blocks_what_comes_after_it():
    seen = timeline(
        scenario(job("a", 10), job("gate", stage="b", when="manual"), job("c", stage="c"))
    )
    assert statuses(seen, 99) == {"a": "success", "gate": "manual", "c": "created"}
    assert status(seen, 99) == "manual"
    assert not seen.at(at(99)).finished


def test_an_optional_manual_job_blocks_nothing():
    gate = job("gate", stage="b", when="manual", allow_failure=True)
    seen = timeline(scenario(job("a", 10), gate, job("c", 10, stage="c")))
    assert statuses(seen, 10) == {"a": "success", "gate": "manual", "c": "running"}
    assert status(seen, 20) == "success"


def test_a_delayed_job_is_scheduled_and_then_runs():
    seen = timeline(scenario(job("a", 10, when="delayed", start_in=30, pending=5)))
    assert [status(seen, second) for second in (0, 29, 30, 35, 45)] == [
        "scheduled",
        "scheduled",
        "pending",
        "running",
        "success",
    ]


def test_a_delay_of_nothing_is_no_delay():
    assert status(timeline(scenario(job("a", when="delayed"))), 0) == "running"


# ---------------------------------------------------------------------------- final statuses


@pytest.mark.parametrize("final", ["success", "failed", "canceled", "skipped", "manual"])
def test_a_job_shows_its_declared_status_after_its_time(final: TerminalStatus):
    seen = timeline(scenario(job("a", 10, status=final)))
    assert statuses(seen, 9.999) == {"a": "running"}
    assert statuses(seen, 10) == {"a": final}
    assert status(seen, 10) == final


def test_a_job_that_ran_has_an_end_whatever_its_status():
    assert (
        latest(timeline(scenario(job("a", 10, status="skipped"))), 20)["a"].duration(at(20)) == 10
    )


@pytest.mark.parametrize("final", ["skipped", "manual"])
def test_a_job_that_is_skipped_or_manual_as_soon_as_it_starts_has_not_run(final: TerminalStatus):
    state = timeline(scenario(job("a", 0, pending=5, status=final))).at(at(9))
    [only] = state.jobs
    assert (only.status, only.queued_at, only.started_at, only.finished_at) == (
        final,
        None,
        None,
        None,
    )
    assert state.started_at is None


def test_a_pipeline_starts_with_the_first_job_that_runs():
    declared = scenario(job("a", 0, status="skipped"), job("b", 10, pending=5))
    seen = timeline(declared)
    assert [seen.at(at(second)).started_at for second in (4, 5)] == [None, at(5)]


def test_a_job_that_was_passed_over_has_no_times():
    seen = timeline(scenario(job("a", when="on_failure")))
    skipped = latest(seen, 9)["a"]
    assert (skipped.queued_at, skipped.started_at, skipped.finished_at) == (None, None, None)


def test_the_first_entry_of_a_jobs_attempts_is_its_first_run():
    first = JobAttempt(duration=5_000, status="failed", failure_reason="api_failure", trace="t\n")
    spec = latest(timeline(scenario(job("a", 10, attempts=(first,)))), 5)["a"]
    assert (spec.status, spec.failure_reason, spec.trace(at(5))) == ("failed", "api_failure", "t\n")


def test_an_attempt_of_a_job_may_never_complete():
    seen = timeline(scenario(job("a", 10, attempts=(JobAttempt(never_complete=True),))))
    assert status(seen, 10**6) == "running"


def test_attempts_of_the_pipeline_are_for_pipelines_without_jobs():
    declared = scenario(job("a", 10), attempts=(Attempt(terminal_status="failed"),))
    assert status(timeline(declared), 10) == "success"


# ---------------------------------------------------------------------------- the whole


def test_the_pipelines_times_follow_from_its_jobs():
    declared = scenario(
        job("a", 10, pending=2), job("b", 5, stage="b", when="delayed", start_in=60)
    )
    state = timeline(declared).at(at(999))
    assert state.started_at == at(2)
    assert state.finished_at == at(77)
    assert state.updated_at == at(77)
    assert state.queued_duration == 2


def test_duration_is_the_time_in_which_any_job_ran():
    declared = scenario(
        job("a", 10),
        job("b", 4, needs=(), pending=2),
        job("c", 10, needs=(), pending=5),
        job("d", 7.9, stage="late", when="delayed", start_in=100),
    )
    assert timeline(declared).at(at(999)).duration == 22


def test_a_pipeline_whose_jobs_were_all_passed_over_has_no_duration():
    state = timeline(scenario(job("a", when="on_failure"))).at(at(9))
    assert (state.status, state.duration, state.started_at) == ("skipped", None, None)


def test_coverage_is_the_mean_of_the_jobs_that_tell_it():
    declared = scenario(job("a", 10, coverage=80.0), job("b", 20, coverage=90.0), job("c", 30))
    seen = timeline(declared)
    assert [seen.at(at(second)).coverage for second in (9, 10, 20)] == [None, 80.0, 85.0]


def test_declared_coverage_beats_that_of_jobs():
    seen = timeline(scenario(job("a", 10, coverage=80.0), job("b", 20), coverage=50.0))
    assert [seen.at(at(second)).coverage for second in (10, 20)] == [None, 50.0]


# ---------------------------------------------------------------------------- limits

CHAIN = (
    job("a", 10),
    job("b", 100, stage="b"),
    job("c", stage="c"),
    job("gate", when="manual", allow_failure=True, needs=()),
    job("late", when="delayed", start_in=999, stage="c", needs=()),
)


def test_at_its_limit_a_pipeline_ends_whatever_its_jobs_do():
    seen = timeline(scenario(*CHAIN, terminal_after=50, terminal_status="failed"))
    assert status(seen, 49.999) == "running"
    assert statuses(seen, 50) == {
        "a": "success",
        "b": "failed",
        "c": "skipped",
        "gate": "skipped",
        "late": "skipped",
    }
    assert status(seen, 50) == "failed"


def test_inline_values_set_the_limit_and_the_status():
    seen = timeline(
        scenario(*CHAIN, terminal_after=99), terminal_after=50, terminal_status="failed"
    )
    assert statuses(seen, 50)["b"] == "failed"
    assert seen.at(at(200)).finished_at == at(50)


def test_a_job_that_ends_at_the_limit_ends_by_itself():
    seen = timeline(scenario(job("a", 50), terminal_after=50, terminal_status="failed"))
    assert status(seen, 50) == "success"


def test_a_limit_does_not_touch_a_pipeline_that_is_over():
    gate = job("gate", when="manual", allow_failure=True)
    seen = timeline(scenario(job("a", 10), gate, terminal_after=50))
    assert statuses(seen, 99) == {"a": "success", "gate": "manual"}


def test_enough_looks_are_a_limit_too():
    declared = scenario(job("a", 100), job("b", stage="b"), terminal_after_polls=2)
    assert statuses(timeline(declared, polls=1, polled_at=5), 9) == {"a": "running", "b": "created"}
    seen = timeline(declared, polls=2, polled_at=5)
    assert statuses(seen, 5) == {"a": "success", "b": "skipped"}
    assert timeline(declared).counts_polls(at(0))
    assert not seen.counts_polls(at(5))
    assert not timeline(scenario(job("a"))).counts_polls(at(0))


def test_of_looks_and_time_the_first_is_the_limit():
    declared = scenario(job("a", 100), terminal_after_polls=2, terminal_after=50)
    assert timeline(declared, polls=2, polled_at=5).at(at(99)).finished_at == at(5)
    assert timeline(declared, polls=2, polled_at=70).at(at(99)).finished_at == at(50)


def test_a_job_that_succeeds_before_its_time_has_its_whole_log():
    seen = timeline(scenario(job("a", 100, trace="one\ntwo\n"), terminal_after=50))
    assert latest(seen, 50)["a"].trace(at(50)) == "one\ntwo\n"


def test_a_limit_ends_a_job_in_the_queue():
    seen = timeline(scenario(job("a", 10, pending=60), terminal_after=50, terminal_status="failed"))
    assert statuses(seen, 50) == {"a": "failed"}
    assert seen.at(at(50)).started_at == at(50)


def test_an_inline_status_is_what_a_completed_pipeline_shows():
    declared = scenario(job("a", 10), job("b", 10, stage="b"))
    seen = timeline(declared, terminal_status="failed")
    assert [status(seen, second) for second in (15, 20)] == ["running", "failed"]
    assert statuses(seen, 20) == {"a": "success", "b": "success"}


def test_the_scenarios_own_terminal_status_does_not_override_its_jobs():
    assert status(timeline(scenario(job("a", 10), terminal_status="failed")), 10) == "success"


def test_a_pipeline_that_never_completes_runs_when_all_its_jobs_are_over():
    seen = timeline(scenario(job("a", 10), never_complete=True), terminal_status="failed")
    assert status(seen, 10**9) == "running"
    assert statuses(seen, 10**9) == {"a": "success"}
    assert seen.at(at(99)).finished_at is None
    assert not timeline(
        scenario(job("a", 10), never_complete=True, terminal_after_polls=1)
    ).counts_polls(at(99))


# ---------------------------------------------------------------------------- bridges


def bridge(**given: object) -> JobSpec:
    return job("bridge", 0, downstream=Downstream("group/other", strategy="depend"), **given)


def with_downstream(declared: Scenario, other: Scenario, *done_there: Action) -> Timeline:
    """Return a pipeline whose first job is a bridge that started another at once."""
    return Timeline(record(), declared, {run(1): Timeline(record(*done_there), other)})


def test_a_bridge_that_does_not_wait_succeeds_when_it_starts():
    trigger = job("trigger", 99, pending=5, downstream=Downstream("group/other"))
    seen = timeline(scenario(trigger))
    assert [status(seen, second) for second in (4, 5)] == ["pending", "success"]
    assert latest(seen, 5)["trigger"].is_bridge


def test_a_bridge_that_depends_runs_until_its_pipeline_is_known():
    assert status(timeline(scenario(bridge())), 10**6) == "running"


@pytest.mark.parametrize("final", ["success", "failed", "canceled", "skipped", "manual"])
def test_a_bridge_that_depends_ends_as_its_pipeline_does(final: TerminalStatus):
    other = scenario(terminal_after=60, terminal_status=final)
    seen = with_downstream(scenario(bridge()), other)
    assert [status(seen, second) for second in (59.999, 60)] == ["running", final]


@pytest.mark.parametrize(
    ("declared", "shown"), [(None, "unknown_failure"), ("api_failure", "api_failure")]
)
def test_a_bridge_whose_pipeline_has_failed_gives_gitlabs_reason(
    declared: FailureReason | None, shown: FailureReason
):
    other = scenario(terminal_after=60, terminal_status="failed")
    seen = with_downstream(scenario(bridge(failure_reason=declared)), other)
    assert latest(seen, 60)["bridge"].failure_reason == shown


def test_a_bridge_shows_that_its_pipeline_waits_for_a_person():
    other = scenario(job("gate", 10, when="manual"))
    assert statuses(with_downstream(scenario(bridge()), other), 9) == {"bridge": "manual"}
    played = with_downstream(scenario(bridge()), other, done("play", 30, run(1)))
    assert [status(played, second) for second in (29, 30, 40)] == ["manual", "running", "success"]


def test_what_comes_after_a_bridge_waits_for_it():
    declared = scenario(bridge(), job("after", 10, stage="later"))
    seen = with_downstream(declared, scenario(terminal_after=60))
    assert latest(seen, 99)["after"].started_at == at(60)


def test_a_bridge_that_starts_after_its_pipeline_ended_ends_at_once():
    seen = with_downstream(scenario(bridge(pending=90)), scenario(terminal_after=60))
    assert [status(seen, second) for second in (89, 90)] == ["pending", "success"]


def test_a_retry_downstream_runs_the_bridge_and_what_it_had_skipped_again():
    other = scenario(
        job("a", 60, attempts=(JobAttempt(status="failed"), JobAttempt(status="success")))
    )
    declared = scenario(bridge(), job("after", 10, stage="later"))
    seen = with_downstream(declared, other, done("retry", 100))
    assert statuses(seen, 60) == {"bridge": "failed", "after": "skipped"}
    assert statuses(seen, 100) == {"bridge": "running", "after": "created"}
    assert statuses(seen, 160) == {"bridge": "success", "after": "running"}
    assert status(seen, 170) == "success"
    assert latest(seen, 170)["bridge"].started_at == CREATED


def test_a_cancelled_bridge_no_longer_follows_its_pipeline():
    seen = Timeline(
        record(done("cancel", 10)),
        scenario(bridge()),
        {run(1): timeline(scenario(terminal_after=60))},
    )
    assert status(seen, 99) == "canceled"


def test_bridges_that_have_started_are_listed_with_what_they_start():
    other = Downstream("group/other", scenario_id=901)
    declared = scenario(
        job("late", 0, stage="b", downstream=other),
        job("build", 10, stage="a"),
        job("early", 0, stage="a", downstream=other, pending=3),
        stages=("a", "b"),
    )
    seen = timeline(declared)
    assert seen.starting_bridges(at(2)) == []
    assert seen.starting_bridges(at(3)) == [(run(3), at(3), other)]
    assert seen.starting_bridges(at(10)) == [(run(3), at(3), other), (run(1), at(10), other)]


def test_a_bridge_that_is_retried_starts_another_pipeline():
    other = Downstream("group/other")
    seen = timeline(scenario(job("trigger", downstream=other)), done("retry", 30, run(1)))
    assert seen.starting_bridges(at(30)) == [(run(1), CREATED, other), (run(1, 1), at(30), other)]
