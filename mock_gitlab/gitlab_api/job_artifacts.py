"""The Job artifacts page (https://docs.gitlab.com/api/job_artifacts/)."""

from __future__ import annotations

import re
from itertools import islice
from os.path import commonprefix
from typing import TYPE_CHECKING, NamedTuple, NotRequired
from urllib.parse import quote

from typing_extensions import TypedDict

from mock_gitlab.engine.model import split_job_id
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.rendering import Raw
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints
from mock_gitlab.world.jobs import JobView

from .jobs import ARCHIVE, Job, archive_of, find_build, present_job

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    content = next((a.data for a in view.job.artifacts if a.path == path), None)
    if content is None:
        raise ApiError(Error.NOT_FOUND)
    disposition = _attachment(path.rpartition("/")[2])
    return Raw(content, "application/octet-stream", {"Content-Disposition": disposition})


def _attachment(name: str) -> str:
    """Name a file to save, as RFC 6266 says: in ASCII, and if need be exactly, in UTF-8."""
    plain = re.sub(r"[^ -~]", "_", name)
    quoted = plain.replace('"', r"\"")
    exactly = f"; filename*=UTF-8''{quote(name, safe='')}" if plain != name else ""
    return f'attachment; filename="{quoted}"{exactly}'


def _of_ref(request: Request, id: str, ref_name: str, name: str, *, search: bool) -> JobView:
    """Find a job with artifacts in the newest successful pipeline of a ref; ``search`` more."""
    project, ref = request.project(id), decode_segment(ref_name)
    pipelines = request.world.pipelines
    for newest in islice(pipelines.successes(project, ref), None if search else 1):
        for pipeline in pipelines.family_of(newest):
            for job in reversed(pipeline.state.jobs):
                if job.name == name and job.artifacts and not job.retried:
                    return JobView(pipeline, job)
    raise ApiError(Error.JOB_NOT_FOUND if search else Error.RECORD_NOT_FOUND)


_OF_REF = (
    Param("job", Kind.STRING, required=True, description="The name of the job."),
    Param(
        "search_recent_successful_pipelines",
        Kind.BOOLEAN,
        default=False,
        description="Search older successful pipelines too.",
    ),
)


@job_artifacts(
    "GET",
    "/projects/{id}/jobs/artifacts/{ref_name:path}/download",
    *_OF_REF,
    answers=bytes,
    job_token=True,
)
def download_artifacts_of_ref(
    request: Request, id: str, ref_name: str, job: str, search_recent_successful_pipelines: bool
) -> Raw:
    """Download the archive of a job of the newest successful pipeline of a ref."""
    search = search_recent_successful_pipelines
    return _download(_of_ref(request, id, ref_name, job, search=search))


@job_artifacts(
    "GET",
    "/projects/{id}/jobs/artifacts/{ref_name:path}/raw/{artifact_path:path}",
    *_OF_REF,
    answers=bytes,
    job_token=True,
)
def get_artifact_of_ref(
    request: Request,
    id: str,
    ref_name: str,
    artifact_path: str,
    job: str,
    search_recent_successful_pipelines: bool,
) -> Raw:
    """Download one file of a job of the newest successful pipeline of a ref."""
    search = search_recent_successful_pipelines
    return _single_file(_of_ref(request, id, ref_name, job, search=search), artifact_path)


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


# ---------------------------------------------------------------------------- listing


class ArtifactEntry(TypedDict):
    """A file or a folder in the archive of a job; only a file has a size."""

    name: str
    path: str
    type: str
    size: NotRequired[int]
    mode: str


@job_artifacts(
    "GET",
    "/projects/{id}/jobs/{job_id}/artifacts/tree",
    Param("path", Kind.STRING, default="", description="The folder to list; by default the root."),
    Param("recursive", Kind.BOOLEAN, default=False, description="List what is in folders too."),
    answers=list[ArtifactEntry],
    paged=True,
    job_token=True,
)
def list_artifacts(request: Request, id: str, job_id: int, path: str, recursive: bool) -> Page:
    """List the files and folders in the archive of a job."""
    artifacts = find_build(request, id, job_id).job.artifacts
    if not artifacts:
        raise ApiError(Error.ARTIFACTS_NOT_FOUND)
    sizes = {artifact.path: artifact.size for artifact in artifacts}
    entries = _entries_of(sizes, f"{path.removesuffix('/')}/" if path.strip() else "", recursive)
    if not entries:
        raise ApiError(Error.PATH_NOT_FOUND)
    return page_of(request, entries, lambda entry: _present_entry(entry, sizes))


class _Entry(NamedTuple):
    """A file, or the folder above it whose path ends at ``end``."""

    file: str
    end: int

    @property
    def is_file(self) -> bool:
        return self.end == len(self.file)


def _entries_of(files: Iterable[str], folder: str, recursive: bool) -> list[_Entry]:
    """List what is in a folder by path, or its folders and then its files.

    A deep path has many folders, so their paths are not written here but when they are shown.
    """
    entries: list[_Entry] = []
    before = ""
    for file in sorted(files):
        if file.startswith(folder):
            ends = [place + 1 for place in range(len(folder), len(file)) if file[place] == "/"]
            above = ends if recursive else ends[:1]
            shared = len(commonprefix((before, file)))  # noqa: RUF071 - characters, not folders
            entries += [_Entry(file, end) for end in above if end > shared]
            if recursive or not ends:
                entries.append(_Entry(file, len(file)))
            before = file
    return entries if recursive else sorted(entries, key=lambda entry: entry.is_file)


def _present_entry(entry: _Entry, sizes: Mapping[str, int]) -> ArtifactEntry:
    path = entry.file[: entry.end]
    name = path.removesuffix("/").rpartition("/")[2]
    if not entry.is_file:
        return {"name": name, "path": path, "type": "directory", "mode": "040755"}
    return {"name": name, "path": path, "type": "file", "size": sizes[path], "mode": "100644"}


# ---------------------------------------------------------------------------- keeping and deleting


@job_artifacts(
    "POST", "/projects/{id}/jobs/{job_id}/artifacts/keep", answers=Job, login=Login.FIRST
)
def keep_artifacts(request: Request, id: str, job_id: int) -> Job:
    """Keep the artifacts of a job from expiring."""
    if not find_build(request, id, job_id).job.artifacts:
        raise ApiError(Error.NOT_FOUND)
    pipeline = split_job_id(job_id)[0]
    request.world.act(request.project(id), pipeline, "keep_artifacts", job_id)
    return present_job(request, find_build(request, id, job_id))


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
    """Delete the artifacts of a project, but for the newest success of each ref; at once here."""
    request.world.delete_artifacts(request.project(id))
    return {"message": "202 Accepted"}
