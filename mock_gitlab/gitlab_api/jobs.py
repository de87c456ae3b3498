"""Jobs, bridges, traces (https://docs.gitlab.com/api/jobs/)."""

from __future__ import annotations

import io
import re
import zipfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import NotFound, split_job_id
from mock_gitlab.engine.statuses import STATUSES
from mock_gitlab.rest.body import BadParameters
from mock_gitlab.rest.endpoint import Endpoints, Login
from mock_gitlab.rest.errors import json_bytes
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.rendering import KeysetPage, Page, Raw
from mock_gitlab.rest.request import Request
from mock_gitlab.world.jobs import JobView

from .pipelines import PipelineBasic, present_basic
from .projects import Commit, present_commit
from .users import User, present_full_user

if TYPE_CHECKING:
    from mock_gitlab.engine.model import ActionName, Artifact, Project
    from mock_gitlab.world.pipelines import PipelineView

jobs = Endpoints("jobs")

_SCOPE = Param("scope", Kind.STRINGS, values=STATUSES, description="Statuses to show.")
_SCOPE_OF_PROJECT = Param(
    "scope", Kind.STRINGS_OF_HASH, values=STATUSES, description="Statuses to show."
)
_RETRIED = Param("include_retried", Kind.BOOLEAN, default=False)
_FARTHEST_BY_PAGES = 50_000
_NO_KEYSET = "Keyset pagination is not yet available for this type of request"
_TOO_FAR = (
    "Offset pagination has a maximum allowed offset of 50000 for requests that return objects of "
    "type Ci::Build. Remaining records can be retrieved using keyset pagination."
)
_CURSOR = re.compile(rb'\{"id":"(\d{1,40})","_kd":"n"\}')
ARCHIVE = "artifacts.zip"
_ZIP_EPOCH = (2025, 1, 1, 0, 0, 0)


# ---------------------------------------------------------------------------- job


class JobProject(TypedDict):
    """What a job says of its project."""

    ci_job_token_scope_enabled: bool


class ArtifactsFile(TypedDict):
    """The archive of a job."""

    filename: str
    size: int


class JobArtifact(TypedDict):
    """A file that a job left."""

    file_type: str
    size: int
    filename: str
    file_format: str | None


class JobBasic(TypedDict):
    """What a job and a bridge have in common."""

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
    """A job that starts a pipeline elsewhere."""

    downstream_pipeline: PipelineBasic | None


def _present_common(request: Request, found: JobView) -> JobBasic:
    seen, job = found
    shown: JobBasic = {
        "id": job.id,
        "status": job.status,
        "stage": job.stage,
        "name": job.name,
        "ref": seen.record.ref,
        "tag": seen.record.tag,
        "coverage": job.spec.coverage if job.finished_at is not None else None,
        "allow_failure": job.allow_failure,
        "created_at": timestamp(job.created_at),
        "started_at": timestamp(job.started_at),
        "finished_at": timestamp(job.finished_at),
        "erased_at": timestamp(job.erased_at),
        "duration": job.duration(seen.now),
        "queued_duration": job.queued_duration(seen.now),
        "user": present_full_user(request),
        "commit": present_commit(request, seen.project, seen.record.sha),
        "pipeline": present_basic(request, seen),
    }  # type: ignore[typeddict-item]  # the keys below keep GitLab's order
    if job.failure_reason is not None:
        shown["failure_reason"] = job.failure_reason
    shown["web_url"] = f"{request.site}/{seen.project.path}/-/jobs/{job.id}"
    shown["project"] = {"ci_job_token_scope_enabled": False}
    return shown


def archive_of(found: JobView) -> bytes | None:
    """Pack what a job left behind; the same files give the same bytes."""
    artifacts = found.job.artifacts
    return _pack(artifacts) if artifacts else None


@lru_cache(maxsize=256)
def _pack(artifacts: tuple[Artifact, ...]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for artifact in artifacts:
            archive.writestr(zipfile.ZipInfo(artifact.path, _ZIP_EPOCH), artifact.content)
    return packed.getvalue()


def present_job(request: Request, found: JobView) -> Job:
    """Show a job."""
    job, archive = found.job, archive_of(found)
    shown: dict[str, Any] = {**_present_common(request, found)}
    if archive is not None:
        shown["artifacts_file"] = {"filename": ARCHIVE, "size": len(archive)}
    return {
        **shown,  # type: ignore[typeddict-item]  # the keys of JobBasic, with those that may be left out
        "artifacts": _present_artifacts(found, archive),
        "runner": None,
        "runner_manager": None,
        "artifacts_expire_at": None,
        "archived": False,
        "tag_list": sorted(job.spec.tags),
    }


def _present_artifacts(found: JobView, archive: bytes | None) -> list[JobArtifact]:
    shown: list[JobArtifact] = []
    if archive is not None:
        shown.append(
            {
                "file_type": "archive",
                "size": len(archive),
                "filename": ARCHIVE,
                "file_format": "zip",
            }
        )
    trace = found.job.trace(found.pipeline.now)
    if trace and found.job.finished_at is not None:
        shown.append(
            {
                "file_type": "trace",
                "size": len(trace.encode()),
                "filename": "job.log",
                "file_format": "raw",
            }
        )
    return shown


def _present_bridge(request: Request, found: JobView) -> Bridge:
    downstream = request.world.pipelines.downstream_of(found.job.id)
    return {
        **_present_common(request, found),
        "downstream_pipeline": None if downstream is None else present_basic(request, downstream),
    }


def _present_either(request: Request, found: JobView) -> Job | Bridge:
    return _present_bridge(request, found) if found.job.is_bridge else present_job(request, found)


# ---------------------------------------------------------------------------- reading


def _of_pipeline(
    seen: PipelineView, scope: list[str] | None, *, retried: bool, bridges: bool
) -> list[JobView]:
    return [
        JobView(seen, job)
        for job in reversed(seen.state.jobs)
        if job.is_bridge is bridges
        and (retried or not job.retried)
        and (not scope or job.status in scope)
    ]


def _page(request: Request, found: list[JobView], present: Any) -> Page:
    end = request.offset + request.limit
    shown = [present(request, job) for job in found[request.offset : end]]
    return Page(shown, len(found), more=len(found) > end)


@jobs(
    "GET",
    "/projects/{id}/pipelines/{pipeline_id}/jobs",
    _SCOPE,
    _RETRIED,
    answers=list[Job],
    paged=True,
    job_token=True,
)
def list_pipeline_jobs(
    request: Request, id: str, pipeline_id: int, scope: list[str] | None, include_retried: bool
) -> Page:
    """List the jobs of a pipeline, newest first."""
    seen = request.world.pipelines.pipeline(request.project(id), pipeline_id)
    found = _of_pipeline(seen, scope, retried=include_retried, bridges=False)
    return _page(request, found, present_job)


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
    """List the jobs of a pipeline that start pipelines elsewhere."""
    seen = request.world.pipelines.pipeline(request.project(id), pipeline_id)
    found = _of_pipeline(seen, scope, retried=False, bridges=True)
    return _page(request, found, _present_bridge)


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
    """List the same as ``bridges``, under its newer name."""
    bridges: Page = list_pipeline_bridges(request, id, pipeline_id, scope)
    return bridges


@jobs(
    "GET",
    "/projects/{id}/jobs",
    _SCOPE_OF_PROJECT,
    Param("ref", Kind.STRING),
    Param("pagination", Kind.STRING, description="`keyset` walks by a cursor.", example="keyset"),
    Param("cursor", Kind.STRING, description="Where to go on; stands in the Link header."),
    answers=list[Job],
    paged=True,
    login=Login.ALWAYS,
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
        raise BadParameters(405, {"error": _NO_KEYSET})
    if not keyset and request.offset > _FARTHEST_BY_PAGES:
        raise BadParameters(405, {"error": _TOO_FAR})
    below = _job_of_cursor(cursor) if keyset and cursor else None
    found = (
        job
        for job in request.world.jobs.every(request.project(id), below)
        if not job.job.is_bridge
        and (not scope or job.job.status in scope)
        and (not ref or job.pipeline.record.ref == ref)
    )
    offset = 0 if keyset else request.offset
    rows = list(islice(found, offset, offset + request.limit + 1))
    more, rows = len(rows) > request.limit, rows[: request.limit]
    shown = [present_job(request, job) for job in rows]
    if keyset:
        return KeysetPage(shown, _cursor_of_job(rows[-1].job.id) if more else None)
    return Page(shown, None, more=more)


def _cursor_of_job(number: int) -> str:
    return urlsafe_b64encode(json_bytes({"id": str(number), "_kd": "n"})).decode()


def _job_of_cursor(cursor: str) -> int:
    try:
        written = _CURSOR.fullmatch(urlsafe_b64decode(cursor))
    except ValueError:
        written = None
    if written is None:
        raise BadParameters(400, {"error": "cursor is invalid"})
    return int(written[1])


def find_build(request: Request, id: str, job_id: int) -> JobView:
    """Find a job that is no bridge; raises NotFound."""
    found = request.world.jobs.job(request.project(id), job_id)
    if found.job.is_bridge:
        raise NotFound("job")
    return found


@jobs("GET", "/projects/{id}/jobs/{job_id}", answers=Job, login=Login.ALWAYS)
def get_job(request: Request, id: str, job_id: int) -> Job:
    """Show a job."""
    return present_job(request, find_build(request, id, job_id))


@jobs(
    "GET",
    "/projects/{id}/jobs/{job_id}/trace",
    Param("byte_offset", Kind.INTEGER, default=0, minimum=0, description="Where to begin."),
    Param("byte_limit", Kind.INTEGER, minimum=1, description="How many bytes to show."),
    answers=str,
    login=Login.ALWAYS,
)
def get_job_trace(
    request: Request, id: str, job_id: int, byte_offset: int, byte_limit: int | None
) -> Raw:
    """Show what a job has logged so far."""
    found = find_build(request, id, job_id)
    text = found.job.trace(found.pipeline.now).encode()[byte_offset:]
    text = text if byte_limit is None else text[:byte_limit]
    name = f'infile; filename="{found.job.id}.log"'
    return Raw(text, "text/plain", {"Content-Disposition": name})


@jobs("GET", "/job", answers=Job, login=Login.ALWAYS, job_token=True)
def get_job_of_token(request: Request) -> Job:
    """Show the job whose token is used."""
    if request.job is None:
        raise NotFound("job of the token")
    return present_job(request, request.job)


# ---------------------------------------------------------------------------- acting


def _act(request: Request, id: str, job_id: int, action: ActionName) -> tuple[Project, int]:
    project = request.project(id)
    request.world.jobs.job(project, job_id)
    request.world.act(project, split_job_id(job_id)[0], action, job_id)
    return project, job_id


@jobs(
    "POST",
    "/projects/{id}/jobs/{job_id}/cancel",
    Param("force", Kind.BOOLEAN),
    answers=Job,
    status=201,
    login=Login.ALWAYS,
)
def cancel_job(request: Request, id: str, job_id: int, force: bool | None) -> Job | Bridge:
    """Cancel a job, a manual one too; one that is over stays as it is."""
    return _present_either(request, request.world.jobs.job(*_act(request, id, job_id, "cancel")))


@jobs(
    "POST",
    "/projects/{id}/jobs/{job_id}/retry",
    Param("inputs", Kind.HASH),
    answers=Job,
    status=201,
    login=Login.ALWAYS,
)
def retry_job(
    request: Request, id: str, job_id: int, inputs: dict[str, Any] | None
) -> Job | Bridge:
    """Give a job a new attempt, and show that one."""
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
    login=Login.ALWAYS,
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


@jobs("POST", "/projects/{id}/jobs/{job_id}/erase", answers=Job, status=201, login=Login.ALWAYS)
def erase_job(request: Request, id: str, job_id: int) -> Job:
    """Remove the log and the artifacts of a job."""
    find_build(request, id, job_id)
    return present_job(request, request.world.jobs.job(*_act(request, id, job_id, "erase")))
