"""What lists need: filters, pages, and the statuses that are stored for them.

The stored status is a copy of what the timeline shows, with the time until which it is right. It
is refreshed before a list filters by it. A new pipeline is entered into the indices of status and
ref later, together with others, or when somebody asks for what they find. The module is long
because the filters and the statuses that they find share their SQL.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_gitlab.engine.instants import LAST_WRITABLE, parse_timestamp, timestamp
from mock_gitlab.engine.sources import CHILD_SOURCE
from mock_gitlab.engine.statuses import COMPLETED

from .database import LISTED_UP_TO
from .errors import StoreUnavailable, reading
from .pipelines import SELECT, StoredPipeline, read_terminal_status, stored_of
from .rows import RowCheck
from .scenarios import join_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mock_gitlab.engine.model import Duration, Instant, TerminalStatus
    from mock_gitlab.engine.statuses import PipelineStatus

    from .database import Database, Row

COUNTED_UP_TO = 10_000
"""A list is counted no further, as GitLab does."""
LISTED = "p.listed"
"""The condition of the indices, which SQLite uses only where it stands in the query."""
_STALE_SINCE_EVER = timestamp(0)
_ENTERED_AT_ONCE = 500
"""How many new pipelines may wait for the indices; a trigger enters them in a few milliseconds."""
_ANY_CHILD = f"SELECT 1 FROM pipelines p WHERE p.source = '{CHILD_SOURCE}' LIMIT 1"
_UNTOUCHED = (
    "p.actions_json = '[]' AND p.polls = 0 AND p.renamed_at IS NULL "
    "AND p.id NOT IN (SELECT pipeline_id FROM posted_statuses)"
)
_STALE = f"{LISTED} AND p.status_until IS NOT NULL AND p.status_until <= ?"
_HAS_YAML_ERRORS = (
    "(ifnull(p.scenario_id, -1) IN "
    """(SELECT scenario_id FROM scenarios WHERE instr(details_json, '"yaml_errors":')))"""
)
_COHORT = ("scenario_id", "terminal_after_seconds", "terminal_after_fraction", "terminal_status")
_MEMBER = ("id", "project_id", "created_at")
_check_ref = RowCheck("pipelines", ("ref",))
_check_member = RowCheck("pipelines", (*_COHORT, *_MEMBER))

# SQLite finds the next ref in the index, where DISTINCT or GROUP BY would read all of a project.
_NO_CHILD = f"p.source <> '{CHILD_SOURCE}'"
_NEWEST_IIDS = (
    "WITH RECURSIVE refs(ref) AS ("
    f"SELECT min(p.ref) FROM pipelines p WHERE p.project_id = ? AND {LISTED} UNION ALL "
    "SELECT (SELECT min(p.ref) FROM pipelines p "
    f"WHERE p.project_id = ? AND p.ref > refs.ref AND {LISTED}) "
    "FROM refs WHERE refs.ref IS NOT NULL) "
    "SELECT (SELECT max(p.iid) FROM pipelines p "
    "WHERE p.project_id = ? AND p.ref = refs.ref AND {condition}) FROM refs"
)
NEWEST_IIDS = _NEWEST_IIDS.format(condition=LISTED)
_NEWEST_PARENTS = _NEWEST_IIDS.format(condition=f"{LISTED} AND {_NO_CHILD}")
# Within a project, iids rise with ids, so the index on iids gives the order of ids.
_ORDERS = {
    "id": ("p.iid",),
    "status": ("p.status", "p.iid"),
    "ref": ("p.ref", "p.iid"),
    "updated_at": ("p.updated_at", "p.iid"),
}


class PipelineRow(NamedTuple):
    """A pipeline as lists show it, from its stored status; times are text as in the answer."""

    id: int
    iid: int
    project_id: int
    sha: str
    ref: str
    status: str
    source: str
    created_at: str
    updated_at: str
    name: str | None
    status_until: str | None


_check_listed = RowCheck("pipelines", PipelineRow._fields)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which pipelines a list shows; every field that is not None narrows it.

    ``newest_of`` keeps the newest pipeline of each ref: "branches" or "tags". Without ``children``
    child pipelines are left out.
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
    yaml_errors: bool | None = None
    nothing: bool = False
    children: bool = True
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
        """Write the conditions in SQL; ``indexed`` adds the one of the indices."""
        wanted: list[tuple[str, Any]] = [
            (f"p.{column} {sign} ?", value)
            for column, sign, value in (
                ("project_id", "=", self.project_id),
                ("ref", "=", self.ref),
                ("sha", "=", self.sha),
                ("name", "=", self.name),
                ("source", "=", self.source),
                ("created_at", ">", timestamp(self.created_after)),
                ("created_at", "<", timestamp(self.created_before)),
                ("updated_at", ">", timestamp(self.updated_after)),
                ("updated_at", "<", timestamp(self.updated_before)),
            )
            if value is not None
        ]
        sql = [LISTED] if indexed else []
        sql += [condition for condition, _ in wanted]
        values = [value for _, value in wanted]
        if self.statuses is not None and len(self.statuses) == 1:
            sql.append("p.status = ?")  # which, unlike IN, leaves the index in the order of iids
            values += self.statuses
        elif self.statuses is not None:
            sql.append(f"p.status IN ({', '.join('?' * len(self.statuses))})")
            values += self.statuses
        if self.newest_of is not None:
            newest = NEWEST_IIDS if self.children else _NEWEST_PARENTS
            sql.append(f"p.iid IN ({newest}) AND p.tag = ?")
            values += [*[self.project_id] * 3, self.newest_of == "tags"]
        if self.yaml_errors is not None:
            sql.append(f"{_HAS_YAML_ERRORS} = ?")
            values.append(self.yaml_errors)
        if not self.children:
            sql.append(_NO_CHILD)
        if self.nothing:
            sql.append("0")
        return " AND ".join(sql) or "1", values

    def order(self) -> str:
        """Write the order in SQL."""
        direction = "DESC" if self.descending else "ASC"
        return ", ".join(f"{column} {direction}" for column in _ORDERS[self.order_by])


class Cohort(NamedTuple):
    """What pipelines have in common that differ only in when they were created."""

    scenario_id: int | None
    terminal_after: Duration | None
    terminal_status: TerminalStatus | None


class Member(NamedTuple):
    """A pipeline of a cohort."""

    id: int
    project_id: int
    created_at: Instant


class StatusIndex:
    """The stored statuses, and the lists that are read from them.

    ``has_children`` is true if there may be child pipelines; without them lists need not skip any.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self.has_children = database.one(_ANY_CHILD) is not None
        self._waiting = 0
        self._all_entered = False
        database.after_every_rollback(self._forget)

    def _forget(self) -> None:
        self._all_entered = False

    # ------------------------------------------------------------------ entering

    def added(self, source: str) -> None:
        """Note that a pipeline was inserted; enter those that wait once they are many."""
        self.has_children = self.has_children or source == CHILD_SOURCE
        self._waiting += 1
        self._all_entered = False
        if self._waiting >= _ENTERED_AT_ONCE:
            with self._db.best_effort():
                self.enter()

    def enter(self) -> None:
        """Enter the new pipelines into the indices."""
        if self._all_entered:
            return
        row = self._db.one(
            "SELECT (SELECT value FROM meta WHERE key = ?), (SELECT max(id) FROM pipelines)",
            (LISTED_UP_TO,),
        )
        assert row is not None
        with reading(f'the value of "{LISTED_UP_TO}"'):
            listed, newest = int(row[0] or 0), row[1] or 0
        if newest > listed:
            with self._db.transaction():
                self._db.execute("UPDATE pipelines SET listed = 1 WHERE id > ?", (listed,))
                self._db.remember(LISTED_UP_TO, str(newest))
        self._waiting, self._all_entered = 0, True

    # ------------------------------------------------------------------ lists

    def page(self, wanted: Filter, limit: int, offset: int) -> list[PipelineRow]:
        """List one page; refresh the stored statuses first if the filter asks for them."""
        indexed = wanted.narrows_by_index or wanted.orders_by_index
        where, values = self._where(wanted, indexed=indexed)
        columns = ", ".join(f"p.{name}" for name in PipelineRow._fields)
        rows = self._db.all(
            f"SELECT {columns} FROM pipelines p WHERE {where} "
            f"ORDER BY {wanted.order()} LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [_row_of(row) for row in rows]

    def count(self, wanted: Filter) -> int | None:
        """Count the pipelines that a filter lets through; None for more than COUNTED_UP_TO."""
        where, values = self._where(wanted, indexed=wanted.narrows_by_index)
        row = self._db.one(
            f"SELECT count(*) FROM (SELECT 1 FROM pipelines p WHERE {where} LIMIT ?)",
            [*values, COUNTED_UP_TO + 1],
        )
        assert row is not None
        return None if row[0] > COUNTED_UP_TO else row[0]

    def _where(self, wanted: Filter, *, indexed: bool) -> tuple[str, list[Any]]:
        if wanted.newest_of is not None:
            with self._db.nowait():
                self.enter()
        return wanted.where(indexed=indexed and self._is_entered())

    def _is_entered(self) -> bool:
        """Enter the new pipelines; False if that fails, so that the indices are incomplete."""
        try:
            with self._db.nowait():
                self.enter()
        except StoreUnavailable:
            return False
        return True

    def newest(self, project_id: int, ref: str) -> int | None:
        """Find the number of the newest pipeline of a ref, but for child pipelines."""
        listed = LISTED if self._is_entered() else "1"
        listed += f" AND {_NO_CHILD}" if self.has_children else ""
        row = self._db.one(
            f"SELECT p.id FROM pipelines p WHERE p.project_id = ? AND p.ref = ? AND {listed} "
            "ORDER BY p.iid DESC LIMIT 1",
            (project_id, ref),
        )
        return None if row is None else int(row[0])

    def refs(self, project_id: int, *, tags: bool) -> list[str]:
        """List the branches, or the tags, that a project's pipelines ran on."""
        newest = f"iid IN ({NEWEST_IIDS})"
        if not self._is_entered():
            newest = "iid IN (SELECT max(iid) FROM pipelines WHERE project_id = ? GROUP BY ref)"
        rows = self._db.all(
            f"SELECT ref FROM pipelines WHERE project_id = ? AND {newest} AND tag = ?",
            (project_id, *[project_id] * newest.count("?"), int(tags)),
        )
        with reading(f"the ref of a pipeline of project {project_id}"):
            for row in rows:
                _check_ref(row)
        return [row[0] for row in rows]

    # ------------------------------------------------------------------ stored statuses

    def is_stale(self, project_id: int, now: Instant) -> bool:
        """Return whether any stored status of a project is out of date."""
        self.enter()
        row = self._db.one(
            f"SELECT 1 FROM pipelines p WHERE p.project_id = ? AND {_STALE} LIMIT 1",
            (project_id, timestamp(now)),
        )
        return row is not None

    def stale_cohorts(self, project_id: int, now: Instant) -> dict[Cohort, list[Member]]:
        """Group the pipelines with a stale status to which nothing was done."""
        return self._cohorts(f"p.project_id = ? AND {_STALE}", project_id, timestamp(now))

    def stale(self, project_id: int, now: Instant) -> list[StoredPipeline]:
        """List the pipelines with a stale status."""
        rows = self._db.all(
            f"{SELECT} WHERE p.project_id = ? AND {_STALE}", (project_id, timestamp(now))
        )
        return [stored_of(row) for row in rows]

    def store(self, rows: Iterable[tuple[PipelineStatus, Instant, Instant | None, int]]) -> None:
        """Keep what was computed: status, updated_at, until when both are right, id."""
        self._db.execute_many(
            "UPDATE pipelines SET status = ?, updated_at = ?, status_until = ? WHERE id = ?",
            (
                (status, timestamp(updated_at), _text_until(until), number)
                for status, updated_at, until, number in rows
            ),
        )

    def invalidate(self, pipeline_id: int) -> None:
        """Mark the stored status of a pipeline as stale."""
        self._db.execute(
            "UPDATE pipelines SET status_until = ? WHERE id = ?", (_STALE_SINCE_EVER, pipeline_id)
        )

    def invalidate_scenarios(self, numbers: Iterable[int]) -> None:
        """Mark as stale the stored status of every pipeline that follows one of these scenarios."""
        self._db.execute(
            "UPDATE pipelines SET status_until = ? "
            "WHERE scenario_id IN (SELECT value FROM json_each(?))",
            (_STALE_SINCE_EVER, json.dumps([*numbers])),
        )

    def invalidate_after(self, instant: Instant) -> None:
        """Mark as stale the statuses that began after an instant: the clock went back to it."""
        self._db.execute(
            "UPDATE pipelines SET status_until = ? WHERE updated_at > ?",
            (_STALE_SINCE_EVER, timestamp(instant)),
        )

    # ------------------------------------------------------------------ what may still change

    def moving_cohorts(
        self, project_id: int | None, pipeline_id: int | None
    ) -> dict[Cohort, list[Member]]:
        """Group the untouched pipelines that may change by time alone: all, a project's, or one."""
        where, values = _moving(project_id, pipeline_id)
        return self._cohorts(where, *values)

    def moving_alone(self, project_id: int | None, pipeline_id: int | None) -> list[int]:
        """List the numbers of the other pipelines that may change by time alone."""
        where, values = _moving(project_id, pipeline_id)
        rows = self._db.all(
            f"SELECT id FROM pipelines p WHERE {where} AND NOT ({_UNTOUCHED})", values
        )
        return [row[0] for row in rows]

    def _cohorts(self, where: str, *values: Any) -> dict[Cohort, list[Member]]:
        columns = ", ".join(f"p.{name}" for name in (*_COHORT, *_MEMBER))
        rows = self._db.all(
            f"SELECT {columns} FROM pipelines p WHERE {where} AND {_UNTOUCHED}", values
        )
        cohorts: dict[tuple[Any, ...], list[Member]] = {}
        with reading("the row of a pipeline"):
            for row in rows:
                _check_member(row)
                *alike, number, project_id, created_at = row
                member = Member(number, project_id, parse_timestamp(created_at))
                cohorts.setdefault(tuple(alike), []).append(member)
            return {_cohort_of(*alike): members for alike, members in cohorts.items()}


def _cohort_of(
    scenario_id: int | None, seconds: int | None, fraction: int, status: str | None
) -> Cohort:
    return Cohort(scenario_id, join_duration(seconds, fraction), read_terminal_status(status))


def _row_of(row: Row) -> PipelineRow:
    with reading(f"the row of pipeline {row[0]}"):
        _check_listed(row)
    return PipelineRow(*row)


def _text_until(until: Instant | None) -> str | None:
    return None if until is None else timestamp(min(until, LAST_WRITABLE))


def _moving(project_id: int | None, pipeline_id: int | None) -> tuple[str, list[Any]]:
    wanted = {"p.project_id": project_id, "p.id": pipeline_id}
    given = {column: value for column, value in wanted.items() if value is not None}
    completed = ", ".join(f"'{status}'" for status in sorted(COMPLETED))
    moves = f"(p.status_until IS NOT NULL OR p.status NOT IN ({completed}))"
    return " AND ".join([*(f"{column} = ?" for column in given), moves]), list(given.values())
