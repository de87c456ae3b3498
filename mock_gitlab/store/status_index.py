"""Filters of lists: which pipelines are shown, in which order, put into SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_gitlab.engine.model import Instant

NEW = -1
"""What ``status_until`` is in the row of a pipeline that no list can find by status or ref yet."""
IN_INDICES = f"p.status_until IS NOT {NEW}"
"""The condition of the indices, which are used only where it is said."""

# SQLite finds the next ref in the index, where DISTINCT or GROUP BY would read all of a project.
NEWEST_IIDS = (
    "WITH RECURSIVE refs(ref) AS ("
    f"SELECT min(p.ref) FROM pipelines p WHERE p.project_id = ? AND {IN_INDICES} UNION ALL "
    "SELECT (SELECT min(p.ref) FROM pipelines p "
    f"WHERE p.project_id = ? AND p.ref > refs.ref AND {IN_INDICES}) "
    "FROM refs WHERE refs.ref IS NOT NULL) "
    "SELECT (SELECT max(p.iid) FROM pipelines p "
    f"WHERE p.project_id = ? AND p.ref = refs.ref AND {IN_INDICES}) FROM refs"
)
# Within a project iids rise with ids, and their index gives the rows in order.
_ORDERS = {
    "id": ("p.iid",),
    "status": ("p.status", "p.iid"),
    "ref": ("p.ref", "p.iid"),
    "updated_at": ("p.updated_at", "p.iid"),
}


class PipelineRow(NamedTuple):
    """A pipeline as lists show it, from its stored status."""

    id: int
    iid: int
    project_id: int
    sha: str
    ref: str
    status: str
    source: str
    created_at: Instant
    updated_at: Instant
    name: str | None
    status_until: Instant | None


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
    created_after: Instant | None = None
    created_before: Instant | None = None
    updated_after: Instant | None = None
    updated_before: Instant | None = None
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
    def narrows_by_index(self) -> bool:
        """Whether an index of statuses or refs finds what is shown."""
        return self.statuses is not None or self.ref is not None or self.newest_of is not None

    @property
    def orders_by_index(self) -> bool:
        """Whether an index of statuses or refs gives the order."""
        return self.order_by in ("status", "ref")

    def where(self, *, indexed: bool) -> tuple[str, list[Any]]:
        """Put the conditions into SQL, with the one under which ``indexed`` rows are found."""
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
        sql = [IN_INDICES] if indexed else []
        sql += [condition for condition, _ in wanted]
        values = [value for _, value in wanted]
        if self.statuses is not None and len(self.statuses) == 1:
            sql.append("p.status = ?")  # which, unlike IN, leaves the index in the order of iids
            values += self.statuses
        elif self.statuses is not None:
            sql.append(f"p.status IN ({', '.join('?' * len(self.statuses))})")
            values += self.statuses
        if self.newest_of is not None:
            sql.append(f"p.iid IN ({NEWEST_IIDS}) AND p.tag = ?")
            values += [*[self.project_id] * 3, self.newest_of == "tags"]
        if self.nothing:
            sql.append("0")
        return " AND ".join(sql) or "1", values

    def order(self) -> str:
        """Put the order into SQL."""
        direction = "DESC" if self.descending else "ASC"
        return ", ".join(f"{column} {direction}" for column in _ORDERS[self.order_by])
