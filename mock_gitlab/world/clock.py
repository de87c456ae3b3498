"""Clock: now; freeze, advance, resume; the only reader of the wall clock."""

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
"""Seconds of real time, for what is measured rather than mocked."""


def wall_clock() -> Instant:
    """Read the machine's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class ClockState:
    """A clock as it can be stored: where it stands still, or how far it is off the wall clock."""

    frozen_at: Instant | None
    offset: Duration


class Clock:
    """The time of one world.

    It runs beside the wall clock at a fixed offset, or stands still. While it runs it never goes
    back by itself, even where the wall clock does.
    """

    def __init__(self, wall: Callable[[], Instant] = wall_clock) -> None:
        self._wall = wall
        self._frozen_at: Instant | None = None
        self._offset: Duration = 0
        self._latest: Instant = 0

    def configure(self, setting: ClockSetting) -> None:
        """Start anew as declared."""
        start = self._wall() if setting.start is None else setting.start
        self.set(start, frozen=setting.frozen)
        if setting.start is None and not setting.frozen:
            self._offset = 0

    def now(self) -> Instant:
        """Milliseconds since the Unix epoch, as this world has it."""
        if self._frozen_at is not None:
            return self._frozen_at
        moment = self._wall() + self._offset
        if moment < self._latest:
            return self._latest
        self._latest = moment
        return moment

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen_at is not None

    def freeze(self) -> None:
        """Stand still at the present moment."""
        self._frozen_at = self.now()

    def resume(self) -> None:
        """Go on from the present moment; a running clock is left alone."""
        if self._frozen_at is not None:
            self.set(self._frozen_at, frozen=False)

    def set(self, moment: Instant, *, frozen: bool | None = None) -> None:
        """Move to any moment, back too; ``frozen`` of None keeps standing still or running.

        Raises:
            Invalid: before 1970 or past the year 8999.
        """
        if not 0 <= moment < LATEST:
            raise Invalid("the clock goes from 1970-01-01 to the end of the year 8999")
        stand = self.frozen if frozen is None else frozen
        self._frozen_at = moment if stand else None
        self._offset = 0 if stand else moment - self._wall()
        self._latest = 0

    def advance(self, span: Duration) -> None:
        """Jump by a number of milliseconds; a negative one jumps back."""
        self.set(self.now() + span)

    def state(self) -> ClockState:
        """Say how the clock stands, to be stored."""
        return ClockState(self._frozen_at, self._offset)

    def restore(self, state: ClockState) -> None:
        """Stand as ``state`` says: a running clock has gone on meanwhile."""
        self._frozen_at, self._offset, self._latest = state.frozen_at, state.offset, 0
