"""Moments as GitLab writes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Instant

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - without a zone isoformat() adds none


@overload
def timestamp(moment: Instant) -> str: ...
@overload
def timestamp(moment: None) -> None: ...
def timestamp(moment: Instant | None) -> str | None:
    """Write milliseconds since the epoch as GitLab does: ``2026-11-23T23:00:00.123Z``."""
    return None if moment is None else _written(moment)


@lru_cache(maxsize=4096)
def _written(moment: Instant) -> str:
    second, millisecond = divmod(moment, 1000)
    return f"{(_EPOCH + timedelta(seconds=second)).isoformat()}.{millisecond:03}Z"
