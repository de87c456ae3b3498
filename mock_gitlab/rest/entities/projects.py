"""Present a project, whole or as a simple list shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.rest.request import Request

from .project_shape import SETTINGS, Links, Namespace, ProjectBasic, ProjectShape
from .users import BORN, present_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_gitlab.engine.model import Project

_ORDER = {key: place for place, key in enumerate(ProjectShape.__annotations__)}


def namespace_id(path: str) -> int:
    """Derive the number of a namespace from its path, so that it is the same in every run."""
    return crc32(path.encode()) % 1_000_000 + 1


def groups_of(request: Request, project: Project) -> list[str]:
    """List the full paths of the groups that a project belongs to, nearest first."""
    segments = project.path.split("/")[:-1]
    if segments == [request.world.declared.user.username]:
        return []
    return ["/".join(segments[:end]) for end in range(len(segments), 0, -1)]


def present_namespace(request: Request, group: str | None) -> Namespace:
    """Present the namespace of a group, or that of the user."""
    user = request.world.declared.user
    if group is None:
        return {
            "id": namespace_id(user.username),
            "name": user.name,
            "path": user.username,
            "kind": "user",
            "full_path": user.username,
            "parent_id": None,
            "avatar_url": present_user(request)["avatar_url"],
            "web_url": f"{request.site}/{user.username}",
        }
    parent, _, name = group.rpartition("/")
    return {
        "id": namespace_id(group),
        "name": name,
        "path": name,
        "kind": "group",
        "full_path": group,
        "parent_id": namespace_id(parent) if parent else None,
        "avatar_url": None,
        "web_url": f"{request.site}/groups/{group}",
    }


def present_basic_project(request: Request, project: Project) -> ProjectBasic:
    """Present a project, as a simple list shows it."""
    group = next(iter(groups_of(request, project)), None)
    name, namespace = project_name(project), present_namespace(request, group)
    host = request.origin.partition("://")[2].partition(":")[0]
    url = f"{request.site}/{project.path}"
    above = namespace["name"] if namespace["kind"] == "user" else namespace["full_path"]
    return {
        "id": project.id,
        "description": None,
        "name": name,
        "name_with_namespace": " / ".join((*above.split("/"), name)),
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
        "namespace": namespace,
    }


def project_name(project: Project) -> str:
    """Return the last segment of a project's path."""
    return project.path.rpartition("/")[2]


def _present_links(request: Request, project: Project) -> Links:
    url = f"{request.site}/api/v4/projects/{project.id}"
    return {
        "self": url,
        "issues": f"{url}/issues",
        "merge_requests": f"{url}/merge_requests",
        "repo_branches": f"{url}/repository/branches",
        "labels": f"{url}/labels",
        "events": f"{url}/events",
        "members": f"{url}/members",
        "cluster_agents": f"{url}/cluster_agents",
    }


def present_project(request: Request, project: Project, more: Mapping[str, Any]) -> ProjectShape:
    """Present a project; ``more`` are the values of keys that not every answer has."""
    basic = present_basic_project(request, project)
    host = request.origin.partition("://")[2].partition(":")[0]
    owner = {"owner": present_user(request)} if basic["namespace"]["kind"] == "user" else {}
    fields: dict[str, Any] = {
        **basic,
        **SETTINGS,
        **owner,
        **more,
        "repository_storage": "default",
        "container_registry_image_prefix": f"{host}:5050/{project.path.lower()}",
        "_links": _present_links(request, project),
        "container_expiration_policy": {
            "cadence": "1d",
            "enabled": False,
            "keep_n": 10,
            "older_than": "90d",
            "name_regex": ".*",
            "name_regex_keep": None,
            "next_run_at": timestamp(BORN),
        },
        "creator_id": request.world.declared.user.id,
        "updated_at": timestamp(BORN),
        "permissions": {
            "project_access": {"access_level": 50, "notification_level": 3},
            "group_access": None,
        },
    }
    ordered = sorted(fields.items(), key=lambda field: _ORDER[field[0]])
    return dict(ordered)  # type: ignore[return-value]  # a test compares the keys
