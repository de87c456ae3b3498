"""The tables, as the files beside this one describe them."""

from __future__ import annotations

import sqlite3
from importlib.resources import files

FILES = (
    "schema.sql",
    "hooks.sql",
    "deliveries.sql",
    "deployments.sql",
    "statuses.sql",
    "children.sql",
)


def create_tables(connection: sqlite3.Connection, *names: str) -> None:
    """Run the statements of the files, by default of all, within the transaction under way."""
    for name in names or FILES:
        _run(connection, (files("mock_gitlab.store") / name).read_text(encoding="utf-8"))


def _run(connection: sqlite3.Connection, text: str) -> None:
    statement = ""
    for line in text.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
