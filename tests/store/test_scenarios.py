"""The scenarios table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.model import DeclaredScenario, Scenario
from mock_gitlab.store.database import Database
from mock_gitlab.store.scenarios import ScenarioTable

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database(":memory:")
    yield database
    database.close()


def declared(number: int, name: str) -> DeclaredScenario:
    return DeclaredScenario(Scenario(number, name), {}, "runtime")


def name_of(table: ScenarioTable, number: int) -> str | None:
    found = table.behaviour(number)
    return None if found is None else found.name


def test_a_behaviour_follows_every_change(database: Database):
    table = ScenarioTable(database)
    assert name_of(table, 7) is None
    table.upsert([declared(7, "first")])
    assert name_of(table, 7) == "first"
    table.upsert([declared(7, "second")])
    assert name_of(table, 7) == "second"
    table.delete(7)
    assert name_of(table, 7) is None


def test_a_behaviour_that_was_taken_back_is_forgotten(database: Database):
    table = ScenarioTable(database)
    table.upsert([declared(7, "kept")])

    def change() -> None:
        with database.transaction():
            table.upsert([declared(7, "taken back")])
            assert name_of(table, 7) == "taken back"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert name_of(table, 7) == "kept"
