"""Projects, their branches, tags and commits; the user, version and metadata.

Follows https://docs.gitlab.com/api/projects/ and the pages of users, version, metadata, branches,
tags and commits, as far as programs look things up before they trigger a pipeline.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import NotFound
from mock_gitlab.rest.body import decode_segment
from mock_gitlab.rest.endpoint import Endpoints, Login
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.rendering import Page
from mock_gitlab.rest.request import Request

from .users import BORN, User, UserBasic, present_full_user, present_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.engine.model import Project

_Item = TypeVar("_Item")

projects = Endpoints("projects")

_VERSION = "18.5.0-ee"
_REVISION = "3d8b6f0c2a1"
_SHA = re.compile(r"[0-9a-f]{7,40}\Z")


# ---------------------------------------------------------------------------- project


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
    """What the user may do in a project."""

    project_access: ProjectAccess
    group_access: None


class ProjectShape(TypedDict):
    """A project, as far as clients of pipelines read it."""

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


def _namespace_id(path: str) -> int:
    """Number a namespace: the same for all that is in it, and in every run."""
    return crc32(path.encode()) % 1_000_000 + 1


def _present_namespace(request: Request, project: Project) -> Namespace:
    full = project.path.rpartition("/")[0]
    parent, _, name = full.rpartition("/")
    user = request.world.declared.user
    return {
        "id": _namespace_id(full),
        "name": name,
        "path": name,
        "kind": "user" if full == user.username else "group",
        "full_path": full,
        "parent_id": _namespace_id(parent) if parent else None,
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


def _page(request: Request, found: list[_Item], show: Callable[[_Item], Any]) -> Page:
    """Show the part of a list that is asked for."""
    end = request.offset + request.limit
    rows = [show(each) for each in found[request.offset : end]]
    return Page(rows, len(found), more=len(found) > end)


@projects("GET", "/projects/{id}", answers=ProjectShape)
def get_project(request: Request, id: str) -> ProjectShape:
    """Show a project, found by its number or its URL-encoded path."""
    return _present(request, request.project(id))


@projects(
    "GET",
    "/projects",
    Param("search", Kind.STRING, description="Part of a path."),
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
        return Page([], 0, more=False)  # to a stranger nothing here is public
    found = [
        project
        for project in request.world.catalog.projects()
        if (search or "").lower() in project.path.lower() and not archived
    ]
    if order_by in ("name", "path"):
        found.sort(key=lambda project: project.path.rpartition("/")[2])
    if sort == "desc":
        found.reverse()
    return _page(request, found, lambda project: _present(request, project))


# ---------------------------------------------------------------------------- commits


class Commit(TypedDict):
    """A commit; the mock makes one up for every ref."""

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
    """Show the commit of a sha."""
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


@projects(
    "GET",
    "/projects/{id}/repository/commits",
    Param("ref_name", Kind.STRING, description="A branch or tag; left out: the default branch."),
    answers=list[Commit],
    paged=True,
)
def list_commits(request: Request, id: str, ref_name: str | None) -> Page:
    """List the commits of a ref, of which the mock knows the newest alone."""
    project, catalog = request.project(id), request.world.catalog
    ref = ref_name or project.default_branch
    exists = catalog.has_branch(project, ref) or catalog.has_tag(project, ref)
    heads = [catalog.sha(project, ref)] if exists else []
    page = _page(request, heads, lambda sha: present_commit(request, project, sha))
    return page._replace(total=None)


@projects("GET", "/projects/{id}/repository/commits/{sha}", answers=Commit)
def get_commit(request: Request, id: str, sha: str) -> Commit:
    """Show a commit, found by its sha or by the name of a branch or tag."""
    project, name = request.project(id), decode_segment(sha)
    catalog = request.world.catalog
    if _SHA.match(name):
        known = request.world.knows_commit(project, name)
        if known is None and request.world.declared.strict:
            raise NotFound("commit")
        return present_commit(request, project, known or name.ljust(40, "0"))
    if catalog.has_branch(project, name) or catalog.has_tag(project, name):
        return present_commit(request, project, catalog.sha(project, name))
    raise NotFound("commit")


# ---------------------------------------------------------------------------- branches, tags


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


class Tag(TypedDict):
    """A tag."""

    name: str
    message: str
    target: str
    commit: Commit
    release: None
    protected: bool
    created_at: str | None


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


_SEARCH = Param("search", Kind.STRING, description="Part of a name; ^ and $ stand for its ends.")


def _found(names: list[str], search: str | None) -> list[str]:
    if not search:
        return names
    pattern = re.escape(search.removeprefix("^").removesuffix("$"))
    start, end = "^" * search.startswith("^"), "$" * search.endswith("$")
    return [name for name in names if re.search(f"{start}{pattern}{end}", name)]


@projects("GET", "/projects/{id}/repository/branches", _SEARCH, answers=list[Branch], paged=True)
def list_branches(request: Request, id: str, search: str | None) -> Page:
    """List the branches whose names are declared or were used."""
    project = request.project(id)
    names = _found(request.world.branches(project), search)
    return _page(request, names, lambda name: _present_branch(request, project, name))


@projects("GET", "/projects/{id}/repository/branches/{branch}", answers=Branch)
def get_branch(request: Request, id: str, branch: str) -> Branch:
    """Show a branch."""
    project, name = request.project(id), decode_segment(branch)
    if not request.world.catalog.has_branch(project, name):
        raise NotFound("branch")
    return _present_branch(request, project, name)


@projects("GET", "/projects/{id}/repository/tags", _SEARCH, answers=list[Tag], paged=True)
def list_tags(request: Request, id: str, search: str | None) -> Page:
    """List the tags whose names are declared or were used."""
    project = request.project(id)
    names = _found(request.world.tags(project), search)
    return _page(request, names, lambda name: _present_tag(request, project, name))


@projects("GET", "/projects/{id}/repository/tags/{tag}", answers=Tag)
def get_tag(request: Request, id: str, tag: str) -> Tag:
    """Show a tag."""
    project, name = request.project(id), decode_segment(tag)
    if not request.world.catalog.has_tag(project, name):
        raise NotFound("tag")
    return _present_tag(request, project, name)


# ---------------------------------------------------------------------------- user, version


class Identity(TypedDict):
    """An identity of the user elsewhere."""

    provider: str
    extern_uid: str


class CurrentUser(User):
    """The user who asks."""

    last_sign_in_at: str | None
    confirmed_at: str
    last_activity_on: str | None
    email: str
    theme_id: int | None
    color_scheme_id: int
    projects_limit: int
    current_sign_in_at: str | None
    identities: list[Identity]
    can_create_group: bool
    can_create_project: bool
    two_factor_enabled: bool
    external: bool
    private_profile: bool
    commit_email: str
    is_admin: bool


@projects("GET", "/user", answers=CurrentUser, login=Login.ALWAYS)
def get_current_user(request: Request) -> CurrentUser:
    """Show the user who holds the token."""
    user = request.world.declared.user
    return {
        **present_full_user(request),
        "last_sign_in_at": None,
        "confirmed_at": timestamp(BORN),
        "last_activity_on": None,
        "email": user.email,
        "theme_id": None,
        "color_scheme_id": 1,
        "projects_limit": 100000,
        "current_sign_in_at": None,
        "identities": [],
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
        "commit_email": user.email,
        "is_admin": True,
    }


class Kas(TypedDict):
    """GitLab's agent server."""

    enabled: bool
    externalUrl: str | None
    externalK8sProxyUrl: str | None
    version: str | None


class Version(TypedDict):
    """What this GitLab says it is."""

    version: str
    revision: str
    kas: Kas
    enterprise: bool


def _version() -> Version:
    return {
        "version": _VERSION,
        "revision": _REVISION,
        "kas": {
            "enabled": False,
            "externalUrl": None,
            "externalK8sProxyUrl": None,
            "version": None,
        },
        "enterprise": True,
    }


@projects("GET", "/version", answers=Version, login=Login.ALWAYS)
def get_version(request: Request) -> Version:
    """Show the version that this GitLab says it is."""
    return _version()


@projects("GET", "/metadata", answers=Version, login=Login.ALWAYS)
def get_metadata(request: Request) -> Version:
    """Show the same as ``/version``."""
    return _version()
