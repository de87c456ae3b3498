"""The statuses that were posted for commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.engine.codec import read_as
from mock_gitlab.engine.external import STATUSES_LIMIT, StatusAct
from mock_gitlab.engine.instants import parse_timestamp, timestamp
from mock_gitlab.engine.model import PostedState

from .errors import reading
from .rows import RowCheck

if TYPE_CHECKING:
    from .database import Database, Row

_ACT = "number, name, at, state, target_url, description, coverage, actions_before"
_check = RowCheck("posted_statuses", _ACT.split(", "))


class StatusTable:
    """The posted statuses of pipelines."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def pipelines(self) -> set[int]:
        """Return the numbers of the pipelines for which a status was posted."""
        rows = self._db.all("SELECT DISTINCT pipeline_id FROM posted_statuses")
        return {row[0] for row in rows}

    def of_pipeline(self, pipeline_id: int) -> list[StatusAct]:
        """List what was posted for a pipeline, in order."""
        rows = self._db.all(
            f"SELECT {_ACT} FROM posted_statuses WHERE pipeline_id = ? ORDER BY id", (pipeline_id,)
        )
        return [_act_of(row, pipeline_id) for row in rows]

    def insert(self, pipeline_id: int, act: StatusAct) -> None:
        """Record that a status was posted."""
        self._db.execute(
            f"INSERT INTO posted_statuses (pipeline_id, {_ACT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (pipeline_id, act.number, act.name, timestamp(act.at), *act[3:]),
        )


def _act_of(row: Row, pipeline_id: int) -> StatusAct:
    with reading(f"a posted status of pipeline {pipeline_id}"):
        _check(row)
        number, name, at, state, *rest = row
        assert 0 <= number < STATUSES_LIMIT, "its number is out of range"
        return StatusAct(parse_timestamp(at), number, name, read_as(PostedState, state), *rest)
