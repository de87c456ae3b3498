"""Undeclared projects that were used, and trigger tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_gitlab.engine.instants import parse_timestamp, timestamp
from mock_gitlab.engine.model import TriggerToken

from .errors import reading
from .rows import RowCheck

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_gitlab.engine.model import DeclaredToken, Instant

    from .database import Database, Row

LAST_WRITTEN_NUMBER = 1000
"""Undeclared paths get numbers above this; people declare smaller ones."""

_COLUMNS = (
    "id, project_id, token, description, created_at, updated_at, last_used, expires_at, declared"
)
_check_project = RowCheck("projects", ("id", "path"))
_check = RowCheck("trigger_tokens", _COLUMNS.split(", "))


class ProjectTable:
    """The undeclared projects that have been used."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> dict[int, str]:
        """Map numbers to paths."""
        rows = self._db.all("SELECT id, path FROM projects ORDER BY id")
        with reading("the row of a project"):
            for row in rows:
                _check_project(row)
        return dict(rows)

    def add(self, number: int, path: str) -> None:
        """Keep a number with its path."""
        self._db.execute("INSERT OR IGNORE INTO projects VALUES (?, ?)", (number, path))

    def add_path(self, path: str, taken: Iterable[int]) -> int:
        """Give a path a number of its own, larger than those in ``taken``, and return it."""
        row = self._db.one("SELECT max(id) FROM projects")
        number = max(LAST_WRITTEN_NUMBER, *((row and row[0]) or 0, *taken)) + 1
        self.add(number, path)
        return number


def _token_of(row: Row) -> TriggerToken:
    number, project_id, token, description, *times, declared = row
    with reading(f"the row of trigger token {number}"):
        _check(row)
        created_at, updated_at, last_used, expires_at = (
            None if time is None else parse_timestamp(time) for time in times
        )
        assert created_at is not None
        assert updated_at is not None
    return TriggerToken(
        number, project_id, token, description, created_at, updated_at,
        last_used, expires_at, bool(declared),
    )  # fmt: skip


class TokenTable:
    """Trigger tokens, declared and created."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> list[TriggerToken]:
        """List every token of every project."""
        return [
            _token_of(row)
            for row in self._db.all(f"SELECT {_COLUMNS} FROM trigger_tokens ORDER BY id")
        ]

    def of_project(self, project_id: int) -> list[TriggerToken]:
        """List a project's tokens, oldest first."""
        rows = self._db.all(
            f"SELECT {_COLUMNS} FROM trigger_tokens WHERE project_id = ? ORDER BY id",
            (project_id,),
        )
        return [_token_of(row) for row in rows]

    def get(self, project_id: int, token_id: int) -> TriggerToken | None:
        """Find one of a project."""
        row = self._db.one(
            f"SELECT {_COLUMNS} FROM trigger_tokens WHERE id = ? AND project_id = ?",
            (token_id, project_id),
        )
        return None if row is None else _token_of(row)

    def next_number(self) -> int:
        """Return the number that the next token will get."""
        row = self._db.one("SELECT seq FROM sqlite_sequence WHERE name = 'trigger_tokens'")
        return 1 + (row[0] if row else 0)

    def insert(
        self, project_id: int, token: str, description: str, at: Instant, expires_at: Instant | None
    ) -> int:
        """Add a token and return its number."""
        return self._db.insert(
            "INSERT INTO trigger_tokens "
            "(project_id, token, description, created_at, updated_at, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (project_id, token, description, *[timestamp(at)] * 2, timestamp(expires_at)),
        )

    def describe(self, token_id: int, description: str, at: Instant) -> None:
        """Change the description of a token."""
        self._db.execute(
            "UPDATE trigger_tokens SET description = ?, updated_at = ? WHERE id = ?",
            (description, timestamp(at), token_id),
        )

    def used(self, token_id: int, at: Instant) -> None:
        """Record a pipeline that was triggered with it."""
        self._db.execute(
            "UPDATE trigger_tokens SET last_used = ? WHERE id = ?", (timestamp(at), token_id)
        )

    def delete(self, token_id: int) -> None:
        """Remove a token."""
        self._db.execute("DELETE FROM trigger_tokens WHERE id = ?", (token_id,))

    def replace_declared(self, declared: Iterable[tuple[int, DeclaredToken]], at: Instant) -> None:
        """Replace the declared tokens; one that is declared again keeps its number and last use."""
        wanted = list(declared)
        with self._db.transaction():
            kept = {token.token for _, token in wanted}
            for row in self._db.all("SELECT id, token FROM trigger_tokens WHERE declared"):
                if row[1] not in kept:
                    self.delete(row[0])
            self._db.execute_many(
                "INSERT INTO trigger_tokens "
                "(project_id, token, description, created_at, updated_at, declared) "
                "VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (token) DO UPDATE SET "
                "project_id = excluded.project_id, description = excluded.description, "
                "declared = 1",
                (
                    (number, token.token, token.description, *[timestamp(at)] * 2)
                    for number, token in wanted
                ),
            )
