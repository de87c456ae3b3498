"""The environments of one world: made by the jobs that deploy to them, or by the API."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.environments import (
    DeploymentStatus,
    EnvironmentState,
    Happening,
    course,
    environment_id,
    slug_of,
    tier_of,
)
from mock_gitlab.engine.model import AlreadyExists, NotAllowed, NotFound
from mock_gitlab.store.deployments import EnvironmentRecord, Stop

from .deployments import Deployment, last_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mock_gitlab.engine.model import Environment, Instant, Project
    from mock_gitlab.store.database import Database

    from .clock import Clock
    from .deployments import Deployments, Look
    from .jobs import Jobs, JobView

    Play = Callable[[Project, int, int], object]

MOST_MADE = 1000
"""How many environments of a project the API can have made or changed."""
_STOPS_KEPT = 20
_ALWAYS, _WITH_ACTION = "always", "with_action"


class EnvironmentView(NamedTuple):
    """An environment at an instant. ``last`` is the deployment that it shows."""

    id: int
    name: str
    slug: str
    tier: str
    state: EnvironmentState
    external_url: str | None
    description: str | None
    auto_stop_setting: str
    auto_stop_at: Instant | None
    created_at: Instant
    updated_at: Instant
    last: Deployment | None


class Environments:
    """The environments of one world. ``play`` starts a job of a pipeline of a project."""

    def __init__(
        self,
        database: Database,
        deployments: Deployments,
        jobs: Jobs,
        clock: Clock,
        play: Play,
    ) -> None:
        self._db = database
        self._deployments = deployments
        self._table = deployments.table
        self._jobs = jobs
        self._clock = clock
        self._play = play

    # ------------------------------------------------------------------ seeing

    def of(self, project: Project, look: Look | None = None) -> list[EnvironmentView]:
        """See the environments of a project, in the order of their creation.

        ``look`` is what was seen of its deployments, if somebody has looked already.
        """
        now, salt = self._clock.now(), self._deployments.salt(project)
        jobs, deployments = look or self._deployments.look(project)
        records = {record.name: record for record in self._table.environments(project.id)}
        uses: defaultdict[str, list[tuple[JobView, Environment]]] = defaultdict(list)
        deployed: defaultdict[str, list[Deployment]] = defaultdict(list)
        for view, spec in jobs:
            uses[spec.name].append((view, spec))
        for each in deployments:
            deployed[each.environment].append(each)
        found = []
        for name in dict.fromkeys((*records, *deployed, *uses)):
            record = records.get(name, EnvironmentRecord(project.id, name))
            seen = self._see(record, uses[name], deployed[name], salt, now)
            if seen is not None:
                found.append(seen)
        found.sort(key=lambda each: (each.created_at, each.name))
        return _numbered(project, found)

    def _see(
        self,
        record: EnvironmentRecord,
        jobs: list[tuple[JobView, Environment]],
        deployments: list[Deployment],
        salt: str,
        now: Instant,
    ) -> EnvironmentView | None:
        last = last_of(deployments)
        begun = [view.job.created_at for view, _ in jobs]
        begun += [each.created_at for each in deployments]
        if record.created_at is not None and record.created_at <= now:
            begun.append(record.created_at)
        if not begun:
            return None
        tier = record.settings.tier or next((s.tier for _, s in reversed(jobs) if s.tier), None)
        tier = tier or tier_of(record.name)
        guarded = tier in ("production", "staging")
        setting = record.settings.auto_stop_setting or (_WITH_ACTION if guarded else _ALWAYS)
        stops_by_time = setting == _ALWAYS or bool(last and last.spec and last.spec.on_stop)
        happenings = (
            *_of_deployments(deployments, stops_by_time=stops_by_time),
            *self._of_record(record),
            *_of_stop_jobs(jobs),  # a job of no duration ends at the moment of the request
        )
        seen = course(min(begun), happenings, now)
        return EnvironmentView(
            0,
            record.name,
            slug_of(record.name, salt),
            tier,
            seen.state,
            seen.url,
            record.settings.description,
            setting,
            seen.auto_stop_at,
            seen.created_at,
            seen.updated_at,
            last,
        )

    def _of_record(self, record: EnvironmentRecord) -> Iterator[Happening]:
        if record.updated_at is not None:
            yield Happening(record.updated_at, None, record.settings.external_url)
        for stop in record.stops:
            if stop.job_id is None:
                yield Happening(stop.at, "stopped")
                continue
            yield Happening(stop.at, "stopping")
            try:
                job = self._jobs.job_of_any_project(stop.job_id).job
            except NotFound:
                yield Happening(stop.at, "stopped")
                continue
            if job.finished_at is not None and job.status != "success":
                yield Happening(job.finished_at, "available")

    def environment(self, project: Project, number: int) -> EnvironmentView:
        """See an environment of a project; raises NotFound."""
        for each in self.of(project):
            if each.id == number:
                return each
        raise NotFound("environment")

    def named(self, project: Project, name: str) -> EnvironmentView | None:
        """See the environment of a project with a name."""
        return next((each for each in self.of(project) if each.name == name), None)

    # ------------------------------------------------------------------ writing

    def deploy(
        self,
        project: Project,
        name: str,
        ref: str,
        sha: str,
        *,
        tag: bool,
        status: DeploymentStatus,
    ) -> Deployment:
        """Record a deployment that the API makes, and the environment if it is new.

        Raises:
            NotAllowed: the project has too many environments.
        """
        with self._db.transaction():
            if self.named(project, name) is None:
                self.create(project, EnvironmentRecord(project.id, name))
            return self._deployments.create(project, name, ref, sha, tag=tag, status=status)

    def create(self, project: Project, wanted: EnvironmentRecord) -> EnvironmentView:
        """Make an environment; the times of ``wanted`` are set here.

        Raises:
            AlreadyExists: its name is taken.
            NotAllowed: the project has too many.
        """
        if self.named(project, wanted.name) is not None:
            raise AlreadyExists("environment")
        self._write(wanted._replace(created_at=self._clock.now()))
        made = self.named(project, wanted.name)
        assert made is not None
        return made

    def update(self, project: Project, number: int, changed: Mapping[str, str]) -> EnvironmentView:
        """Change what the API says of an environment.

        Raises:
            NotFound: the project has no such environment.
            NotAllowed: the project has too many.
        """
        record = self._record(project, self.environment(project, number))
        self._write(record._replace(settings=record.settings._replace(**changed)))
        return self.environment(project, number)

    def delete(self, project: Project, number: int) -> None:
        """Delete a stopped environment with its deployments.

        Raises:
            NotFound: the project has no such environment.
            NotAllowed: it is not stopped, or the project has too many.
        """
        seen = self.environment(project, number)
        if seen.state != "stopped":
            raise NotAllowed("environment is not stopped")
        with self._db.transaction():
            self._table.delete_of_environment(project.id, seen.name)
            gone = EnvironmentRecord(project.id, seen.name, deleted_at=self._clock.now())
            self._write(gone)

    def stop(self, project: Project, number: int, *, force: bool) -> EnvironmentView:
        """Stop an environment, by its ``on_stop`` job if it has one and not by ``force``.

        Raises:
            NotFound: the project has no such environment.
            NotAllowed: the project has too many.
        """
        seen = self.environment(project, number)
        if seen.state != "available":
            return seen
        with self._db.transaction():
            job = None if force else self._stop_job(project, seen.last)
            record = self._record(project, seen)
            stops = (*record.stops, Stop(self._clock.now(), job))[-_STOPS_KEPT:]
            self._write(record._replace(stops=stops))
        return self.environment(project, number)

    def stop_stale(self, project: Project, before: Instant) -> None:
        """Stop the environments that have not changed since an instant."""
        for each in self.of(project):
            if each.updated_at < before:
                self.stop(project, each.id, force=False)

    def _stop_job(self, project: Project, last: Deployment | None) -> int | None:
        """Start the job that stops an environment, and return its number."""
        if last is None or last.job is None or last.spec is None or last.spec.on_stop is None:
            return None
        pipeline = last.job.pipeline
        stopper = self._jobs.newest(pipeline, last.spec.on_stop).job
        if not stopper.is_playable:
            return None
        self._play(project, pipeline.record.id, stopper.id)
        return stopper.id

    def _record(self, project: Project, seen: EnvironmentView) -> EnvironmentRecord:
        records = self._table.environments(project.id)
        return next(
            (each for each in records if each.name == seen.name),
            EnvironmentRecord(project.id, seen.name),
        )

    def _write(self, record: EnvironmentRecord) -> None:
        known = {each.name for each in self._table.environments(record.project_id)}
        if record.name not in known and len(known) >= MOST_MADE:
            raise NotAllowed("too many environments")
        self._table.write_environment(record._replace(updated_at=self._clock.now()))


def _of_deployments(deployments: list[Deployment], *, stops_by_time: bool) -> Iterator[Happening]:
    for each in deployments:
        if each.status == "success" and each.finished_at is not None:
            url = None if each.spec is None else each.spec.url
            after = each.spec.auto_stop_in if each.spec is not None and stops_by_time else None
            yield Happening(each.finished_at, "available", url, after)


def _of_stop_jobs(jobs: list[tuple[JobView, Environment]]) -> Iterator[Happening]:
    for view, spec in jobs:
        if spec.action == "stop" and view.job.status == "success":
            assert view.job.finished_at is not None
            yield Happening(view.job.finished_at, "stopped")


def _numbered(project: Project, found: list[EnvironmentView]) -> list[EnvironmentView]:
    """Give each environment the number that follows from its name, unless an older one has it."""
    numbers: dict[int, EnvironmentView] = {}
    for each in found:
        number = environment_id(project.id, each.name)
        while number in numbers:
            number += 1
        numbers[number] = each._replace(id=number)
    return list(numbers.values())
