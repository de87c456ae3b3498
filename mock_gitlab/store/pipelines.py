"""The record of pipelines and of the actions on them: rows in, records out.

The module is long because each column stands here three times: written, read, selected.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic_core import to_json

from mock_gitlab.engine.codec import read_as
from mock_gitlab.engine.instants import parse_timestamp, timestamp
from mock_gitlab.engine.model import (
    Action,
    ActionName,
    PipelineRecord,
    ScenarioChoice,
    TerminalStatus,
    Variable,
    job_id,
)
from mock_gitlab.engine.statuses import PipelineStatus

from .errors import UNREADABLE, StoreUnavailable, reading
from .rows import RowCheck
from .scenarios import BEHAVIOUR, join_duration, scenario_of, split_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_gitlab.engine.model import Instant, Scenario

    from .database import Database, Row

_LARGEST = 2**63 - 1
_RECORD = (
    "id", "iid", "project_id", "ref", "sha", "source", "created_at", "tag", "name",
    "variables_json", "variable_details_json", "scenario_id", "terminal_after_seconds",
    "terminal_after_fraction", "terminal_status", "actions_json", "polls", "polled_at",
    "renamed_at", "chosen_by", "rule", "rule_key", "rule_set_id", "rule_variables", "inputs_json",
    "upstream_job_id",
)  # fmt: skip
_CHOICE = ("chosen_by", "rule", "rule_key", "rule_set_id", "rule_variables", "inputs_json")
_WIDTH = len(_RECORD)
_check = RowCheck("pipelines", _RECORD)
_DETAIL = tuple[Literal["env_var", "file"], bool] | tuple[()]
_JOB_ID = int | None
_TERMINAL_STATUS = TerminalStatus | None
SELECT = (
    f"SELECT {', '.join(f'p.{name}' for name in _RECORD)}, "
    f"{', '.join(f's.{name}' for name in BEHAVIOUR.split(', '))} "
    "FROM pipelines p LEFT JOIN scenarios s USING (scenario_id)"
)
"""Reads pipelines with their scenarios, for ``stored_of``."""
_SELECT_ONE = f"{SELECT} WHERE p.id = ?"


class StoredPipeline(NamedTuple):
    """A pipeline as it is stored, and its scenario if there still is one."""

    record: PipelineRecord
    scenario: Scenario | None


# ---------------------------------------------------------------------------- columns


def write_variables(variables: Iterable[Variable]) -> str | None:
    """Write variables as a JSON map of keys and values; None for none."""
    found = {variable.key: variable.value for variable in variables}
    return _json(found) if found else None


def write_variable_details(variables: Iterable[Variable]) -> str | None:
    """Write the type and ``raw`` of the variables that are not usual; None for none."""
    details = {
        variable.key: (variable.variable_type, variable.raw)
        for variable in variables
        if variable.raw or variable.variable_type != "env_var"
    }
    return _json(details) if details else None


def _read_variables(text: str | None, details_text: str | None) -> tuple[Variable, ...]:
    if text is None:
        return ()
    details = {} if details_text is None else json.loads(details_text)
    return tuple(
        Variable(key, read_as(str, value), *read_as(_DETAIL, details.get(key, [])))
        for key, value in json.loads(text).items()
    )


def _write_action(action: Action) -> dict[str, Any]:
    written: dict[str, Any] = {"action": action.name, "at": timestamp(action.at)}
    if action.job_id is not None:
        written["job_id"] = action.job_id
    if action.shown:
        written["shown"] = [(timestamp(at), status) for at, status in action.shown]
    return written


def write_actions(actions: Iterable[tuple[ActionName, Instant, int | None, Any]]) -> str:
    """Write actions, each given as the fields of an ``Action``, as a JSON list."""
    return _json([_write_action(Action(*fields)) for fields in actions])


def _read_actions(text: str) -> tuple[Action, ...]:
    if text == "[]":
        return ()
    return tuple(
        Action(
            read_as(ActionName, written["action"]),
            parse_timestamp(written["at"]),
            read_as(_JOB_ID, written.get("job_id")),
            tuple(
                (parse_timestamp(at), read_as(PipelineStatus, status))
                for at, status in written.get("shown", ())
            ),
        )
        for written in json.loads(text)
    )


def read_terminal_status(text: str | None) -> TerminalStatus | None:
    """Read the column of the terminal status; raise TypeError if it is no such status."""
    status: TerminalStatus | None = read_as(_TERMINAL_STATUS, text)
    return status


def _instant(text: str | None) -> Instant | None:
    return None if text is None else parse_timestamp(text)


def _json(value: Any) -> str:
    # Of 60,000 variables the standard library's encoder makes so many objects that they take 90 ms.
    return to_json(value).decode()


def _columns_of(record: PipelineRecord, iid: int) -> dict[str, Any]:
    """Give the columns of a new pipeline that differ from their defaults.

    Columns that are None are left out: Python looks for an adapter of each None, which takes as
    long as all the rest.
    """
    created_at = timestamp(record.created_at)
    columns: dict[str, Any] = {
        "project_id": record.project_id,
        "iid": iid,
        "ref": record.ref,
        "sha": record.sha,
        "source": record.source,
        "created_at": created_at,
        "updated_at": created_at,
    }
    for name in ("name", "scenario_id", "terminal_status", "upstream_job_id"):
        value = getattr(record, name)
        if value is not None:
            columns[name] = value
    if record.tag:
        columns["tag"] = 1
    if record.variables:
        columns["variables_json"] = write_variables(record.variables)
        details = write_variable_details(record.variables)
        if details is not None:
            columns["variable_details_json"] = details
    if record.terminal_after is not None:
        seconds, fraction = split_duration(record.terminal_after)
        columns["terminal_after_seconds"], columns["terminal_after_fraction"] = seconds, fraction
    if record.choice is not None:
        chosen = zip(_CHOICE, record.choice, strict=True)
        columns.update((name, value) for name, value in chosen if value is not None)
    return columns


@lru_cache(maxsize=256)
def insert_statement(columns: tuple[str, ...]) -> str:
    """Write the statement that inserts a pipeline with these columns."""
    return f"INSERT INTO pipelines ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _record_of(row: Row) -> PipelineRecord:
    _check(row[:_WIDTH])
    (
        number, iid, project_id, ref, sha, source, created_at, tag, name,
        variables, details, scenario_id, seconds, fraction, terminal_status,
        actions, polls, polled_at, renamed_at,
        chosen_by, rule, rule_key, rule_set_id, rule_variables, inputs_json,
        upstream_job_id,
    ) = row[:_WIDTH]  # fmt: skip
    return PipelineRecord(
        id=number,
        iid=iid,
        project_id=project_id,
        ref=ref,
        sha=sha,
        source=source,
        created_at=parse_timestamp(created_at),
        tag=bool(tag),
        name=name,
        variables=_read_variables(variables, details),
        scenario_id=scenario_id,
        terminal_after=join_duration(seconds, fraction),
        terminal_status=read_terminal_status(terminal_status),
        actions=_read_actions(actions),
        polls=polls,
        polled_at=_instant(polled_at),
        renamed_at=_instant(renamed_at),
        choice=None
        if chosen_by is None
        else ScenarioChoice(
            chosen_by, rule, rule_key, rule_set_id or 0, rule_variables, inputs_json
        ),
        upstream_job_id=upstream_job_id,
    )


def stored_of(row: Row) -> StoredPipeline:
    """Read a row of ``SELECT``.

    Raises:
        StoreUnavailable: somebody has damaged the row.
    """
    behaviour = row[_WIDTH:]
    try:
        return StoredPipeline(
            _record_of(row), None if behaviour[0] is None else scenario_of(behaviour)
        )
    except UNREADABLE as error:
        raise StoreUnavailable(f"the row of pipeline {row[0]} is damaged: {error}") from error


# ---------------------------------------------------------------------------- the table


class PipelineTable:
    """The recorded pipelines."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._last_iids: dict[int, int] = {}
        database.after_every_rollback(self._last_iids.clear)

    def insert(self, record: PipelineRecord) -> PipelineRecord:
        """Add a pipeline and return it with the ``id`` and ``iid`` that it is given here."""
        project_id = record.project_id
        iid = 1 + (self._last_iids.get(project_id) or self._last_iid(project_id))
        columns = _columns_of(record, iid)
        number = self._db.insert(insert_statement(tuple(columns)), tuple(columns.values()))
        self._last_iids[project_id] = iid
        return record.numbered(number, iid)

    def declared(self) -> dict[str, int]:
        """Map what names the declared pipelines in the files to their numbers."""
        rows = self._db.all("SELECT declared, id FROM pipelines WHERE declared IS NOT NULL")
        with reading("the row of a declared pipeline"):
            return {read_as(str, key): number for key, number in rows}

    def insert_declared(self, record: PipelineRecord, key: str) -> int | None:
        """Add a declared pipeline, and return its number.

        An ``id`` or ``iid`` of 0 stands for the next one. None: another pipeline has one of them.
        """
        project_id = record.project_id
        iid = record.iid or 1 + self._last_iid(project_id)
        if self._is_taken(record.id, project_id, iid):
            return None
        columns = {**_columns_of(record, iid), "declared": key, "listed": 1}
        if record.id:
            columns["id"] = record.id
        self._last_iids.pop(project_id, None)
        return self._db.insert(insert_statement(tuple(columns)), tuple(columns.values()))

    def _is_taken(self, number: int, project_id: int, iid: int) -> bool:
        where = "id = ? OR (project_id = ? AND iid = ?)"
        values = (number, project_id, iid)
        return self._db.one(f"SELECT 1 FROM pipelines WHERE {where}", values) is not None

    def _last_iid(self, project_id: int) -> int:
        row = self._db.one(
            "SELECT max(coalesce((SELECT max(iid) FROM pipelines WHERE project_id = :id), 0), "
            "coalesce((SELECT iid FROM last_iids WHERE project_id = :id), 0))",
            {"id": project_id},
        )
        assert row is not None
        return int(row[0])

    def restart_numbers(self) -> None:
        """Start the iids again at 1, after everything was deleted."""
        self._last_iids.clear()

    # ------------------------------------------------------------------ reading

    def get(self, pipeline_id: int) -> StoredPipeline | None:
        """Find one by its number."""
        row = self._db.one(_SELECT_ONE, (pipeline_id,))
        return None if row is None else stored_of(row)

    def each(
        self, project_id: int | None = None, newest: int | None = None
    ) -> Iterator[StoredPipeline]:
        """Walk over all pipelines, or a project's, newest first, reading as they are needed.

        ``newest`` is the number to begin with.
        """
        below = _LARGEST if newest is None else newest + 1
        while True:
            rows = self._db.all(
                f"{SELECT} WHERE p.id < ? AND p.project_id = ifnull(?, p.project_id) "
                "ORDER BY p.id DESC LIMIT 100",
                (below, project_id),
            )
            if not rows:
                return
            yield from map(stored_of, rows)
            below = rows[-1][0]

    def of_scenarios(
        self, numbers: Iterable[int], project_id: int | None = None
    ) -> list[StoredPipeline]:
        """List the pipelines that follow one of these scenarios, all or a project's."""
        return self._select(
            "p.scenario_id IN (SELECT value FROM json_each(?)) "
            "AND p.project_id = ifnull(?, p.project_id)",
            json.dumps([*numbers]),
            project_id,
        )

    def newest_of_scenarios(
        self, numbers: Iterable[int], project_id: int, limit: int
    ) -> list[StoredPipeline]:
        """List the newest pipelines of a project that follow one of these scenarios."""
        return self._select(
            "p.scenario_id IN (SELECT value FROM json_each(?)) AND p.project_id = ? "
            "ORDER BY p.iid DESC LIMIT ?",
            json.dumps([*numbers]),
            project_id,
            limit,
        )

    def count_of_scenarios(self, numbers: Iterable[int], project_id: int) -> int:
        """Count the pipelines of a project that follow one of these scenarios."""
        row = self._db.one(
            "SELECT count(*) FROM pipelines WHERE project_id = ? "
            "AND scenario_id IN (SELECT value FROM json_each(?))",
            (project_id, json.dumps([*numbers])),
        )
        assert row is not None
        return int(row[0])

    def upstream_of_scenarios(self, numbers: Iterable[int]) -> list[StoredPipeline]:
        """List the pipelines from which bridges lead to one that follows one of these scenarios."""
        return self._select(
            "p.id IN (WITH RECURSIVE upstream(id) AS ("
            "SELECT d.upstream_job_id / ? FROM pipelines d "
            "WHERE d.upstream_job_id IS NOT NULL "
            "AND d.scenario_id IN (SELECT value FROM json_each(?)) UNION "
            "SELECT d.upstream_job_id / ? "
            "FROM upstream JOIN pipelines d ON d.id = upstream.id "
            "WHERE d.upstream_job_id IS NOT NULL) SELECT id FROM upstream)",
            job_id(1, 0, 0),
            json.dumps([*numbers]),
            job_id(1, 0, 0),
        )

    def numbers_after(self, number: int) -> list[int]:
        """List the numbers of the pipelines that are newer than one."""
        rows = self._db.all("SELECT id FROM pipelines WHERE id > ? ORDER BY id", (number,))
        return [row[0] for row in rows]

    def numbers_of(self, project_id: int) -> list[int]:
        """List the numbers of a project's pipelines, oldest first."""
        rows = self._db.all(
            "SELECT id FROM pipelines WHERE project_id = ? ORDER BY iid", (project_id,)
        )
        return [row[0] for row in rows]

    def newest_number(self) -> int:
        """Return the number of the newest pipeline, 0 if there is none."""
        row = self._db.one("SELECT max(id) FROM pipelines")
        return (row and row[0]) or 0

    def count(self) -> int:
        """Count the pipelines."""
        row = self._db.one("SELECT count(*) FROM pipelines")
        assert row is not None
        return int(row[0])

    def projects(self) -> list[int]:
        """List the numbers of the projects that have pipelines."""
        return [row[0] for row in self._db.all("SELECT DISTINCT project_id FROM pipelines")]

    def _select(self, where: str, *values: Any) -> list[StoredPipeline]:
        return [stored_of(row) for row in self._db.all(f"{SELECT} WHERE {where}", values)]

    # ------------------------------------------------------------------ bridges

    def downstream_of(self, pipeline_id: int) -> list[StoredPipeline]:
        """List the pipelines that the bridges of this one have started."""
        return self._select(
            "p.upstream_job_id BETWEEN ? AND ?",
            job_id(pipeline_id, 0, 0),
            job_id(pipeline_id + 1, 0, 0) - 1,
        )

    def started_by(self, job_id: int) -> StoredPipeline | None:
        """Find the pipeline that a bridge has started."""
        return next(iter(self._select("p.upstream_job_id = ?", job_id)), None)

    def started_by_bridges(self, project_id: int) -> list[StoredPipeline]:
        """List the pipelines of a project that bridges have started."""
        return self._select("p.project_id = ? AND p.upstream_job_id IS NOT NULL", project_id)

    def family_size(self, root: int, limit: int) -> int:
        """Count a pipeline and those that bridges have started below it, up to a limit."""
        row = self._db.one(
            "WITH RECURSIVE family (id) AS (SELECT :root UNION ALL SELECT p.id FROM family f "
            "JOIN pipelines p ON p.upstream_job_id BETWEEN f.id * :ids AND f.id * :ids + :ids - 1 "
            "LIMIT :limit) SELECT count(*) FROM family",
            {"root": root, "limit": limit, "ids": job_id(1, 0, 0)},
        )
        assert row is not None
        return int(row[0])

    # ------------------------------------------------------------------ the record grows

    def append_action(self, pipeline_id: int, action: Action, *, fresh_attempt: bool) -> None:
        """Record an action; ``fresh_attempt`` resets the count of polls."""
        polls = ", polls = 0, polled_at = NULL" if fresh_attempt else ""
        self._db.execute(
            "UPDATE pipelines SET "
            f"actions_json = json_insert(actions_json, '$[#]', json(?)){polls} WHERE id = ?",
            (_json(_write_action(action)), pipeline_id),
        )

    def count_poll(self, pipeline_id: int, at: Instant) -> None:
        """Record a poll of a pipeline whose scenario counts them."""
        self._db.execute(
            "UPDATE pipelines SET polls = polls + 1, polled_at = ? WHERE id = ?",
            (timestamp(at), pipeline_id),
        )

    def rename(self, pipeline_id: int, name: str | None, at: Instant) -> None:
        """Record a new name."""
        self._db.execute(
            "UPDATE pipelines SET name = ?, renamed_at = ? WHERE id = ?",
            (name, timestamp(at), pipeline_id),
        )

    def delete(self, pipeline_id: int) -> None:
        """Delete one."""
        self._db.execute("DELETE FROM pipelines WHERE id = ?", (pipeline_id,))

    def delete_all(self, project_id: int) -> int:
        """Delete a project's, and return how many there were."""
        return self._db.execute("DELETE FROM pipelines WHERE project_id = ?", (project_id,))
