"""Instants and durations, as text and as seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_gitlab.engine.instants import (
    LATEST,
    from_datetime,
    from_seconds,
    parse_timestamp,
    timestamp,
    to_seconds,
)
from mock_gitlab.engine.model import LONGEST_DURATION

instants = st.integers(0, LATEST - 1)
durations = st.integers(0, LONGEST_DURATION)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (1795474800123, "2026-11-23T23:00:00.123Z"),
        (1795474800000, "2026-11-23T23:00:00.000Z"),
        (0, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_timestamp_is_utc_with_three_decimals(instant: int, text: str):
    assert timestamp(instant) == text
    assert parse_timestamp(text) == instant


@given(instants)
def test_reading_a_timestamp_gives_the_instant_that_was_written(instant: int):
    assert parse_timestamp(timestamp(instant)) == instant


def test_the_latest_instant_is_where_the_year_9000_begins():
    assert timestamp(LATEST) == "9000-01-01T00:00:00.000Z"


def test_a_datetime_without_a_zone_is_utc():
    assert from_datetime(datetime(1970, 1, 2)) == 86_400_000  # noqa: DTZ001 - that is the point
    assert from_datetime(datetime(1970, 1, 2, tzinfo=UTC)) == 86_400_000
    assert from_datetime(datetime(1970, 1, 2, 1, tzinfo=timezone(timedelta(hours=1)))) == 86_400_000


@pytest.mark.parametrize(
    ("duration", "seconds"), [(0, 0), (2000, 2), (1500, 1.5), (1, 0.001), (None, None)]
)
def test_whole_seconds_are_whole_numbers(duration: int | None, seconds: float | None):
    assert to_seconds(duration) == seconds
    assert type(to_seconds(duration)) is type(seconds)
    assert from_seconds(seconds) == duration


@given(durations)
def test_seconds_lose_no_millisecond(duration: int):
    assert from_seconds(to_seconds(duration)) == duration
