"""The scenarios table."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from mock_gitlab.engine.codec import decode_scenario, encode_scenario
from mock_gitlab.engine.model import DeclaredScenario, Duration, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_gitlab.store.database import Database, Row

BEHAVIOUR = (
    "scenario_id, name, terminal_after_seconds, terminal_status, never_complete, details_json"
)
"""The columns that say how a pipeline goes, in the order that ``scenario_of`` reads."""
_COLUMNS = f"{BEHAVIOUR}, definition_json, source, file, line"
_UPSERT = f"""INSERT INTO scenarios ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (scenario_id) DO UPDATE SET
    name = excluded.name,
    terminal_after_seconds = excluded.terminal_after_seconds,
    terminal_status = excluded.terminal_status,
    never_complete = excluded.never_complete,
    details_json = excluded.details_json,
    definition_json = excluded.definition_json,
    source = excluded.source, file = excluded.file, line = excluded.line"""
_BEHAVIOUR_OF_ONE = f"SELECT {BEHAVIOUR} FROM scenarios WHERE scenario_id = ?"
_OWN_COLUMN = ("scenario_id", "name", "terminal_after", "terminal_status", "never_complete")


def seconds(span: Duration | None) -> float | None:
    """Write milliseconds as seconds: a whole number where they are whole."""
    if span is None:
        return None
    whole, rest = divmod(span, 1000)
    return span / 1000 if rest else whole


def span(seconds: float | None) -> Duration | None:
    """Read seconds as milliseconds: the inverse of ``seconds``."""
    return None if seconds is None else round(seconds * 1000)


@lru_cache(maxsize=4096)
def scenario_of(columns: Row) -> Scenario:
    """Read the BEHAVIOUR columns; equal columns give the very same value."""
    number, name, after, status, never, details = columns
    return decode_scenario(
        {
            **json.loads(details),
            "scenario_id": number,
            "name": name,
            "terminal_after": span(after),
            "terminal_status": status,
            "never_complete": bool(never),
        }
    )


def _row_of(declared: DeclaredScenario) -> Row:
    scenario = declared.scenario
    details = {k: v for k, v in encode_scenario(scenario).items() if k not in _OWN_COLUMN}
    return (
        scenario.scenario_id,
        scenario.name,
        seconds(scenario.terminal_after),
        scenario.terminal_status,
        int(scenario.never_complete),
        json.dumps(details, separators=(",", ":")),
        json.dumps(declared.definition, separators=(",", ":")),
        declared.source,
        declared.file,
        declared.line,
    )


class _Rows:
    """The rows of what is declared; the worlds of a server declare the same, and share them."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[DeclaredScenario, ...], list[Row]] = ((), [])

    def of(self, declared: tuple[DeclaredScenario, ...]) -> list[Row]:
        kept, rows = self._kept
        if kept is not declared:
            rows = list(map(_row_of, declared))
            self._kept = declared, rows
        return rows


_rows = _Rows()


def _declared_of(row: Row) -> DeclaredScenario:
    return DeclaredScenario(scenario_of(row[:6]), json.loads(row[6]), *row[7:])


class ScenarioTable:
    """What is declared, as rows."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._behaviours: dict[int, Scenario] = {}
        self._rollbacks = 0

    def select(self, source: str | None = None) -> list[DeclaredScenario]:
        """List the scenarios by number, all or of one source."""
        rows = self._db.all(
            f"SELECT {_COLUMNS} FROM scenarios WHERE ?1 IS NULL OR source = ?1 ORDER BY 1",
            (source,),
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
        """Find how a scenario goes, without where it comes from."""
        if self._rollbacks != self._db.rollbacks:
            self._behaviours.clear()
            self._rollbacks = self._db.rollbacks
        kept = self._behaviours.get(scenario_id)
        if kept is not None:
            return kept
        row = self._db.one(_BEHAVIOUR_OF_ONE, (scenario_id,))
        if row is None:
            return None
        found = self._behaviours[scenario_id] = scenario_of(row)
        return found

    def exists(self, scenario_id: int) -> bool:
        """Tell whether a number is taken."""
        return (
            self._db.one("SELECT 1 FROM scenarios WHERE scenario_id = ?", (scenario_id,))
            is not None
        )

    def having(self, detail: str) -> list[int]:
        """List the numbers of those whose details name something: "downstream", "faults"."""
        rows = self._db.all(
            "SELECT scenario_id FROM scenarios WHERE instr(details_json, ?)", (f'"{detail}":',)
        )
        return [row[0] for row in rows]

    def upsert(self, scenarios: Iterable[DeclaredScenario]) -> None:
        """Write scenarios over whatever stood at their numbers."""
        self._behaviours.clear()
        self._db.run_many(_UPSERT, map(_row_of, scenarios))

    def replace_declared(self, declared: tuple[DeclaredScenario, ...]) -> set[int]:
        """Make the built-in and file rows be exactly these, and return the numbers that changed.

        A runtime row stays unless a file claims its number; a built-in gives way to it.
        """
        before = {row[0]: row for row in self._rows()}
        runtime = {number for number, row in before.items() if row[7] == "runtime"}
        wanted = {
            row[0]: row
            for row in _rows.of(declared)
            if not (row[7] == "builtin" and row[0] in runtime)
        }
        self._behaviours.clear()
        changed = [row for number, row in wanted.items() if before.get(number) != row]
        gone = [n for n in before if n not in wanted and n not in runtime]
        with self._db.transaction():
            self._db.run_many("DELETE FROM scenarios WHERE scenario_id = ?", ((n,) for n in gone))
            self._db.run_many(_UPSERT, changed)
        return {row[0] for row in changed} | set(gone)

    def delete(self, scenario_id: int) -> bool:
        """Remove one; False where there was none."""
        self._behaviours.clear()
        return self._db.run("DELETE FROM scenarios WHERE scenario_id = ?", (scenario_id,)) > 0

    def _rows(self) -> list[Row]:
        return self._db.all(f"SELECT {_COLUMNS} FROM scenarios")
