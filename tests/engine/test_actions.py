"""Actions on a pipeline or its jobs: cancel, retry, play, erase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.model import (
    ATTEMPTS_LIMIT,
    Artifact,
    Attempt,
    JobAttempt,
    NotAllowed,
    NotFound,
    TerminalStatus,
    When,
)
from mock_gitlab.engine.timeline import Timeline

from .builders import (
    CREATED,
    and_then,
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
    from mock_gitlab.engine.model import Action, ActionName

MINUTE = scenario(terminal_after=60)
FLAKY = scenario(
    attempts=(
        Attempt(terminal_after=10_000, terminal_status="failed"),
        Attempt(terminal_after=20_000, terminal_status="success"),
    )
)
GATED = scenario(
    job("build", 10),
    job("gate", 20, stage="deploy", when="manual"),
    job("after", 5, stage="after"),
)


def refused(seen: Timeline, name: ActionName, seconds: float, job_id: int) -> str:
    with pytest.raises(NotAllowed) as caught:
        seen.permits(done(name, seconds, job_id))
    return caught.value.reason


# ---------------------------------------------------------------------------- cancel


def test_a_cancelled_pipeline_is_canceled_from_that_moment():
    seen = timeline(MINUTE, done("cancel", 30))
    assert [status(seen, second) for second in (29.999, 30, 60, 10**6)] == [
        "running",
        "canceled",
        "canceled",
        "canceled",
    ]
    assert seen.at(at(99)).finished_at == at(30)
    assert seen.at(at(99)).duration == 30
    assert seen.at(at(99)).jobs[0].status == "canceled"


def test_a_cancel_beats_never_complete():
    seen = timeline(scenario(never_complete=True), done("cancel", 30))
    assert status(seen, 30) == "canceled"


def test_a_cancel_beats_inline_values():
    assert status(timeline(MINUTE, done("cancel", 30), terminal_status="failed"), 60) == "canceled"


def test_a_pipeline_that_was_cancelled_before_it_started_has_no_duration():
    state = timeline(scenario(terminal_after=60, pending=30), done("cancel", 5)).at(at(99))
    assert (state.status, state.started_at, state.duration) == ("canceled", None, None)
    assert state.finished_at == at(5)


def test_the_end_comes_before_a_cancel_of_the_same_moment():
    assert not timeline(MINUTE).affects(done("cancel", 60))
    assert timeline(MINUTE).affects(done("cancel", 59.999))


@pytest.mark.parametrize("final", ["success", "failed", "canceled", "skipped"])
def test_to_cancel_a_finished_pipeline_changes_nothing(final: TerminalStatus):
    assert not timeline(scenario(terminal_status=final)).affects(done("cancel", 5))


def test_a_clock_that_is_set_back_shows_the_pipeline_before_its_cancel():
    assert status(timeline(MINUTE, done("cancel", 30)), 10) == "running"


def test_a_cancelled_pipeline_stays_cancelled_whatever_the_scenario_says():
    cancelled = record(done("cancel", 30))
    for edited in (
        scenario(terminal_after=10),
        scenario(terminal_after=10, terminal_status="failed"),
        scenario(terminal_status="skipped"),
        scenario(terminal_status="manual"),
        scenario(never_complete=True),
        scenario(job("a", 5)),
        scenario(job("a", 5), job("b", 9, status="failed")),
        scenario(job("a", 5), job("b", 60), never_complete=True),
        scenario(job("a", when="on_failure")),
        scenario(job("a", when="manual")),
        scenario(job("a", when="manual", allow_failure=True)),
    ):
        assert status(Timeline(cancelled, edited), 30) == "canceled"
        assert status(Timeline(cancelled, edited), 10**6) == "canceled"


def test_after_an_edit_the_run_that_ended_last_is_the_cancelled_one():
    seen = Timeline(record(done("cancel", 30)), scenario(job("a", 5), job("b", 9)))
    assert statuses(seen, 29) == {"a": "success", "b": "success"}
    assert statuses(seen, 30) == {"a": "success", "b": "canceled"}
    assert latest(seen, 30)["b"].finished_at == at(30)


def test_after_an_edit_a_job_that_never_ran_is_not_the_cancelled_one():
    declared = scenario(job("a", 5, status="failed"), job("b", stage="later"))
    seen = Timeline(record(done("cancel", 30)), declared)
    assert statuses(seen, 30) == {"a": "canceled", "b": "skipped"}


def test_a_cancel_stops_what_runs_and_what_is_yet_to_come():
    declared = scenario(
        job("done", 5),
        job("running", 60),
        job("queued", 60, pending=60),
        job("delayed", needs=(), when="delayed", start_in=60, stage="later"),
        job("gate", needs=(), when="manual", stage="later"),
        job("optional", needs=(), when="manual", allow_failure=True, stage="later"),
        job("later", stage="later"),
    )
    seen = timeline(declared, done("cancel", 30))
    assert statuses(seen, 99) == {
        "done": "success",
        "running": "canceled",
        "queued": "canceled",
        "delayed": "canceled",
        "gate": "skipped",
        "optional": "manual",
        "later": "canceled",
    }
    assert status(seen, 99) == "canceled"


def test_a_pipeline_with_a_failure_is_canceled_when_it_is_cancelled():
    seen = timeline(scenario(job("a", 5, status="failed"), job("b", 60)), done("cancel", 30))
    assert status(seen, 30) == "canceled"


def test_a_pipeline_that_waits_for_a_person_can_be_cancelled():
    waits = timeline(scenario(job("build", 10), job("gate", stage="b", when="manual")))
    assert waits.affects(done("cancel", 30))
    cancelled = and_then(waits, done("cancel", 30))
    assert statuses(cancelled, 30) == {"build": "success", "gate": "canceled"}
    assert status(cancelled, 30) == "canceled"


def test_one_job_is_cancelled_alone():
    seen = timeline(
        scenario(job("a", 60), job("b", 60), job("c", stage="c")), done("cancel", 9, run(1))
    )
    assert statuses(seen, 9) == {"a": "canceled", "b": "running", "c": "created"}
    assert statuses(seen, 60) == {"a": "canceled", "b": "success", "c": "skipped"}
    assert status(seen, 60) == "canceled"


def test_a_manual_job_that_is_cancelled_itself_is_canceled():
    declared = scenario(
        job("gate", when="manual", allow_failure=False), job("b", stage="later", when="always")
    )
    seen = timeline(declared)
    assert seen.affects(done("cancel", 5, run(1)))
    cancelled = and_then(seen, done("cancel", 5, run(1)))
    assert [status(cancelled, second) for second in (4, 5)] == ["manual", "canceled"]
    assert statuses(cancelled, 5) == {"gate": "canceled", "b": "skipped"}


def test_to_cancel_a_job_that_was_passed_over_changes_nothing():
    seen = timeline(scenario(job("a", when="on_failure")))
    assert not seen.affects(done("cancel", 5, run(1)))
    assert statuses(and_then(seen, done("cancel", 5, run(1))), 9) == statuses(seen, 9)


@pytest.mark.parametrize(("when", "stage"), [("delayed", "test"), ("on_success", "later")])
def test_a_job_that_is_yet_to_start_can_be_cancelled(when: When, stage: str):
    seen = timeline(scenario(job("a", 60), job("b", when=when, start_in=60, stage=stage)))
    assert seen.affects(done("cancel", 5, run(2)))
    assert statuses(and_then(seen, done("cancel", 5, run(2))), 5)["b"] == "canceled"


def test_to_cancel_the_job_of_a_pipeline_without_jobs_is_to_cancel_the_pipeline():
    cancelled = record(done("cancel", 30, run(1)))
    assert status(Timeline(cancelled, MINUTE), 30) == "canceled"
    assert status(Timeline(cancelled, scenario(terminal_after=10)), 30) == "canceled"


def test_an_old_run_cannot_be_cancelled():
    seen = timeline(FLAKY, done("retry", 15))
    assert not seen.affects(done("cancel", 16, run(1)))
    assert status(and_then(seen, done("cancel", 16, run(1))), 16) == "running"


# ---------------------------------------------------------------------------- retry of a pipeline


def test_a_retry_is_the_next_attempt():
    seen = timeline(FLAKY, done("retry", 15))
    assert [status(seen, second) for second in (10, 14.999, 15, 34.999, 35)] == [
        "failed",
        "failed",
        "running",
        "running",
        "success",
    ]


def test_a_retry_at_the_very_moment_of_the_failure_comes_after_it():
    seen = timeline(FLAKY, done("retry", 10))
    assert [status(seen, second) for second in (9, 10, 30)] == ["running", "running", "success"]
    assert [job.status for job in seen.at(at(10)).jobs] == ["failed", "running"]


def test_the_last_attempt_repeats():
    always = scenario(attempts=(Attempt(terminal_after=10_000, terminal_status="failed"),))
    seen = timeline(always, done("retry", 20), done("retry", 40))
    assert [status(seen, second) for second in (30, 40, 50)] == ["failed", "running", "failed"]


def test_a_retry_leaves_the_old_run_as_it_was():
    old, new = timeline(FLAKY, done("retry", 15)).at(at(35)).jobs
    assert (old.id, old.status, old.retried, old.finished_at) == (run(1), "failed", True, at(10))
    assert (new.id, new.status, new.retried, new.created_at) == (
        run(1, 1),
        "success",
        False,
        at(15),
    )


def test_a_run_is_retried_only_from_the_retry_on():
    (only,) = timeline(FLAKY, done("retry", 15)).at(at(14)).jobs
    assert not only.retried


def test_a_retried_pipeline_keeps_its_first_start_and_has_a_new_end():
    seen = timeline(FLAKY, done("retry", 15))
    assert seen.at(at(20)).finished_at is None
    assert seen.at(at(20)).updated_at == at(15)
    state = seen.at(at(99))
    assert (state.started_at, state.finished_at, state.duration) == (CREATED, at(35), 20)


def test_a_cancelled_pipeline_can_be_retried():
    seen = timeline(scenario(terminal_after=60), done("cancel", 30), done("retry", 40))
    assert [status(seen, second) for second in (39, 40, 100)] == ["canceled", "running", "success"]


def test_a_retry_after_a_cancel_of_what_never_completes_runs_for_ever():
    declared = scenario(job("a", 10), never_complete=True)
    seen = timeline(declared, done("cancel", 5), done("retry", 20))
    assert [status(seen, second) for second in (5, 20, 10**6)] == ["canceled", "running", "running"]


@pytest.mark.parametrize("final", ["success", "skipped", "manual"])
def test_where_nothing_failed_a_retry_changes_nothing(final: TerminalStatus):
    seen = timeline(scenario(terminal_status=final))
    assert not seen.affects(done("retry", 5))
    assert and_then(seen, done("retry", 5)).at(at(9)) == seen.at(at(9))


def test_where_something_failed_a_retry_changes_something():
    assert timeline(FLAKY).affects(done("retry", 10))
    assert not timeline(FLAKY).affects(done("retry", 9.999))


def test_an_allowed_failure_is_worth_a_retry():
    seen = timeline(scenario(job("a", 10, status="failed", allow_failure=True)))
    assert status(seen, 10) == "success"
    assert seen.affects(done("retry", 10))


def test_a_retry_runs_what_failed_and_what_was_skipped_and_nothing_else():
    declared = scenario(
        job("good", 10),
        job("bad", 10, attempts=(JobAttempt(status="failed"), JobAttempt(status="success"))),
        job("after", 5, stage="later"),
    )
    seen = timeline(declared, done("retry", 20))
    assert statuses(seen, 19) == {"good": "success", "bad": "failed", "after": "skipped"}
    assert statuses(seen, 20) == {"good": "success", "bad": "running", "after": "created"}
    assert latest(seen, 30)["after"].status == "running"
    assert status(seen, 35) == "success"
    assert [j.id for j in seen.at(at(35)).jobs] == [run(1), run(2), run(3), run(2, 1)]


def test_a_retry_while_others_run_takes_what_has_failed_so_far():
    declared = scenario(
        job("bad", 10, attempts=(JobAttempt(status="failed"), JobAttempt(status="success"))),
        job("slow", 60),
    )
    seen = timeline(declared, done("retry", 20))
    assert statuses(seen, 30) == {"bad": "success", "slow": "running"}


def test_a_manual_job_that_is_retried_with_its_pipeline_waits_again():
    declared = scenario(job("gate", 10, when="manual", status="failed"))
    seen = timeline(declared, done("play", 5, run(1)), done("retry", 30))
    assert [status(seen, second) for second in (15, 30)] == ["failed", "manual"]


@pytest.mark.parametrize("job_id", [None, run(1)])
def test_a_limit_of_time_counts_anew_from_a_retry(job_id: int | None):
    declared = scenario(job("a", 100), terminal_after=50, terminal_status="failed")
    seen = timeline(declared, done("retry", 60, job_id))
    assert [status(seen, second) for second in (50, 60, 109, 110)] == [
        "failed",
        "running",
        "running",
        "failed",
    ]


def test_there_is_an_end_to_retries():
    retries = [done("retry", n, run(1, n)) for n in range(ATTEMPTS_LIMIT)]
    seen = timeline(scenario(terminal_status="failed"), *retries)
    last = run(1, ATTEMPTS_LIMIT)
    assert seen.at(at(1000)).jobs[-1].id == last
    assert refused(seen, "retry", 1000, last) == "Job is not retryable"
    assert not seen.affects(done("retry", 1000))
    again = and_then(seen, done("retry", 1000), done("retry", 1000, last))
    assert again.at(at(1001)) == seen.at(at(1001))


def test_a_retry_that_fails_at_once_is_a_new_end():
    seen = timeline(scenario(terminal_status="failed"), done("retry", 30))
    assert status(seen, 30) == "failed"
    assert seen.at(at(30)).finished_at == at(30)


# ---------------------------------------------------------------------------- retry of a job


@pytest.mark.parametrize("final", ["success", "failed", "canceled"])
def test_a_job_that_is_over_can_be_retried(final: TerminalStatus):
    seen = timeline(scenario(job("a", 10, status=final)))
    seen.permits(done("retry", 10, run(1)))
    assert seen.affects(done("retry", 10, run(1)))
    again = and_then(seen, done("retry", 20, run(1)))
    assert [status(again, second) for second in (20, 30)] == ["running", final]


def test_a_job_that_runs_cannot_be_retried():
    assert refused(timeline(MINUTE), "retry", 30, run(1)) == "Job is not retryable"
    assert timeline(MINUTE, done("retry", 30, run(1))).at(at(40)) == timeline(MINUTE).at(at(40))


@pytest.mark.parametrize("when", ["on_failure", "manual"])
def test_a_job_that_has_not_run_cannot_be_retried(when: When):
    seen = timeline(scenario(job("a", when=when)))
    assert refused(seen, "retry", 5, run(1)) == "Job is not retryable"


def test_an_old_run_cannot_be_retried():
    seen = timeline(FLAKY, done("retry", 15, run(1)))
    assert refused(seen, "retry", 40, run(1)) == "Job is not retryable"
    assert and_then(seen, done("retry", 40, run(1))).at(at(50)) == seen.at(at(50))


def test_a_retried_job_revives_what_was_skipped_because_of_it():
    declared = scenario(
        job("bad", 10, attempts=(JobAttempt(status="failed"), JobAttempt(status="success"))),
        job("next", 5, stage="later"),
        job("needs", 5, stage="test", needs=("bad",)),
        job("chain", 5, stage="test", needs=("needs",)),
        job("other", 5, when="on_failure", needs=()),
    )
    seen = timeline(declared, done("retry", 20, run(1)))
    assert statuses(seen, 19) == {
        "bad": "failed",
        "next": "skipped",
        "needs": "skipped",
        "chain": "skipped",
        "other": "skipped",
    }
    assert statuses(seen, 20) == {
        "bad": "running",
        "next": "created",
        "needs": "created",
        "chain": "created",
        "other": "skipped",
    }
    assert statuses(seen, 35) == {
        "bad": "success",
        "next": "created",
        "needs": "success",
        "chain": "running",
        "other": "skipped",
    }
    assert status(seen, 45) == "success"


def test_a_revived_job_revives_the_stages_after_its_own():
    bad = job(
        "bad",
        10,
        stage="three",
        needs=(),
        attempts=(JobAttempt(status="failed"), JobAttempt(status="success")),
    )
    declared = scenario(
        bad,
        job("needs", 5, stage="one", needs=("bad",), status="failed"),
        job("rescue", 5, stage="two", when="on_failure"),
        stages=("one", "two", "three"),
    )
    seen = timeline(declared, done("retry", 20, run(1)))
    assert statuses(seen, 19)["rescue"] == "skipped"
    assert latest(seen, 99)["rescue"].started_at == at(35)


def test_a_job_played_after_a_cancel_does_not_bring_its_pipeline_back():
    declared = scenario(
        job("bad", 5, status="failed", needs=()),
        job("slow", 60),
        job("optional", 10, when="manual", allow_failure=True),
    )
    seen = timeline(declared, done("cancel", 20), done("play", 30, run(3)))
    assert [status(seen, second) for second in (20, 30, 40)] == ["canceled", "running", "canceled"]


def test_a_manual_job_that_is_retried_alone_runs_at_once():
    seen = timeline(
        scenario(job("gate", 10, when="manual")), done("play", 5, run(1)), done("retry", 30, run(1))
    )
    assert [status(seen, second) for second in (15, 30, 40)] == ["success", "running", "success"]


def test_a_delayed_job_that_is_retried_alone_runs_at_once():
    seen = timeline(scenario(job("a", 10, when="delayed", start_in=60)), done("retry", 99, run(1)))
    assert status(seen, 99) == "running"


def test_the_last_entry_of_a_jobs_attempts_repeats():
    entries = (JobAttempt(status="failed"), JobAttempt(duration=5_000))
    declared = scenario(job("a", 10, status="failed", attempts=entries))
    seen = timeline(declared, done("retry", 20), done("retry", 40))
    assert [status(seen, second) for second in (10, 25, 44, 45)] == [
        "failed",
        "failed",
        "running",
        "failed",
    ]


# ---------------------------------------------------------------------------- play


def test_a_manual_job_runs_when_it_is_played():
    seen = timeline(GATED, done("play", 30, run(2)))
    assert [status(seen, second) for second in (10, 29, 30, 50, 55)] == [
        "manual",
        "manual",
        "running",
        "running",
        "success",
    ]
    assert latest(seen, 50)["after"].started_at == at(50)
    assert latest(seen, 50)["gate"].id == run(2)


def test_a_played_job_waits_for_its_runner():
    seen = timeline(scenario(job("gate", when="manual", pending=5)), done("play", 30, run(1)))
    assert [status(seen, second) for second in (30, 35)] == ["pending", "running"]


def test_a_delayed_job_runs_when_it_is_played_and_only_once():
    seen = timeline(scenario(job("a", 10, when="delayed", start_in=60)), done("play", 20, run(1)))
    assert [status(seen, second) for second in (19, 20, 30, 60, 99)] == [
        "scheduled",
        "running",
        "success",
        "success",
        "success",
    ]


def test_only_what_waits_for_a_person_or_a_delay_can_be_played():
    timeline(GATED).permits(done("play", 10, run(2)))
    assert refused(timeline(GATED), "play", 9, run(2)) == "Unplayable Job"
    assert refused(timeline(GATED), "play", 10, run(1)) == "Unplayable Job"
    assert timeline(GATED, done("play", 5, run(1))).at(at(7)) == timeline(GATED).at(at(7))


def test_an_old_run_cannot_be_played():
    seen = timeline(scenario(job("a", when="manual")), done("play", 1, run(1)))
    retried = and_then(seen, done("retry", 20, run(1)))
    assert refused(retried, "play", 30, run(1)) == "Unplayable Job"
    again = and_then(retried, done("play", 30, run(1)))
    assert again.at(at(99)) == retried.at(at(99))


def test_a_played_job_cannot_be_played_while_it_runs():
    seen = timeline(GATED, done("play", 30, run(2)))
    assert refused(seen, "play", 31, run(2)) == "Unplayable Job"


@pytest.mark.parametrize("final", ["success", "failed"])
def test_to_play_a_manual_job_that_is_over_is_to_retry_it(final: TerminalStatus):
    declared = scenario(job("gate", 10, when="manual", allow_failure=True, status=final))
    played = timeline(declared, done("play", 0, run(1)))
    played.permits(done("play", 20, run(1)))
    again = and_then(played, done("play", 20, run(1)))

    assert again.at(at(20)) == and_then(played, done("retry", 20, run(1))).at(at(20))
    assert [(each.id, each.status) for each in again.at(at(20)).jobs] == [
        (run(1), final),
        (run(1, 1), "running"),
    ]
    assert refused(again, "play", 20, run(1)) == "Unplayable Job"


def test_a_job_of_another_kind_that_is_over_cannot_be_played():
    seen = timeline(scenario(job("a", 10)))
    assert refused(seen, "play", 20, run(1)) == "Unplayable Job"


def test_what_was_skipped_for_want_of_a_manual_job_runs_after_it_was_played():
    declared = scenario(
        job("gate", 10, when="manual", allow_failure=True), job("b", 5, needs=("gate",))
    )
    seen = timeline(declared, done("play", 30, run(1)))
    assert statuses(seen, 29) == {"gate": "manual", "b": "skipped"}
    assert statuses(seen, 40) == {"gate": "success", "b": "running"}


def test_a_pipeline_that_ended_waiting_for_a_person_succeeds_when_it_is_played():
    declared = scenario(terminal_after=60, terminal_status="manual")
    seen = timeline(declared, done("play", 100, run(1)))
    assert [status(seen, second) for second in (60, 100, 159, 160)] == [
        "manual",
        "running",
        "running",
        "success",
    ]
    assert seen.at(at(160)).jobs[0].started_at == at(100)


def test_a_pipeline_that_waits_for_a_person_by_looks_succeeds_at_once_when_it_is_played():
    declared = scenario(terminal_after_polls=1, terminal_status="manual")
    seen = timeline(declared, done("play", 100, run(1)), polls=1, polled_at=10)
    assert [status(seen, second) for second in (10, 99, 100)] == ["manual", "manual", "success"]


# ---------------------------------------------------------------------------- erase


def test_an_erased_job_has_neither_log_nor_artifacts():
    declared = scenario(job("a", 10, trace="one\n", artifacts=(Artifact("a", "a"),)))
    seen = timeline(declared, done("erase", 20, run(1)))
    before, after = latest(seen, 19)["a"], latest(seen, 20)["a"]
    assert (before.erased_at, before.trace(at(19)), len(before.artifacts)) == (None, "one\n", 1)
    assert (after.erased_at, after.trace(at(20)), after.artifacts) == (at(20), "", ())
    assert after.status == "success"


@pytest.mark.parametrize("name", ["erase", "delete_artifacts"])
def test_who_looks_on_sees_what_a_job_has_left_go_at_its_moment(name: ActionName):
    declared = scenario(job("build", 10, trace="one\n", artifacts=(Artifact("a", "a"),)))
    seen = timeline(declared, done(name, 20, run(1)))
    left = [len(seen.at(at(second)).jobs[0].artifacts) for second in (12, 19, 20)]
    assert left == [1, 1, 0]


def expiring(*actions: Action) -> Timeline:
    """Play a job that ends after 10 seconds and whose artifacts expire 20 seconds later."""
    left = (Artifact("a", "a"),)
    return timeline(
        scenario(job("build", 10, artifacts=left, artifacts_expire_in=20_000)), *actions
    )


def expiry(seen: Timeline, second: int) -> tuple[int, int | None]:
    state = seen.at(at(second)).jobs[0]
    return len(state.artifacts), state.expires_at


def test_artifacts_expire_so_long_after_the_end_of_their_job():
    seen = expiring()
    assert expiry(seen, 9) == (0, None)
    assert [expiry(seen, second) for second in (10, 29, 30)] == [
        (1, at(30)),
        (1, at(30)),
        (0, at(30)),
    ]


def test_kept_artifacts_do_not_expire():
    seen = expiring(done("keep_artifacts", 20, run(1)))
    assert [expiry(seen, second) for second in (19, 20, 40)] == [(1, at(30)), (1, None), (1, None)]


def test_expired_artifacts_cannot_be_kept():
    seen = expiring(done("keep_artifacts", 30, run(1)))
    assert expiry(seen, 40) == (0, at(30))
    assert not expiring().affects(done("keep_artifacts", 30, run(1)))
    assert expiring().affects(done("keep_artifacts", 29, run(1)))


def test_artifacts_that_never_expire_need_not_be_kept():
    declared = scenario(job("build", 10, artifacts=(Artifact("a", "a"),)))
    seen = timeline(declared, done("keep_artifacts", 20, run(1)))
    assert expiry(seen, 40) == (1, None)
    assert not timeline(declared).affects(done("keep_artifacts", 20, run(1)))


def test_deleted_artifacts_stay_deleted_and_erased_ones_have_no_expiry():
    assert expiry(expiring(done("delete_artifacts", 20, run(1))), 40) == (0, at(30))
    assert expiry(expiring(done("erase", 20, run(1))), 40) == (0, None)


def test_a_job_without_artifacts_has_none_that_expire():
    seen = timeline(scenario(job("build", 10, artifacts_expire_in=20_000)))
    assert expiry(seen, 40) == (0, None)


def test_what_runs_or_left_nothing_or_was_erased_cannot_be_erased():
    declared = scenario(job("a", 10, trace="one\n"), job("b", 10))
    seen = timeline(declared, done("erase", 20, run(1)))
    assert refused(seen, "erase", 9, run(1)) == "Job is not erasable!"
    seen.permits(done("erase", 19, run(1)))
    assert refused(seen, "erase", 20, run(1)) == "Job is not erasable!"
    assert refused(seen, "erase", 20, run(2)) == "Job is not erasable!"
    again = and_then(seen, done("erase", 30, run(1)), done("erase", 30, run(2)))
    assert again.at(at(40)) == seen.at(at(40))


def test_an_old_run_can_be_erased():
    declared = scenario(job("a", 10, trace="one\n"))
    seen = timeline(declared, done("retry", 20, run(1)), done("erase", 30, run(1)))
    assert seen.at(at(30)).jobs[0].erased_at == at(30)


def test_erasing_changes_no_status():
    declared = scenario(job("a", 10, trace="one\n"))
    assert timeline(declared).affects(done("erase", 20, run(1)))
    assert timeline(declared, done("erase", 20, run(1))).next_change(at(10)) is None


# ---------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("name", ["cancel", "retry", "play", "erase"])
@pytest.mark.parametrize("number", [run(2), run(1, 1), run(0), 999 * 100_000 + 1])
def test_a_job_that_does_not_exist_is_not_found(name: ActionName, number: int):
    with pytest.raises(NotFound) as caught:
        timeline(MINUTE).permits(done(name, 5, number))
    assert caught.value.what == "job"
    assert timeline(MINUTE, done(name, 5, number)).at(at(9)) == timeline(MINUTE).at(at(9))


@pytest.mark.parametrize("name", ["play", "erase"])
def test_a_whole_pipeline_can_be_neither_played_nor_erased(name: ActionName):
    with pytest.raises(NotFound):
        timeline(GATED).permits(done(name, 10))


@pytest.mark.parametrize("name", ["cancel", "retry"])
@pytest.mark.parametrize("second", [0, 60])
def test_whatever_a_pipeline_does_it_may_be_cancelled_and_retried(name: ActionName, second: int):
    timeline(MINUTE).permits(done(name, second))


def test_actions_take_effect_in_the_order_of_their_moments_whatever_that_of_their_record():
    seen = timeline(FLAKY, done("retry", 100), done("cancel", 5))
    assert [status(seen, second) for second in (5, 99, 100)] == ["canceled", "canceled", "running"]


def test_an_action_from_before_the_creation_counts_from_the_creation():
    assert status(timeline(MINUTE, done("cancel", -100)), 0) == "canceled"


def test_an_action_that_an_edit_made_impossible_is_ignored():
    retried = record(done("retry", 15), done("cancel", 16, run(1, 1)))
    assert status(Timeline(retried, FLAKY), 16) == "canceled"
    assert status(Timeline(retried, scenario(terminal_after=10)), 16) == "success"
    assert status(Timeline(retried, scenario(job("a", 60))), 16) == "running"


def test_a_running_pipeline_follows_an_edit():
    written = record(done("retry", 15))
    slower = scenario(
        attempts=(
            Attempt(terminal_after=10_000, terminal_status="failed"),
            Attempt(terminal_after=90_000, terminal_status="failed"),
        )
    )
    assert status(Timeline(written, FLAKY), 35) == "success"
    assert status(Timeline(written, slower), 35) == "running"


# ---------------------------------------------------------------------------- retries by looks

LOOKS = scenario(
    attempts=(
        Attempt(terminal_after_polls=2, terminal_status="failed"),
        Attempt(terminal_after_polls=3, terminal_status="success"),
    )
)


def test_after_a_retry_looks_count_anew():
    before = timeline(LOOKS, polls=2, polled_at=10)
    assert status(before, 10) == "failed"
    assert before.affects(done("retry", 20))
    seen = timeline(LOOKS, done("retry", 20))
    assert [job.status for job in seen.at(at(20)).jobs] == ["failed", "running"]
    assert seen.counts_polls(at(20))
    assert status(timeline(LOOKS, done("retry", 20), polls=2, polled_at=40), 40) == "running"
    assert status(timeline(LOOKS, done("retry", 20), polls=3, polled_at=40), 40) == "success"


def test_a_retry_of_the_job_counts_looks_anew_too():
    seen = timeline(LOOKS, done("retry", 20, run(1)))
    assert [job.status for job in seen.at(at(20)).jobs] == ["failed", "running"]


def test_a_retry_with_jobs_that_looks_had_ended_runs_them_again():
    declared = scenario(job("a", 100), terminal_after_polls=1, terminal_status="failed")
    assert statuses(timeline(declared, polls=1, polled_at=5), 5) == {"a": "failed"}
    seen = timeline(declared, done("retry", 20))
    assert [(job.id, job.status) for job in seen.at(at(20)).jobs] == [
        (run(1), "failed"),
        (run(1, 1), "running"),
    ]


def test_a_retry_of_one_job_lets_the_others_wait_for_their_looks():
    declared = scenario(job("a", 10), job("b", 100), terminal_after_polls=1)
    seen = timeline(declared, done("retry", 20, run(1)))
    assert statuses(seen, 20) == {"a": "running", "b": "running"}


def test_looks_before_a_cancel_do_not_end_what_was_cancelled():
    seen = timeline(LOOKS, done("cancel", 5), done("retry", 20), polls=1, polled_at=30)
    assert [job.status for job in seen.at(at(30)).jobs] == ["canceled", "running"]


def test_the_same_actions_on_another_pipelines_jobs_do_nothing():
    other = record(done("cancel", 5, run(1)))._replace(id=8)
    assert Timeline(other, MINUTE).at(at(9)).status == "running"
