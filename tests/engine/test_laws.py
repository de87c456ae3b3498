"""Laws that hold for every pipeline, every scenario and all actions.

Durations are a few milliseconds, so that much happens at once and every instant can be tried.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mock_gitlab.engine.actions import simulate
from mock_gitlab.engine.course import course_undisturbed, plan_of_job
from mock_gitlab.engine.model import (
    TERMINAL_STATUSES,
    WAITS,
    Action,
    ActionName,
    Artifact,
    Attempt,
    JobAttempt,
    JobSpec,
    NotAllowed,
    NotFound,
    PipelineRecord,
    Retry,
    Scenario,
    TerminalStatus,
    job_id,
    split_job_id,
)
from mock_gitlab.engine.statuses import CANCELABLE, COMPLETED, composite
from mock_gitlab.engine.timeline import PipelineState, Timeline

CREATED = 1_000
END = CREATED + 95  # later than anything that these scenarios have in store
INSTANTS = range(CREATED - 2, END)

few = settings(max_examples=50, deadline=None)

durations = st.integers(0, 4)
seldom = st.sampled_from([0, 0, 0, 1, 3])
final = st.sampled_from(TERMINAL_STATUSES)


job_attempts = st.builds(
    JobAttempt,
    duration=st.none() | durations,
    status=st.none() | final,
    pending=st.none() | durations,
    never_complete=st.none() | st.just(value=False),
)
attempts = st.builds(
    Attempt,
    terminal_after=st.none() | durations,
    terminal_status=st.none() | final,
    pending=st.none() | durations,
    preparing=st.none() | durations,
    terminal_after_polls=st.none() | st.integers(1, 3),
)
waits: dict[str, Any] = {name: seldom for name in WAITS if name != "pending"}
job_waits: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(waits)


@st.composite
def jobs(draw: st.DrawFn) -> tuple[JobSpec, ...]:
    names = "abcde"[: draw(st.integers(1, 5))]
    return tuple(
        JobSpec(
            name=name,
            stage=draw(st.sampled_from(["one", "two", "three"])),
            duration=draw(durations),
            status=draw(final),
            when=draw(st.sampled_from(["on_success", "on_failure", "always", "manual", "delayed"])),
            start_in=draw(durations),
            allow_failure=draw(st.booleans()),
            needs=draw(
                st.none() | st.lists(st.sampled_from(names[:place] or "a"), unique=True).map(tuple)
            )
            if place
            else draw(st.sampled_from([None, ()])),
            pending=draw(durations),
            **draw(job_waits),
            never_complete=draw(st.integers(0, 9)) == 0,
            attempts=tuple(draw(st.lists(job_attempts, max_size=2))),
            artifacts=draw(st.sampled_from([(), (Artifact("a", "a"),)])),
            artifacts_expire_in=draw(st.sampled_from([None, None, 0, 2])),
            retry=draw(
                st.sampled_from([None, None, Retry(1), Retry(2, ("job_execution_timeout",))])
            ),
            timeout=draw(st.sampled_from([None, None, 2])),
            allowed_exit_codes=draw(st.sampled_from([(), (1,), (2,)])),
        )
        for place, name in enumerate(names)
    )


without_jobs = st.builds(
    Scenario,
    scenario_id=st.just(1),
    name=st.just("generated"),
    terminal_after=st.none() | durations,
    terminal_status=final,
    never_complete=st.booleans(),
    pending=durations,
    **waits,
    terminal_after_polls=st.none() | st.integers(1, 3),
    attempts=st.lists(attempts, max_size=2).map(tuple),
)
with_jobs = st.builds(
    Scenario,
    scenario_id=st.just(1),
    name=st.just("generated"),
    terminal_after=st.none() | st.integers(0, 20),
    terminal_status=final,
    never_complete=st.integers(0, 4).map(lambda n: n == 0),
    pending=durations,
    **waits,
    jobs=jobs(),
)
scenarios = without_jobs | with_jobs
actions = st.builds(
    Action,
    name=st.sampled_from([name for name in get_args(ActionName) if name != "delete_downstream"]),
    at=st.integers(CREATED - 1, CREATED + 30),
    job_id=st.none() | st.builds(job_id, st.just(7), st.integers(1, 5), st.integers(0, 2)),
)
untouched = st.builds(
    lambda **given: PipelineRecord(**given),  # of a class hypothesis would make up the rest too
    id=st.just(7),
    iid=st.just(1),
    project_id=st.just(42),
    ref=st.just("main"),
    sha=st.just("0" * 40),
    source=st.just("trigger"),
    created_at=st.just(CREATED),
    terminal_after=st.none() | durations,
    terminal_status=st.none() | final,
    renamed_at=st.none() | st.integers(CREATED, CREATED + 20),
)


@st.composite
def touched(draw: st.DrawFn) -> PipelineRecord:
    return draw(untouched)._replace(actions=tuple(draw(st.lists(actions, max_size=5))))


@st.composite
def looked_at(draw: st.DrawFn) -> PipelineRecord:
    polled_at = draw(st.none() | st.integers(CREATED - 2, CREATED + 20))
    polls = 0 if polled_at is None else draw(st.integers(1, 4))
    return draw(touched())._replace(polls=polls, polled_at=polled_at)


Shown = tuple[str, tuple[tuple[int, str], ...]]


def shown(state: PipelineState) -> Shown:
    return state.status, tuple((job.id, job.status) for job in state.jobs)


# ---------------------------------------------------------------------------- looking


@few
@given(looked_at(), scenarios, st.lists(st.sampled_from(INSTANTS), max_size=12))
def test_what_is_seen_does_not_depend_on_earlier_looks(
    record: PipelineRecord, scenario: Scenario, instants: list[int]
):
    seen = Timeline(record, scenario)
    for now in instants:
        seen.changes(now, None)
        seen.next_change(now)
        assert seen.at(now) == Timeline(record, scenario).at(now)
        assert seen.window(now) == Timeline(record, scenario).window(now)


@few
@given(looked_at(), scenarios)
def test_whoever_looks_on_sees_what_a_first_look_would(record: PipelineRecord, scenario: Scenario):
    seen = Timeline(record, scenario)
    for now in INSTANTS:
        assert seen.at(now) == Timeline(record, scenario).at(now)


@few
@given(touched(), scenarios, st.integers(-1000, 10**13))
def test_the_course_depends_on_durations_alone_and_not_on_the_date(
    record: PipelineRecord, scenario: Scenario, way: int
):
    later = record._replace(
        created_at=record.created_at + way,
        renamed_at=None if record.renamed_at is None else record.renamed_at + way,
        actions=tuple(replace(action, at=action.at + way) for action in record.actions),
    )
    here, there = Timeline(record, scenario), Timeline(later, scenario)
    for now in INSTANTS:
        mine, other = here.at(now), there.at(now + way)
        assert shown(mine) == shown(other)
        assert (mine.duration, mine.queued_duration) == (other.duration, other.queued_duration)
        assert mine.updated_at + way == other.updated_at


@few
@given(untouched, scenarios)
def test_pipelines_alike_show_the_same_at_other_times(record: PipelineRecord, scenario: Scenario):
    record = record._replace(renamed_at=None)
    first = Timeline(record._replace(id=0, created_at=0), scenario)
    other = Timeline(record, scenario)
    for now in INSTANTS:
        assert first.at(now - CREATED).moved(CREATED) == other.at(now)._replace(jobs=())


# ---------------------------------------------------------------------------- time


@few
@given(untouched, scenarios)
def test_time_alone_never_changes_a_finished_pipeline(record: PipelineRecord, scenario: Scenario):
    seen = Timeline(record, scenario)
    states = [seen.at(now) for now in INSTANTS]
    assert len({state.status for state in states if state.finished}) <= 1
    assert sorted(states, key=lambda state: state.finished) == states


@few
@given(touched(), scenarios)
def test_a_finished_pipeline_changes_only_when_something_is_done(
    record: PipelineRecord, scenario: Scenario
):
    seen = Timeline(record, scenario)
    done = {max(action.at, CREATED) for action in record.actions}
    for before, now in pairwise(INSTANTS):
        if seen.at(before).finished and now not in done:
            assert seen.at(now).status == seen.at(before).status


@few
@given(touched(), scenarios, actions)
def test_an_action_does_not_change_the_past(
    record: PipelineRecord, scenario: Scenario, action: Action
):
    after = record._replace(actions=(*record.actions, action))
    for now in range(CREATED, max(action.at, CREATED)):
        assert Timeline(after, scenario).at(now) == Timeline(record, scenario).at(now)


@given(st.integers(0, 10**9), st.integers(0, 10**9), final)
def test_elapsed_exactly_equal_is_terminal(length: int, pending: int, status: TerminalStatus):
    scenario = Scenario(1, "timed", terminal_after=length, terminal_status=status, pending=pending)
    record = PipelineRecord(7, 1, 42, "main", "0" * 40, "trigger", CREATED)
    seen = Timeline(record, scenario)
    assert seen.at(CREATED + length).status == status
    if length:
        assert seen.at(CREATED + length - 1).status in ("pending", "running")


@given(st.tuples(*[st.integers(1, 9)] * 5), st.integers(1, 9))
def test_every_status_before_the_start_lasts_as_long_as_declared(
    lengths: tuple[int, ...], duration: int
):
    declared: dict[str, Any] = dict(zip(WAITS, lengths, strict=False))
    job = JobSpec("a", duration=duration, **declared)
    seen = Timeline(PipelineRecord(7, 1, 42, "", "", "", CREATED), Scenario(1, "x", jobs=(job,)))
    for history in (seen.history, [(c.at, c.after) for c in seen.changes(0, None) if c.job_id]):
        lasted = [later[0] - at for (at, _), later in pairwise(history)]
        assert [status for _, status in history] == [*WAITS[:-1], "running", "success"]
        assert lasted == [*lengths, duration]


# ---------------------------------------------------------------------------- jobs


@few
@given(untouched, with_jobs)
def test_no_job_starts_before_what_it_waits_for_has_ended(
    record: PipelineRecord, scenario: Scenario
):
    seen = Timeline(record, scenario)
    stages = list(dict.fromkeys(job.stage for job in scenario.jobs))
    for job in seen.at(END).jobs:
        if job.started_at is not None:
            for other in seen.at(job.started_at).jobs:
                earlier = stages.index(other.stage) < stages.index(job.stage)
                waits = earlier if job.spec.needs is None else other.name in job.spec.needs
                assert not waits or other.status in COMPLETED or other.status == "manual"


@few
@given(looked_at(), scenarios)
def test_the_times_of_a_job_are_in_order(record: PipelineRecord, scenario: Scenario):
    seen = Timeline(record, scenario)
    for now in INSTANTS:
        for job in seen.at(now).jobs:
            times = [job.created_at, job.queued_at, job.started_at, job.finished_at]
            known = [instant for instant in times if instant is not None]
            assert known == sorted(known)


@few
@given(looked_at(), scenarios)
def test_numbers_of_runs_never_repeat_and_lead_back_to_their_place(
    record: PipelineRecord, scenario: Scenario
):
    found = Timeline(record, scenario).at(END).jobs
    numbers = [job.id for job in found]
    assert numbers == sorted(set(numbers))
    assert [split_job_id(job.id) for job in found] == [(7, job.slot, job.attempt) for job in found]


@few
@given(looked_at(), scenarios)
def test_one_run_of_each_job_is_the_latest(record: PipelineRecord, scenario: Scenario):
    seen = Timeline(record, scenario)
    for now in INSTANTS:
        latest = sorted(job.slot for job in seen.at(now).jobs if not job.retried)
        assert latest == list(range(1, (len(scenario.jobs) or 1) + 1))


@few
@given(touched(), with_jobs)
def test_the_pipelines_status_is_made_of_its_latest_runs(
    record: PipelineRecord, scenario: Scenario
):
    assume(not any(a.name == "cancel" and a.job_id is None for a in record.actions))
    plain = replace(scenario, never_complete=False)
    seen = Timeline(record._replace(terminal_status=None), plain)
    for now in INSTANTS:
        state = seen.at(now)
        latest = [(job.status, job.allow_failure) for job in state.jobs if not job.retried]
        assert state.status == composite(latest)


@few
@given(looked_at(), without_jobs)
def test_the_one_job_of_a_pipeline_without_jobs_has_its_status(
    record: PipelineRecord, scenario: Scenario
):
    seen = Timeline(record, scenario)
    for now in INSTANTS:
        state = seen.at(now)
        assert state.jobs[-1].status == state.status


@few
@given(untouched | looked_at(), without_jobs)
def test_the_quick_way_to_write_down_a_course_equals_its_simulation(
    record: PipelineRecord, scenario: Scenario
):
    record = record._replace(actions=())
    quick = course_undisturbed(record, scenario)
    played = simulate(record, scenario, {})
    assert quick[1:] == played[1:]
    assert [(r.id, r.slot, r.attempt, r.plan, r.instants, r.statuses) for r in quick.runs] == [
        (r.id, r.slot, r.attempt, r.plan, r.instants, r.statuses) for r in played.runs
    ]


# ---------------------------------------------------------------------------- what is done


@few
@given(touched(), scenarios, actions)
def test_what_is_permitted_and_has_an_effect_changes_what_is_seen(
    record: PipelineRecord, scenario: Scenario, action: Action
):
    # by looks a retry means that there were enough of them: see test_actions
    assume(scenario.terminal_after_polls is None)
    assume(not any(attempt.terminal_after_polls for attempt in scenario.attempts))
    now = max([CREATED, action.at, *(earlier.at for earlier in record.actions)])
    action = replace(action, at=now)
    before = Timeline(record, scenario)
    after = Timeline(record._replace(actions=(*record.actions, action)), scenario)
    try:
        before.permits(action)
        effect = before.affects(action)
    except (NotFound, NotAllowed):
        effect = False
    if effect:
        assert after.at(now) != before.at(now)
    elif action.name != "cancel":
        assert all(after.at(later) == before.at(later) for later in INSTANTS)


@few
@given(looked_at(), scenarios)
def test_after_a_cancel_nothing_moves_and_the_pipeline_is_canceled(
    record: PipelineRecord, scenario: Scenario
):
    at = max([CREATED, *(action.at for action in record.actions)])
    cancelled = record._replace(actions=(*record.actions, Action("cancel", at)))
    seen = Timeline(cancelled, scenario)
    grace = max([scenario.canceling, *(job.canceling for job in scenario.jobs)])
    for now in range(at, END):
        state = seen.at(now)
        assert state.status == "canceled" or (state.status == "canceling" and now < at + grace)
        assert not any(job.status in CANCELABLE for job in state.jobs)


# ---------------------------------------------------------------------------- what is to come


@few
@given(looked_at(), scenarios)
def test_the_next_change_is_the_first_moment_that_differs(
    record: PipelineRecord, scenario: Scenario
):
    seen = Timeline(record, scenario)
    states = {now: shown(seen.at(now)) for now in INSTANTS}
    for now in INSTANTS:
        differs = (later for later in range(now + 1, END) if states[later] != states[now])
        assert seen.next_change(now) == next(differs, None)


@few
@given(looked_at(), scenarios, st.lists(st.sampled_from(INSTANTS), min_size=3, max_size=3))
def test_changes_of_two_periods_are_those_of_both_in_one(
    record: PipelineRecord, scenario: Scenario, instants: list[int]
):
    a, b, c = sorted(instants)
    seen = Timeline(record, scenario)
    assert seen.changes(a, b) + seen.changes(b, c) == seen.changes(a, c)
    assert seen.changes(a, c) + seen.changes(c, None) == seen.changes(a, None)


@few
@given(touched(), scenarios)
def test_changes_one_after_the_other_make_what_is_seen(record: PipelineRecord, scenario: Scenario):
    seen = Timeline(record, scenario)
    known: dict[int | None, str] = {}
    for now in range(CREATED, END):
        for change in seen.changes(now - 1, now):
            assert (change.at, change.before) == (now, known.get(change.job_id))
            known[change.job_id] = change.after
        status, runs = shown(seen.at(now))
        expected: dict[int | None, str] = {None: status, **dict(runs)}
        assert known == expected


@few
@given(looked_at(), scenarios)
def test_a_window_agrees_with_what_is_seen(record: PipelineRecord, scenario: Scenario):
    seen = Timeline(record, scenario)
    for now in INSTANTS:
        window = seen.window(now)
        until = END if window.until is None else window.until
        assert until > now
        for later in range(now, until):
            state = seen.at(later)
            assert (state.status, state.updated_at) == (window.status, window.updated_at)


@few
@given(touched(), with_jobs)
def test_more_attempts_than_are_declared_repeat_the_last(
    record: PipelineRecord, scenario: Scenario
):
    state = Timeline(record, scenario).at(END)
    for job in state.jobs:
        declared = scenario.jobs[job.slot - 1]
        if not declared.attempts:
            assert job.spec == plan_of_job(declared, 0).spec
        else:
            entry = declared.attempts[min(job.attempt, len(declared.attempts) - 1)]
            plain = replace(declared, timeout=None)
            assert plan_of_job(plain, job.attempt).spec.status == (entry.status or declared.status)
            assert job.spec == plan_of_job(declared, job.attempt).spec


@few
@given(looked_at(), scenarios, st.lists(st.sampled_from(INSTANTS), max_size=8))
def test_what_was_seen_late_does_not_colour_an_earlier_look(
    record: PipelineRecord, scenario: Scenario, instants: list[int]
):
    seen = Timeline(record, scenario)
    for now in (END, *instants):
        assert seen.at(now) == Timeline(record, scenario).at(now)
