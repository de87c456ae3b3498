"""The journal keeps the last calls, within bounds."""

from __future__ import annotations

from mock_gitlab.engine.matching import RequestPattern
from mock_gitlab.world.journal import MOST_BYTES, Journal, LoggedRequest


def call(size: int = 0) -> LoggedRequest:
    return LoggedRequest("GET", "/version", "", 0, size=size)


def kept(journal: Journal) -> list[int]:
    return [each.id for each in journal.find(RequestPattern())]


def test_the_oldest_goes_when_there_are_too_many():
    journal = Journal(2)
    for _ in range(3):
        journal.add(call())

    assert kept(journal) == [3, 2]


def test_the_oldest_go_when_they_are_too_large():
    journal = Journal(1000)
    journal.add(call())
    for _ in range(5):
        journal.add(call(MOST_BYTES // 4))

    assert kept(journal) == [6, 5, 4]


def test_the_newest_stays_however_large_it_is():
    journal = Journal(1000)
    for _ in range(3):
        journal.add(call(2 * MOST_BYTES))

    assert kept(journal) == [3]


def test_what_has_gone_leaves_its_room_to_others():
    journal = Journal(3)
    for _ in range(10):
        journal.add(call(MOST_BYTES // 4))
    journal.resize(2)
    journal.resize(1000)
    assert kept(journal) == [10, 9]
    journal.clear()
    for _ in range(3):
        journal.add(call(MOST_BYTES // 4))

    assert kept(journal) == [3, 2, 1]


def test_a_journal_of_no_calls_keeps_none():
    journal = Journal(0)
    for _ in range(3):
        journal.add(call(MOST_BYTES))
    journal.resize(1)
    journal.add(call())

    assert kept(journal) == [4]
