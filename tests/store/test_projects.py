"""The projects that were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.store.projects import ProjectTable

if TYPE_CHECKING:
    from mock_gitlab.store.database import Database


def test_a_path_gets_a_number_above_those_that_people_write(database: Database):
    table = ProjectTable(database)

    assert [table.add_path("group/a", ()), table.add_path("group/b", (5_000,))] == [1001, 5001]
    assert table.all() == {1001: "group/a", 5001: "group/b"}
