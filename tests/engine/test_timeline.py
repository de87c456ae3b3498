"""Pipelines without jobs, and what all pipelines show."""

from __future__ import annotations

import pytest

from mock_gitlab.engine.model import Artifact, Attempt, TerminalStatus, TestSuite, split_job_id
from mock_gitlab.engine.timeline import ORPHANED, Change, Timeline, Window

from .builders import CREATED, at, done, job, latest, record, run, scenario, status, timeline

MINUTE = scenario(terminal_after=60)

# ---------------------------------------------------------------------------- status


def test_it_runs_until_its_time_is_over():
    assert status(timeline(MINUTE), 0) == "running"
    assert status(timeline(MINUTE), 59.999) == "running"


def test_elapsed_exactly_equal_is_terminal():
    assert status(timeline(MINUTE), 60) == "success"


def test_it_stays_terminal():
    assert status(timeline(MINUTE), 10**9) == "success"


@pytest.mark.parametrize("final", ["success", "failed", "canceled", "skipped", "manual"])
def test_it_ends_with_the_declared_status(final: TerminalStatus):
    assert status(timeline(scenario(terminal_after=60, terminal_status=final)), 60) == final


def test_without_a_time_it_ends_at_once():
    assert status(timeline(scenario()), 0) == "success"


def test_a_time_of_zero_is_at_once():
    assert status(timeline(scenario(terminal_after=0, terminal_status="failed")), 0) == "failed"


def test_before_its_creation_it_shows_its_first_moment():
    assert timeline(MINUTE).at(CREATED - 1) == timeline(MINUTE).at(CREATED)
    assert status(timeline(scenario(terminal_after=9, pending=5)), -100) == "pending"


def test_it_is_pending_first_where_that_is_declared():
    seen = timeline(scenario(terminal_after=60, pending=5))
    assert [status(seen, second) for second in (0, 4.999, 5, 60)] == [
        "pending",
        "pending",
        "running",
        "success",
    ]


def test_the_time_to_the_end_counts_from_creation_not_from_the_start():
    assert status(timeline(scenario(terminal_after=60, pending=5)), 59.999) == "running"


def test_a_wait_longer_than_the_whole_leaves_it_pending_until_the_end():
    seen = timeline(scenario(terminal_after=60, pending=90))
    assert [status(seen, second) for second in (59.999, 60, 90)] == [
        "pending",
        "success",
        "success",
    ]


def test_never_complete_beats_time():
    assert status(timeline(scenario(never_complete=True, terminal_after=1)), 10**9) == "running"


def test_never_complete_is_pending_first():
    assert status(timeline(scenario(never_complete=True, pending=5)), 4) == "pending"


def test_inline_values_override_the_scenario_field_by_field():
    assert status(timeline(MINUTE, terminal_after=5), 5) == "success"
    assert status(timeline(MINUTE, terminal_status="failed"), 60) == "failed"
    assert status(timeline(MINUTE, terminal_status="failed"), 59) == "running"


def test_inline_values_do_not_beat_never_complete():
    seen = timeline(scenario(never_complete=True), terminal_after=5, terminal_status="failed")
    assert status(seen, 10**9) == "running"


def test_inline_values_override_every_attempt():
    flaky = scenario(attempts=(Attempt(terminal_after=10_000, terminal_status="success"),))
    assert status(timeline(flaky, terminal_after=5, terminal_status="failed"), 5) == "failed"


def test_the_first_attempt_overrides_the_scenario():
    declared = scenario(
        terminal_after=60,
        terminal_after_polls=9,
        attempts=(Attempt(terminal_after=10_000, terminal_status="failed", pending=3_000),),
    )
    seen = timeline(declared)
    assert [status(seen, second) for second in (2, 3, 10)] == ["pending", "running", "failed"]


def test_an_attempt_may_never_complete():
    declared = scenario(terminal_after=60, attempts=(Attempt(never_complete=True),))
    assert status(timeline(declared), 60) == "running"


def test_a_scenario_that_is_gone_leaves_success_at_once_or_the_inline_values():
    assert status(timeline(ORPHANED), 0) == "success"
    seen = timeline(ORPHANED, terminal_after=5, terminal_status="failed")
    assert [status(seen, second) for second in (4, 5)] == ["running", "failed"]


# ---------------------------------------------------------------------------- by looks


def test_it_ends_at_the_look_that_was_declared():
    thrice = scenario(terminal_after_polls=3)
    assert status(timeline(thrice, polls=2, polled_at=10), 10) == "running"
    assert status(timeline(thrice, polls=3, polled_at=10), 10) == "success"


def test_without_enough_looks_it_does_not_end_however_late():
    assert status(timeline(scenario(terminal_after_polls=1)), 10**9) == "running"


def test_the_end_by_looks_is_at_the_last_look():
    seen = timeline(scenario(terminal_after_polls=3), polls=3, polled_at=10)
    assert seen.at(at(99)).finished_at == at(10)


def test_an_end_by_looks_holds_when_the_clock_is_set_back():
    seen = timeline(scenario(terminal_after_polls=3), polls=3, polled_at=10)
    assert status(seen, 5) == "success"


@pytest.mark.parametrize(("looked", "finished"), [(5, 5), (60, 60), (70, 60)])
def test_of_looks_and_time_the_first_ends_it(looked: int, finished: int):
    declared = scenario(terminal_after_polls=3, terminal_after=60)
    seen = timeline(declared, polls=3, polled_at=looked)
    assert seen.at(at(100)).finished_at == at(finished)


def test_time_ends_it_without_any_look():
    assert status(timeline(scenario(terminal_after_polls=3, terminal_after=60)), 60) == "success"


def test_looks_that_suffice_while_it_is_pending_end_it():
    declared = scenario(terminal_after_polls=1, pending=60)
    seen = timeline(declared, polls=1, polled_at=10)
    assert status(seen, 10) == "success"
    assert seen.at(at(10)).started_at == at(10)


def test_no_number_of_looks_ends_what_never_completes():
    declared = scenario(never_complete=True, terminal_after_polls=1)
    assert status(timeline(declared, polls=5, polled_at=10), 10) == "running"


def test_looks_count_while_it_is_under_way_where_looks_are_declared():
    thrice = scenario(terminal_after_polls=3)
    assert timeline(thrice).counts_polls(at(0))
    assert not timeline(thrice, polls=3, polled_at=10).counts_polls(at(10))
    assert not timeline(MINUTE).counts_polls(at(0))
    assert not timeline(scenario(never_complete=True, terminal_after_polls=3)).counts_polls(at(0))


def test_looks_at_a_pipeline_that_waits_for_a_person_do_not_count():
    declared = scenario(terminal_after_polls=3, terminal_status="manual")
    assert not timeline(declared, polls=3, polled_at=1).counts_polls(at(9))


# ---------------------------------------------------------------------------- what it shows


def test_times_follow_from_the_course():
    state = timeline(scenario(terminal_after=60, pending=5.5)).at(at(99))
    assert state.created_at == CREATED
    assert state.started_at == at(5.5)
    assert state.finished_at == at(60)
    assert state.updated_at == at(60)
    assert state.duration == 54
    assert state.queued_duration == 5


def test_what_has_not_happened_yet_is_none():
    state = timeline(scenario(terminal_after=60, pending=5)).at(at(1))
    assert state.started_at is None
    assert state.finished_at is None
    assert state.duration is None
    assert state.queued_duration is None
    assert state.updated_at == CREATED
    assert not state.finished


@pytest.mark.parametrize("final", ["skipped", "manual"])
@pytest.mark.parametrize("length", [None, 60])
def test_a_pipeline_without_jobs_that_is_skipped_or_manual_has_not_started(
    final: TerminalStatus, length: int | None
):
    state = timeline(scenario(terminal_after=length, terminal_status=final)).at(at(60))

    assert (state.status, state.started_at, state.finished_at) == (final, None, None)
    assert (state.duration, state.queued_duration) == (None, None)
    [mirror] = state.jobs
    assert (mirror.queued_at, mirror.started_at, mirror.finished_at) == (None, None, None)
    assert (mirror.duration(at(99)), mirror.queued_duration(at(99))) == (None, None)


def test_a_manual_pipeline_that_has_failed_before_has_started():
    attempts = (Attempt(terminal_status="failed"), Attempt(terminal_status="manual"))
    seen = timeline(scenario(terminal_after=60, attempts=attempts), done("retry", 100))

    assert seen.at(at(200)).status == "manual"
    assert seen.at(at(200)).started_at == CREATED


def test_a_running_pipeline_has_no_duration_yet():
    state = timeline(MINUTE).at(at(30))
    assert state.started_at == CREATED
    assert state.finished_at is None
    assert state.duration is None


def test_a_wait_of_less_than_a_second_is_none():
    assert timeline(scenario(terminal_after=60, pending=0.5)).at(at(60)).queued_duration is None


@pytest.mark.parametrize("final", ["skipped", "manual"])
def test_only_success_failed_and_canceled_have_an_end(final: TerminalStatus):
    state = timeline(scenario(terminal_after=60, terminal_status=final)).at(at(60))
    assert state.finished_at is None
    assert state.duration is None


@pytest.mark.parametrize(
    ("final", "finished"),
    [("success", True), ("failed", True), ("canceled", True), ("skipped", True), ("manual", False)],
)
def test_it_is_finished_when_nothing_more_happens_unasked(final: TerminalStatus, finished: bool):
    assert timeline(scenario(terminal_status=final)).at(at(0)).finished is finished


def test_a_new_name_updates_it():
    assert timeline(MINUTE, renamed_at=30).at(at(31)).updated_at == at(30)
    assert timeline(MINUTE, renamed_at=30).at(at(29)).updated_at == CREATED
    assert timeline(MINUTE, renamed_at=30).at(at(60)).updated_at == at(60)
    assert timeline(MINUTE, renamed_at=90).at(at(90)).updated_at == at(90)


def test_coverage_is_known_at_the_end():
    seen = timeline(scenario(terminal_after=60, coverage=87.5))
    assert seen.at(at(59)).coverage is None
    assert seen.at(at(60)).coverage == 87.5


def test_without_declared_coverage_there_is_none():
    assert timeline(MINUTE).at(at(60)).coverage is None


# ---------------------------------------------------------------------------- its one job


def test_one_job_mirrors_a_pipeline_without_jobs():
    seen = timeline(scenario(terminal_after=60, pending=5, terminal_status="failed"))
    (mirror,) = seen.at(at(60)).jobs
    assert (mirror.name, mirror.stage, mirror.status) == ("pipeline", "test", "failed")
    assert (mirror.queued_at, mirror.started_at, mirror.finished_at) == (CREATED, at(5), at(60))
    assert mirror.failure_reason == "script_failure"
    assert not mirror.allow_failure
    assert mirror.spec.duration == 55_000
    assert not mirror.is_bridge
    assert split_job_id(mirror.id) == (7, 1, 0)


@pytest.mark.parametrize("second", [0, 4, 5, 59, 60, 100])
def test_its_job_always_has_the_status_of_the_pipeline(second: int):
    state = timeline(scenario(terminal_after=60, pending=5)).at(at(second))
    assert state.jobs[0].status == state.status


def test_there_is_a_reason_only_for_a_failure():
    assert timeline(MINUTE).at(at(60)).jobs[0].failure_reason is None


# ---------------------------------------------------------------------------- a job's facts


def test_durations_of_a_job_are_in_seconds_and_run_on_until_its_end():
    seen = timeline(scenario(job("build", 10, pending=2.5)))
    build = seen.at(at(1)).jobs[0]
    assert (build.duration(at(1)), build.queued_duration(at(1))) == (None, 1.0)
    build = seen.at(at(5)).jobs[0]
    assert (build.duration(at(5)), build.queued_duration(at(5))) == (2.5, 2.5)
    build = seen.at(at(99)).jobs[0]
    assert (build.duration(at(99)), build.queued_duration(at(99))) == (10.0, 2.5)


def test_a_job_that_waits_for_others_is_not_queued():
    seen = timeline(scenario(job("build"), job("test", stage="later")))
    later = latest(seen, 5)["test"]
    assert later.queued_at is None
    assert later.queued_duration(at(5)) is None
    assert later.duration(at(5)) is None


def test_a_job_that_was_cancelled_in_the_queue_no_longer_waits():
    seen = timeline(scenario(job("build", pending=60)), done("cancel", 10))
    assert latest(seen, 30)["build"].queued_duration(at(30)) == 10.0


def test_a_running_job_has_written_its_log_in_proportion_up_to_a_whole_line():
    seen = timeline(scenario(job("build", 10, trace="one\ntwo\nthree\n")))

    def trace(second: float) -> str:
        return latest(seen, second)["build"].trace(at(second))

    assert trace(0) == ""
    assert trace(2.8) == ""  # 3 of 14 characters
    assert trace(2.9) == "one\n"
    assert trace(5.7) == "one\n"
    assert trace(5.8) == "one\ntwo\n"
    assert trace(9.999) == "one\ntwo\n"
    assert trace(10) == "one\ntwo\nthree\n"
    assert trace(99) == "one\ntwo\nthree\n"


def test_a_log_need_not_end_with_a_newline():
    seen = timeline(scenario(job("build", 10, trace="one\ntwo")))
    assert latest(seen, 10)["build"].trace(at(10)) == "one\ntwo"


def test_a_job_that_has_not_started_has_no_log():
    seen = timeline(scenario(job("build", 10, pending=5, trace="one\n")))
    assert latest(seen, 4)["build"].trace(at(4)) == ""


def test_a_cancelled_job_keeps_what_it_had_written():
    seen = timeline(scenario(job("build", 10, trace="one\ntwo\n")), done("cancel", 6))
    assert latest(seen, 99)["build"].trace(at(99)) == "one\n"


@pytest.mark.parametrize("final", ["success", "failed"])
def test_artifacts_are_there_once_the_job_has_run(final: TerminalStatus):
    left = (Artifact("a.txt", "a"),)
    seen = timeline(scenario(job("build", 10, status=final, artifacts=left)))
    assert latest(seen, 9)["build"].artifacts == ()
    assert latest(seen, 10)["build"].artifacts == left


def test_a_cancelled_job_leaves_no_artifacts():
    declared = scenario(job("build", 10, artifacts=(Artifact("a.txt", "a"),)))
    seen = timeline(declared, done("cancel", 5))
    assert latest(seen, 10)["build"].artifacts == ()


def test_a_job_is_found_by_its_number():
    seen = timeline(MINUTE)
    found = seen.job(run(1), at(0))
    assert found is not None
    assert found.status == "running"
    assert seen.job(run(2), at(0)) is None


def test_a_run_that_is_yet_to_come_is_not_found():
    seen = timeline(scenario(terminal_status="failed"), done("retry", 30))
    assert seen.job(run(1, 1), at(29)) is None
    assert seen.job(run(1, 1), at(30)) is not None


# ---------------------------------------------------------------------------- test suites


def test_a_suite_is_seen_once_its_job_has_run():
    unit = TestSuite("unit")
    seen = timeline(scenario(job("unit", 10), job("slow", 60), test_suites=(unit,)))
    assert seen.test_suites(at(9)) == ()
    assert seen.test_suites(at(10)) == (unit,)


def test_a_suite_without_a_job_is_seen_at_the_end_of_the_pipeline():
    suite = TestSuite("everything")
    seen = timeline(scenario(job("unit", 10), job("slow", 60), test_suites=(suite,)))
    assert seen.test_suites(at(59)) == ()
    assert seen.test_suites(at(60)) == (suite,)


def test_a_suite_of_a_parallel_job_is_seen_once_all_of_it_has_run():
    unit = TestSuite("unit")
    seen = timeline(scenario(job("unit 1/2", 10), job("unit 2/2", 20), test_suites=(unit,)))
    assert seen.test_suites(at(19)) == ()
    assert seen.test_suites(at(20)) == (unit,)


def test_a_suite_whose_job_was_skipped_is_not_seen():
    declared = scenario(job("unit", when="on_failure"), test_suites=(TestSuite("unit"),))
    assert timeline(declared).test_suites(at(99)) == ()


def test_a_suite_of_a_job_that_runs_again_is_gone_until_it_has():
    unit = TestSuite("unit")
    declared = scenario(job("unit", 10), test_suites=(unit,))
    seen = timeline(declared, done("retry", 20, run(1)))
    assert seen.test_suites(at(19)) == (unit,)
    assert seen.test_suites(at(29)) == ()
    assert seen.test_suites(at(30)) == (unit,)


def test_without_suites_there_are_none():
    assert timeline(MINUTE).test_suites(at(99)) == ()


# ---------------------------------------------------------------------------- through time


def test_a_window_tells_how_long_the_status_holds():
    seen = timeline(scenario(terminal_after=60, pending=5))
    assert seen.window(at(-9)) == Window("pending", CREATED, at(5))
    assert seen.window(at(4.999)) == Window("pending", CREATED, at(5))
    assert seen.window(at(5)) == Window("running", at(5), at(60))
    assert seen.window(at(60)) == Window("success", at(60), None)


def test_what_never_ends_has_a_window_without_end():
    assert timeline(scenario(never_complete=True)).window(at(9)) == Window("running", CREATED, None)


def test_a_window_ends_where_a_name_is_yet_to_come():
    seen = timeline(MINUTE, renamed_at=30)
    assert seen.window(at(29)) == Window("running", CREATED, at(30))
    assert seen.window(at(30)) == Window("running", at(30), at(60))
    assert timeline(MINUTE, renamed_at=90).window(at(30)).until == at(60)
    assert timeline(MINUTE, renamed_at=90).window(at(60)).until == at(90)


def test_the_next_change_is_the_next_moment_at_which_something_else_is_seen():
    seen = timeline(scenario(job("build", 10), job("test", 5, stage="later")))
    assert seen.next_change(at(-100)) == at(10)
    assert seen.next_change(at(0)) == at(10)
    assert seen.next_change(at(10)) == at(15)
    assert seen.next_change(at(15)) is None


def test_changes_name_runs_first_and_then_the_pipeline():
    seen = timeline(MINUTE)
    assert seen.changes(at(0), None) == [
        Change(at(60), run(1), "pipeline", "running", "success"),
        Change(at(60), None, "pipeline", "running", "success"),
    ]


def test_the_creation_is_a_change_from_nothing():
    seen = timeline(MINUTE)
    assert seen.changes(at(-1), at(59)) == [
        Change(CREATED, run(1), "pipeline", None, "running"),
        Change(CREATED, None, "pipeline", None, "running"),
    ]


def test_changes_include_the_last_moment_and_not_the_first():
    seen = timeline(MINUTE)
    assert len(seen.changes(at(59), at(60))) == 2
    assert seen.changes(at(60), at(99)) == []


def test_its_history_is_what_it_shows_from_when_on():
    seen = timeline(scenario(terminal_after=60, pending=5))
    assert seen.history == [(CREATED, "pending"), (at(5), "running"), (at(60), "success")]


def test_the_numbers_of_two_pipelines_jobs_differ():
    (mine,) = Timeline(record(), MINUTE).at(CREATED).jobs
    (other,) = Timeline(record()._replace(id=8), MINUTE).at(CREATED).jobs
    assert mine.id != other.id
