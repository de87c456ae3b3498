"""Pipelines that bridges start: each at its own instant, unless something has come in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.bridges import LARGEST_FAMILY
from mock_gitlab.engine.model import (
    ClockSetting,
    Declarations,
    DeclaredScenario,
    Downstream,
    JobSpec,
    PipelineRecord,
    Scenario,
)
from mock_gitlab.store.database import Database
from mock_gitlab.world.clock import Clock
from mock_gitlab.world.pipeline_request import PipelineRequest
from mock_gitlab.world.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.engine.model import Project

START = 1_000
BRIDGE = JobSpec("b", stage="two", downstream=Downstream("group/b", scenario_id=1))
SCENARIOS = (
    Scenario(1, "plain", terminal_after=2_000),
    Scenario(2, "bridging", jobs=(JobSpec("a", stage="one", duration=5_000), BRIDGE)),
)


@pytest.fixture
def world() -> Iterator[World]:
    """A world with a pipeline whose bridge starts another one after five seconds."""
    declared = Declarations(
        scenarios=tuple(DeclaredScenario(scenario, {}, "file") for scenario in SCENARIOS),
        clock=ClockSetting(START, frozen=True),
        seed="1",
    )
    world = World(Database(":memory:"), declared, Clock())
    world.trigger(project(world), PipelineRequest("main", "trigger", scenario_id=2))
    yield world
    world.close()


def project(world: World) -> Project:
    return world.catalog.project("group/a")


def numbers(world: World) -> list[int]:
    return sorted(view.record.id for view in world.pipelines.every())


def advance(world: World, milliseconds: int) -> None:
    world.move_clock(lambda clock: clock.advance(milliseconds))


def test_a_bridge_starts_its_pipeline_at_its_own_instant(world: World):
    advance(world, 60_000)

    started = world.pipelines.pipeline_of_any_project(2)
    assert started.record.created_at == START + 5_000


def test_a_deleted_pipeline_starts_nothing(world: World):
    world.pipelines.delete(1)
    advance(world, 60_000)

    assert numbers(world) == []


def test_a_canceled_pipeline_starts_nothing_and_nothing_is_to_come(world: World):
    world.act(project(world), 1, "cancel")

    assert world.jump() == []
    advance(world, 60_000)
    assert numbers(world) == [1]


def test_a_renamed_pipeline_starts_the_other_one_once(world: World):
    world.pipelines.start_due_bridges()
    world.pipelines.rename(1, "new")
    advance(world, 60_000)

    assert numbers(world) == [1, 2]


def test_a_jump_goes_to_the_next_change_of_a_renamed_pipeline_too(world: World):
    advance(world, 1_000)
    world.pipelines.rename(1, "new")

    assert world.jump()
    assert world.clock.now() == START + 5_000


def test_a_pipeline_outlives_the_one_that_has_started_it(world: World):
    advance(world, 5_000)
    world.pipelines.delete(1)
    world.pipelines.rename(2, "alone")

    assert world.pipelines.pipeline_of_any_project(2).record.name == "alone"


def test_a_family_that_is_too_large_starts_no_other_pipeline(world: World):
    below = [*range(100_003, 100_000 + LARGEST_FAMILY), 200_001, 200_002]
    for job_id in below:
        world.pipelines.insert(
            PipelineRecord(0, 0, 7, "main", "", "pipeline", START, upstream_job_id=job_id)
        )
    advance(world, 60_000)

    jobs = world.pipelines.pipeline_of_any_project(1).state.jobs
    assert [job.failure_reason for job in jobs] == [None, "reached_max_pipeline_hierarchy_size"]


def test_a_scenario_of_the_run_that_is_deleted_uncovers_the_declared_one(world: World):
    world.replace_scenario(DeclaredScenario(Scenario(1, "covering"), {}, "runtime"))
    world.delete_scenario(1)

    assert world.scenario(1).scenario == SCENARIOS[0]


def test_a_token_of_a_job_that_is_not_there_is_nobodys(world: World):
    assert world.jobs.of_token(world.jobs.token(100_001)) is not None
    assert world.jobs.of_token(world.jobs.token(900_001)) is None


def test_descendants_of_a_deleted_pipeline_are_looked_at_again(world: World):
    advance(world, 5_000)
    world.pipelines.insert(
        PipelineRecord(0, 0, 7, "main", "", "pipeline", START, upstream_job_id=200_001)
    )
    timelines = world.pipelines.timelines
    before = [timelines.get(number) for number in (2, 3)]

    world.pipelines.delete(1)

    assert all(timelines.get(kept.record.id) is not kept for kept in before)
