"""The Job artifacts page (https://docs.gitlab.com/api/job_artifacts/)."""

from __future__ import annotations

from typing_extensions import TypedDict

from mock_gitlab.engine.model import split_job_id
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.rendering import Raw
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints
from mock_gitlab.store.status_index import Filter
from mock_gitlab.world.jobs import JobView

from .jobs import ARCHIVE, Job, archive_of, find_build, present_job

job_artifacts = Endpoints("job_artifacts")


def _download(view: JobView) -> Raw:
    archive = archive_of(view)
    if archive is None:
        raise ApiError(Error.NOT_FOUND)
    name = f"attachment; filename=\"{ARCHIVE}\"; filename*=UTF-8''{ARCHIVE}"
    return Raw(
        archive,
        "application/octet-stream",
        {"Content-Disposition": name, "Content-Transfer-Encoding": "binary"},
    )


def _single_file(view: JobView, artifact_path: str) -> Raw:
    path = decode_segment(artifact_path)
    if ".." in path.split("/") or path.startswith("/"):
        raise ApiError(Error.BAD_REQUEST)
    content = next((a.content for a in view.job.artifacts if a.path == path), None)
    if content is None:
        raise ApiError(Error.NOT_FOUND)
    name = path.rpartition("/")[2].replace('"', "")
    return Raw(
        content.encode(),
        "application/octet-stream",
        {"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _of_ref(request: Request, id: str, ref_name: str, name: str) -> JobView:
    """Find a job by its name in the newest successful pipeline of a ref."""
    project, ref = request.project(id), decode_segment(ref_name)
    wanted = Filter(project_id=project.id, ref=ref, statuses=("success",))
    rows, _ = request.world.pipelines.page(wanted, 1, 0)
    if rows:
        pipeline = request.world.pipelines.pipeline(project, rows[0].id)
        for job in reversed(pipeline.state.jobs):
            if job.name == name and not job.retried:
                return JobView(pipeline, job)
    raise ApiError(Error.NOT_FOUND)


_JOB_NAME = Param("job", Kind.STRING, required=True, description="The name of the job.")


@job_artifacts(
    "GET",
    "/projects/{id}/jobs/artifacts/{ref_name:path}/download",
    _JOB_NAME,
    answers=bytes,
    job_token=True,
)
def download_artifacts_of_ref(request: Request, id: str, ref_name: str, job: str) -> Raw:
    """Download the archive of a job of the newest successful pipeline of a ref."""
    return _download(_of_ref(request, id, ref_name, job))


@job_artifacts(
    "GET",
    "/projects/{id}/jobs/artifacts/{ref_name:path}/raw/{artifact_path:path}",
    _JOB_NAME,
    answers=bytes,
    job_token=True,
)
def get_artifact_of_ref(
    request: Request, id: str, ref_name: str, artifact_path: str, job: str
) -> Raw:
    """Download one file of a job of the newest successful pipeline of a ref."""
    return _single_file(_of_ref(request, id, ref_name, job), artifact_path)


@job_artifacts("GET", "/projects/{id}/jobs/{job_id}/artifacts", answers=bytes, job_token=True)
def download_artifacts(request: Request, id: str, job_id: int) -> Raw:
    """Download the archive of a job."""
    return _download(find_build(request, id, job_id))


@job_artifacts(
    "GET",
    "/projects/{id}/jobs/{job_id}/artifacts/{artifact_path:path}",
    answers=bytes,
    job_token=True,
)
def get_artifact(request: Request, id: str, job_id: int, artifact_path: str) -> Raw:
    """Download one file of a job."""
    return _single_file(find_build(request, id, job_id), artifact_path)


# ---------------------------------------------------------------------------- keeping and deleting


@job_artifacts(
    "POST", "/projects/{id}/jobs/{job_id}/artifacts/keep", answers=Job, login=Login.FIRST
)
def keep_artifacts(request: Request, id: str, job_id: int) -> Job:
    """Keep the artifacts of a job from expiring; in the mock they never expire."""
    view = find_build(request, id, job_id)
    if not view.job.artifacts:
        raise ApiError(Error.NOT_FOUND)
    return present_job(request, view)


@job_artifacts(
    "DELETE",
    "/projects/{id}/jobs/{job_id}/artifacts",
    answers=None,
    status=204,
    login=Login.FIRST,
)
def delete_artifacts(request: Request, id: str, job_id: int) -> None:
    """Delete the artifacts of a job; its log stays."""
    find_build(request, id, job_id)
    request.world.act(request.project(id), split_job_id(job_id)[0], "delete_artifacts", job_id)


class Accepted(TypedDict):
    """The answer of an endpoint whose work GitLab does later."""

    message: str


@job_artifacts(
    "DELETE", "/projects/{id}/artifacts", answers=Accepted, status=202, login=Login.FIRST
)
def delete_project_artifacts(request: Request, id: str) -> Accepted:
    """Delete the artifacts of all jobs of a project. The mock does it immediately."""
    request.world.delete_artifacts(request.project(id))
    return {"message": "202 Accepted"}
