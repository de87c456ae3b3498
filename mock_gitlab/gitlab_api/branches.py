"""The Branches page (https://docs.gitlab.com/api/branches/): reading branches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

from .commits import Commit, present_commit

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Project

branches = Endpoints("branches")

SEARCH = Param(
    "search", Kind.STRING, description="Part of a name; ^ and $ stand for its beginning and end."
)


def search_in(names: list[str], search: str | None) -> list[str]:
    """Find the names that match the parameter ``search`` of branches and tags."""
    if not search:
        return names
    pattern = re.escape(search.removeprefix("^").removesuffix("$"))
    start, end = "^" * search.startswith("^"), "$" * search.endswith("$")
    return [name for name in names if re.search(f"{start}{pattern}{end}", name)]


class Branch(TypedDict):
    """A branch."""

    name: str
    commit: Commit
    merged: bool
    protected: bool
    developers_can_push: bool
    developers_can_merge: bool
    can_push: bool
    default: bool
    web_url: str


def _present_branch(request: Request, project: Project, name: str) -> Branch:
    is_default = name == project.default_branch
    return {
        "name": name,
        "commit": present_commit(request, project, request.world.catalog.sha(project, name)),
        "merged": False,
        "protected": is_default,
        "developers_can_push": False,
        "developers_can_merge": False,
        "can_push": True,
        "default": is_default,
        "web_url": f"{request.site}/{project.path}/-/tree/{name}",
    }


@branches("GET", "/projects/{id}/repository/branches", SEARCH, answers=list[Branch], paged=True)
def list_branches(request: Request, id: str, search: str | None) -> Page:
    """List the branches that are declared or have been used."""
    project = request.project(id)
    names = search_in(request.world.branches(project), search)
    return page_of(request, names, lambda name: _present_branch(request, project, name))


@branches("GET", "/projects/{id}/repository/branches/{branch}", answers=Branch)
def get_branch(request: Request, id: str, branch: str) -> Branch:
    """Show a branch."""
    project, name = request.project(id), decode_segment(branch)
    if not request.world.catalog.has_branch(project, name):
        raise ApiError(Error.BRANCH_NOT_FOUND)
    return _present_branch(request, project, name)
