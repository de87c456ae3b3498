"""The projects that were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.store.database import Database
from mock_gitlab.store.projects import ProjectTable

if TYPE_CHECKING:
    from pathlib import Path


def test_two_servers_on_one_file_give_a_path_the_same_number(tmp_path: Path):
    databases = [Database(tmp_path / "mock.db") for _ in range(2)]
    one, other = map(ProjectTable, databases)

    numbers = [one.add_path("group/a", ()), other.add_path("group/b", ())]
    numbers += [other.add_path("group/a", ()), one.add_path("group/b", ())]

    assert numbers == [1001, 1002, 1001, 1002]
    for database in databases:
        database.close()
