"""Filters of lists: which pipelines are shown, in which order, put into SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_gitlab.engine.model import Moment

NEW = -1
"""What ``status_until`` is in the row of a pipeline that is in no index but by its numbers."""
IN_INDICES = f"p.status_until IS NOT {NEW}"
"""The condition of the indices, which are used only where it is said."""

# SQLite finds the next ref in the index, where DISTINCT or GROUP BY would read all of a project.
_NEWEST_IIDS = (
    "WITH RECURSIVE refs(ref) AS ("
    "SELECT min(p.ref) FROM pipelines p WHERE p.project_id = ? AND {entered} UNION ALL "
    "SELECT (SELECT min(p.ref) FROM pipelines p "
    "WHERE p.project_id = ? AND p.ref > refs.ref AND {entered}) "
    "FROM refs WHERE refs.ref IS NOT NULL) "
    "SELECT (SELECT max(p.iid) FROM pipelines p "
    "WHERE p.project_id = ? AND p.ref = refs.ref AND {entered}) FROM refs"
)
# Within a project iids rise with ids, and their index gives the rows in order.
_ORDERS = {
    "id": ("p.iid",),
    "status": ("p.status", "p.iid"),
    "ref": ("p.ref", "p.iid"),
    "updated_at": ("p.updated_at", "p.iid"),
}


class Listed(NamedTuple):
    """A pipeline as lists show it, from its stored status."""

    id: int
    iid: int
    project_id: int
    sha: str
    ref: str
    status: str
    source: str
    created_at: Moment
    updated_at: Moment
    name: str | None
    status_until: Moment | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which pipelines a list shows; every field that is not None narrows it.

    ``newest_of`` keeps the newest pipeline of each ref: "branches" or "tags".
    """

    project_id: int | None = None
    statuses: Sequence[str] | None = None
    ref: str | None = None
    sha: str | None = None
    name: str | None = None
    source: str | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    updated_after: Moment | None = None
    updated_before: Moment | None = None
    newest_of: str | None = None
    nothing: bool = False
    order_by: str = "id"
    descending: bool = True

    @property
    def asks_for_status(self) -> bool:
        """Whether the stored statuses decide what is shown, or in which order."""
        return (
            self.statuses is not None
            or self.updated_after is not None
            or self.updated_before is not None
            or self.order_by in ("status", "updated_at")
        )

    @property
    def needs_indices(self) -> bool:
        """Whether all of a project would have to be looked through without an index."""
        return (
            self.asks_for_status
            or self.ref is not None
            or self.newest_of is not None
            or self.order_by == "ref"
        )

    def where(self, entered: str) -> tuple[str, list[Any]]:
        """Put the conditions into SQL; ``entered`` is the one under which indices may be used."""
        wanted: list[tuple[str, Any]] = [
            (f"p.{column} {sign} ?", value)
            for column, sign, value in (
                ("project_id", "=", self.project_id),
                ("ref", "=", self.ref),
                ("sha", "=", self.sha),
                ("name", "=", self.name),
                ("source", "=", self.source),
                ("created_at", ">", self.created_after),
                ("created_at", "<", self.created_before),
                ("updated_at", ">", self.updated_after),
                ("updated_at", "<", self.updated_before),
            )
            if value is not None
        ]
        sql = [entered, *(condition for condition, _ in wanted)]
        values = [value for _, value in wanted]
        if self.statuses is not None and len(self.statuses) == 1:
            sql.append("p.status = ?")  # which, unlike IN, leaves the index in the order of iids
            values += self.statuses
        elif self.statuses is not None:
            sql.append(f"p.status IN ({', '.join('?' * len(self.statuses))})")
            values += self.statuses
        if self.newest_of is not None:
            newest = newest_iids(entered)
            sql.append(f"p.iid IN ({newest}) AND p.tag = ?")
            values += [*[self.project_id] * 3, self.newest_of == "tags"]
        if self.nothing:
            sql.append("0")
        return " AND ".join(sql), values

    def order(self) -> str:
        """Put the order into SQL."""
        direction = "DESC" if self.descending else "ASC"
        return ", ".join(f"{column} {direction}" for column in _ORDERS[self.order_by])


def newest_iids(entered: str) -> str:
    """Select the newest iid of each ref; takes the project three times."""
    return _NEWEST_IIDS.format(entered=entered)
