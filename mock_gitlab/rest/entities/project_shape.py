"""The keys of a project, in GitLab's order, and the values that they have in a new project.

The module is long because a project has that many keys.
"""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from .users import UserBasic


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


NO_STATISTICS = dict.fromkeys(Statistics.__annotations__, 0)
SETTINGS: dict[str, Any] = {
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
"""The settings of a new project."""
