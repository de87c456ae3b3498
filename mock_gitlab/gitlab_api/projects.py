"""The Projects page (https://docs.gitlab.com/api/projects/): reading projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

from .users import BORN, UserBasic, present_user

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Project

projects = Endpoints("projects")


class Namespace(TypedDict):
    """The group or user that a project belongs to."""

    id: int
    name: str
    path: str
    kind: str
    full_path: str
    parent_id: int | None
    avatar_url: str | None
    web_url: str


class ProjectAccess(TypedDict):
    """A level of access."""

    access_level: int
    notification_level: int


class Permissions(TypedDict):
    """The permissions of the user in a project."""

    project_access: ProjectAccess
    group_access: None


class ProjectShape(TypedDict):
    """A project."""

    id: int
    description: str | None
    name: str
    name_with_namespace: str
    path: str
    path_with_namespace: str
    created_at: str
    default_branch: str
    tag_list: list[str]
    topics: list[str]
    ssh_url_to_repo: str
    http_url_to_repo: str
    web_url: str
    readme_url: str | None
    forks_count: int
    avatar_url: str | None
    star_count: int
    last_activity_at: str
    namespace: Namespace
    empty_repo: bool
    archived: bool
    visibility: str
    owner: UserBasic
    jobs_enabled: bool
    builds_access_level: str
    shared_runners_enabled: bool
    public_jobs: bool
    ci_config_path: str | None
    ci_pipeline_variables_minimum_override_role: str
    permissions: Permissions


def namespace_id(path: str) -> int:
    """Derive the number of a namespace from its path, so that it is the same in every run."""
    return crc32(path.encode()) % 1_000_000 + 1


def groups_of(request: Request, project: Project) -> list[str]:
    """List the full paths of the groups that a project belongs to, nearest first."""
    segments = project.path.split("/")[:-1]
    if segments == [request.world.declared.user.username]:
        return []
    return ["/".join(segments[:end]) for end in range(len(segments), 0, -1)]


def _present_namespace(request: Request, project: Project) -> Namespace:
    full = project.path.rpartition("/")[0]
    parent, _, name = full.rpartition("/")
    user = request.world.declared.user
    return {
        "id": namespace_id(full),
        "name": name,
        "path": name,
        "kind": "user" if full == user.username else "group",
        "full_path": full,
        "parent_id": namespace_id(parent) if parent else None,
        "avatar_url": None,
        "web_url": f"{request.site}/{full}",
    }


def _present(request: Request, project: Project) -> ProjectShape:
    name = project.path.rpartition("/")[2]
    host = request.origin.partition("://")[2].partition(":")[0]
    url = f"{request.site}/{project.path}"
    return {
        "id": project.id,
        "description": None,
        "name": name,
        "name_with_namespace": project.path.replace("/", " / "),
        "path": name,
        "path_with_namespace": project.path,
        "created_at": timestamp(BORN),
        "default_branch": project.default_branch,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": f"git@{host}:{project.path}.git",
        "http_url_to_repo": f"{url}.git",
        "web_url": url,
        "readme_url": None,
        "forks_count": 0,
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": timestamp(BORN),
        "namespace": _present_namespace(request, project),
        "empty_repo": False,
        "archived": False,
        "visibility": "private",
        "owner": present_user(request),
        "jobs_enabled": True,
        "builds_access_level": "enabled",
        "shared_runners_enabled": True,
        "public_jobs": True,
        "ci_config_path": None,
        "ci_pipeline_variables_minimum_override_role": "developer",
        "permissions": {
            "project_access": {"access_level": 50, "notification_level": 3},
            "group_access": None,
        },
    }


@projects("GET", "/projects/{id}", answers=ProjectShape)
def get_project(request: Request, id: str) -> ProjectShape:
    """Show a project, found by its number or its URL-encoded path."""
    return _present(request, request.project(id))


@projects(
    "GET",
    "/projects",
    Param("search", Kind.STRING, description="A part of the path."),
    Param(
        "order_by",
        Kind.STRING,
        values=(
            "id",
            "name",
            "path",
            "created_at",
            "updated_at",
            "star_count",
            "last_activity_at",
            "similarity",
        ),
        default="created_at",
    ),
    Param("sort", Kind.STRING, values=("asc", "desc"), default="desc"),
    Param("simple", Kind.BOOLEAN),
    Param("membership", Kind.BOOLEAN),
    Param("owned", Kind.BOOLEAN),
    Param("archived", Kind.BOOLEAN),
    answers=list[ProjectShape],
    paged=True,
)
def list_projects(
    request: Request, search: str | None, order_by: str, sort: str, archived: bool | None, **_: Any
) -> Page:
    """List the projects that were declared or used."""
    if not request.log_in():
        if not request.world.declared.strict:
            request.require_login()
        return Page([], 0, more=False)  # no project here is public
    matching = [
        project
        for project in request.world.catalog.projects()
        if (search or "").lower() in project.path.lower() and not archived
    ]
    if order_by in ("name", "path"):
        matching.sort(key=lambda project: project.path.rpartition("/")[2])
    if sort == "desc":
        matching.reverse()
    return page_of(request, matching, lambda project: _present(request, project))
