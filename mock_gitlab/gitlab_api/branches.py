"""The Branches page (https://docs.gitlab.com/api/branches/): reading branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from mock_gitlab.engine.texts import NoExpression, matches_text
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import KeysetPage, Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

from .commits import Commit, present_commit

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.engine.model import Project

branches = Endpoints("branches")

FILTERS = (
    Param(
        "search",
        Kind.STRING,
        description="Part of a name; ^ and $ stand for its beginning and end, * for anything.",
    ),
    Param("page_token", Kind.STRING, description="The name after which a page begins."),
    Param(
        "pagination",
        Kind.STRING,
        description="`keyset`: pages are found by `page_token`.",
        example="keyset",
    ),
)
"""The parameters that the lists of branches and of tags have in common."""


def search_in(names: list[str], search: str | None) -> list[str]:
    """Find the names that match the parameter ``search``; the very name comes first."""
    if not search:
        return names
    # A line break cannot be part of a name, so here it stands for the beginning and the end.
    start, end = ("\n" if at else "*" for at in (search[0] == "^", search[-1] == "$"))
    part = search.removeprefix("^").removesuffix("$").lower()
    found = [n for n in names if matches_text(f"{start}{part}{end}", f"\n{n.lower()}\n")]
    return sorted(found, key=lambda name: name != search)


def page_of_names(
    request: Request, names: list[str], full: str, present: Callable[[str], Any]
) -> Page | KeysetPage:
    """Cut the requested page out of the names of branches or tags, by its number or by a name.

    ``full`` is what a full ref of their kind begins with.
    """
    if request.values["pagination"] != "keyset":
        return page_of(request, names, present)
    token = request.values["page_token"]
    if token and token not in names:
        raise ApiError(Error.INVALID_PAGE_TOKEN, ref=full + token)
    begin = names.index(token) + 1 if token else 0
    shown = names[begin : begin + request.limit]
    # GitLab does not look beyond a full page.
    following = shown[-1] if len(shown) == request.limit else None
    return KeysetPage([present(name) for name in shown], following, "page_token")


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
    is_default, declared = name == project.default_branch, project.branch(name)
    protected = None if declared is None else declared.protected
    return {
        "name": name,
        "commit": present_commit(request, project, request.world.catalog.sha(project, name)),
        "merged": False,
        "protected": is_default if protected is None else protected,
        "developers_can_push": False,
        "developers_can_merge": False,
        "can_push": True,
        "default": is_default,
        "web_url": f"{request.site}/{project.path}/-/tree/{name}",
    }


@branches(
    "GET",
    "/projects/{id}/repository/branches",
    *FILTERS,
    Param("regex", Kind.STRING, description="A regular expression, in the syntax of RE2."),
    Param("sort", Kind.STRING, values=("name_asc", "updated_asc", "updated_desc")),
    answers=list[Branch],
    paged=True,
    job_token=True,
)
def list_branches(
    request: Request, id: str, search: str | None, regex: str | None, **_: Any
) -> Page | KeysetPage:
    """List the branches that are declared or have been used, by name: all are of the same time."""
    project = request.project(id)
    names = search_in(request.world.branches(project), search)
    try:
        names = [name for name in names if not regex or matches_text(f"/{regex}/", name)]
    except NoExpression:
        raise ApiError(Error.REGEX_IS_INVALID) from None
    return page_of_names(
        request, names, "refs/heads/", lambda name: _present_branch(request, project, name)
    )


def _find(request: Request, id: str, branch: str, missing: Error) -> tuple[Project, str]:
    project, name = request.project(id), decode_segment(branch)
    if not request.world.catalog.has_branch(project, name):
        raise ApiError(missing)
    return project, name


@branches("GET", "/projects/{id}/repository/branches/{branch}", answers=Branch)
def get_branch(request: Request, id: str, branch: str) -> Branch:
    """Show a branch."""
    return _present_branch(request, *_find(request, id, branch, Error.BRANCH_NOT_FOUND))


@branches("HEAD", "/projects/{id}/repository/branches/{branch}", answers=None, status=204)
def branch_exists(request: Request, id: str, branch: str) -> None:
    """Answer 204 if a branch exists, else 404."""
    _find(request, id, branch, Error.NOT_FOUND)
