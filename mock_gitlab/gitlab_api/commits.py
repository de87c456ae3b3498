"""The Commits page (https://docs.gitlab.com/api/commits/): reading commits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

from .users import BORN

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


def present_commit(request: Request, project: Project, sha: str) -> Commit:
    """Present the commit of a sha."""
    user, date = request.world.declared.user, timestamp(BORN)
    return {
        "id": sha,
        "short_id": sha[:8],
        "created_at": date,
        "parent_ids": [],
        "title": f"Commit {sha[:8]}",
        "message": f"Commit {sha[:8]}\n",
        "author_name": user.name,
        "author_email": user.email,
        "authored_date": date,
        "committer_name": user.name,
        "committer_email": user.email,
        "committed_date": date,
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{request.site}/{project.path}/-/commit/{sha}",
    }


@commits(
    "GET",
    "/projects/{id}/repository/commits",
    Param("ref_name", Kind.STRING, description="A branch or tag, by default the default branch."),
    answers=list[Commit],
    paged=True,
)
def list_commits(request: Request, id: str, ref_name: str | None) -> Page:
    """List the commits of a ref: in the mock only the newest."""
    project, catalog = request.project(id), request.world.catalog
    ref = ref_name or project.default_branch
    exists = catalog.has_branch(project, ref) or catalog.has_tag(project, ref)
    heads = [catalog.sha(project, ref)] if exists else []
    page = page_of(request, heads, lambda sha: present_commit(request, project, sha))
    return page._replace(total=None)


@commits("GET", "/projects/{id}/repository/commits/{sha}", answers=Commit)
def get_commit(request: Request, id: str, sha: str) -> Commit:
    """Show a commit, found by its sha or by the name of a branch or tag."""
    project, name = request.project(id), decode_segment(sha)
    catalog = request.world.catalog
    if _SHA.match(name):
        known = request.world.knows_commit(project, name)
        if known is None and request.world.declared.strict:
            raise ApiError(Error.COMMIT_NOT_FOUND)
        return present_commit(request, project, known or name.ljust(40, "0"))
    if catalog.has_branch(project, name) or catalog.has_tag(project, name):
        return present_commit(request, project, catalog.sha(project, name))
    raise ApiError(Error.COMMIT_NOT_FOUND)
