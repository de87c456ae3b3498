"""Which requests a fault applies to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mock_gitlab.engine.faults import FaultCounters
from mock_gitlab.engine.matching import Fault, Limit, RequestPattern
from mock_gitlab.world.journal import LoggedRequest

LOGGED = LoggedRequest("GET", "/user", "", 0)


def fault(**more: Any) -> Fault:
    return Fault("f", RequestPattern(method="GET"), **more)


@pytest.mark.parametrize(
    ("declared", "applied"),
    [
        (fault(), "xxxxxx"),
        (fault(times=2), "xx----"),
        (fault(skip=2), "--xxxx"),
        (fault(skip=1, times=2), "-xx---"),
        (fault(every=3), "x--x--"),
        (fault(skip=1, every=2, times=2), "-x-x--"),
        (fault(limit=Limit(2, 1000)), "--xxxx"),
    ],
)
def test_a_fault_applies_to_the_requests_that_it_declares(declared: Fault, applied: str):
    counters = FaultCounters()

    hits = [counters.due([declared], LOGGED, 0) is not None for _ in applied]

    assert "".join("x" if each else "-" for each in hits) == applied


def test_a_limit_begins_anew_with_each_window():
    counters, limited = FaultCounters(), fault(limit=Limit(1, 1000))

    observed = [counters.due([limited], LOGGED, now) for now in (0, 999, 1000, 1001)]

    assert [hit and hit.observed for hit in observed] == [None, 2, None, 2]


def test_faults_after_the_one_that_applies_do_not_count_the_request():
    counters = FaultCounters()
    first, second = fault(times=1), replace(fault(), key="g")

    keys = [counters.due([first, second], LOGGED, 0) for _ in range(2)]

    assert [hit and hit.fault.key for hit in keys] == ["f", "g"]
    assert (counters.matched, counters.applied) == ({"f": 2, "g": 1}, {"f": 1, "g": 1})


def test_a_request_that_does_not_match_is_not_counted():
    counters = FaultCounters()

    assert counters.due([Fault("f", RequestPattern(method="POST"))], LOGGED, 0) is None
    assert counters.matched == {}


def test_a_fault_that_is_no_longer_declared_loses_its_counts():
    counters, limited = FaultCounters(), replace(fault(limit=Limit(0, 1000)), key="g")
    counters.due([fault(times=1)], LOGGED, 0)
    counters.due([limited], LOGGED, 0)

    counters.keep({"g"})

    assert (counters.matched, counters.applied) == ({"g": 1}, {"g": 1})
    assert counters.windows == {"g": (0, 1)}
