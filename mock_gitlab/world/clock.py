"""Clock: the time of a world, frozen or running; the only module that reads the machine's clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_gitlab.engine.instants import LATEST
from mock_gitlab.engine.model import (  # the codec asks for the types of what is stored
    Duration,
    Instant,
    Invalid,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.engine.model import ClockSetting

stopwatch = time.perf_counter
"""Seconds of real time, to measure how long something takes."""


def wall_clock() -> Instant:
    """Read the machine's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class ClockState:
    """A clock as it is stored: where it is frozen, or its offset from the wall clock.

    With a speed other than 1, ``offset`` is what it was when the wall clock showed ``since``.
    """

    frozen_at: Instant | None
    offset: Duration
    speed: float = 1.0
    since: Instant = 0
    advance_per_poll: Duration = 0


class Clock:
    """The time of one world.

    It runs at a fixed offset from the wall clock or at a speed of its own, or it is frozen. A
    running clock never goes back by itself, even if the wall clock does. ``advance_per_poll`` is
    how far each read of the API moves it.
    """

    def __init__(self, wall: Callable[[], Instant] = wall_clock) -> None:
        self._wall = wall
        self._frozen_at: Instant | None = None
        self._offset: Duration = 0
        self._latest: Instant = 0
        self._speed = 1.0
        self._since: Instant = 0
        self.advance_per_poll: Duration = 0

    def configure(self, setting: ClockSetting) -> None:
        """Start over as declared."""
        start = self._wall() if setting.start is None else setting.start
        self._speed, self.advance_per_poll = setting.speed, setting.advance_per_poll
        self.set(start, frozen=setting.frozen)
        if setting.start is None and not setting.frozen:
            self._offset = 0

    def now(self) -> Instant:
        """Return the time of this world, in milliseconds since the Unix epoch."""
        if self._frozen_at is not None:
            return self._frozen_at
        wall = self._wall()
        instant = wall + self._offset
        if self._speed != 1:
            instant = min(instant + int((wall - self._since) * (self._speed - 1)), LATEST - 1)
        if instant < self._latest:
            return self._latest
        self._latest = instant
        return instant

    @property
    def frozen(self) -> bool:
        """Whether the clock is frozen."""
        return self._frozen_at is not None

    @property
    def speed(self) -> float:
        """How many times as fast as real time it goes while it runs."""
        return self._speed

    def real_seconds_until(self, instant: Instant) -> float:
        """Return how much real time passes until it shows an instant, if it runs on."""
        return max(0.0, (instant - self.now()) / 1000 / self._speed)

    def pace(self, *, speed: float | None = None, advance_per_poll: Duration | None = None) -> None:
        """Change how it goes from the present time on; None: as before."""
        now = self.now()
        if speed is not None:
            self._speed = speed
        if advance_per_poll is not None:
            self.advance_per_poll = advance_per_poll
        self.set(now)

    def freeze(self) -> None:
        """Stop at the present time."""
        self._frozen_at = self.now()

    def resume(self) -> None:
        """Run on from the present time; a running clock is left alone."""
        if self._frozen_at is not None:
            self.set(self._frozen_at, frozen=False)

    def set(self, instant: Instant, *, frozen: bool | None = None) -> None:
        """Move to any instant, also back; ``frozen`` of None leaves the clock frozen or running.

        Raises:
            Invalid: before 1970 or past the year 8999.
        """
        if not 0 <= instant < LATEST:
            raise Invalid("the clock goes from 1970-01-01 to the end of the year 8999")
        stand = self.frozen if frozen is None else frozen
        self._frozen_at = instant if stand else None
        self._since = 0 if stand or self._speed == 1 else self._wall()
        self._offset = 0 if stand else instant - (self._since or self._wall())
        self._latest = 0

    def advance(self, span: Duration) -> None:
        """Move by a duration; a negative one moves back."""
        self.set(self.now() + span)

    def state(self) -> ClockState:
        """Return the clock's state, to be stored."""
        return ClockState(
            self._frozen_at, self._offset, self._speed, self._since, self.advance_per_poll
        )

    def restore(self, state: ClockState) -> None:
        """Take over a stored state; a clock that was running has gone on meanwhile."""
        self._frozen_at, self._offset, self._latest = state.frozen_at, state.offset, 0
        self._speed, self._since = state.speed, state.since
        self.advance_per_poll = state.advance_per_poll
