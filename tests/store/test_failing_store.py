"""What a world holds to where its store fails: all of a step or nothing, and an answer.

SQLite is made to refuse by a trigger in the database, which stands for a full disk.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.matching import Fault, RequestPattern, Rule, TriggerPattern
from mock_gitlab.engine.model import (
    ClockSetting,
    Declarations,
    DeclaredScenario,
    DeclaredToken,
    Downstream,
    JobSpec,
    Project,
    Scenario,
)
from mock_gitlab.store.database import LISTED_UP_TO, Database
from mock_gitlab.store.errors import StoreUnavailable
from mock_gitlab.world.clock import Clock
from mock_gitlab.world.pipeline_request import PipelineRequest
from mock_gitlab.world.sandboxes import Worlds
from mock_gitlab.world.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START = 1_000
REFUSE = "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"


def _job(name: str, stage: str, *, start: str | None = None) -> JobSpec:
    downstream = None if start is None else Downstream(project=start, scenario_id=2)
    return JobSpec(name=name, stage=stage, duration=5, downstream=downstream)


SCENARIOS = (
    Scenario(
        1,
        "bridging",
        jobs=(
            _job("wait", "one"),
            _job("first", "two", start="group/a"),
            _job("go on", "three"),
            _job("second", "four", start="group/b"),
        ),
    ),
    Scenario(2, "plain", terminal_after=20),
)
DECLARED = Declarations(
    scenarios=tuple(DeclaredScenario(scenario, {}, "file") for scenario in SCENARIOS),
    clock=ClockSetting(START, frozen=True),
    seed="1",
)


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database(":memory:")
    yield database
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    """A world in which a pipeline waits to start two others."""
    world = World(database, DECLARED, Clock())
    world.trigger(
        world.catalog.project("group/main"), PipelineRequest("main", "trigger", scenario_id=1)
    )
    return world


@contextmanager
def refusing(database: Database, what: str) -> Iterator[None]:
    """Refuse a change: ``INSERT ON pipelines``, perhaps ``WHEN`` something holds."""
    database.execute(f"CREATE TRIGGER full AFTER {what} {REFUSE}")
    yield
    database.execute("DROP TRIGGER full")


@contextmanager
def full_at_commit(database: Database) -> Iterator[None]:
    """Let the clock be written and refuse the COMMIT, as a full disk does in WAL."""
    for statement in (
        "PRAGMA foreign_keys = ON",
        "CREATE TABLE room (id INTEGER PRIMARY KEY)",
        "CREATE TABLE needed (id REFERENCES room DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER full AFTER UPDATE ON meta BEGIN INSERT INTO needed VALUES (1); END",
    ):
        database.execute(statement)
    yield
    database.execute("DROP TRIGGER full")


def everything(world: World) -> list[tuple[int, str, int]]:
    return [
        (seen.record.id, seen.project.path, seen.record.created_at)
        for seen in world.pipelines.every()
    ]


def test_next_fails_where_what_begins_before_it_cannot_be_stored(database: Database, world: World):
    number = world.catalog.project("group/b").id
    with refusing(database, "INSERT ON pipelines"), pytest.raises(StoreUnavailable):
        world.jump(number)
    assert world.clock.now() == START

    assert world.jump(number)
    assert everything(world)[0] == (3, "group/b", world.clock.now())


def test_a_status_is_stored_with_the_pipeline_that_it_makes_or_not_at_all(
    database: Database, world: World
):
    project, before = world.catalog.project("group/main"), everything(world)
    place = world.statuses.place(project, "a" * 40, None, "main", "ci", None)
    with refusing(database, "INSERT ON posted_statuses"), pytest.raises(StoreUnavailable):
        world.statuses.post(place, "running")
    assert everything(world) == before

    posted = world.statuses.post(place, "running")
    assert (posted.pipeline.record.id, posted.pipeline.state.status) == (2, "running")


def test_a_status_that_could_not_be_stored_is_seen_nowhere(database: Database, world: World):
    project = world.catalog.project("group/main")
    place = world.statuses.place(project, world.catalog.sha(project, "main"), None, None, "ci", 1)
    with refusing(database, "UPDATE ON pipelines"), pytest.raises(StoreUnavailable):
        world.statuses.post(place, "failed")

    assert world.pipelines.pipeline(project, 1).state.external == ()


def test_a_clock_moves_with_all_that_it_starts_or_not_at_all(database: Database, world: World):
    before = everything(world)
    with refusing(database, "INSERT ON pipelines WHEN new.id = 3"), pytest.raises(StoreUnavailable):
        world.move_clock(lambda clock: clock.advance(100))
    assert (world.clock.now(), everything(world)) == (START, before)

    world.move_clock(lambda clock: clock.advance(100))
    assert len(everything(world)) == 3


@pytest.mark.parametrize(
    "step",
    [lambda world: world.move_clock(lambda clock: clock.advance(100)), World.jump, World.reset],
    ids=["move", "next", "reset"],
)
def test_a_clock_that_could_not_be_committed_stands_where_it_stood(
    database: Database, world: World, step: Callable[[World], object]
):
    world.move_clock(lambda clock: clock.advance(1))
    before = everything(world)
    with full_at_commit(database), pytest.raises(StoreUnavailable):
        step(world)
    assert (world.clock.now(), everything(world)) == (START + 1, before)

    step(world)
    assert world.clock.now() != START + 1


EDITED = replace(
    DECLARED,
    projects=(Project(7, "group/declared", trigger_tokens=(DeclaredToken("secret", "new"),)),),
    clock=ClockSetting(START + 50, frozen=True),
    journal_limit=5,
    seed="2",
    strict=True,
)


def known(world: World) -> tuple[object, ...]:
    main = world.catalog.projects()[0]
    return (
        world.declared,
        world.shared,
        [project.path for project in world.catalog.projects()],
        world.catalog.sha(main, "main"),
        world.catalog.known("group/other"),
        world.catalog.find_token("secret"),
        world.clock.now(),
        everything(world),
    )


@pytest.mark.parametrize("refused", ["INSERT ON trigger_tokens", "UPDATE ON meta", None])
def test_declarations_that_could_not_be_stored_change_nothing(
    database: Database, world: World, refused: str | None
):
    before = known(world)
    refusal = full_at_commit(database) if refused is None else refusing(database, refused)
    with refusal, pytest.raises(StoreUnavailable):
        world.apply(EDITED)
    assert known(world) == before

    world.apply(EDITED)
    assert (world.declared, world.clock.now()) == (EDITED, START + 50)
    assert [project.path for project in world.catalog.projects()] == [
        "group/declared",
        "group/main",
    ]
    assert world.catalog.find_token("secret") is not None
    assert len(everything(world)) == 1, "strict, bridges start nothing elsewhere"


def test_a_reset_that_failed_leaves_the_faults_of_runtime_scenarios(
    database: Database, world: World
):
    fault = Fault("fault", RequestPattern())
    world.create_scenario(DeclaredScenario(Scenario(9, "faulty", faults=(fault,)), {}, "runtime"))
    with full_at_commit(database), pytest.raises(StoreUnavailable):
        world.reset()
    assert world.has_faults

    world.reset()
    assert not world.has_faults


def test_a_next_with_nothing_to_come_forgets_nothing_unless_it_has_started_something(
    database: Database, world: World
):
    rollbacks: list[bool] = []
    database.after_every_rollback(lambda: rollbacks.append(True))
    elsewhere = world.catalog.project("group/other").id
    before = everything(world)

    assert world.jump(elsewhere) == []
    assert everything(world) == before
    assert rollbacks == [True], "what the bridges had started was rolled back"

    while world.jump():
        pass
    rollbacks.clear()
    assert world.jump() == []
    assert rollbacks == []


# ---------------------------------------------------------------------------- damaged values


RULED = replace(
    DECLARED,
    rules=(
        Rule("1", TriggerPattern(ref="main", inputs=(("level", 3),)), (2,), place="mock.yaml:1"),
    ),
)
REQUEST = PipelineRequest("main", "trigger", inputs={"level": 3})


@pytest.mark.parametrize(
    "damage", ["no JSON", "[]", "7", "null", '{"unknown": 1}', '{"jobs": [1]}']
)
@pytest.mark.parametrize(
    "use",
    [
        lambda world: world.scenarios(),
        lambda world: world.scenario(9),
        lambda world: world.trigger(
            world.catalog.project("group/main"), PipelineRequest("main", "trigger", scenario_id=9)
        ),
        lambda world: world.pipelines.pipeline(world.catalog.project("group/main"), 2),
    ],
    ids=["list", "show", "trigger", "poll"],
)
def test_a_damaged_scenario_is_a_store_that_is_unavailable(
    database: Database, world: World, damage: str, use: Callable[[World], object]
):
    world.create_scenario(DeclaredScenario(Scenario(9, "of the run"), {}, "runtime"))
    project = world.catalog.project("group/main")
    world.trigger(project, PipelineRequest("main", "trigger", scenario_id=9))
    world.pipelines.timelines.drop_all()
    database.execute("UPDATE scenarios SET details_json = ? WHERE scenario_id = 9", (damage,))
    world._scenarios._behaviours.clear()

    with pytest.raises(StoreUnavailable, match="the row of scenario 9 is damaged"):
        use(world)


@pytest.mark.parametrize("damage", ["no JSON", "7", "null", "[1]"])
def test_a_damaged_definition_is_a_store_that_is_unavailable(
    database: Database, world: World, damage: str
):
    database.execute("UPDATE scenarios SET definition_json = ? WHERE scenario_id = 2", (damage,))

    with pytest.raises(StoreUnavailable, match="the row of scenario 2 is damaged"):
        world.scenarios()


@pytest.mark.parametrize(
    "damage", ["no JSON", "7", "null", "[1]", '[{"key": "1", "who": 2}]', "[{}]"]
)
def test_a_damaged_set_of_rules_is_a_store_that_is_unavailable(database: Database, damage: str):
    world = World(database, RULED, Clock())
    number = world.trigger(world.catalog.project("group/main"), REQUEST).record.id
    database.execute("UPDATE rule_sets SET rules_json = ?", (damage,))

    with pytest.raises(StoreUnavailable, match="the set of rules 1 is damaged"):
        world.explain(world.pipelines.pipeline_of_any_project(number).record)


@pytest.mark.parametrize("damage", ["no JSON", "7", "[1]"])
def test_damaged_inputs_are_a_store_that_is_unavailable(database: Database, damage: str):
    world = World(database, RULED, Clock())
    number = world.trigger(world.catalog.project("group/main"), REQUEST).record.id
    database.execute("UPDATE pipelines SET inputs_json = ?", (damage,))
    world.pipelines.timelines.drop_all()

    with pytest.raises(StoreUnavailable, match="the row of pipeline 1 is damaged"):
        world.explain(world.pipelines.pipeline_of_any_project(number).record)


@pytest.mark.parametrize("column", ["created_at", "updated_at", "last_used", "expires_at"])
@pytest.mark.parametrize("damage", ["yesterday", 7])
def test_a_damaged_token_is_a_store_that_is_unavailable(
    database: Database, world: World, column: str, damage: object
):
    project = world.catalog.project("group/main")
    world.catalog.create_token(project, "x", world.clock.now(), None)
    database.execute(f"UPDATE trigger_tokens SET {column} = ?", (damage,))

    with pytest.raises(StoreUnavailable, match="the row of trigger token 1 is damaged"):
        world.catalog.tokens(project)


@pytest.mark.parametrize("damage", ["no JSON", "7", "[]"])
def test_a_damaged_clock_is_refused(database: Database, world: World, damage: str):
    database.remember("clock", damage)

    with pytest.raises(StoreUnavailable, match='the value of "clock" is damaged'):
        World(database, DECLARED, Clock())


@pytest.mark.parametrize("damage", ["{}", '{"declared": 1}', ""])
def test_a_clock_of_which_nothing_is_known_starts_anew(
    database: Database, world: World, damage: str
):
    world.move_clock(lambda clock: clock.advance(100))
    database.remember("clock", damage)

    assert World(database, DECLARED, Clock()).clock.now() == START


@pytest.mark.parametrize(
    ("frozen_at", "offset"), [("x", 0), (-1, 0), (2**60, 0), (None, "x"), (None, 2**60), ([], 0)]
)
def test_a_clock_that_shows_no_time_is_refused(
    database: Database, world: World, frozen_at: object, offset: object
):
    kept = json.loads(database.meta("clock") or "")
    database.remember("clock", json.dumps({**kept, "frozen_at": frozen_at, "offset": offset}))

    with pytest.raises(StoreUnavailable, match='the value of "clock" is damaged'):
        World(database, DECLARED, Clock())


def test_a_clock_that_stands_while_it_runs_is_refused(database: Database, world: World):
    kept = json.loads(database.meta("clock") or "")
    database.remember("clock", json.dumps({**kept, "speed": 0}))

    with pytest.raises(StoreUnavailable, match="a clock goes forwards"):
        World(database, DECLARED, Clock())


def test_a_clock_that_an_older_version_has_stored_goes_on(database: Database, world: World):
    world.move_clock(lambda clock: clock.advance(100))
    kept = json.loads(database.meta("clock") or "")
    start, frozen = kept["declared"]["start"], kept["declared"]["frozen"]
    older = {
        "frozen_at": kept["frozen_at"],
        "offset": 0,
        "declared": {"start": start, "frozen": frozen},
    }
    database.remember("clock", json.dumps(older))

    assert World(database, DECLARED, Clock()).clock.now() == START + 100


def test_a_count_that_is_no_number_is_a_store_that_is_unavailable(database: Database):
    world = World(database, RULED, Clock())
    database.remember("rule 1", "many")
    world._creation._matches.clear()

    with pytest.raises(StoreUnavailable, match='the value of "rule 1" is damaged'):
        world.trigger(world.catalog.project("group/main"), REQUEST)


def test_an_index_that_knows_no_number_is_a_store_that_is_unavailable(
    database: Database, world: World
):
    database.remember(LISTED_UP_TO, "all")

    with pytest.raises(StoreUnavailable, match='the value of "listed up to" is damaged'):
        world.pipelines.index.enter()


# ---------------------------------------------------------------------------- a file that is gone


@pytest.mark.parametrize("how", ["deleted", "replaced", "renamed"])
def test_a_database_that_is_gone_is_said_loudly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
):
    path = tmp_path / "mock.db"
    worlds = Worlds(path, DECLARED)
    worlds.warn_if_file_is_gone()
    assert caplog.records == []

    path.rename(tmp_path / "other.db")
    if how == "replaced":
        path.write_bytes(b"")
    for _ in range(32):
        worlds.warn_if_file_is_gone()

    assert [(each.levelname, str(path) in each.getMessage()) for each in caplog.records] == [
        ("CRITICAL", True)
    ] * 2
    worlds.close()


def test_a_database_that_is_back_is_no_more_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "mock.db"
    worlds = Worlds(path, DECLARED)
    for _ in range(2):
        path.rename(tmp_path / "other.db")
        worlds.warn_if_file_is_gone()
        (tmp_path / "other.db").rename(path)
        worlds.warn_if_file_is_gone()

    assert len(caplog.records) == 2
    worlds.close()


def test_a_database_in_memory_is_never_gone(caplog: pytest.LogCaptureFixture):
    worlds = Worlds(":memory:", DECLARED)
    worlds.warn_if_file_is_gone()

    assert caplog.records == []
    worlds.close()
