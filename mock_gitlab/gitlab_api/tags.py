"""The Tags page (https://docs.gitlab.com/api/tags/): reading tags."""

from __future__ import annotations

import re
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import KeysetPage, Page
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

from .branches import FILTERS, page_of_names, search_in
from .commits import Commit, present_commit

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
    sha, declared = request.world.catalog.sha(project, name), project.tag(name)
    commit = present_commit(request, project, sha)
    return {
        "name": name,
        "message": "" if declared is None else declared.message,
        "target": sha,
        "commit": commit,
        "release": None,
        "protected": declared is not None and bool(declared.protected),
        "created_at": commit["created_at"],
    }


@tags(
    "GET",
    "/projects/{id}/repository/tags",
    Param("sort", Kind.STRING, values=("asc", "desc"), default="desc"),
    Param("order_by", Kind.STRING, values=("name", "updated", "version"), default="updated"),
    *FILTERS,
    answers=list[Tag],
    paged=True,
    job_token=True,
)
def list_tags(
    request: Request, id: str, sort: str, order_by: str, search: str | None, **_: Any
) -> Page | KeysetPage:
    """List the tags that are declared or have been used. All are of the same time."""
    project = request.project(id)
    names = request.world.tags(project)
    if order_by != "updated":
        key = _version if order_by == "version" else str
        names.sort(key=key, reverse=sort == "desc")
    return page_of_names(
        request,
        search_in(names, search),
        "refs/tags/",
        lambda name: _present_tag(request, project, name),
    )


def _version(name: str) -> tuple[Any, ...]:
    """Split a name so that numbers in it are compared as numbers, however long they are."""
    parts = re.split("([0-9]+)", name)
    digits = (part.lstrip("0") for part in parts[1::2])
    numbers = ((len(each), each) for each in digits)
    return tuple(chain.from_iterable(zip_longest(parts[::2], numbers, fillvalue=()))), name


@tags("GET", "/projects/{id}/repository/tags/{tag}", answers=Tag, job_token=True)
def get_tag(request: Request, id: str, tag: str) -> Tag:
    """Show a tag."""
    project, name = request.project(id), decode_segment(tag)
    if not request.world.catalog.has_tag(project, name):
        raise ApiError(Error.TAG_NOT_FOUND)
    return _present_tag(request, project, name)
