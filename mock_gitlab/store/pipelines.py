"""Pipelines and the actions on them: rows in, records out."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_gitlab.engine.model import Action, PipelineRecord, Scenario, Variable

from .database import ENTERED, StoreUnavailable
from .scenarios import BEHAVIOUR, scenario_of, seconds, span
from .status_index import IN_INDICES, NEW, NEWEST_IIDS, Filter, PipelineRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mock_gitlab.engine.model import ActionName, Instant, TerminalStatus
    from mock_gitlab.engine.statuses import PipelineStatus
    from mock_gitlab.engine.timeline import Window

    from .database import Database, Row

_LARGEST = 2**63 - 1
COUNTED_UP_TO = 10_000
"""A list is counted no further, as GitLab does."""

_RECORD = (
    "p.id, p.iid, p.project_id, p.ref, p.sha, p.source, p.created_at, p.tag, p.name, "
    "p.variables_json, p.scenario_id, p.terminal_after_seconds, p.terminal_status, "
    "p.actions_json, p.polls, p.polled_at, p.renamed_at, p.matched_json, p.upstream_job_id, "
    "p.status, p.status_until"
)
_BEHAVIOUR = ", ".join(f"s.{name}" for name in BEHAVIOUR.split(", "))
_SELECT = (
    f"SELECT {_RECORD}, {_BEHAVIOUR} FROM pipelines p LEFT JOIN scenarios s USING (scenario_id)"
)
SELECT_ONE = f"{_SELECT} WHERE p.id = ?"
_ROWS_KEPT = 512
_PROJECT = 2
_WIDTH = _RECORD.count(",") + 1
UNTIL = _WIDTH - 1
"""Where in a row stands the moment before which its stored status holds."""
_LAST_ID = """max(
    coalesce((SELECT max(id) FROM pipelines), 0),
    coalesce((SELECT iid FROM last_iids WHERE project_id = 0), 0))"""
_LAST_IID = """max(
    coalesce((SELECT max(iid) FROM pipelines WHERE project_id = ?1), 0),
    coalesce((SELECT iid FROM last_iids WHERE project_id = ?1), 0))"""
# The last is of files whose table was made to count by itself, and forgets deleted ids.
_LAST_NUMBERS = f"""SELECT {_LAST_IID},
    max({_LAST_ID}, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'pipelines'), 0))"""
_INSERT = f"""INSERT INTO pipelines (
    project_id, ref, sha, source, created_at, tag, name, variables_json, scenario_id,
    terminal_after_seconds, terminal_status, matched_json, upstream_job_id,
    updated_at, status_until, iid, id
) SELECT ?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, ''), ?8, ?9, nullif(?10, -1), nullif(?11, ''),
    nullif(?12, ''), nullif(?13, 0), ?5, {NEW}, ?14, ?15"""
INSERT_NEXT = f"{_INSERT} WHERE ?14 = 1 + {_LAST_IID} AND ?15 = 1 + {_LAST_ID}"
"""Adds a row if its iid and id, which come last, are those whose turn it is."""
_STALE = "p.status_until >= 0 AND p.status_until <= ?"
_ENTERED_AT_ONCE = 500
"""How many new rows may wait for the indices; a trigger enters them in a few milliseconds."""


class Stored(NamedTuple):
    """A pipeline's row: what it says, its scenario if there still is one, and the row itself."""

    record: PipelineRecord
    scenario: Scenario | None
    row: Row


class Cohort(NamedTuple):
    """Pipelines alike in all that decides their course but the moment of their creation."""

    scenario_id: int | None
    terminal_after_seconds: float | None
    terminal_status: TerminalStatus | None


def _record_of(row: Row) -> PipelineRecord:
    (
        number, iid, project_id, ref, sha, source, created_at, tag, name,
        variables, scenario_id, after, terminal_status,
        actions, polls, polled_at, renamed_at, matched, upstream,
    ) = row[: _WIDTH - 2]  # fmt: skip
    return PipelineRecord(
        id=number,
        iid=iid,
        project_id=project_id,
        ref=ref,
        sha=sha,
        source=source,
        created_at=created_at,
        tag=bool(tag),
        name=name,
        variables=() if variables == "[]" else read_variables(variables),
        scenario_id=scenario_id,
        terminal_after=span(after),
        terminal_status=terminal_status,
        actions=()
        if actions == "[]"
        else tuple(_action(*written) for written in json.loads(actions)),
        polls=polls,
        polled_at=polled_at,
        renamed_at=renamed_at,
        matched=matched,
        upstream_job_id=upstream,
    )


def _action(
    name: ActionName, at: Instant, job_id: int | None, shown: Iterable[tuple[Any, Any]] = ()
) -> Action:
    return Action(name, at, job_id, tuple((moment, status) for moment, status in shown))


def _stored(row: Row) -> Stored:
    behaviour = row[_WIDTH:]
    return Stored(_record_of(row), None if behaviour[0] is None else scenario_of(behaviour), row)


def write_variables(variables: Sequence[Variable]) -> str:
    """Write variables as the JSON text that the store keeps."""
    if not variables:
        return "[]"
    rows = [(v.key, v.value, v.variable_type, v.raw) for v in variables]
    return json.dumps(rows, separators=(",", ":"))


def read_variables(text: str) -> tuple[Variable, ...]:
    """Read back what ``write_variables`` wrote."""
    return tuple(Variable(*row) for row in json.loads(text))


class PipelineTable:
    """What was recorded, as rows."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._kept: dict[int, Row] = {}
        self._edition = (0, 0)
        self._last_id = 0
        self._last_iids: dict[int, int] = {}
        self._waiting = 0

    def insert(self, record: PipelineRecord) -> tuple[int, int]:
        """Add a pipeline; its ``id`` and ``iid`` are not looked at but given: returns both."""
        project_id = record.project_id
        # Python looks for an adapter of each None and bool: in all a fifth of the insert.
        values = (
            project_id,
            record.ref,
            record.sha,
            record.source,
            record.created_at,
            int(record.tag),
            record.name or "",
            write_variables(record.variables),
            record.scenario_id,
            -1 if record.terminal_after is None else seconds(record.terminal_after),
            record.terminal_status or "",
            record.matched or "",
            record.upstream_job_id or 0,
        )
        # SQLite would give the numbers too, but takes longer to tell which.
        iid, number = self._last_iids.get(project_id, 0) + 1, self._last_id + 1
        if not self._db.add(INSERT_NEXT, (*values, iid, number)):
            with self._db.transaction():
                iid, number = self._next_numbers(project_id)
                self._db.add(_INSERT, (*values, iid, number))
        self._last_iids[project_id], self._last_id = iid, number
        self._waiting += 1
        if self._waiting >= _ENTERED_AT_ONCE:
            with self._db.best_effort():
                self._enter()
        return number, iid

    def _next_numbers(self, project_id: int) -> tuple[int, int]:
        row = self._db.one(_LAST_NUMBERS, (project_id,))
        assert row is not None
        return row[0] + 1, row[1] + 1

    def _enter(self) -> None:
        """Enter the new pipelines into the indices, to be computed when they are next listed."""
        if self._not_entered() is not None:
            with self._db.transaction():
                span = self._not_entered()  # again, now that nobody else can change it
                if span is not None:
                    self._db.run(
                        "UPDATE pipelines SET status_until = 0 "
                        f"WHERE id > ? AND id <= ? AND status_until = {NEW}",
                        span,
                    )
                    self._db.remember(ENTERED, str(span[1]))
        self._waiting = 0

    def _not_entered(self) -> tuple[int, int] | None:
        """Name the last id that is entered and the newest one, where that is another."""
        row = self._db.one(
            "SELECT (SELECT value FROM meta WHERE key = ?), (SELECT max(id) FROM pipelines)",
            (ENTERED,),
        )
        assert row is not None
        entered, newest = int(row[0] or 0), row[1] or 0
        return (entered, newest) if newest > entered else None

    @contextmanager
    def _listing(self) -> Iterator[Database]:
        """Have the indices know every pipeline: in a copy, while nothing can be written here."""
        try:
            with self._db.nowait():
                self._enter()
        except StoreUnavailable:
            copied = self._db.copy()
            try:
                PipelineTable(copied)._enter()
                yield copied
            finally:
                copied.close()
        else:
            yield self._db

    def of_any_project(self, pipeline_id: int) -> Row | None:
        """Find one by its number, joined with its scenario, as it stands in the file."""
        return self._db.one(SELECT_ONE, (pipeline_id,))

    def of_project(self, project_id: int, pipeline_id: int) -> Row | None:
        """Find one of a project, as ``recent`` does."""
        row = self.recent(pipeline_id)
        return None if row is None or row[_PROJECT] != project_id else row

    def recent(self, pipeline_id: int) -> Row | None:
        """Find one by its number: the very same row as before while nothing is written.

        What another process has written may be missing from it; see ``Database.edition``.
        """
        edition = self._db.edition()
        if edition != self._edition:
            self._kept.clear()
            self._edition = edition
        row = self._kept.get(pipeline_id)
        if row is None:
            row = self.of_any_project(pipeline_id)
            if row is not None:
                self._keep(row)
        return row

    def _keep(self, row: Row) -> None:
        if len(self._kept) >= _ROWS_KEPT:
            self._kept.clear()
        self._kept[row[0]] = row

    @staticmethod
    def read(row: Row) -> Stored:
        """Make sense of a row."""
        return _stored(row)

    def downstream_of(self, pipeline_id: int) -> list[Stored]:
        """List the pipelines that the bridges of this one have started."""
        first = pipeline_id * 100_000
        rows = self._db.all(
            f"{_SELECT} WHERE p.upstream_job_id BETWEEN ? AND ?", (first, first + 99_999)
        )
        return [_stored(row) for row in rows]

    def started_by(self, job_id: int) -> Row | None:
        """Find the pipeline that a bridge has started."""
        return self._db.one(f"{_SELECT} WHERE p.upstream_job_id = ?", (job_id,))

    def started_by_bridges(self, project_id: int) -> list[Stored]:
        """List the pipelines of a project that bridges have started."""
        rows = self._db.all(
            f"{_SELECT} WHERE p.project_id = ? AND p.upstream_job_id IS NOT NULL", (project_id,)
        )
        return [_stored(row) for row in rows]

    def family(self, root: int, limit: int) -> int:
        """Count a pipeline and those that bridges have started below it, up to a limit."""
        row = self._db.one(
            "WITH RECURSIVE family (id) AS (SELECT ? UNION ALL SELECT p.id FROM family f "
            "JOIN pipelines p ON p.upstream_job_id BETWEEN f.id * 100000 AND f.id * 100000 + 99999 "
            "LIMIT ?) SELECT count(*) FROM family",
            (root, limit),
        )
        assert row is not None
        return int(row[0])

    def page(self, wanted: Filter, limit: int, offset: int) -> list[PipelineRow]:
        """List one page, from the stored statuses: refresh them first."""
        indexed = wanted.narrows_by_index or wanted.orders_by_index
        where, values = wanted.where(indexed=indexed)
        columns = ", ".join(f"p.{name}" for name in PipelineRow._fields)
        with self._listing() if indexed else nullcontext(self._db) as listing:
            rows = listing.all(
                f"SELECT {columns} FROM pipelines p WHERE {where} "
                f"ORDER BY {wanted.order()} LIMIT ? OFFSET ?",
                [*values, limit, offset],
            )
        return [PipelineRow(*row) for row in rows]

    def count(self, wanted: Filter) -> int | None:
        """Count what a filter lets through; None where it is more than COUNTED_UP_TO."""
        indexed = wanted.narrows_by_index
        where, values = wanted.where(indexed=indexed)
        with self._listing() if indexed else nullcontext(self._db) as listing:
            row = listing.one(
                f"SELECT count(*) FROM (SELECT 1 FROM pipelines p WHERE {where} LIMIT ?)",
                [*values, COUNTED_UP_TO + 1],
            )
        assert row is not None
        return None if row[0] > COUNTED_UP_TO else row[0]

    def each(self, project_id: int | None = None, newest: int | None = None) -> Iterator[Row]:
        """Walk over all pipelines, or a project's, newest first, reading as they are needed."""
        below = _LARGEST if newest is None else newest + 1
        while True:
            rows = self._db.all(
                f"{_SELECT} WHERE p.id < ? AND p.project_id = ifnull(?, p.project_id) "
                "ORDER BY p.id DESC LIMIT 100",
                (below, project_id),
            )
            if not rows:
                return
            yield from rows
            below = rows[-1][0]

    def moving_cohorts(
        self, project_id: int | None, pipeline_id: int | None
    ) -> dict[Cohort, list[tuple[int, int, Instant]]]:
        """Group the untouched that may still change by time alone, as (id, project, created_at).

        All of them, a project's, or one.
        """
        where, values = _moving(project_id, pipeline_id)
        rows = self._db.all(
            "SELECT scenario_id, terminal_after_seconds, terminal_status, "
            f"id, project_id, created_at FROM pipelines WHERE {where} AND {_UNTOUCHED}",
            values,
        )
        cohorts: dict[Cohort, list[tuple[int, int, Instant]]] = {}
        for scenario_id, after, status, *member in rows:
            cohort = Cohort(scenario_id, after, status)
            cohorts.setdefault(cohort, []).append((member[0], member[1], member[2]))
        return cohorts

    def moving_alone(self, project_id: int | None, pipeline_id: int | None) -> list[int]:
        """List the numbers of the others that may still change by time alone."""
        where, values = _moving(project_id, pipeline_id)
        rows = self._db.all(
            f"SELECT id FROM pipelines WHERE {where} AND NOT ({_UNTOUCHED})", values
        )
        return [row[0] for row in rows]

    def numbers_after(self, number: int) -> list[int]:
        """List the numbers of the pipelines that are newer than one."""
        rows = self._db.all("SELECT id FROM pipelines WHERE id > ? ORDER BY id", (number,))
        return [row[0] for row in rows]

    def newest_number(self) -> int:
        """Tell the number of the newest pipeline; 0: there is none."""
        row = self._db.one("SELECT max(id) FROM pipelines")
        return (row and row[0]) or 0

    def projects(self) -> list[int]:
        """List the numbers of the projects that have pipelines."""
        return [row[0] for row in self._db.all("SELECT DISTINCT project_id FROM pipelines")]

    def newest(self, project_id: int, ref: str) -> Row | None:
        """Find the newest pipeline of a ref."""
        with self._listing() as listing:
            return listing.one(
                f"{_SELECT} WHERE p.project_id = ? AND p.ref = ? AND {IN_INDICES} "
                "ORDER BY p.iid DESC LIMIT 1",
                (project_id, ref),
            )

    def refs(self, project_id: int, *, tags: bool) -> list[str]:
        """List the branches, or the tags, that a project's pipelines ran on."""
        with self._listing() as listing:
            rows = listing.all(
                "SELECT ref FROM pipelines "
                f"WHERE project_id = ? AND iid IN ({NEWEST_IIDS}) AND tag = ?",
                (*[project_id] * 4, tags),
            )
        return [row[0] for row in rows]

    def of_scenarios(self, numbers: Sequence[int], project_id: int | None = None) -> list[Stored]:
        """List the pipelines that follow one of these scenarios, all or a project's."""
        marks = ", ".join("?" * len(numbers))
        return [
            _stored(row)
            for row in self._db.all(
                f"{_SELECT} WHERE p.scenario_id IN ({marks}) "
                "AND p.project_id = ifnull(?, p.project_id)",
                (*numbers, project_id),
            )
        ]

    # ------------------------------------------------------------------ the record grows

    def append_action(self, pipeline_id: int, action: Action, *, fresh_attempt: bool) -> None:
        """Record something that was done; a ``fresh_attempt`` starts the count of polls anew."""
        self._db.run(
            "UPDATE pipelines SET actions_json = json_insert(actions_json, '$[#]', json(?)), "
            "polls = CASE WHEN ?2 THEN 0 ELSE polls END, "
            "polled_at = CASE WHEN ?2 THEN NULL ELSE polled_at END, status_until = 0 WHERE id = ?3",
            (
                json.dumps([action.name, action.at, action.job_id, action.shown]),
                fresh_attempt,
                pipeline_id,
            ),
        )

    def count_poll(self, pipeline_id: int, at: Instant) -> None:
        """Record a look at a pipeline whose scenario asks for it."""
        self._db.run(
            "UPDATE pipelines SET polls = polls + 1, polled_at = ?, status_until = 0 WHERE id = ?",
            (at, pipeline_id),
        )

    def rename(self, pipeline_id: int, name: str | None, at: Instant) -> None:
        """Record a new name."""
        self._db.run(
            "UPDATE pipelines SET name = ?, renamed_at = ?, status_until = 0 WHERE id = ?",
            (name, at, pipeline_id),
        )

    def delete(self, pipeline_id: int) -> bool:
        """Forget one; False where there was none."""
        return self._db.run("DELETE FROM pipelines WHERE id = ?", (pipeline_id,)) > 0

    def delete_all(self, project_id: int | None = None) -> int:
        """Forget all, or a project's, and say how many."""
        return self._db.run(
            "DELETE FROM pipelines WHERE ?1 IS NULL OR project_id = ?1", (project_id,)
        )

    # ------------------------------------------------------------------ stored statuses

    def store_status(self, pipeline_id: int, window: Window) -> None:
        """Keep what was computed, for lists to filter by."""
        self._db.run(
            "UPDATE pipelines SET status = ?, updated_at = ?, status_until = ? WHERE id = ?",
            (window.status, window.updated_at, window.until, pipeline_id),
        )

    def invalidate(self, pipeline_id: int) -> None:
        """Have the stored status of one pipeline computed again at the next list."""
        self._db.run("UPDATE pipelines SET status_until = 0 WHERE id = ?", (pipeline_id,))

    def invalidate_scenarios(self, numbers: Sequence[int]) -> None:
        """Have the statuses of all that follow these scenarios computed again."""
        marks = ", ".join("?" * len(numbers))
        self._db.run(
            f"UPDATE pipelines SET status_until = 0 WHERE scenario_id IN ({marks})",
            numbers,
        )

    def invalidate_after(self, moment: Instant) -> None:
        """Have statuses computed again that began after ``moment``: the clock went back."""
        self._db.run("UPDATE pipelines SET status_until = 0 WHERE updated_at > ?", (moment,))

    def stale_cohorts(
        self, project_id: int, now: Instant
    ) -> dict[Cohort, list[tuple[int, Instant]]]:
        """Group what is out of date and untouched, as (id, created_at)."""
        rows = self._db.all(
            "SELECT scenario_id, terminal_after_seconds, terminal_status, id, created_at "
            f"FROM pipelines p WHERE p.project_id = ? AND {_STALE} AND {_UNTOUCHED}",
            (project_id, now),
        )
        cohorts: dict[Cohort, list[tuple[int, Instant]]] = {}
        for scenario_id, after, status, number, created_at in rows:
            cohort = Cohort(scenario_id, after, status)
            cohorts.setdefault(cohort, []).append((number, created_at))
        return cohorts

    def store_statuses(
        self, rows: Iterable[tuple[PipelineStatus, Instant, Instant | None, int]]
    ) -> None:
        """Keep what was computed of many: status, updated_at, until when it holds, id."""
        self._db.run_many(
            "UPDATE pipelines SET status = ?, updated_at = ?, status_until = ? WHERE id = ?", rows
        )

    def any_stale(self, project_id: int, now: Instant) -> bool:
        """Tell whether any stored status of a project is out of date; ask this first."""
        self._enter()
        row = self._db.one(
            f"SELECT 1 FROM pipelines p WHERE p.project_id = ? AND {_STALE} LIMIT 1",
            (project_id, now),
        )
        return row is not None

    def stale(self, project_id: int, now: Instant) -> list[Stored]:
        """List the single pipelines whose stored status is out of date."""
        rows = self._db.all(f"{_SELECT} WHERE p.project_id = ? AND {_STALE}", (project_id, now))
        return [_stored(row) for row in rows]


def _moving(project_id: int | None, pipeline_id: int | None) -> tuple[str, list[int]]:
    wanted = {"project_id": project_id, "id": pipeline_id}
    given = {column: value for column, value in wanted.items() if value is not None}
    moves = (
        "(status_until IS NOT NULL OR status NOT IN ('success', 'failed', 'canceled', 'skipped'))"
    )
    return " AND ".join([*(f"{column} = ?" for column in given), moves]), list(given.values())


_UNTOUCHED = "actions_json = '[]' AND polls = 0 AND renamed_at IS NULL"
