"""Bring a database of an earlier version to today's schema.

Version 4 had no posted statuses and no index of child pipelines. Version 3 had no declared
pipelines and no deployments, and could not keep two events of a job at one instant. Version 2 had
no webhooks. Version 1 kept times as milliseconds since the epoch, variables as a list, seconds as
numbers with fractions, and why a rule was chosen as JSON text. Of that text the rule that matched
is kept; why the rules before it did not match is not.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import Variable

from .pipelines import write_actions, write_variable_details, write_variables
from .schema import create_tables

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

_TABLES = ("scenarios", "pipelines", "last_iids", "projects", "trigger_tokens")
_BY_DECLARATION = (
    "CREATE UNIQUE INDEX pipelines_by_declaration ON pipelines (declared) "
    "WHERE declared IS NOT NULL"
)
_SECONDS = (
    "CAST(terminal_after_seconds AS INTEGER), "
    "CAST(round(1000 * (coalesce(terminal_after_seconds, 0) "
    "- CAST(coalesce(terminal_after_seconds, 0) AS INTEGER))) AS INTEGER)"
)
_COPY = (
    "INSERT INTO scenarios (terminal_after_seconds, terminal_after_fraction, scenario_id, name, "
    "terminal_status, never_complete, details_json, definition_json, source, file, line) "
    f"SELECT {_SECONDS}, scenario_id, name, terminal_status, never_complete, details_json, "
    "definition_json, source, file, line FROM old_scenarios",
    "INSERT INTO pipelines (terminal_after_seconds, terminal_after_fraction, id, project_id, ref, "
    "sha, variables_json, scenario_id, terminal_status, created_at, updated_at, iid, source, tag, "
    "name, variable_details_json, actions_json, polls, polled_at, renamed_at, chosen_by, rule, "
    f"upstream_job_id) SELECT {_SECONDS}, id, project_id, ref, sha, variables(variables_json), "
    "scenario_id, terminal_status, iso(created_at), iso(updated_at), iid, source, tag, name, "
    "details(variables_json), actions(actions_json), polls, iso(polled_at), iso(renamed_at), "
    "json_extract(matched_json, '$.by'), json_extract(matched_json, '$.rule'), upstream_job_id "
    "FROM old_pipelines ORDER BY id",
    "INSERT INTO last_iids SELECT * FROM old_last_iids WHERE project_id > 0",
    "INSERT INTO projects SELECT * FROM old_projects",
    "INSERT INTO trigger_tokens SELECT id, project_id, token, description, iso(created_at), "
    "iso(updated_at), iso(last_used), iso(expires_at), declared FROM old_trigger_tokens",
    # No id is given twice: the highest that a deleted pipeline had was kept under project 0.
    "INSERT INTO old_sequence SELECT 'pipelines', iid FROM old_last_iids WHERE project_id = 0",
    "INSERT INTO old_sequence SELECT name, seq FROM sqlite_sequence",
    "DELETE FROM sqlite_sequence",
    "INSERT INTO sqlite_sequence SELECT name, max(seq) FROM old_sequence "
    "WHERE name IN ('pipelines', 'trigger_tokens') GROUP BY name",
    "DELETE FROM meta WHERE key = 'entered'",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date, within the transaction that is under way."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 1:
        _rewrite_version_1(connection)
        return
    if version < 4:
        _add_version_4(connection, version)
    create_tables(connection, "statuses.sql", "children.sql")


def _add_version_4(connection: sqlite3.Connection, version: int) -> None:
    connection.execute("ALTER TABLE pipelines ADD COLUMN declared TEXT")
    connection.execute(_BY_DECLARATION)
    if version == 2:
        create_tables(connection, "hooks.sql", "deliveries.sql", "deployments.sql")
    else:
        _rewrite_deliveries(connection)
        create_tables(connection, "deployments.sql")


def _rewrite_deliveries(connection: sqlite3.Connection) -> None:
    execute = connection.execute
    execute("ALTER TABLE hook_deliveries RENAME TO old_deliveries")
    execute("DROP INDEX hook_deliveries_due")
    create_tables(connection, "deliveries.sql")
    execute("INSERT INTO hook_deliveries SELECT *, at, NULL FROM old_deliveries")
    execute("DROP TABLE old_deliveries")


def _rewrite_version_1(connection: sqlite3.Connection) -> None:
    execute = connection.execute
    for name, function in _FUNCTIONS.items():
        connection.create_function(name, 1, function, deterministic=True)
    execute("DROP TRIGGER IF EXISTS keep_last_iid")
    for (index,) in execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall():
        execute(f"DROP INDEX {index}")
    execute("CREATE TEMP TABLE old_sequence AS SELECT name, seq FROM sqlite_sequence")
    for table in _TABLES:
        execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    execute("ALTER TABLE meta RENAME TO old_meta")
    create_tables(connection)
    execute("INSERT INTO meta SELECT * FROM old_meta")
    for statement in _COPY:
        execute(statement)
    for table in (*_TABLES, "meta"):
        execute(f"DROP TABLE old_{table}")
    execute("DROP TABLE old_sequence")
    for name in _FUNCTIONS:
        connection.create_function(name, 1, None)


def _variables(text: str) -> tuple[Variable, ...]:
    return tuple(Variable(*row) for row in json.loads(text))


def _actions(text: str) -> str:
    return write_actions(
        [
            (name, at, job_id, shown[0] if shown else ())
            for name, at, job_id, *shown in json.loads(text)
        ]
    )


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "iso": timestamp,
    "variables": lambda text: write_variables(_variables(text)),
    "details": lambda text: write_variable_details(_variables(text)),
    "actions": _actions,
}
"""What the statements call; each takes the value of one column of version 1."""
