"""What is kept of a pipeline: until somebody writes about it, or about what it follows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.model import (
    ClockSetting,
    Declarations,
    DeclaredScenario,
    Downstream,
    JobSpec,
    NotFound,
    Project,
    Scenario,
)
from mock_gitlab.store.database import Database
from mock_gitlab.store.status_index import Filter
from mock_gitlab.world.clock import Clock
from mock_gitlab.world.pipeline_request import PipelineRequest
from mock_gitlab.world.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BRIDGE = JobSpec("b", downstream=Downstream("group/b", scenario_id=1, strategy="depend"))
SCENARIOS = (
    Scenario(1, "a minute", terminal_after=60_000),
    Scenario(2, "bridging", jobs=(BRIDGE,)),
    Scenario(3, "by polls", terminal_after_polls=3),
)
DECLARED = Declarations(
    scenarios=tuple(DeclaredScenario(scenario, {}, "file") for scenario in SCENARIOS),
    clock=ClockSetting(1_000, frozen=True),
    seed="1",
)


@pytest.fixture
def world() -> Iterator[World]:
    """A world with three pipelines: plain, bridging, and the one that the bridge has started."""
    world = World(Database(":memory:"), DECLARED, Clock())
    project = world.catalog.project("group/a")
    for number in (1, 2):
        world.trigger(project, PipelineRequest("main", "trigger", scenario_id=number))
    yield world
    world.close()


def runtime(number: int) -> DeclaredScenario:
    return DeclaredScenario(Scenario(number, "new"), {}, "runtime")


def test_a_timeline_is_kept_while_nothing_is_written(world: World):
    kept = world.pipelines.timelines.get(1)
    world.move_clock(lambda clock: clock.advance(5_000))
    another = PipelineRequest("main", "trigger", scenario_id=3)
    world.trigger(world.catalog.project("group/a"), another)

    assert world.pipelines.timelines.get(1) is kept


@pytest.mark.parametrize(
    ("write", "dropped"),
    [
        (lambda world: world.act(world.catalog.project("group/a"), 1, "cancel"), {1}),
        (lambda world: world.pipelines.rename(1, "new"), {1}),
        (lambda world: world.pipelines.rename(3, "new"), {2, 3}),
        (lambda world: world.act(world.catalog.project("group/b"), 3, "cancel"), {2, 3}),
        (lambda world: world.replace_scenario(runtime(1)), {1, 2, 3}),
        (lambda world: world.create_scenario(runtime(9)), set()),
        (lambda world: world.apply(DECLARED), set()),
    ],
    ids=["act", "rename", "below", "act below", "scenario", "another scenario", "reload"],
)
def test_a_write_drops_what_it_is_about_and_what_depends_on_that(
    world: World, write: Callable[[World], object], dropped: set[int]
):
    timelines = world.pipelines.timelines
    before = {number: timelines.get(number) for number in (1, 2, 3)}

    write(world)

    assert {n for n, kept in before.items() if timelines.get(n) is not kept} == dropped


def test_a_deleted_pipeline_is_dropped(world: World):
    assert world.pipelines.timelines.get(3)
    world.pipelines.delete(3)

    with pytest.raises(NotFound):
        world.pipelines.timelines.get(3)


def test_all_of_a_project_can_be_deleted(world: World):
    before = world.pipelines.timelines.get(2)
    assert world.pipelines.delete_all(world.catalog.project("group/b").id) == 1

    assert world.pipelines.timelines.get(2) is not before
    with pytest.raises(NotFound):
        world.pipelines.timelines.get(3)


def test_a_poll_that_counts_is_a_write(world: World):
    project = world.catalog.project("group/a")
    created = world.trigger(project, PipelineRequest("main", "trigger", scenario_id=3))
    number = created.record.id

    seen = [world.pipelines.pipeline(project, number, polled=True) for _ in range(3)]

    assert [view.state.status for view in seen] == ["running", "running", "success"]


def test_nothing_is_kept_of_what_was_rolled_back(world: World):
    def change() -> None:
        with world.pipelines._db.transaction():
            world.pipelines.rename(1, "rolled back")
            assert world.pipelines.timelines.get(1).record.name == "rolled back"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert world.pipelines.timelines.get(1).record.name is None


def test_the_timelines_that_are_kept_are_bounded(world: World):
    project = world.catalog.project("group/a")
    for _ in range(1_100):
        world.trigger(project, PipelineRequest("main", "trigger", scenario_id=1))
    first = world.pipelines.timelines.get(1)
    for number in range(4, 1_104):
        assert world.pipelines.timelines.get(number).record.id == number

    assert world.pipelines.timelines.get(1) is not first


def test_courses_that_are_played_once_for_many_are_bounded(world: World):
    timelines = world.pipelines.timelines
    first = timelines.course(1, 0, None)
    assert timelines.course(1, 0, None) is first
    for after in range(100):
        assert timelines.course(1, after, None) is not None

    assert timelines.course(1, 0, None) is not first


# ---------------------------------------------------------------------------- scenarios


def stale(world: World) -> set[int]:
    """Number the pipelines whose stored status is stale."""
    now = world.clock.now()
    projects = [project.id for project in world.catalog.projects()]
    return {row.record.id for id in projects for row in world.pipelines.index.stale(id, now)}


def filtered(world: World) -> None:
    """Refresh the stored statuses, as lists do that filter by them."""
    for project in world.catalog.projects():
        world.pipelines.page(Filter(project.id, statuses=["running"]), 10, 0)


@pytest.mark.parametrize(
    ("number", "followed"),
    [
        pytest.param(1, {1, 2, 3}, id="followed by one, and by the one that a bridge has started"),
        pytest.param(2, {2}, id="with a bridge"),
        pytest.param(3, set(), id="followed by none"),
        pytest.param(9, set(), id="new"),
    ],
)
def test_declaring_a_scenario_invalidates_what_follows_it_and_nothing_else(
    world: World, number: int, followed: set[int]
):
    filtered(world)
    kept = {each: world.pipelines.timelines.get(each) for each in (1, 2, 3)}
    assert stale(world) == set()

    declare = world.create_scenario if number == 9 else world.replace_scenario
    declare(runtime(number))

    assert stale(world) == followed
    dropped = {each for each in kept if world.pipelines.timelines.get(each) is not kept[each]}
    assert dropped == followed


def test_other_projects_invalidate_what_bridges_may_reach(world: World):
    filtered(world)

    world.apply(replace(DECLARED, projects=(Project(77, "group/c"),)))

    assert stale(world) == {2}


def test_a_bridge_of_a_scenario_that_is_declared_anew_starts_its_pipeline(world: World):
    later = JobSpec("later", downstream=Downstream("group/c", scenario_id=1))
    waits = JobSpec("waits", duration=5_000, stage="build")
    scenario = Scenario(1, "now with a bridge", stages=("build", "test"), jobs=(waits, later))
    world.replace_scenario(DeclaredScenario(scenario, {}, "runtime"))

    world.move_clock(lambda clock: clock.advance(6_000))

    assert world.catalog.project("group/c").id in {
        each.record.project_id for each in world.pipelines.table.of_scenarios([1])
    }
