"""The projects that were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.engine.model import DeclaredToken
from mock_gitlab.store.projects import ProjectTable, TokenTable

if TYPE_CHECKING:
    from mock_gitlab.store.database import Database


def test_a_path_gets_a_number_above_those_that_people_write(database: Database):
    table = ProjectTable(database)

    assert [table.add_path("group/a", ()), table.add_path("group/b", (5_000,))] == [1001, 5001]
    assert table.all() == {1001: "group/a", 5001: "group/b"}


def test_a_declared_token_goes_when_it_is_no_longer_declared(database: Database):
    table = TokenTable(database)
    kept, dropped = DeclaredToken("kept"), DeclaredToken("dropped")
    table.replace_declared([(42, kept), (42, dropped)], 1_000)
    table.used(1, 2_000)

    table.replace_declared([(42, kept)], 3_000)

    [token] = table.all()
    assert (token.token, token.id, token.last_used) == ("kept", 1, 2_000)
