"""A database, and a table with one pipeline in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.engine.model import PipelineRecord
from mock_gitlab.store.database import Database
from mock_gitlab.store.pipelines import PipelineTable
from mock_gitlab.store.status_index import StatusIndex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORD = PipelineRecord(0, 0, 42, "main", "a" * 40, "trigger", created_at=1, scenario_id=7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mock.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def table(database: Database) -> PipelineTable:
    table = PipelineTable(database)
    table.insert(RECORD)
    return table


@pytest.fixture
def index(database: Database, table: PipelineTable) -> StatusIndex:
    return StatusIndex(database)
