"""The tables, as schema.sql describes them."""

from __future__ import annotations

import sqlite3
from importlib.resources import files


def create_tables(connection: sqlite3.Connection) -> None:
    """Run the statements of schema.sql within the transaction that is under way."""
    statement = ""
    for line in (
        (files("mock_gitlab.store") / "schema.sql").read_text(encoding="utf-8").splitlines()
    ):
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
