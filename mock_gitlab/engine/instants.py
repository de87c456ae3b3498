"""Conversions of instants and durations, which are milliseconds everywhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Duration, Instant

LATEST: Instant = 221_845_392_000_000
"""The first instant after the last that a clock can show: the year 9000."""
LAST_WRITABLE: Instant = 253_402_300_799_999
"""The last instant that a timestamp can show. A course may go on beyond it, a clock may not."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - without a zone isoformat() adds none
_MILLISECOND = timedelta(milliseconds=1)


@overload
def timestamp(instant: Instant) -> str: ...
@overload
def timestamp(instant: None) -> None: ...
def timestamp(instant: Instant | None) -> str | None:
    """Write an instant as GitLab does: ``2026-11-23T23:00:00.123Z``."""
    return None if instant is None else _timestamp(instant)


@lru_cache(maxsize=4096)
def _timestamp(instant: Instant) -> str:
    second, millisecond = divmod(instant, 1000)
    return f"{(_NAIVE_EPOCH + timedelta(seconds=second)).isoformat()}.{millisecond:03}Z"


def parse_timestamp(text: str) -> Instant:
    """Read an instant from text of the form that ``timestamp`` writes."""
    return from_datetime(datetime.fromisoformat(text))


def from_datetime(moment: datetime) -> Instant:
    """Convert a datetime, rounding down to milliseconds; without a time zone it is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND


@overload
def to_seconds(duration: Duration) -> float: ...
@overload
def to_seconds(duration: None) -> None: ...
def to_seconds(duration: Duration | None) -> float | None:
    """Convert a duration to seconds: an int if they are whole, else a float."""
    if duration is None:
        return None
    whole, rest = divmod(duration, 1000)
    return duration / 1000 if rest else whole


@overload
def from_seconds(seconds: float) -> Duration: ...
@overload
def from_seconds(seconds: None) -> None: ...
def from_seconds(seconds: float | None) -> Duration | None:
    """Convert seconds to a duration, rounding to milliseconds."""
    return None if seconds is None else round(seconds * 1000)
