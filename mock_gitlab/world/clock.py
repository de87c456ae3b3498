"""Clock: the time of a world, frozen or running; the only module that reads the machine's clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_gitlab.engine.instants import LATEST
from mock_gitlab.engine.model import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.engine.model import ClockSetting, Duration, Instant

stopwatch = time.perf_counter
"""Seconds of real time, to measure how long something takes."""


def wall_clock() -> Instant:
    """Read the machine's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class ClockState:
    """A clock as it is stored: where it is frozen, or its offset from the wall clock."""

    frozen_at: Instant | None
    offset: Duration


class Clock:
    """The time of one world.

    It runs at a fixed offset from the wall clock, or it is frozen. A running clock never goes back
    by itself, even if the wall clock does.
    """

    def __init__(self, wall: Callable[[], Instant] = wall_clock) -> None:
        self._wall = wall
        self._frozen_at: Instant | None = None
        self._offset: Duration = 0
        self._latest: Instant = 0

    def configure(self, setting: ClockSetting) -> None:
        """Start over as declared."""
        start = self._wall() if setting.start is None else setting.start
        self.set(start, frozen=setting.frozen)
        if setting.start is None and not setting.frozen:
            self._offset = 0

    def now(self) -> Instant:
        """Return the time of this world, in milliseconds since the Unix epoch."""
        if self._frozen_at is not None:
            return self._frozen_at
        instant = self._wall() + self._offset
        if instant < self._latest:
            return self._latest
        self._latest = instant
        return instant

    @property
    def frozen(self) -> bool:
        """Whether the clock is frozen."""
        return self._frozen_at is not None

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
        self._offset = 0 if stand else instant - self._wall()
        self._latest = 0

    def advance(self, span: Duration) -> None:
        """Move by a duration; a negative one moves back."""
        self.set(self.now() + span)

    def state(self) -> ClockState:
        """Return the clock's state, to be stored."""
        return ClockState(self._frozen_at, self._offset)

    def restore(self, state: ClockState) -> None:
        """Take over a stored state; a clock that was running has gone on meanwhile."""
        self._frozen_at, self._offset, self._latest = state.frozen_at, state.offset, 0
