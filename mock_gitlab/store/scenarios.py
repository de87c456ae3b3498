"""The scenarios table."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from mock_gitlab.engine.codec import decode, encode, read_as
from mock_gitlab.engine.model import DeclaredScenario, Duration, Origin, Scenario

from .errors import reading
from .rows import RowCheck

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_gitlab.store.database import Database, Row

BEHAVIOUR = (
    "scenario_id, name, terminal_after_seconds, terminal_after_fraction, terminal_status, "
    "never_complete, details_json"
)
"""The columns that say how a pipeline goes, in the order that ``scenario_of`` reads."""
_COLUMNS = f"{BEHAVIOUR}, definition_json, source, file, line"
_NAMES = _COLUMNS.split(", ")
_WIDTH = len(BEHAVIOUR.split(", "))
_check_behaviour = RowCheck("scenarios", BEHAVIOUR.split(", "))
_check = RowCheck("scenarios", _NAMES)
_SOURCE = _NAMES.index("source")
_UPSERT = (
    f"INSERT INTO scenarios ({_COLUMNS}) VALUES ({', '.join('?' * len(_NAMES))}) "
    "ON CONFLICT (scenario_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _NAMES[1:])
)
_BEHAVIOUR_OF_ONE = f"SELECT {BEHAVIOUR} FROM scenarios WHERE scenario_id = ?"
_OWN_COLUMN = ("scenario_id", "name", "terminal_after", "terminal_status", "never_complete")


def split_duration(duration: Duration | None) -> tuple[int | None, int]:
    """Split milliseconds into the whole seconds and the rest, as the columns keep them."""
    return (None, 0) if duration is None else divmod(duration, 1000)


def join_duration(seconds: int | None, fraction: int) -> Duration | None:
    """Join what ``split_duration`` has split."""
    return None if seconds is None else seconds * 1000 + fraction


@lru_cache(maxsize=4096)
def scenario_of(columns: Row) -> Scenario:
    """Read the BEHAVIOUR columns. Equal columns return the same object.

    Raises:
        StoreUnavailable: somebody has damaged the row.
    """
    number, name, seconds, fraction, status, never, details = columns
    with reading(f"the row of scenario {number}"):
        _check_behaviour(columns)
        return decode(
            Scenario,
            {
                **json.loads(details),
                "scenario_id": number,
                "name": name,
                "terminal_after": join_duration(seconds, fraction),
                "terminal_status": status,
                "never_complete": bool(never),
            },
        )


def _row_of(declared: DeclaredScenario) -> Row:
    scenario = declared.scenario
    details = {k: v for k, v in encode(scenario).items() if k not in _OWN_COLUMN}
    return (
        scenario.scenario_id,
        scenario.name,
        *split_duration(scenario.terminal_after),
        scenario.terminal_status,
        int(scenario.never_complete),
        json.dumps(details, separators=(",", ":")),
        json.dumps(declared.definition, separators=(",", ":")),
        declared.source,
        declared.file,
        declared.line,
    )


class _DeclaredRows:
    """The rows of what is declared: all worlds of a server declare the same, and share them.

    A thread may make them before they are needed.
    """

    def __init__(self) -> None:
        self._kept: tuple[tuple[DeclaredScenario, ...], list[Row]] = ((), [])

    def of(self, declared: tuple[DeclaredScenario, ...]) -> list[Row]:
        """Make the rows of scenarios, or return those made before."""
        kept, rows = self._kept
        if kept is not declared:
            rows = list(map(_row_of, declared))
            self._kept = declared, rows
        return rows


declared_rows = _DeclaredRows()


def _declared_of(row: Row) -> DeclaredScenario:
    scenario = scenario_of(row[:_WIDTH])
    with reading(f"the row of scenario {row[0]}"):
        _check(row)
        definition = dict(json.loads(row[_WIDTH]))
        source, *place = row[_WIDTH + 1 :]
        return DeclaredScenario(scenario, definition, read_as(Origin, source), *place)


class ScenarioTable:
    """What is declared, as rows."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._behaviours: dict[int, Scenario] = {}
        database.after_every_rollback(self._behaviours.clear)

    def select(self, source: str | None = None) -> list[DeclaredScenario]:
        """List the scenarios by number, all or of one source."""
        rows = self._db.all(
            f"SELECT {_COLUMNS} FROM scenarios WHERE :source IS NULL OR source = :source "
            "ORDER BY scenario_id",
            {"source": source},
        )
        return [_declared_of(row) for row in rows]

    def get(self, scenario_id: int) -> DeclaredScenario | None:
        """Find one by its number."""
        row = self._db.one(
            f"SELECT {_COLUMNS} FROM scenarios WHERE scenario_id = ?",
            (scenario_id,),
        )
        return None if row is None else _declared_of(row)

    def behaviour(self, scenario_id: int) -> Scenario | None:
        """Find the behaviour of a scenario, without its place in the files."""
        kept = self._behaviours.get(scenario_id)
        if kept is not None:
            return kept
        row = self._db.one(_BEHAVIOUR_OF_ONE, (scenario_id,))
        if row is None:
            return None
        found = self._behaviours[scenario_id] = scenario_of(row)
        return found

    def exists(self, scenario_id: int) -> bool:
        """Return whether a number is taken."""
        return self.behaviour(scenario_id) is not None

    def having(self, detail: str) -> list[int]:
        """List the numbers of those whose details name something: "downstream", "faults"."""
        rows = self._db.all(
            "SELECT scenario_id FROM scenarios WHERE instr(details_json, ?)", (f'"{detail}":',)
        )
        return [row[0] for row in rows]

    def upsert(self, scenarios: Iterable[DeclaredScenario]) -> None:
        """Write scenarios over whatever stands at their numbers."""
        self._behaviours.clear()
        self._db.execute_many(_UPSERT, map(_row_of, scenarios))

    def replace_declared(self, declared: tuple[DeclaredScenario, ...]) -> set[int]:
        """Make the built-in and file rows be exactly these, and return the numbers that changed.

        A runtime row stays, unless a file declares its number.
        """
        before = {row[0]: row for row in self._db.all(f"SELECT {_COLUMNS} FROM scenarios")}
        runtime = {number for number, row in before.items() if row[_SOURCE] == "runtime"}
        wanted = {
            row[0]: row
            for row in declared_rows.of(declared)
            if not (row[_SOURCE] == "builtin" and row[0] in runtime)
        }
        self._behaviours.clear()
        changed = [row for number, row in wanted.items() if before.get(number) != row]
        gone = [n for n in before if n not in wanted and n not in runtime]
        with self._db.transaction():
            self._db.execute_many(
                "DELETE FROM scenarios WHERE scenario_id = ?", ((n,) for n in gone)
            )
            self._db.execute_many(_UPSERT, changed)
        return {row[0] for row in changed} | set(gone)

    def delete(self, scenario_id: int) -> None:
        """Remove one."""
        self._behaviours.clear()
        self._db.execute("DELETE FROM scenarios WHERE scenario_id = ?", (scenario_id,))
