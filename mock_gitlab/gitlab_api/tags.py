"""The Tags page (https://docs.gitlab.com/api/tags/): reading tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

from .branches import SEARCH, search_in
from .commits import Commit, present_commit
from .users import BORN

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Project

tags = Endpoints("tags")


class Tag(TypedDict):
    """A tag."""

    name: str
    message: str
    target: str
    commit: Commit
    release: None
    protected: bool
    created_at: str | None


def _present_tag(request: Request, project: Project, name: str) -> Tag:
    sha = request.world.catalog.sha(project, name)
    return {
        "name": name,
        "message": "",
        "target": sha,
        "commit": present_commit(request, project, sha),
        "release": None,
        "protected": False,
        "created_at": timestamp(BORN),
    }


@tags("GET", "/projects/{id}/repository/tags", SEARCH, answers=list[Tag], paged=True)
def list_tags(request: Request, id: str, search: str | None) -> Page:
    """List the tags that are declared or have been used."""
    project = request.project(id)
    names = search_in(request.world.tags(project), search)
    return page_of(request, names, lambda name: _present_tag(request, project, name))


@tags("GET", "/projects/{id}/repository/tags/{tag}", answers=Tag)
def get_tag(request: Request, id: str, tag: str) -> Tag:
    """Show a tag."""
    project, name = request.project(id), decode_segment(tag)
    if not request.world.catalog.has_tag(project, name):
        raise ApiError(Error.TAG_NOT_FOUND)
    return _present_tag(request, project, name)
