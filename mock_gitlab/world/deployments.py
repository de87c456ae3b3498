"""The deployments of one world: those of jobs follow from the pipelines, others are recorded.

A job with an ``environment`` has a deployment from its creation on, with the number of the job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.environments import (
    ENDS,
    STARTABLE,
    DeploymentStatus,
    deployment_status,
    environment_of,
)
from mock_gitlab.engine.model import Invalid, NotAllowed, NotFound, job_id
from mock_gitlab.store.deployments import DeploymentRecord, DeploymentTable, EnvironmentSettings

from .jobs import JobView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_gitlab.engine.model import Environment, Instant, PipelineRecord, Project
    from mock_gitlab.engine.timeline import JobState
    from mock_gitlab.store.database import Database

    from .catalog import Catalog
    from .clock import Clock
    from .pipelines import Pipelines

PIPELINES_SEARCHED = 200
"""Among how many pipelines of a project, the newest that deploy, deployments are found."""
JOBS_SEARCHED = 1000
"""After how many jobs the search ends before."""
MOST_MADE = 1000
"""How many deployments of a project the API can have made; the oldest make room."""
_MOST_CHANGES = 50


class Deployment(NamedTuple):
    """A deployment at an instant.

    ``job`` is the job that deploys, and ``spec`` its environment with the values of variables;
    both are None for a deployment that the API has made.
    """

    id: int
    iid: int
    environment: str
    status: DeploymentStatus
    ref: str
    sha: str
    tag: bool
    created_at: Instant
    updated_at: Instant
    finished_at: Instant | None
    job: JobView | None
    spec: Environment | None


class Look(NamedTuple):
    """The jobs of a project that name an environment, and its deployments, oldest first."""

    jobs: list[tuple[JobView, Environment]]
    deployments: list[Deployment]


class Deployments:
    """The deployments of one world."""

    def __init__(
        self, database: Database, pipelines: Pipelines, catalog: Catalog, clock: Clock
    ) -> None:
        self._db = database
        self._pipelines = pipelines
        self._catalog = catalog
        self._clock = clock
        self.table = DeploymentTable(database)
        self.touched: set[int] = set()  # the projects in which the API has written

    # ------------------------------------------------------------------ seeing

    def look(self, project: Project) -> Look:
        """See what deploys, or has deployed, to the environments of a project."""
        now, deleted = self._clock.now(), self.table.deleted_jobs()
        gone = {
            record.name: record.deleted_at
            for record in self.table.environments(project.id)
            if record.deleted_at is not None and record.deleted_at <= now
        }
        jobs, left_out = self._jobs(project)
        jobs = [use for use in jobs if use[0].job.created_at > gone.get(use[1].name, -1)]
        found = [
            _of_job(view, spec)
            for view, spec in jobs
            if spec.action == "start" and view.job.id not in deleted
        ]
        made = self.table.deployments(project.id)
        found += [_made(record, now) for record in made if record.changes[0][0] <= now]
        found.sort(key=lambda each: (each.created_at, each.id))
        numbered = [each._replace(iid=left_out + n) for n, each in enumerate(found, 1)]
        return Look(jobs, numbered)

    def _jobs(self, project: Project) -> tuple[list[tuple[JobView, Environment]], int]:
        """See the jobs of a project that name an environment, oldest pipeline first.

        Returns them, and how many older pipelines that deploy were left out.
        """
        salt, walk = self.salt(project), []
        jobs_seen = 0
        for view in self._pipelines.with_environments(project.id, PIPELINES_SEARCHED):
            walk.append(view)
            jobs_seen += len(view.state.jobs)
            if jobs_seen >= JOBS_SEARCHED:
                break
        found = [
            (JobView(view, job), environment_of(declared, project, view.record, job.name, salt))
            for view in reversed(walk)
            for job in view.state.jobs
            if (declared := job.spec.environment) is not None
        ]
        return found, self._pipelines.count_with_environments(project.id) - len(walk)

    def environment_of(
        self, project: Project, record: PipelineRecord, job: JobState
    ) -> Environment | None:
        """Return the environment of a job, with the values of the variables in it."""
        declared = job.spec.environment
        if declared is None:
            return None
        return environment_of(declared, project, record, job.name, self.salt(project))

    def salt(self, project: Project) -> str:
        """Return what the slugs of a project's environments depend on."""
        return self._catalog.secret("", f"environments of {project.id}")

    def of(self, project: Project) -> list[Deployment]:
        """See the deployments of a project, in the order of their creation."""
        return self.look(project).deployments

    def deployment(self, project: Project, number: int) -> Deployment:
        """See a deployment of a project; raises NotFound."""
        found = next((each for each in self.of(project) if each.id == number), None)
        if found is None:
            raise NotFound("deployment")
        return found

    def made(self, number: int) -> DeploymentRecord:
        """Find a deployment that the API has made, and that is there."""
        return self.table.deployment(_row(number))

    def made_changes(self, project_id: int) -> Iterator[tuple[int, Instant, DeploymentStatus]]:
        """Walk over the deployments that the API has made: number, instant and status of each."""
        for record in self.table.deployments(project_id):
            for at, status in record.changes:
                yield _number(record.id), at, status

    def settings(self, project: Project, environment: str) -> EnvironmentSettings:
        """Return what the API has said of an environment."""
        records = self.table.environments(project.id)
        found = (each.settings for each in records if each.name == environment)
        return next(found, EnvironmentSettings())

    # ------------------------------------------------------------------ writing

    def create(
        self,
        project: Project,
        environment: str,
        ref: str,
        sha: str,
        *,
        tag: bool,
        status: DeploymentStatus,
    ) -> Deployment:
        """Record a deployment that the API makes."""
        now = self._clock.now()
        record = DeploymentRecord(0, project.id, environment, ref, sha, tag, ((now, status),))
        with self._db.transaction():
            number = self.table.insert(record)
            self.table.keep_newest_made(project.id, MOST_MADE)
            self.touched.add(project.id)
        return self.deployment(project, _number(number))

    def update(self, project: Project, number: int, status: DeploymentStatus) -> Deployment:
        """Record another status of a deployment that the API has made.

        Raises:
            NotFound: the project has no such deployment.
            NotAllowed: a job has made it.
            Invalid: the status cannot follow the present one.
        """
        seen = self.deployment(project, number)
        if seen.job is not None:
            raise NotAllowed("Deployment of a job")
        allowed = seen.status in STARTABLE if status == "running" else status != seen.status
        if not allowed:
            raise Invalid(f"{status} cannot follow {seen.status}")
        record = self.made(number)
        first, *later = record.changes  # the first is its creation
        changes = (first, *later[-_MOST_CHANGES:], (self._clock.now(), status))
        self.table.change(record.id, changes)
        self.touched.add(project.id)
        return self.deployment(project, number)

    def delete(self, project: Project, number: int) -> None:
        """Delete a deployment.

        Raises:
            NotFound: the project has no such deployment.
            NotAllowed: it is running, or it is the last of its environment.
        """
        found = self.of(project)
        seen = next((each for each in found if each.id == number), None)
        if seen is None:
            raise NotFound("deployment")
        if seen.status == "running":
            raise NotAllowed("Cannot destroy running deployment")
        if seen == last_of(each for each in found if each.environment == seen.environment):
            raise NotAllowed("Deployment currently deployed to environment")
        if seen.job is not None:
            self.table.delete_of_job(number)
        else:
            self.table.delete(_row(number))


def last_of(deployments: Iterable[Deployment]) -> Deployment | None:
    """Return what an environment shows of its deployments: the last to succeed."""
    ended = [each for each in deployments if each.status == "success"]
    return max(ended, default=None, key=lambda each: (each.finished_at or 0, each.id))


def _of_job(view: JobView, spec: Environment) -> Deployment:
    record, job = view.pipeline.record, view.job
    status = deployment_status(job.status)
    finished = job.finished_at if status in ENDS else None
    return Deployment(
        job.id,
        0,
        spec.name,
        status,
        record.ref,
        record.sha,
        record.tag,
        job.created_at,
        finished or job.started_at or job.created_at,
        finished,
        view,
        spec,
    )


def _made(record: DeploymentRecord, now: Instant) -> Deployment:
    at, status = next(change for change in reversed(record.changes) if change[0] <= now)
    return Deployment(
        _number(record.id),
        0,
        record.environment,
        status,
        record.ref,
        record.sha,
        record.tag,
        record.changes[0][0],
        at,
        at if status in ENDS else None,
        None,
        None,
    )


def _number(row: int) -> int:
    """Return the number of a deployment that the API has made; no job has this number."""
    return job_id(row, 0, 0)


def _row(number: int) -> int:
    return number // job_id(1, 0, 0)
