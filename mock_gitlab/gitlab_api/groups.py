"""The pages Groups and Namespaces (https://docs.gitlab.com/api/groups/): reading them.

Groups follow from the paths of the projects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.model import NotFound
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.entities.groups import (
    Group,
    GroupDetail,
    find_group,
    group_paths,
    namespaces,
    present_group,
    present_group_detail,
    projects_of,
)
from mock_gitlab.rest.entities.project_shape import Namespace, ProjectBasic
from mock_gitlab.rest.entities.projects import present_basic_project, project_name
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.route import Endpoints

if TYPE_CHECKING:
    from mock_gitlab.rest.request import Request

groups = Endpoints("groups")

_ORDERS = ("id", "name", "path", "created_at")
_LIST = (
    Param("search", Kind.STRING, description="Part of the name or of the path."),
    Param("order_by", Kind.STRING, values=("name", "path", "id", "similarity"), default="name"),
    Param("sort", Kind.STRING, values=("asc", "desc"), default="asc"),
    Param("owned", Kind.BOOLEAN, description="All groups are the user's."),
    Param("min_access_level", Kind.INTEGER, values=(5, 10, 15, 20, 30, 40, 50)),
    Param("all_available", Kind.BOOLEAN),
    Param("skip_groups", Kind.STRINGS, description="The numbers of groups to leave out."),
    Param("statistics", Kind.BOOLEAN, default=False, description="Show how much is stored."),
)


def _page(request: Request, paths: list[str], params: dict[str, Any]) -> Page:
    searched, skipped = (params["search"] or "").lower(), params["skip_groups"] or ()
    shown = [present_group(request, each, statistics=params["statistics"]) for each in paths]
    found = [
        group
        for group in shown
        if searched in group["full_path"].lower() and str(group["id"]) not in skipped
    ]
    by_id = params["order_by"] == "id"
    found.sort(
        key=lambda group: ("" if by_id else group["name"], group["id"]),
        reverse=params["sort"] == "desc",
    )
    return page_of(request, found, lambda group: group)


@groups(
    "GET",
    "/groups",
    *_LIST,
    Param("top_level_only", Kind.BOOLEAN, default=False, description="Without subgroups."),
    answers=list[Group],
    login=Login.FIRST,
    paged=True,
)
def list_groups(request: Request, top_level_only: bool, **params: Any) -> Page:
    """List the groups."""
    paths = [path for path in group_paths(request) if not (top_level_only and "/" in path)]
    return _page(request, paths, params)


@groups(
    "GET",
    "/groups/{group}",
    Param("with_projects", Kind.BOOLEAN, default=True, description="Show its projects."),
    answers=GroupDetail,
    login=Login.FIRST,
)
def get_group(request: Request, group: str, with_projects: bool) -> GroupDetail:
    """Show a group."""
    return present_group_detail(request, find_group(request, group), with_projects=with_projects)


@groups(
    "GET",
    "/groups/{group}/subgroups",
    *_LIST,
    answers=list[Group],
    login=Login.FIRST,
    paged=True,
)
def list_subgroups(request: Request, group: str, **params: Any) -> Page:
    """List the groups right below a group."""
    above = find_group(request, group)
    paths = [path for path in group_paths(request) if path.rpartition("/")[0] == above]
    return _page(request, paths, params)


@groups(
    "GET",
    "/groups/{group}/descendant_groups",
    *_LIST,
    answers=list[Group],
    login=Login.FIRST,
    paged=True,
)
def list_descendant_groups(request: Request, group: str, **params: Any) -> Page:
    """List the groups anywhere below a group."""
    above = find_group(request, group)
    paths = [path for path in group_paths(request) if path.startswith(f"{above}/")]
    return _page(request, paths, params)


@groups(
    "GET",
    "/groups/{group}/projects",
    Param("search", Kind.STRING, description="Part of the name."),
    Param("include_subgroups", Kind.BOOLEAN, default=False, description="Also those below."),
    Param(
        "order_by", Kind.STRING, values=("id", "name", "path", "created_at"), default="created_at"
    ),
    Param("sort", Kind.STRING, values=("asc", "desc"), default="desc"),
    Param("archived", Kind.BOOLEAN),
    Param("simple", Kind.BOOLEAN, default=False, description="Makes no difference here."),
    answers=list[ProjectBasic],
    login=Login.FIRST,
    paged=True,
)
def list_group_projects(
    request: Request,
    group: str,
    search: str | None,
    include_subgroups: bool,
    archived: bool | None,
    order_by: str,
    sort: str,
    **_: Any,
) -> Page:
    """List the projects of a group."""
    path = find_group(request, group)
    searched, by_name = (search or "").lower(), order_by in ("name", "path")
    found = [
        project
        for project in projects_of(request, path, below=include_subgroups)
        if searched in project_name(project).lower() and not archived
    ]
    found.sort(
        key=lambda project: (project_name(project) if by_name else "", project.id),
        reverse=sort == "desc",
    )
    return page_of(request, found, lambda project: present_basic_project(request, project))


# ---------------------------------------------------------------------------- namespaces


@groups(
    "GET",
    "/namespaces",
    Param("search", Kind.STRING, description="Part of the path."),
    Param("owned_only", Kind.BOOLEAN, description="All namespaces are the user's."),
    Param("top_level_only", Kind.BOOLEAN, default=False, description="Without subgroups."),
    answers=list[Namespace],
    login=Login.FIRST,
    paged=True,
)
def list_namespaces(request: Request, search: str | None, top_level_only: bool, **_: Any) -> Page:
    """List the namespaces: that of the user, and the groups."""
    found = [
        each
        for each in namespaces(request)
        if (search or "").lower() in each["full_path"].lower()
        and not (top_level_only and each["parent_id"] is not None)
    ]
    return page_of(request, found, lambda each: each)


@groups("GET", "/namespaces/{namespace}", answers=Namespace, login=Login.FIRST)
def get_namespace(request: Request, namespace: str) -> Namespace:
    """Show a namespace, found by its number or its path."""
    name = decode_segment(namespace).lower()
    for each in namespaces(request):
        if name in (str(each["id"]), each["full_path"].lower()):
            return each
    raise NotFound("namespace")
