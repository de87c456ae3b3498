"""What the API has said of environments, and the deployments that it has made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.codec import read_as
from mock_gitlab.engine.environments import DeploymentStatus
from mock_gitlab.engine.instants import parse_timestamp, timestamp

from .errors import reading
from .rows import RowCheck

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_gitlab.engine.model import Instant

    from .database import Database, Row

_ENVIRONMENT = (
    "project_id, name, created_at, updated_at, external_url, tier, description, "
    "auto_stop_setting, stops_json, deleted_at"
)
_DEPLOYMENT = "id, project_id, environment, ref, sha, tag, changes_json"
_check_environment = RowCheck("environments", _ENVIRONMENT.split(", "))
_check_deployment = RowCheck("deployments", _DEPLOYMENT.split(", "))
_check_deleted = RowCheck("deleted_deployments", ("job_id",))
_JOB_ID = int | None


class Stop(NamedTuple):
    """A request to stop an environment, and the job that it has started."""

    at: Instant
    job_id: int | None


class EnvironmentSettings(NamedTuple):
    """What the API may say of an environment; None for what it has not said."""

    external_url: str | None = None
    tier: str | None = None
    description: str | None = None
    auto_stop_setting: str | None = None


class EnvironmentRecord(NamedTuple):
    """What the API has said of an environment. ``created_at`` is None if a job has made it."""

    project_id: int
    name: str
    created_at: Instant | None = None
    updated_at: Instant | None = None
    settings: EnvironmentSettings = EnvironmentSettings()
    stops: tuple[Stop, ...] = ()
    deleted_at: Instant | None = None


class DeploymentRecord(NamedTuple):
    """A deployment that the API has made, and each status with the instant at which it begins."""

    id: int
    project_id: int
    environment: str
    ref: str
    sha: str
    tag: bool
    changes: tuple[tuple[Instant, DeploymentStatus], ...]


class DeploymentTable:
    """Environments and deployments, as far as the API has made or changed them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # ------------------------------------------------------------------ environments

    def environments(self, project_id: int) -> list[EnvironmentRecord]:
        """List what was said of the environments of a project."""
        rows = self._db.all(
            f"SELECT {_ENVIRONMENT} FROM environments WHERE project_id = ? ORDER BY name",
            (project_id,),
        )
        return [_environment_of(row) for row in rows]

    def write_environment(self, record: EnvironmentRecord) -> None:
        """Write what is said of an environment over what was said before."""
        stops = [{"at": timestamp(stop.at), "job_id": stop.job_id} for stop in record.stops]
        values = (
            record.project_id,
            record.name,
            timestamp(record.created_at),
            timestamp(record.updated_at),
            *record.settings,
            json.dumps(stops),
            timestamp(record.deleted_at),
        )
        self._db.execute(
            f"INSERT OR REPLACE INTO environments ({_ENVIRONMENT}) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )

    # ------------------------------------------------------------------ deployments

    def deployments(self, project_id: int) -> list[DeploymentRecord]:
        """List the deployments of a project that the API has made, oldest first."""
        rows = self._db.all(
            f"SELECT {_DEPLOYMENT} FROM deployments WHERE project_id = ? ORDER BY id",
            (project_id,),
        )
        return [_deployment_of(row) for row in rows]

    def deployment(self, number: int) -> DeploymentRecord:
        """Find a deployment that is there by its number in this table."""
        row = self._db.one(f"SELECT {_DEPLOYMENT} FROM deployments WHERE id = ?", (number,))
        assert row is not None
        return _deployment_of(row)

    def insert(self, record: DeploymentRecord) -> int:
        """Add a deployment, and return its number in this table."""
        return self._db.insert(
            "INSERT INTO deployments (project_id, environment, ref, sha, tag, changes_json) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*record[1:5], int(record.tag), _changes_text(record.changes)),
        )

    def keep_newest_made(self, project_id: int, limit: int) -> None:
        """Remove the oldest deployments of a project if there are more than ``limit``."""
        self._db.execute(
            "DELETE FROM deployments WHERE project_id = :id AND id <= (SELECT id FROM deployments "
            "WHERE project_id = :id ORDER BY id DESC LIMIT 1 OFFSET :limit)",
            {"id": project_id, "limit": limit},
        )

    def change(self, number: int, changes: Iterable[tuple[Instant, DeploymentStatus]]) -> None:
        """Write the statuses of a deployment over those that it had."""
        self._db.execute(
            "UPDATE deployments SET changes_json = ? WHERE id = ?", (_changes_text(changes), number)
        )

    def delete(self, number: int) -> None:
        """Remove a deployment."""
        self._db.execute("DELETE FROM deployments WHERE id = ?", (number,))

    def delete_of_environment(self, project_id: int, name: str) -> None:
        """Remove the deployments to an environment."""
        self._db.execute(
            "DELETE FROM deployments WHERE project_id = ? AND environment = ?", (project_id, name)
        )

    def delete_of_job(self, job_id: int) -> None:
        """Record that the deployment of a job is deleted."""
        self._db.execute("INSERT OR IGNORE INTO deleted_deployments VALUES (?)", (job_id,))

    def deleted_jobs(self) -> frozenset[int]:
        """Return the jobs whose deployments are deleted."""
        rows = self._db.all("SELECT job_id FROM deleted_deployments")
        with reading("the row of a deleted deployment"):
            for row in rows:
                _check_deleted(row)
        return frozenset(row[0] for row in rows)


def _environment_of(row: Row) -> EnvironmentRecord:
    project_id, name, created_at, updated_at, *texts, stops, deleted_at = row
    with reading(f"the row of environment {name}"):
        _check_environment(row)
        return EnvironmentRecord(
            project_id,
            name,
            _instant(created_at),
            _instant(updated_at),
            EnvironmentSettings(*texts),
            tuple(
                Stop(parse_timestamp(stop["at"]), read_as(_JOB_ID, stop["job_id"]))
                for stop in json.loads(stops)
            ),
            _instant(deleted_at),
        )


def _deployment_of(row: Row) -> DeploymentRecord:
    number, project_id, environment, ref, sha, tag, changes = row
    with reading(f"the row of deployment {number}"):
        _check_deployment(row)
        read = tuple(
            (parse_timestamp(change["at"]), read_as(DeploymentStatus, change["status"]))
            for change in json.loads(changes)
        )
        assert read, "it has never had a status"
    return DeploymentRecord(number, project_id, environment, ref, sha, bool(tag), read)


def _instant(text: str | None) -> Instant | None:
    return None if text is None else parse_timestamp(text)


def _changes_text(changes: Iterable[tuple[Instant, DeploymentStatus]]) -> str:
    return json.dumps([{"at": timestamp(at), "status": status} for at, status in changes])
