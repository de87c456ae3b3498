"""The Jobs page (https://docs.gitlab.com/api/jobs/): jobs, bridges and logs.

The module is long because the page is: two shapes of jobs, and a dozen endpoints.
"""

from __future__ import annotations

import gzip
import io
import re
import stat
import zipfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import NotFound, split_job_id
from mock_gitlab.engine.statuses import STATUSES
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.entities.projects import groups_of, namespace_id
from mock_gitlab.rest.entities.users import User, present_full_user
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import KeysetPage, Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.rendering import Raw, json_bytes
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints
from mock_gitlab.world.jobs import JobView

from .commits import Commit, present_commit
from .pipelines import PipelineBasic, present_basic

if TYPE_CHECKING:
    from mock_gitlab.engine.model import ActionName, Artifact, Project
    from mock_gitlab.world.pipelines import PipelineView

jobs = Endpoints("jobs")

_SCOPE = Param("scope", Kind.STRINGS, values=STATUSES, description="The statuses to list.")
_SCOPE_OF_PROJECT = replace(_SCOPE, kind=Kind.STRINGS_OF_HASH)
_MAX_OFFSET = 50_000
_ROLES = ["guest", "planner", "reporter", "developer", "maintainer", "owner"]
_CURSOR = re.compile(rb'\{"id":"(\d{1,40})","_kd":"n"\}')
ARCHIVE = "artifacts.zip"
_ZIP_EPOCH = (2025, 1, 1, 0, 0, 0)
_UNIX = 3
_ORDINARY_FILE = stat.S_IFREG | 0o644


# ---------------------------------------------------------------------------- job


class JobProject(TypedDict):
    """The project, as a job shows it."""

    ci_job_token_scope_enabled: bool


class ArtifactsFile(TypedDict):
    """The archive of a job."""

    filename: str
    size: int


class JobArtifact(TypedDict):
    """A file that a job left behind: its archive, or its log."""

    file_type: str
    size: int
    filename: str
    file_format: str | None


class JobBasic(TypedDict):
    """The fields that jobs and bridges have in common."""

    id: int
    status: str
    stage: str
    name: str
    ref: str
    tag: bool
    coverage: float | None
    allow_failure: bool
    created_at: str
    started_at: str | None
    finished_at: str | None
    erased_at: str | None
    duration: float | None
    queued_duration: float | None
    user: User
    commit: Commit
    pipeline: PipelineBasic
    failure_reason: NotRequired[str]
    web_url: str
    project: JobProject


class Job(JobBasic):
    """A job."""

    artifacts_file: NotRequired[ArtifactsFile]
    artifacts: list[JobArtifact]
    runner: None
    runner_manager: None
    artifacts_expire_at: str | None
    archived: bool
    tag_list: list[str]


class Bridge(JobBasic):
    """A job that starts another pipeline."""

    downstream_pipeline: PipelineBasic | None


def _present_common(request: Request, view: JobView) -> JobBasic:
    pipeline, job = view
    fields: JobBasic = {
        "id": job.id,
        "status": job.status,
        "stage": job.stage,
        "name": job.name,
        "ref": pipeline.record.ref,
        "tag": pipeline.record.tag,
        "coverage": job.spec.coverage if job.finished_at is not None else None,
        "allow_failure": job.allow_failure,
        "created_at": timestamp(job.created_at),
        "started_at": timestamp(job.started_at),
        "finished_at": timestamp(job.finished_at),
        "erased_at": timestamp(job.erased_at),
        "duration": job.duration(pipeline.now),
        "queued_duration": job.queued_duration(pipeline.now),
        "user": present_full_user(request),
        "commit": present_commit(request, pipeline.project, pipeline.record.sha),
        "pipeline": present_basic(request, pipeline),
    }  # type: ignore[typeddict-item]  # the keys below keep GitLab's order
    if job.failure_reason is not None:
        fields["failure_reason"] = job.failure_reason
    fields["web_url"] = f"{request.site}/{pipeline.project.path}/-/jobs/{job.id}"
    fields["project"] = {"ci_job_token_scope_enabled": False}
    return fields


def archive_of(view: JobView) -> bytes | None:
    """Pack the artifacts of a job; the same files give the same bytes."""
    artifacts = view.job.artifacts
    return _pack(artifacts) if artifacts else None


@lru_cache(maxsize=256)
def _pack(artifacts: tuple[Artifact, ...]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for artifact in artifacts:
            file = zipfile.ZipInfo(artifact.path, _ZIP_EPOCH)
            file.create_system, file.external_attr = _UNIX, _ORDINARY_FILE << 16
            archive.writestr(file, artifact.data)
    return packed.getvalue()


def present_job(request: Request, view: JobView) -> Job:
    """Present a job."""
    job, archive = view.job, archive_of(view)
    fields: dict[str, Any] = {**_present_common(request, view)}
    if archive is not None:
        fields["artifacts_file"] = {"filename": ARCHIVE, "size": len(archive)}
    return {
        **fields,  # type: ignore[typeddict-item]  # a dict, since some keys may be missing
        "artifacts": _present_artifacts(view, archive),
        "runner": None,
        "runner_manager": None,
        "artifacts_expire_at": timestamp(job.expires_at),
        "archived": False,
        "tag_list": sorted(job.spec.tags),
    }


def _present_artifacts(view: JobView, archive: bytes | None) -> list[JobArtifact]:
    files: list[JobArtifact] = []
    if archive is not None:
        metadata = _metadata_size(view.job.artifacts)
        files.append(_present_file("archive", len(archive), ARCHIVE, "zip"))
        files.append(_present_file("metadata", metadata, "metadata.gz", "gzip"))
    trace = view.job.trace(view.pipeline.now)
    if trace and view.job.finished_at is not None:
        files.append(_present_file("trace", len(trace.encode()), "job.log", "raw"))
    return files


def _present_file(file_type: str, size: int, filename: str, file_format: str) -> JobArtifact:
    return {
        "file_type": file_type,
        "size": size,
        "filename": filename,
        "file_format": file_format,
    }


@lru_cache(maxsize=256)
def _metadata_size(artifacts: tuple[Artifact, ...]) -> int:
    """Return the size of the list of files that GitLab keeps beside an archive."""
    files = {artifact.path: artifact.size for artifact in artifacts}
    return len(gzip.compress(json_bytes(files), mtime=0))


def _present_bridge(request: Request, view: JobView) -> Bridge:
    downstream = request.world.pipelines.downstream_of(view.job.id)
    return {
        **_present_common(request, view),
        "downstream_pipeline": None if downstream is None else present_basic(request, downstream),
    }


def _present_either(request: Request, view: JobView) -> Job | Bridge:
    return _present_bridge(request, view) if view.job.is_bridge else present_job(request, view)


# ---------------------------------------------------------------------------- reading


def _jobs_of(
    pipeline: PipelineView, scope: list[str] | None, *, retried: bool = False, bridges: bool = False
) -> list[JobView]:
    return [
        JobView(pipeline, job)
        for job in reversed(pipeline.state.jobs)
        if job.is_bridge is bridges
        and (retried or not job.retried)
        and (not scope or job.status in scope)
    ]


@jobs(
    "GET",
    "/projects/{id}/pipelines/{pipeline_id}/jobs",
    _SCOPE,
    Param("include_retried", Kind.BOOLEAN, default=False),
    answers=list[Job],
    paged=True,
    job_token=True,
)
def list_pipeline_jobs(
    request: Request, id: str, pipeline_id: int, scope: list[str] | None, include_retried: bool
) -> Page:
    """List the jobs of a pipeline, newest first."""
    pipeline = request.world.pipelines.pipeline(request.project(id), pipeline_id)
    views = _jobs_of(pipeline, scope, retried=include_retried)
    return page_of(request, views, lambda view: present_job(request, view))


@jobs(
    "GET",
    "/projects/{id}/pipelines/{pipeline_id}/bridges",
    _SCOPE,
    answers=list[Bridge],
    paged=True,
    job_token=True,
)
def list_pipeline_bridges(
    request: Request, id: str, pipeline_id: int, scope: list[str] | None
) -> Page:
    """List the jobs of a pipeline that start other pipelines."""
    pipeline = request.world.pipelines.pipeline(request.project(id), pipeline_id)
    views = _jobs_of(pipeline, scope, bridges=True)
    return page_of(request, views, lambda view: _present_bridge(request, view))


@jobs(
    "GET",
    "/projects/{id}/pipelines/{pipeline_id}/trigger_jobs",
    _SCOPE,
    answers=list[Bridge],
    paged=True,
    job_token=True,
)
def list_pipeline_trigger_jobs(
    request: Request, id: str, pipeline_id: int, scope: list[str] | None
) -> Page:
    """List the same as ``bridges``, which is the older name."""
    page: Page = list_pipeline_bridges(request, id, pipeline_id, scope)
    return page


@jobs(
    "GET",
    "/projects/{id}/jobs",
    _SCOPE_OF_PROJECT,
    Param("ref", Kind.STRING),
    Param(
        "pagination",
        Kind.STRING,
        description="`keyset`: pages are found by a cursor.",
        example="keyset",
    ),
    Param(
        "cursor",
        Kind.STRING,
        description="Where the page begins; the Link header has the next one.",
    ),
    answers=list[Job],
    paged=True,
    login=Login.FIRST,
    job_token=True,
)
def list_jobs(
    request: Request,
    id: str,
    scope: list[str] | None,
    ref: str | None,
    pagination: str | None,
    cursor: str | None,
) -> Page | KeysetPage:
    """List the jobs of a project, newest first; GitLab does not count them."""
    keyset = pagination == "keyset"
    if keyset and request.given.get("order_by", "id") != "id":
        raise ApiError(Error.NO_KEYSET_PAGINATION)
    if not keyset and request.offset > _MAX_OFFSET:
        raise ApiError(Error.OFFSET_TOO_LARGE, limit=_MAX_OFFSET, type="Ci::Build")
    below = _job_of_cursor(cursor) if keyset and cursor else None
    matching = (
        view
        for view in request.world.jobs.every(request.project(id), below)
        if not view.job.is_bridge
        and (not scope or view.job.status in scope)
        and (not ref or view.pipeline.record.ref == ref)
    )
    offset = 0 if keyset else request.offset
    views = list(islice(matching, offset, offset + request.limit + 1))
    more, views = len(views) > request.limit, views[: request.limit]
    rows = [present_job(request, view) for view in views]
    if keyset:
        return KeysetPage(rows, _cursor_of_job(views[-1].job.id) if more else None)
    return Page(rows, None, more=more)


def _cursor_of_job(number: int) -> str:
    return urlsafe_b64encode(json_bytes({"id": str(number), "_kd": "n"})).decode()


def _job_of_cursor(cursor: str) -> int:
    try:
        match = _CURSOR.fullmatch(urlsafe_b64decode(cursor))
    except ValueError:
        match = None
    if match is None:
        raise ApiError(Error.CURSOR_IS_INVALID)
    return int(match[1])


def find_build(request: Request, id: str, job_id: int) -> JobView:
    """Find a job; raises NotFound if there is none, or if it is a bridge."""
    view = request.world.jobs.job(request.project(id), job_id)
    if view.job.is_bridge:
        raise NotFound("job")
    return view


@jobs("GET", "/projects/{id}/jobs/{job_id}", answers=Job, login=Login.FIRST)
def get_job(request: Request, id: str, job_id: int) -> Job:
    """Show a job."""
    return present_job(request, find_build(request, id, job_id))


@jobs(
    "GET",
    "/projects/{id}/jobs/{job_id}/trace",
    Param("byte_offset", Kind.INTEGER, default=0, minimum=0, description="The first byte to show."),
    Param("byte_limit", Kind.INTEGER, minimum=1, description="How many bytes to show."),
    answers=str,
    login=Login.FIRST,
)
def get_job_trace(
    request: Request, id: str, job_id: int, byte_offset: int, byte_limit: int | None
) -> Raw:
    """Show the log of a job, as far as it is written."""
    view = find_build(request, id, job_id)
    text = view.job.trace(view.pipeline.now).encode()[byte_offset:]
    text = text if byte_limit is None else text[:byte_limit]
    name = f'infile; filename="{view.job.id}.log"'
    return Raw(text, "text/plain", {"Content-Disposition": name})


@jobs("GET", "/job", answers=Job, login=Login.FIRST, job_token=True)
def get_job_of_token(request: Request) -> Job:
    """Show the job whose token the request uses."""
    if request.job is None:
        raise ApiError(Error.JOB_NOT_FOUND)
    return present_job(request, request.job)


class Numbered(TypedDict):
    """An object by its number alone."""

    id: int


class AgentProject(Numbered):
    """A project and the groups above it, nearest first."""

    groups: list[Numbered]


class AgentUser(Numbered):
    """The user, and the roles that his own role includes."""

    username: str
    roles_in_project: list[str]


class AllowedAgents(TypedDict):
    """The Kubernetes agents that a job may use. The mock has none."""

    allowed_agents: list[Numbered]
    job: Numbered
    pipeline: Numbered
    project: AgentProject
    user: AgentUser


@jobs("GET", "/job/allowed_agents", answers=AllowedAgents, login=Login.FIRST, job_token=True)
def list_allowed_agents(request: Request) -> AllowedAgents:
    """List the agents that the job whose token the request uses may use: none."""
    if request.job is None:
        raise ApiError(Error.JOB_NOT_FOUND)
    (pipeline, job), user = request.job, request.world.declared.user
    groups = groups_of(request, pipeline.project)
    return {
        "allowed_agents": [],
        "job": {"id": job.id},
        "pipeline": {"id": pipeline.record.id},
        "project": {
            "id": pipeline.project.id,
            "groups": [{"id": namespace_id(path)} for path in groups],
        },
        "user": {"id": user.id, "username": user.username, "roles_in_project": _ROLES},
    }


# ---------------------------------------------------------------------------- acting


def _act(request: Request, id: str, job_id: int, action: ActionName) -> tuple[Project, int]:
    project = request.project(id)
    request.world.jobs.job(project, job_id)
    request.world.act(project, split_job_id(job_id)[0], action, job_id)
    return project, job_id


@jobs(
    "POST",
    "/projects/{id}/jobs/{job_id}/cancel",
    Param("force", Kind.BOOLEAN, description="Cancel it at once, even while it is canceling."),
    answers=Job,
    status=201,
    login=Login.FIRST,
)
def cancel_job(request: Request, id: str, job_id: int, force: bool | None) -> Job | Bridge:
    """Cancel a job, even a manual one; a job that has finished stays as it is."""
    action: ActionName = "force_cancel" if force else "cancel"
    return _present_either(request, request.world.jobs.job(*_act(request, id, job_id, action)))


@jobs(
    "POST",
    "/projects/{id}/jobs/{job_id}/retry",
    Param("inputs", Kind.HASH),
    answers=Job,
    status=201,
    login=Login.FIRST,
)
def retry_job(
    request: Request, id: str, job_id: int, inputs: dict[str, Any] | None
) -> Job | Bridge:
    """Retry a job, and show the new attempt."""
    project, number = _act(request, id, job_id, "retry")
    return _present_either(request, request.world.jobs.latest_attempt(project, number))


@jobs(
    "POST",
    "/projects/{id}/jobs/{job_id}/play",
    Param(
        "job_variables_attributes",
        Kind.ARRAY_OF_HASHES,
        items=(
            Param("key", Kind.STRING, required=True),
            Param("value", Kind.STRING, required=True),
        ),
    ),
    Param("job_inputs", Kind.HASH),
    answers=Job,
    login=Login.FIRST,
)
def play_job(
    request: Request,
    id: str,
    job_id: int,
    job_variables_attributes: list[dict[str, str]] | None,
    **_: Any,
) -> Job | Bridge:
    """Start a manual or delayed job."""
    request.logged.variables = {
        each["key"]: each["value"] for each in job_variables_attributes or ()
    }
    return _present_either(request, request.world.jobs.job(*_act(request, id, job_id, "play")))


@jobs("POST", "/projects/{id}/jobs/{job_id}/erase", answers=Job, status=201, login=Login.FIRST)
def erase_job(request: Request, id: str, job_id: int) -> Job:
    """Delete the log and the artifacts of a job."""
    find_build(request, id, job_id)
    return present_job(request, request.world.jobs.job(*_act(request, id, job_id, "erase")))
