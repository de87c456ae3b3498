"""The jobs of one world, found in its pipelines, and the tokens that they use."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.model import NotFound, split_job_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gitlab.engine.model import Project
    from mock_gitlab.engine.timeline import JobState
    from mock_gitlab.world.catalog import Catalog
    from mock_gitlab.world.pipelines import Pipelines, PipelineView

JOB_TOKEN = "glcbt-"  # noqa: S105 - what every job token begins with is no secret
_JOB_TOKEN = re.compile(rf"{JOB_TOKEN}([0-9a-f]{{1,16}})_")


class JobView(NamedTuple):
    """A job at an instant, with its pipeline."""

    pipeline: PipelineView
    job: JobState


class Jobs:
    """The jobs of one world."""

    def __init__(self, pipelines: Pipelines, catalog: Catalog) -> None:
        self._pipelines = pipelines
        self._catalog = catalog

    def job(self, project: Project, number: int) -> JobView:
        """See a job of a project; raises NotFound."""
        try:
            view = self._pipelines.pipeline(project, split_job_id(number)[0])
        except NotFound:
            raise NotFound("job") from None
        return _job_in(view, number)

    def job_of_any_project(self, number: int) -> JobView:
        """See a job; raises NotFound."""
        try:
            view = self._pipelines.pipeline_of_any_project(split_job_id(number)[0])
        except NotFound:
            raise NotFound("job") from None
        return _job_in(view, number)

    def every(self, project: Project, below: int | None = None) -> Iterator[JobView]:
        """See the jobs of a project, newest first; only those ``below`` a number."""
        newest = None if below is None else split_job_id(below)[0]
        for view in self._pipelines.every(project.id, newest):
            for job in reversed(view.state.jobs):
                if below is None or job.id < below:
                    yield JobView(view, job)

    def newest(self, view: PipelineView, job: int | str) -> JobView:
        """See a job of a pipeline, given by number or by name: then its newest attempt.

        Raises NotFound.
        """
        for each in reversed(view.state.jobs):
            if job in (each.id, each.name):
                return JobView(view, each)
        raise NotFound("job")

    def latest_attempt(self, project: Project, number: int) -> JobView:
        """See the newest attempt of the job that an attempt with this number belongs to."""
        view = self.job(project, number).pipeline
        slot = split_job_id(number)[1]
        return JobView(view, next(job for job in reversed(view.state.jobs) if job.slot == slot))

    def token(self, number: int) -> str:
        """Derive the token of a job."""
        return self._catalog.secret(f"{JOB_TOKEN}{number:x}_", f"job {number}")

    def of_token(self, token: str) -> JobView | None:
        """See the job that a token belongs to; the caller checks whether it still runs."""
        number = _number_in(token)
        if number is None or not hmac.compare_digest(self.token(number).encode(), token.encode()):
            return None
        try:
            return self.job_of_any_project(number)
        except NotFound:
            return None


def _job_in(view: PipelineView, number: int) -> JobView:
    job = view.timeline.job(number, view.now)
    if job is None:
        raise NotFound("job")
    return JobView(view, job)


def _number_in(job_token: str) -> int | None:
    written = _JOB_TOKEN.match(job_token)
    return None if written is None else int(written[1], 16)
