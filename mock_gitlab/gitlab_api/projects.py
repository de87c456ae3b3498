"""The Projects page (https://docs.gitlab.com/api/projects/): reading projects.

The module is long because a project is: most of it are the keys that GitLab shows, with the values
that they have in a new project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired
from zlib import crc32

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import KeysetPage, Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

from .users import BORN, UserBasic, present_user

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


class License(TypedDict):
    """The license of a project. No project of the mock has one."""

    key: str


class CustomAttribute(TypedDict):
    """An attribute that an administrator has given to a project. The mock has none."""

    key: str
    value: str


class ProjectBasic(TypedDict):
    """A project, as a simple list shows it."""

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
    license_url: NotRequired[str | None]
    license: NotRequired[License | None]
    avatar_url: str | None
    star_count: int
    last_activity_at: str
    namespace: Namespace
    custom_attributes: NotRequired[list[CustomAttribute]]


class Links(TypedDict):
    """The addresses of what belongs to a project."""

    self: str
    issues: str
    merge_requests: str
    repo_branches: str
    labels: str
    events: str
    members: str
    cluster_agents: str


class ExpirationPolicy(TypedDict):
    """When the images of a project's container registry are deleted."""

    cadence: str
    enabled: bool
    keep_n: int | None
    older_than: str | None
    name_regex: str | None
    name_regex_keep: str | None
    next_run_at: str


class Statistics(TypedDict):
    """How much a project stores."""

    commit_count: int
    storage_size: int
    repository_size: int
    wiki_size: int
    lfs_objects_size: int
    job_artifacts_size: int
    pipeline_artifacts_size: int
    packages_size: int
    snippets_size: int
    uploads_size: int
    container_registry_size: int


class ProjectShape(ProjectBasic):
    """A project. A list leaves out what only a single project shows."""

    repository_storage: str
    container_registry_image_prefix: str
    _links: Links
    packages_enabled: bool
    empty_repo: bool
    archived: bool
    visibility: str
    owner: NotRequired[UserBasic]
    resolve_outdated_diff_discussions: bool
    container_expiration_policy: ExpirationPolicy
    repository_object_format: str
    issues_enabled: bool
    merge_requests_enabled: bool
    wiki_enabled: bool
    jobs_enabled: bool
    snippets_enabled: bool
    container_registry_enabled: bool
    service_desk_enabled: bool
    service_desk_address: str | None
    can_create_merge_request_in: bool
    issues_access_level: str
    repository_access_level: str
    merge_requests_access_level: str
    forking_access_level: str
    wiki_access_level: str
    builds_access_level: str
    snippets_access_level: str
    pages_access_level: str
    analytics_access_level: str
    container_registry_access_level: str
    security_and_compliance_access_level: str
    releases_access_level: str
    environments_access_level: str
    feature_flags_access_level: str
    infrastructure_access_level: str
    monitor_access_level: str
    model_experiments_access_level: str
    model_registry_access_level: str
    package_registry_access_level: str
    emails_disabled: bool
    emails_enabled: bool
    shared_runners_enabled: bool
    lfs_enabled: bool
    creator_id: int
    import_url: str | None
    import_type: str | None
    import_status: str
    import_error: NotRequired[str | None]
    open_issues_count: int
    description_html: str
    updated_at: str
    ci_default_git_depth: int
    ci_delete_pipelines_in_seconds: int | None
    ci_forward_deployment_enabled: bool
    ci_forward_deployment_rollback_allowed: bool
    ci_job_token_scope_enabled: bool
    ci_separated_caches: bool
    ci_allow_fork_pipelines_to_run_in_parent_project: bool
    ci_id_token_sub_claim_components: list[str]
    build_git_strategy: NotRequired[str]
    keep_latest_artifact: bool
    restrict_user_defined_variables: bool
    ci_pipeline_variables_minimum_override_role: str
    runners_token: NotRequired[str | None]
    runner_token_expiration_interval: NotRequired[int | None]
    group_runners_enabled: bool
    auto_cancel_pending_pipelines: str
    build_timeout: int
    auto_devops_enabled: bool
    auto_devops_deploy_strategy: str
    ci_push_repository_for_job_token_allowed: bool
    ci_config_path: str | None
    public_jobs: bool
    shared_with_groups: list[dict[str, Any]]
    only_allow_merge_if_pipeline_succeeds: bool
    allow_merge_on_skipped_pipeline: bool | None
    request_access_enabled: bool
    only_allow_merge_if_all_discussions_are_resolved: bool
    remove_source_branch_after_merge: bool
    printing_merge_request_link_enabled: bool
    merge_method: str
    squash_option: str
    enforce_auth_checks_on_uploads: bool
    suggestion_commit_message: str | None
    merge_commit_template: str | None
    squash_commit_template: str | None
    issue_branch_template: str | None
    statistics: NotRequired[Statistics]
    warn_about_potentially_unwanted_characters: bool
    autoclose_referenced_issues: bool
    max_artifacts_size: int | None
    permissions: Permissions


_ORDER = {key: place for place, key in enumerate(ProjectShape.__annotations__)}
_SINGLE_ALONE = frozenset(
    ("import_error", "build_git_strategy", "runners_token", "runner_token_expiration_interval")
)
_SETTINGS: dict[str, Any] = {
    "packages_enabled": True,
    "empty_repo": False,
    "archived": False,
    "visibility": "private",
    "resolve_outdated_diff_discussions": False,
    "repository_object_format": "sha1",
    "issues_enabled": True,
    "merge_requests_enabled": True,
    "wiki_enabled": True,
    "jobs_enabled": True,
    "snippets_enabled": True,
    "container_registry_enabled": True,
    "service_desk_enabled": False,
    "service_desk_address": None,
    "can_create_merge_request_in": True,
    "issues_access_level": "enabled",
    "repository_access_level": "enabled",
    "merge_requests_access_level": "enabled",
    "forking_access_level": "enabled",
    "wiki_access_level": "enabled",
    "builds_access_level": "enabled",
    "snippets_access_level": "enabled",
    "pages_access_level": "private",
    "analytics_access_level": "enabled",
    "container_registry_access_level": "enabled",
    "security_and_compliance_access_level": "private",
    "releases_access_level": "enabled",
    "environments_access_level": "enabled",
    "feature_flags_access_level": "enabled",
    "infrastructure_access_level": "enabled",
    "monitor_access_level": "enabled",
    "model_experiments_access_level": "enabled",
    "model_registry_access_level": "enabled",
    "package_registry_access_level": "enabled",
    "emails_disabled": False,
    "emails_enabled": True,
    "shared_runners_enabled": True,
    "lfs_enabled": True,
    "import_url": None,
    "import_type": None,
    "import_status": "none",
    "import_error": None,
    "open_issues_count": 0,
    "description_html": "",
    "ci_default_git_depth": 20,
    "ci_delete_pipelines_in_seconds": None,
    "ci_forward_deployment_enabled": True,
    "ci_forward_deployment_rollback_allowed": True,
    "ci_job_token_scope_enabled": False,
    "ci_separated_caches": True,
    "ci_allow_fork_pipelines_to_run_in_parent_project": True,
    "ci_id_token_sub_claim_components": ["project_path", "ref_type", "ref"],
    "build_git_strategy": "fetch",
    "keep_latest_artifact": True,
    "restrict_user_defined_variables": False,
    "ci_pipeline_variables_minimum_override_role": "developer",
    "runners_token": None,
    "runner_token_expiration_interval": None,
    "group_runners_enabled": True,
    "auto_cancel_pending_pipelines": "enabled",
    "build_timeout": 3600,
    "auto_devops_enabled": False,
    "auto_devops_deploy_strategy": "continuous",
    "ci_push_repository_for_job_token_allowed": False,
    "ci_config_path": None,
    "public_jobs": True,
    "shared_with_groups": [],
    "only_allow_merge_if_pipeline_succeeds": False,
    "allow_merge_on_skipped_pipeline": None,
    "request_access_enabled": True,
    "only_allow_merge_if_all_discussions_are_resolved": False,
    "remove_source_branch_after_merge": True,
    "printing_merge_request_link_enabled": True,
    "merge_method": "merge",
    "squash_option": "default_off",
    "enforce_auth_checks_on_uploads": True,
    "suggestion_commit_message": None,
    "merge_commit_template": None,
    "squash_commit_template": None,
    "issue_branch_template": None,
    "warn_about_potentially_unwanted_characters": True,
    "autoclose_referenced_issues": True,
    "max_artifacts_size": None,
}
_NO_STATISTICS = dict.fromkeys(Statistics.__annotations__, 0)


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
    groups, user = groups_of(request, project), request.world.declared.user
    if not groups:
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
    name = groups[0].rpartition("/")[2]
    return {
        "id": namespace_id(groups[0]),
        "name": name,
        "path": name,
        "kind": "group",
        "full_path": groups[0],
        "parent_id": namespace_id(groups[1]) if len(groups) > 1 else None,
        "avatar_url": None,
        "web_url": f"{request.site}/groups/{groups[0]}",
    }


def _present_basic(request: Request, project: Project) -> ProjectBasic:
    name, namespace = _name(project), _present_namespace(request, project)
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


def _name(project: Project) -> str:
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


def _present(request: Request, project: Project, more: Mapping[str, Any]) -> ProjectShape:
    """Present a project; ``more`` are the values of keys that not every answer has."""
    basic = _present_basic(request, project)
    host = request.origin.partition("://")[2].partition(":")[0]
    owner = {"owner": present_user(request)} if basic["namespace"]["kind"] == "user" else {}
    fields: dict[str, Any] = {
        **basic,
        **_SETTINGS,
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


def _more(statistics: bool | None, with_custom_attributes: bool | None) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if statistics:
        more["statistics"] = _NO_STATISTICS
    if with_custom_attributes:
        more["custom_attributes"] = []
    return more


_EXTRAS = (
    Param("statistics", Kind.BOOLEAN, default=False, description="Show how much is stored."),
    Param("with_custom_attributes", Kind.BOOLEAN, description="Show them. There are none."),
)


@projects(
    "GET",
    "/projects/{id}",
    *_EXTRAS,
    Param("license", Kind.BOOLEAN, default=False, description="Show the license. There is none."),
    answers=ProjectShape,
)
def get_project(request: Request, id: str, license: bool, **extras: Any) -> ProjectShape:
    """Show a project, found by its number or its URL-encoded path."""
    more = _more(**extras) | ({"license_url": None, "license": None} if license else {})
    return _present(request, request.project(id), more)


# ---------------------------------------------------------------------------- the list


_ORDERS = (
    "id", "name", "path", "created_at", "updated_at", "last_activity_at", "similarity",
    "star_count", "storage_size", "repository_size", "wiki_size", "packages_size",
)  # fmt: skip
_MAX_OFFSET = 50_000


@projects(
    "GET",
    "/projects",
    Param("order_by", Kind.STRING, values=_ORDERS, default="created_at"),
    Param("sort", Kind.STRING, values=("asc", "desc"), default="desc"),
    Param("active", Kind.BOOLEAN, description="Whether it is neither archived nor to be deleted."),
    Param("archived", Kind.BOOLEAN),
    Param("visibility", Kind.STRING, values=("private", "internal", "public")),
    Param("search", Kind.STRING, description="Words that are all part of the name."),
    Param("search_namespaces", Kind.BOOLEAN, description="Search the whole path."),
    Param("owned", Kind.BOOLEAN, default=False),
    Param("starred", Kind.BOOLEAN, default=False),
    Param("imported", Kind.BOOLEAN, default=False),
    Param("membership", Kind.BOOLEAN, default=False),
    Param("with_issues_enabled", Kind.BOOLEAN, default=False),
    Param("with_merge_requests_enabled", Kind.BOOLEAN, default=False),
    Param("with_programming_language", Kind.STRING),
    Param("min_access_level", Kind.INTEGER, values=(10, 15, 20, 30, 40, 50)),
    Param("id_after", Kind.INTEGER),
    Param("id_before", Kind.INTEGER),
    Param("last_activity_after", Kind.DATETIME),
    Param("last_activity_before", Kind.DATETIME),
    Param("repository_storage", Kind.STRING),
    Param("repository_checksum_failed", Kind.BOOLEAN, default=False),
    Param("wiki_checksum_failed", Kind.BOOLEAN, default=False),
    Param("topic", Kind.STRING),
    Param("topic_id", Kind.INTEGER),
    Param("updated_before", Kind.DATETIME),
    Param("updated_after", Kind.DATETIME),
    Param("include_hidden", Kind.BOOLEAN),
    Param("include_pending_delete", Kind.BOOLEAN),
    Param("marked_for_deletion_on", Kind.DATETIME),
    Param("simple", Kind.BOOLEAN, default=False, description="Show the most important keys only."),
    *_EXTRAS,
    Param(
        "pagination",
        Kind.STRING,
        description="`keyset`: pages are found by `id_after` or `id_before`.",
        example="keyset",
    ),
    answers=list[ProjectShape] | list[ProjectBasic],
    paged=True,
)
def list_projects(
    request: Request,
    simple: bool,
    statistics: bool,
    with_custom_attributes: bool | None,
    **params: Any,
) -> Page | KeysetPage:
    """List the projects that were declared or used."""
    by_update = params["updated_after"] is not None or params["updated_before"] is not None
    if by_update and params["order_by"] != "updated_at":
        raise ApiError(Error.UPDATES_NOT_PAIRED)
    if not request.log_in():
        if not request.world.declared.strict:
            request.require_login()
        return Page([], 0, more=False)  # no project here is public
    more = {
        key: value
        for key, value in _more(statistics, with_custom_attributes).items()
        if not simple or key in ProjectBasic.__annotations__
    }

    def present(project: Project) -> ProjectShape | ProjectBasic:
        if simple:
            return {**_present_basic(request, project), **more}  # type: ignore[return-value]  # keys that may be missing
        shown = _present(request, project, more)
        return {key: value for key, value in shown.items() if key not in _SINGLE_ALONE}  # type: ignore[return-value]  # keys that may be missing

    found = [project for project in _candidates(request, params) if _matches(project, params)]
    return _page_of_projects(request, _sorted(found, params), params, present)


def _page_of_projects(
    request: Request,
    found: list[Project],
    params: dict[str, Any],
    present: Callable[[Project], ProjectShape | ProjectBasic],
) -> Page | KeysetPage:
    if params["pagination"] != "keyset":
        if request.offset > _MAX_OFFSET:
            raise ApiError(Error.OFFSET_TOO_LARGE, limit=_MAX_OFFSET, type="Project")
        return page_of(request, found, present)
    if params["order_by"] != "id":
        raise ApiError(Error.NO_KEYSET_PAGINATION)
    shown = found[: request.limit]
    # GitLab links to a page behind the last one, which is empty.
    last = str(shown[-1].id) if shown else None
    name = "id_before" if params["sort"] == "desc" else "id_after"
    return KeysetPage([present(project) for project in shown], last, name)


_NO_PROJECT_IS = (
    "archived", "starred", "imported", "repository_checksum_failed", "wiki_checksum_failed",
    "topic", "topic_id", "with_programming_language", "marked_for_deletion_on",
)  # fmt: skip
"""Filters that no project of the mock meets, if they have a value."""


def _candidates(request: Request, params: dict[str, Any]) -> list[Project]:
    """List the projects that meet the filters for which all projects of the mock are alike."""
    after, before = params["last_activity_after"], params["last_activity_before"]
    updated_after, updated_before = params["updated_after"], params["updated_before"]
    none = (
        any(params[name] for name in _NO_PROJECT_IS)
        or params["active"] is False
        or params["visibility"] not in (None, "private")
        or params["repository_storage"] not in (None, "", "default")
        or any(each is not None and each > BORN for each in (after, updated_after))
        or any(each is not None and each < BORN for each in (before, updated_before))
    )
    return [] if none else request.world.catalog.projects()


def _matches(project: Project, params: dict[str, Any]) -> bool:
    searched = project.path if params["search_namespaces"] else _name(project)
    words = (params["search"] or "").lower().split()
    after, before = params["id_after"], params["id_before"]
    return (
        all(word in searched.lower() for word in words)
        and (after is None or project.id > after)
        and (before is None or project.id < before)
    )


def _sorted(found: list[Project], params: dict[str, Any]) -> list[Project]:
    order, search = params["order_by"], (params["search"] or "").lower()
    if order == "similarity" and search:
        return sorted(found, key=lambda project: (_name(project).lower() != search, project.id))
    by_name = order in ("name", "path")
    return sorted(
        found,
        key=lambda project: (_name(project) if by_name else "", project.id),
        reverse=params["sort"] == "desc",
    )
