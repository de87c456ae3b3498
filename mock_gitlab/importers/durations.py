"""Durations as GitLab's files write them, and as scenarios do."""

from __future__ import annotations

import re
from typing import Any

from mock_gitlab.engine.model import LONGEST_DURATION

from .places import CannotImport, Place, short

LONGEST = LONGEST_DURATION // 1000
"""A scenario's longest duration, in seconds."""
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([a-z]+)(?:\s*,\s*|\s+and\s+|\s*)", re.ASCII)
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "dy", "dys", "day", "days"), 86_400),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 604_800),
    **dict.fromkeys(("mo", "mon", "mos", "month", "months"), 2_592_000),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 31_557_600),
}
_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def seconds_of(written: Any, what: str, place: Place) -> int:
    """Read a duration such as ``1h 30m``, ``90 minutes`` or a number of seconds.

    Raises:
        CannotImport: it is none, or too long.
    """
    text = "" if isinstance(written, bool) else str(written).strip().lower()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", text, re.ASCII):
        text += "s"
    total, at = 0.0, 0
    while at < len(text) and (part := _PART.match(text, at)) and part[2] in _SECONDS:
        total += float(part[1]) * _SECONDS[part[2]]
        at = part.end()
    if at < len(text) or not text or total > LONGEST:
        raise CannotImport(place, f"{what}: {short(str(written))} is no duration such as 1h 30m")
    return round(total)


def as_duration(seconds: int) -> str:
    """Write a duration as scenarios do, such as ``1h30m``."""
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
