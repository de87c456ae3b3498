"""Two servers on one file: neither is made for it, but none of them says what is wrong for long.

The stopwatch of the stores stands still, so that what was read is never asked for again in time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.engine.model import ClockSetting, Declarations, DeclaredScenario, Scenario
from mock_gitlab.store.database import Database
from mock_gitlab.store.status_index import Filter
from mock_gitlab.world.clock import Clock
from mock_gitlab.world.creation import PipelineRequest
from mock_gitlab.world.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DECLARED = Declarations(
    scenarios=(DeclaredScenario(Scenario(1, "an hour", terminal_after=3_600_000), {}, "file"),),
    clock=ClockSetting(1_000, frozen=True),
    allow_reset=True,
    seed="1",
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[[], World]]:
    made: list[World] = []

    def serve() -> World:
        database = Database(tmp_path / "mock.db", stopwatch=lambda: 0.0)
        made.append(World(database, DECLARED, Clock()))
        return made[-1]

    yield serve
    for world in made:
        world.close()


def trigger(world: World, ref: str = "main", project: str = "1") -> tuple[int, int]:
    started = world.trigger(
        world.catalog.project(project), PipelineRequest(ref, "trigger", scenario_id=1)
    )
    return started.record.id, started.record.iid


def listed(world: World, **wanted: Any) -> list[tuple[int, str]]:
    rows, _ = world.pipelines.page(Filter(project_id=1, **wanted), 20, 0)
    return [(row.id, row.status) for row in rows]


def test_a_list_shows_what_another_has_done_since_the_last_poll(server: Callable[[], World]):
    ours, theirs = server(), server()
    trigger(ours)
    project = ours.catalog.project("1")
    assert ours.pipelines.pipeline(project, 1).state.status == "running"

    theirs.act(project, 1, "cancel")

    assert listed(ours) == [(1, "canceled")]
    assert listed(theirs) == [(1, "canceled")]


def test_numbers_begin_anew_for_all_where_one_resets(server: Callable[[], World]):
    ours, theirs = server(), server()
    for _ in range(5):
        trigger(ours)
    theirs.reset()

    assert [trigger(theirs), trigger(ours), trigger(theirs, "release")] == [(1, 1), (2, 2), (3, 3)]
    assert listed(ours, ref="release") == [(3, "running")]
    assert trigger(ours, project="2") == (4, 1)
    assert ours.branches(ours.catalog.project("1")) == ["main", "release"]
