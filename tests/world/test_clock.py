"""The clock of a world, with a wall clock that is an argument."""

from __future__ import annotations

import pytest

from mock_gitlab.engine.instants import LATEST
from mock_gitlab.engine.model import ClockSetting, Invalid
from mock_gitlab.world.clock import Clock


class Wall:
    """A wall clock that goes where it is told."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def test_a_clock_runs_beside_the_wall_clock(wall: Wall):
    clock = Clock(wall)
    wall.now += 5

    assert (clock.now(), clock.frozen) == (1_000_005, False)


def test_a_running_clock_never_goes_back_by_itself(wall: Wall):
    clock = Clock(wall)
    clock.now()

    wall.now -= 100

    assert clock.now() == 1_000_000


def test_a_frozen_clock_stands_until_it_is_moved(wall: Wall):
    clock = Clock(wall)
    clock.freeze()
    wall.now += 5

    clock.advance(300)

    assert (clock.now(), clock.frozen) == (1_000_300, True)


def test_a_running_clock_that_is_resumed_runs_on(wall: Wall):
    clock = Clock(wall)
    wall.now += 5

    clock.resume()

    assert (clock.now(), clock.frozen) == (1_000_005, False)


def test_a_resumed_clock_goes_on_from_where_it_stood(wall: Wall):
    clock = Clock(wall)
    clock.set(5000, frozen=True)
    clock.resume()

    wall.now += 7

    assert (clock.now(), clock.frozen) == (5007, False)


def test_one_jump_or_many_end_at_the_same_moment(wall: Wall):
    one, many = Clock(wall), Clock(wall)

    one.advance(600)
    for _ in range(6):
        many.advance(100)

    assert one.now() == many.now() == 1_000_600


def test_a_clock_may_be_set_back(wall: Wall):
    clock = Clock(wall)
    clock.now()

    clock.set(10)

    assert (clock.now(), clock.frozen) == (10, False)


@pytest.mark.parametrize("moment", [-1, LATEST, 10**30])
def test_a_moment_that_cannot_be_shown_is_refused_and_changes_nothing(wall: Wall, moment: int):
    clock = Clock(wall)

    with pytest.raises(Invalid):
        clock.set(moment)

    assert clock.now() == 1_000_000


@pytest.mark.parametrize(
    ("setting", "now", "later"),
    [
        (ClockSetting(), 1_000_000, 1_000_005),
        (ClockSetting(frozen=True), 1_000_000, 1_000_000),
        (ClockSetting(start=50), 50, 55),
        (ClockSetting(start=50, frozen=True), 50, 50),
    ],
)
def test_a_clock_starts_as_declared(wall: Wall, setting: ClockSetting, now: int, later: int):
    clock = Clock(wall)
    clock.configure(setting)
    first = clock.now()
    wall.now += 5

    assert (first, clock.now()) == (now, later)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_restored_clock_stands_still_or_has_gone_on(wall: Wall, frozen: bool):
    clock = Clock(wall)
    clock.set(5000, frozen=frozen)
    state = clock.state()
    wall.now += 60

    restored = Clock(wall)
    restored.restore(state)

    assert restored.now() == (5000 if frozen else 5060)


def test_a_clock_may_run_faster_than_the_wall_clock(wall: Wall):
    clock = Clock(wall)
    clock.configure(ClockSetting(start=0, speed=60))
    wall.now += 1000

    assert (clock.now(), clock.speed) == (60_000, 60)
    assert clock.real_seconds_until(120_000) == 1
    assert clock.real_seconds_until(0) == 0


def test_another_speed_goes_on_from_the_present_time(wall: Wall):
    clock = Clock(wall)
    clock.configure(ClockSetting(start=0, speed=10))
    wall.now += 1000
    clock.pace(speed=2)
    wall.now += 1000

    assert clock.now() == 12_000


def test_a_slow_clock_and_a_frozen_one_keep_their_speed(wall: Wall):
    clock = Clock(wall)
    clock.configure(ClockSetting(start=0, frozen=True, speed=0.5))
    wall.now += 1000
    assert clock.now() == 0

    clock.resume()
    wall.now += 1000
    assert clock.now() == 500


def test_a_fast_clock_stops_before_the_end_of_time(wall: Wall):
    clock = Clock(wall)
    clock.configure(ClockSetting(start=LATEST - 10, speed=1000))
    wall.now += 1000

    assert clock.now() == LATEST - 1


def test_a_restored_clock_goes_on_at_its_speed(wall: Wall):
    clock, again = Clock(wall), Clock(wall)
    clock.configure(ClockSetting(start=0, speed=60, advance_per_poll=5))
    wall.now += 1000
    again.restore(clock.state())
    wall.now += 1000

    assert again.now() == clock.now() == 120_000
    assert again.advance_per_poll == 5
