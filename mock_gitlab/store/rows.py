"""Check that a row holds what its columns declare: SQLite lets anybody write text into a number."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING

from .schema import create_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .database import Row

_TYPES = {"INTEGER": int, "REAL": float, "TEXT": str, "DATETIME": str}


@cache
def _types_of(table: str) -> dict[str, tuple[type, ...]]:
    """Map the columns of a table to the types that they may have, as the schema declares them."""
    with closing(sqlite3.connect(":memory:")) as empty:
        create_tables(empty)
        columns = empty.execute(f"PRAGMA table_info({table})").fetchall()
    return {
        name: (_TYPES[declared],) if required else (_TYPES[declared], NoneType)
        for _, name, declared, required, _, _ in columns
    }


class RowCheck:
    """Checks rows of some columns of a table. Rows with the same types are looked at once."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self._table = table
        self._columns = columns
        self._good: set[tuple[type, ...]] = set()

    def __call__(self, row: Row) -> None:
        """Raise TypeError if a value is of a type that its column cannot have."""
        types = tuple(map(type, row))
        if types not in self._good:
            self._compare(types)
            self._good.add(types)

    def _compare(self, types: tuple[type, ...]) -> None:
        allowed = _types_of(self._table)
        for column, found in zip(self._columns, types, strict=True):
            if found not in allowed[column]:
                raise TypeError(f"{column} is of type {found.__name__}")
