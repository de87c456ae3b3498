"""Statuses that others post: which rows they make, and how these count for the pipeline."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from mock_gitlab.engine.external import EVENTS, EXTERNAL, STATUSES_LIMIT, StatusAct, may_become
from mock_gitlab.engine.instants import from_seconds
from mock_gitlab.engine.model import Action, ExternalStatus, PostedState, job_id
from mock_gitlab.engine.statuses import composite
from mock_gitlab.engine.timeline import Timeline
from tests.engine.builders import PIPELINE, at, done, job, record, scenario, status, timeline


def act(
    seconds: float, number: int, state: PostedState, name: str = "ci", **more: Any
) -> StatusAct:
    return StatusAct(at(seconds), number, name, state, **more)


def declared(state: PostedState, after: float = 0, name: str = "ci", **more: Any) -> ExternalStatus:
    return ExternalStatus(name, state, from_seconds(after), **more)


def posted(*acts: StatusAct, actions: tuple[Action, ...] = (), of: Any = EXTERNAL) -> Timeline:
    return Timeline(record(*actions), of, posted=acts)


def rows(seen: Timeline, seconds: float) -> list[tuple[int, str, bool]]:
    """Return number, status and whether it is replaced, of each row."""
    found = seen.at(at(seconds)).external
    return [(each.id % 100_000 // 1000, each.status, each.retried) for each in found]


def test_a_pipeline_without_jobs_is_created_until_something_is_posted():
    seen = posted(act(5, 0, "running"))
    assert [status(seen, second) for second in (0, 4, 5)] == ["created", "created", "running"]


def test_an_external_pipeline_of_which_nothing_is_known_stays_created():
    assert status(posted(), 100) == "created"


def test_what_was_not_said_stays_as_it_was():
    seen = posted(
        act(0, 0, "pending", target_url="http://a", description="d"),
        act(5, 0, "running", coverage=5.0),
        act(9, 0, "success", description="e"),
    )
    shown = [seen.at(at(second)).external[0] for second in (0, 5, 9)]

    assert [(each.target_url, each.description, each.coverage) for each in shown] == [
        ("http://a", "d", None),
        ("http://a", "d", 5.0),
        ("http://a", "e", 5.0),
    ]


def test_a_row_has_the_times_of_its_steps():
    [row] = (
        posted(act(0, 0, "pending"), act(5, 0, "running"), act(9, 0, "failed")).at(at(9)).external
    )

    assert (row.created_at, row.started_at, row.finished_at) == (at(0), at(5), at(9))
    assert row.id == job_id(PIPELINE, 0, 0)


def test_a_skipped_row_has_no_end():
    [row] = posted(act(0, 0, "skipped")).at(at(0)).external
    assert row.finished_at is None


def test_a_newer_row_replaces_older_ones_of_its_name_from_its_creation_on():
    seen = posted(act(0, 0, "failed"), act(5, 1, "success"), act(6, 2, "failed", "other"))

    assert rows(seen, 4) == [(0, "failed", False)]
    assert rows(seen, 5) == [(0, "failed", True), (1, "success", False)]
    assert [status(seen, second) for second in (4, 5, 6)] == ["failed", "success", "failed"]


def test_a_row_that_is_replaced_while_it_is_open_counts_no_more():
    seen = posted(act(5, 0, "running"), act(0, 1, "running"), act(9, 1, "failed"))

    assert rows(seen, 9) == [(0, "running", False), (1, "failed", True)]
    assert status(seen, 9) == "running"


def test_a_step_that_is_refused_changes_nothing():
    seen = posted(
        act(0, 0, "running"), act(5, 0, "pending"), act(9, 0, "failed"), act(10, 0, "success")
    )
    assert [rows(seen, second)[0][1] for second in (0, 5, 9, 10)] == [
        "running", "running", "failed", "failed",
    ]  # fmt: skip


def test_jobs_and_rows_count_together():
    seen = posted(act(0, 0, "running"), act(20, 0, "failed"), of=scenario(job("build", 10)))

    assert [status(seen, second) for second in (0, 10, 19, 20)] == [
        "running", "running", "running", "failed",
    ]  # fmt: skip
    assert seen.window(at(12)) == ("running", at(0), at(20))
    assert seen.at(at(20)).finished_at == at(20)


def test_a_row_starts_a_pipeline_whose_jobs_wait():
    waits = scenario(job("build", 10, pending=30))
    seen = posted(act(5, 0, "success"), of=waits)

    assert seen.at(at(4)).started_at is None
    assert seen.at(at(5)).started_at == at(5)
    assert timeline(waits).at(at(5)).started_at is None


def test_reads_end_the_jobs_and_not_what_was_posted():
    polled = record(polls=2, polled_at=5)
    seen = Timeline(
        polled, scenario(terminal_after_polls=2), posted=[act(0, 0, "running"), act(9, 0, "failed")]
    )

    assert (status(seen, 6), status(seen, 9)) == ("running", "failed")
    assert not seen.counts_polls(at(6))


def test_the_history_and_the_changes_of_a_pipeline_know_its_rows():
    seen = posted(act(0, 0, "pending"), act(5, 0, "success"))

    assert seen.history == [(at(0), "pending"), (at(5), "success")]
    assert [(each.at, each.name, each.after) for each in seen.changes(at(0), None)] == [
        (at(5), "ci", "success"),
        (at(5), "pipeline", "success"),
    ]
    assert seen.next_change(at(0)) == at(5)


def test_the_state_is_the_same_object_until_a_row_changes():
    seen = posted(act(0, 0, "failed"), act(5, 1, "failed"))

    assert seen.at(at(1)) is seen.at(at(4))
    assert seen.at(at(4)) is not seen.at(at(5))


# ---------------------------------------------------------------------------- cancels


def test_a_cancel_ends_open_rows_and_spares_jobs_that_have_ended():
    seen = posted(
        act(0, 0, "running"), actions=(done("cancel", 20),), of=scenario(job("build", 10))
    )

    assert status(seen, 20) == "canceled"
    assert seen.at(at(20)).jobs[0].status == "success"


def test_a_cancel_stops_jobs_even_if_it_ends_rows():
    seen = posted(act(0, 0, "running"), actions=(done("cancel", 5),), of=scenario(job("build", 10)))

    assert rows(seen, 5) == [(0, "canceled", False)]
    assert seen.at(at(5)).jobs[0].status == "canceled"


def test_at_one_instant_acts_and_cancels_are_in_the_order_of_their_recording():
    seen = posted(
        act(0, 0, "running"),
        act(0, 1, "running", actions_before=1),
        actions=(done("cancel", 0), done("cancel", 0, job_id(PIPELINE, 1, 0))),
    )

    assert rows(seen, 0) == [(0, "canceled", True), (1, "running", False)]


# ---------------------------------------------------------------------------- declared


def test_another_ci_posts_at_its_own_times():
    ci = (declared("pending"), declared("running", 5), declared("success", 20))
    seen = timeline(scenario(job("build", 10), external_statuses=ci))

    assert [rows(seen, second)[0][1] for second in (0, 5, 20)] == ["pending", "running", "success"]
    assert [status(seen, second) for second in (0, 19, 20)] == ["running", "running", "success"]


def test_declared_rows_are_numbered_from_the_last_number_down():
    ci = (declared("failed"), declared("success", 5), declared("pending", 7, "other"))

    assert rows(timeline(scenario(external_statuses=ci)), 7) == [
        (97, "pending", False),
        (98, "success", False),
        (99, "failed", True),
    ]


def test_what_is_posted_replaces_what_another_ci_posts_and_does_not_change_it():
    seen = posted(
        act(5, 0, "success"), of=scenario(job("build"), external_statuses=(declared("running"),))
    )

    assert rows(seen, 5) == [(0, "success", False), (99, "running", True)]
    assert [each.posted for each in seen.at(at(5)).external] == [True, False]


def test_a_declared_row_takes_no_number_that_was_posted_even_later():
    seen = posted(
        act(9, STATUSES_LIMIT - 1, "running", "other"),
        of=scenario(job("build"), external_statuses=(declared("failed", 5),)),
    )

    assert rows(seen, 9) == [(98, "failed", False), (99, "running", False)]


def test_declared_rows_that_find_no_room_are_left_out():
    seen = posted(
        *(act(0, number, "success", str(number)) for number in range(STATUSES_LIMIT)),
        of=scenario(job("build"), external_statuses=(declared("failed", 5),)),
    )

    assert len(seen.at(at(5)).external) == STATUSES_LIMIT
    assert status(seen, 20) == "success"


def test_another_ci_begins_anew_after_a_cancel():
    ci = (declared("running"), declared("success", 20))
    seen = timeline(scenario(job("build", 10), external_statuses=ci), done("cancel", 5))

    assert rows(seen, 20) == [(98, "success", False), (99, "canceled", True)]


# ---------------------------------------------------------------------------- laws


STATES = st.sampled_from(get_args(PostedState))


def test_every_state_has_the_name_of_its_event():
    assert set(EVENTS) == set(get_args(PostedState))


def test_a_row_that_is_open_can_always_end():
    assert all(
        may_become(before, state)
        for before in ("pending", "running")
        for state in ("success", "failed", "canceled")
    )


acts = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 3), STATES, st.sampled_from("ab")), max_size=8
)


@given(acts, st.lists(st.integers(0, 9), max_size=2))
def test_the_past_does_not_depend_on_what_is_posted_later(
    drawn: list[tuple[int, int, Any, str]], cancels: list[int]
):
    ordered = sorted(drawn, key=lambda each: each[0])
    every = [act(second, number, state, name) for second, number, state, name in ordered]
    actions = tuple(done("cancel", second) for second in sorted(cancels))
    whole = posted(*every, actions=actions, of=scenario(job("build", 3)))

    for second in range(10):
        known = posted(
            *(each for each in every if each.at <= at(second)),
            actions=tuple(each for each in actions if each.at <= at(second)),
            of=scenario(job("build", 3)),
        )
        assert whole.at(at(second)) == known.at(at(second))


@given(acts)
def test_an_external_pipeline_is_what_its_latest_rows_are_together(
    drawn: list[tuple[int, int, Any, str]],
):
    seen = posted(*(act(second, number, state, name) for second, number, state, name in drawn))
    for second in range(10):
        state = seen.at(at(second))
        latest = [(each.status, False) for each in state.external if not each.retried]
        assert state.status == (composite(latest) or "created")
