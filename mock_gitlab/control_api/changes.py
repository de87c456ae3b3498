"""The row that shows a change of a job or a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import LAST_WRITABLE, timestamp

if TYPE_CHECKING:
    from mock_gitlab.engine.timeline import Change


class ChangeRow(TypedDict):
    """A change of a status. A future change happens unless somebody acts before."""

    at: str
    job_id: int | None
    name: str
    before: str | None
    after: str


def change_row(change: Change) -> ChangeRow:
    """Present a change."""
    return {
        "at": timestamp(min(change.at, LAST_WRITABLE)),
        "job_id": change.job_id,
        "name": change.name,
        "before": change.before,
        "after": change.after,
    }
