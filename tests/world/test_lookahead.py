"""Laws of a whole world: many pipelines, and those that their bridges start."""

from __future__ import annotations

import weakref
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_gitlab.engine.model import (
    ClockSetting,
    Declarations,
    DeclaredScenario,
    Downstream,
    JobSpec,
    Scenario,
)
from mock_gitlab.store.database import Database
from mock_gitlab.world.clock import Clock
from mock_gitlab.world.pipeline_request import PipelineRequest
from mock_gitlab.world.world import World

START = 1_000
SPAN = 30  # later than anything that these scenarios have in store

few = settings(max_examples=25, deadline=None)


@st.composite
def bridges(draw: st.DrawFn, above: int) -> JobSpec:
    # A scenario starts one of a higher number alone, so that nothing goes on for ever.
    downstream = Downstream(
        project=f"group/{draw(st.sampled_from('ab'))}",
        scenario_id=draw(st.integers(above + 1, 4)),
        strategy=draw(st.sampled_from(["depend", None])),
    )
    return JobSpec(name="bridge", stage="two", downstream=downstream)


jobs = st.builds(
    JobSpec, name=st.just("job"), stage=st.just("one"), duration=st.integers(0, 3),
    pending=st.integers(0, 1),
)  # fmt: skip
last = st.builds(JobSpec, name=st.just("last"), stage=st.just("three"), duration=st.integers(0, 2))


@st.composite
def declarations(draw: st.DrawFn) -> Declarations:
    found = []
    for number in range(1, 4):
        bridge = draw(bridges(number))
        found.append(Scenario(number, "bridging", jobs=(draw(jobs), bridge, draw(last))))
    after = draw(st.integers(0, 3))
    found.append(Scenario(4, "plain", terminal_after=after, pending=draw(st.integers(0, 1))))
    return Declarations(
        scenarios=tuple(DeclaredScenario(scenario, {}, "file") for scenario in found),
        clock=ClockSetting(START, frozen=True),
        seed="1",
    )


orders = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=4)
Orders = list[tuple[int, int]]


def world_with(declared: Declarations, asked: Orders) -> World:
    """Make a world in which pipelines were triggered, some time after each other."""
    database = Database(":memory:")
    world = World(database, declared, Clock())
    weakref.finalize(world, database.close)
    for pause, scenario_id in asked:
        world.move_clock(lambda clock, pause=pause: clock.advance(pause))  # type: ignore[misc]
        project = world.catalog.project("group/a")
        world.trigger(project, PipelineRequest("main", "trigger", scenario_id=scenario_id))
    return world


def shown(world: World, project: str | None = None) -> Any:
    return [
        (seen.record.id, seen.project.path, seen.record.created_at, seen.state)
        for seen in world.pipelines.every()
        if project in (None, seen.project.path)
    ]


def statuses(world: World, project: str | None) -> Any:
    return [
        (number, state.status, [(job.id, job.status) for job in state.jobs])
        for number, _, _, state in shown(world, project)
    ]


@few
@given(declarations(), orders)
def test_moving_the_clock_at_once_or_in_steps_leads_to_the_same(
    declared: Declarations, asked: Orders
):
    once, steps = world_with(declared, asked), world_with(declared, asked)

    once.move_clock(lambda clock: clock.advance(SPAN))
    for _ in range(SPAN):
        steps.move_clock(lambda clock: clock.advance(1))
        shown(steps)

    assert shown(once) == shown(steps)


@few
@given(declarations(), orders, st.sampled_from([None, "group/a", "group/b"]))
def test_next_goes_to_the_first_moment_at_which_something_there_differs(
    declared: Declarations, asked: Orders, project: str | None
):
    jumping, stepping = world_with(declared, asked), world_with(declared, asked)
    number = None if project is None else jumping.catalog.project(project).id
    before = statuses(jumping, project)
    assert before == statuses(stepping, project)

    jumping.jump(number)

    while stepping.clock.now() < jumping.clock.now():
        assert statuses(stepping, project) == before
        stepping.move_clock(lambda clock: clock.advance(1))
    if jumping.clock.now() == START + sum(pause for pause, _ in asked):
        stepping.move_clock(lambda clock: clock.advance(SPAN))
        assert statuses(stepping, project) == before
    else:
        assert statuses(stepping, project) != before
        assert shown(stepping) == shown(jumping)


@few
@given(declarations(), orders)
def test_what_next_tells_leads_from_what_was_seen_to_what_is(declared: Declarations, asked: Orders):
    world = world_with(declared, asked)
    known = dict(
        pair
        for number, status, runs in statuses(world, None)
        for pair in [((number, None), status), *(((number, job), s) for job, s in runs)]
    )

    while changes := world.jump():
        for number, _, change in changes:
            assert known.get((number, change.job_id)) == change.before
            known[number, change.job_id] = change.after
        for number, status, runs in statuses(world, None):
            assert known[number, None] == status
            assert all(known[number, job] == state for job, state in runs)


@few
@given(declarations(), orders, st.lists(st.integers(0, SPAN), max_size=6))
def test_what_is_seen_does_not_depend_on_how_the_clock_got_there(
    declared: Declarations, asked: Orders, ways: list[int]
):
    straight, about = world_with(declared, asked), world_with(declared, asked)
    end = straight.clock.now() + SPAN
    for world in (straight, about):
        world.move_clock(lambda clock: clock.set(end))
        shown(world)

    for way in ways:
        about.move_clock(lambda clock, way=way: clock.set(end - way))  # type: ignore[misc]
        assert [row[:3] for row in shown(about)] == [row[:3] for row in shown(straight)]
        about.move_clock(lambda clock: clock.set(end))

    assert shown(about) == shown(straight)


@few
@given(declarations(), orders, st.lists(st.integers(-5, 9), max_size=6))
def test_what_is_seen_does_not_depend_on_who_looked(
    declared: Declarations, asked: Orders, ways: list[int]
):
    watched, alone = world_with(declared, asked), world_with(declared, asked)
    for way in ways:
        for world in (watched, alone):
            world.move_clock(lambda clock, way=way: clock.advance(way))  # type: ignore[misc]
        shown(watched)

    assert shown(watched) == shown(alone)
