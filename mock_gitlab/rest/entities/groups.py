"""Groups, as the paths of projects name them, and how they are presented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import NotFound
from mock_gitlab.rest.paths import decode_segment
from mock_gitlab.rest.request import Request

from .project_shape import Namespace, ProjectBasic
from .projects import groups_of, namespace_id, present_basic_project, present_namespace
from .users import BORN

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Project


class BranchProtection(TypedDict):
    """How the default branch of a new project is protected."""

    allowed_to_push: list[dict[str, int]]
    allow_force_push: bool
    allowed_to_merge: list[dict[str, int]]


class GroupStatistics(TypedDict):
    """How much a group stores."""

    storage_size: int
    repository_size: int
    job_artifacts_size: int


class Group(TypedDict):
    """A group."""

    id: int
    web_url: str
    name: str
    path: str
    description: str
    visibility: str
    share_with_group_lock: bool
    require_two_factor_authentication: bool
    two_factor_grace_period: int
    project_creation_level: str
    auto_devops_enabled: None
    subgroup_creation_level: str
    emails_disabled: bool
    emails_enabled: bool
    mentions_disabled: None
    lfs_enabled: bool
    archived: bool
    default_branch: None
    default_branch_protection: int
    default_branch_protection_defaults: BranchProtection
    avatar_url: None
    request_access_enabled: bool
    full_name: str
    full_path: str
    created_at: str
    parent_id: int | None
    organization_id: int
    shared_runners_setting: str
    statistics: NotRequired[GroupStatistics]


class GroupDetail(Group):
    """A single group, with its projects unless the request says otherwise."""

    shared_with_groups: list[dict[str, Any]]
    prevent_sharing_groups_outside_hierarchy: bool
    projects: NotRequired[list[ProjectBasic]]
    shared_projects: NotRequired[list[ProjectBasic]]


def group_paths(request: Request) -> list[str]:
    """List the full paths of the groups that have projects, in the order of the alphabet."""
    found: set[str] = set()
    for project in request.world.catalog.projects():
        found.update(groups_of(request, project))
    return sorted(found)


def find_group(request: Request, raw: str) -> str:
    """Find a group by its number or its URL-encoded path, and return its full path.

    Raises:
        NotFound: there is none. A lenient mock makes none either.
    """
    name = decode_segment(raw).lower()
    for path in group_paths(request):
        if name in (path.lower(), str(namespace_id(path))):
            return path
    raise NotFound("group", "groups follow from the paths of projects, and no project is in it")


def projects_of(request: Request, group: str, *, below: bool = False) -> list[Project]:
    """List the projects of a group, also those of its subgroups if ``below`` is true."""
    return [
        project
        for project in request.world.catalog.projects()
        if group in (groups_of(request, project) if below else groups_of(request, project)[:1])
    ]


def present_group(request: Request, path: str, *, statistics: bool = False) -> Group:
    """Present a group."""
    parent, _, name = path.rpartition("/")
    everybody = [{"access_level": 40}]
    shown: Group = {
        "id": namespace_id(path),
        "web_url": f"{request.site}/groups/{path}",
        "name": name,
        "path": name,
        "description": "",
        "visibility": "private",
        "share_with_group_lock": False,
        "require_two_factor_authentication": False,
        "two_factor_grace_period": 48,
        "project_creation_level": "developer",
        "auto_devops_enabled": None,
        "subgroup_creation_level": "maintainer",
        "emails_disabled": False,
        "emails_enabled": True,
        "mentions_disabled": None,
        "lfs_enabled": True,
        "archived": False,
        "default_branch": None,
        "default_branch_protection": 2,
        "default_branch_protection_defaults": {
            "allowed_to_push": everybody,
            "allow_force_push": False,
            "allowed_to_merge": everybody,
        },
        "avatar_url": None,
        "request_access_enabled": True,
        "full_name": " / ".join(path.split("/")),
        "full_path": path,
        "created_at": timestamp(BORN),
        "parent_id": namespace_id(parent) if parent else None,
        "organization_id": 1,
        "shared_runners_setting": "enabled",
    }
    if statistics:
        shown["statistics"] = {"storage_size": 0, "repository_size": 0, "job_artifacts_size": 0}
    return shown


def present_group_detail(request: Request, path: str, *, with_projects: bool) -> GroupDetail:
    """Present a single group."""
    shown: dict[str, Any] = {
        **present_group(request, path),
        "shared_with_groups": [],
        "prevent_sharing_groups_outside_hierarchy": False,
    }
    if with_projects:
        found = projects_of(request, path)
        shown["projects"] = [present_basic_project(request, project) for project in found]
        shown["shared_projects"] = []
    return shown  # type: ignore[return-value]  # a test compares the keys


def namespaces(request: Request) -> list[Namespace]:
    """List the namespaces: that of the user, and those of the groups."""
    return [present_namespace(request, path) for path in (None, *group_paths(request))]
