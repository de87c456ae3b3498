"""The Commits page (https://docs.gitlab.com/api/commits/): reading commits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import parse_timestamp, timestamp
from mock_gitlab.engine.model import commit_of
from mock_gitlab.engine.texts import split_ref
from mock_gitlab.rest.entities.users import BORN
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

from .pipelines import PipelineBasic, present_basic

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Project

commits = Endpoints("commits")

_SHA = re.compile(r"[0-9a-f]{7,40}\Z")


class Commit(TypedDict):
    """A commit. The mock invents one for every ref."""

    id: str
    short_id: str
    created_at: str
    parent_ids: list[str]
    title: str
    message: str
    author_name: str
    author_email: str
    authored_date: str
    committer_name: str
    committer_email: str
    committed_date: str
    trailers: dict[str, str]
    extended_trailers: dict[str, list[str]]
    web_url: str


class CommitStats(TypedDict):
    """How many lines a commit has changed. The mock has no files, so there are none."""

    additions: int
    deletions: int
    total: int


class CommitWithStats(Commit):
    """A commit in a list, which has its statistics if the request asks for them."""

    stats: NotRequired[CommitStats]


class CommitDetail(CommitWithStats):
    """A single commit, with its newest pipeline."""

    status: str | None
    project_id: int
    last_pipeline: PipelineBasic | None


def present_commit(request: Request, project: Project, sha: str) -> Commit:
    """Present the commit of a sha."""
    user = request.world.declared.user
    commit = commit_of(project, sha)
    date = timestamp(BORN if commit.at is None else commit.at)
    name, email = commit.author_name or user.name, commit.author_email or user.email
    return {
        "id": sha,
        "short_id": sha[:8],
        "created_at": date,
        "parent_ids": [each.sha for each in project.history(sha)[1:2]],
        "title": commit.title,
        "message": commit.message or "",
        "author_name": name,
        "author_email": email,
        "authored_date": date,
        "committer_name": name,
        "committer_email": email,
        "committed_date": date,
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{request.site}/{project.path}/-/commit/{sha}",
    }


def _present_stats(*, shown: bool) -> dict[str, CommitStats]:
    return {"stats": {"additions": 0, "deletions": 0, "total": 0}} if shown else {}


def _present_detail(request: Request, project: Project, sha: str, *, stats: bool) -> CommitDetail:
    pipeline = request.world.pipelines.latest_of_commit(project, sha)
    return {
        **present_commit(request, project, sha),
        **_present_stats(shown=stats),  # type: ignore[typeddict-item]  # it may be missing
        "status": None if pipeline is None else pipeline.state.status,
        "project_id": project.id,
        "last_pipeline": None if pipeline is None else present_basic(request, pipeline),
    }


@commits(
    "GET",
    "/projects/{id}/repository/commits",
    Param("ref_name", Kind.STRING, description="A branch or tag, by default the default branch."),
    Param("since", Kind.DATETIME, description="Only commits of this time or later."),
    Param("until", Kind.DATETIME, description="Only commits of this time or earlier."),
    Param("path", Kind.STRING, description="A file; the mock has none, so no commit changed it."),
    Param("author", Kind.STRING, description="Part of the author's name and address."),
    Param("all", Kind.BOOLEAN, description="The commits of all branches and tags."),
    Param("with_stats", Kind.BOOLEAN, description="Show how many lines each commit changed."),
    Param("first_parent", Kind.BOOLEAN),
    Param("order", Kind.STRING, values=("default", "topo"), default="default"),
    Param("trailers", Kind.BOOLEAN, default=False),
    answers=list[CommitWithStats],
    paged=True,
)
def list_commits(request: Request, id: str, with_stats: bool | None, **params: Any) -> Page:
    """List the commits of a ref: the newest, and those that the files declare below it."""
    project = request.project(id)
    found = _commits_of(request, project, params)
    shas = [sha for sha in found if _allows(present_commit(request, project, sha), params)]

    def present(sha: str) -> CommitWithStats:
        stats = _present_stats(shown=bool(with_stats))
        return {**present_commit(request, project, sha), **stats}  # type: ignore[typeddict-item]  # it may be missing

    page = page_of(request, shas, present)
    # GitLab does not look beyond a full page, and says that another page follows.
    return page._replace(total=None, more=len(page.rows) == request.limit)


def _commits_of(request: Request, project: Project, params: dict[str, Any]) -> list[str]:
    world, catalog = request.world, request.world.catalog
    if params["all"]:
        refs = (*world.branches(project), *world.tags(project))
        heads = [catalog.sha(project, ref) for ref in refs]
        declared = [commit.sha for commit in project.commits]
        return list(dict.fromkeys((*declared, *heads)))
    sha = _find(request, project, params["ref_name"] or project.default_branch)
    if sha is None:
        return []
    return [commit.sha for commit in project.history(sha)] or [sha]


def _allows(commit: Commit, params: dict[str, Any]) -> bool:
    """Return whether a commit meets the conditions of the list."""
    at, since, until = parse_timestamp(commit["created_at"]), params["since"], params["until"]
    return (
        (since is None or since <= at)
        and (until is None or until >= at)
        and not params["path"]
        and (params["author"] or "") in f"{commit['author_name']} <{commit['author_email']}>"
    )


@commits(
    "GET",
    "/projects/{id}/repository/commits/{sha}",
    Param("stats", Kind.BOOLEAN, default=True, description="Show how many lines it changed."),
    answers=CommitDetail,
    job_token=True,
)
def get_commit(request: Request, id: str, sha: str, stats: bool) -> CommitDetail:
    """Show a commit, found by its sha or by the name of a branch or tag."""
    project = request.project(id)
    known = find_commit(request, project, decode_segment(sha))
    return _present_detail(request, project, known, stats=stats)


def find_commit(request: Request, project: Project, name: str) -> str:
    """Find a commit by the beginning of its sha, or by the name of a branch or tag.

    Unless the mock is strict, every sha is that of a commit.

    Raises:
        ApiError: there is no such commit.
    """
    known = _find(request, project, name)
    if known is None and _SHA.match(name) and not request.world.declared.strict:
        known = name.ljust(40, "0")
    if known is None:
        raise ApiError(Error.COMMIT_NOT_FOUND)
    return known


def _find(request: Request, project: Project, name: str) -> str | None:
    """Find a commit by the beginning of its sha, or by the name of a branch or tag."""
    catalog = request.world.catalog
    if _SHA.match(name):
        return request.world.knows_commit(project, name)
    ref, tag = split_ref(name)
    is_branch = tag is not True and catalog.has_branch(project, ref)
    exists = is_branch or (tag is not False and catalog.has_tag(project, ref))
    return catalog.sha(project, ref) if exists else None
