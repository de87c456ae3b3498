"""Why a job can fail, in GitLab's words.

https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/models/concerns/enums/ci/commit_status.rb
"""

from __future__ import annotations

from typing import Literal, get_args

FailureReason = Literal[
    "unknown_failure",
    "script_failure",
    "api_failure",
    "stuck_or_timeout_failure",
    "runner_system_failure",
    "missing_dependency_failure",
    "runner_unsupported",
    "stale_schedule",
    "job_execution_timeout",
    "archived_failure",
    "unmet_prerequisites",
    "scheduler_failure",
    "data_integrity_failure",
    "forward_deployment_failure",
    "user_blocked",
    "project_deleted",
    "ci_quota_exceeded",
    "pipeline_loop_detected",
    "no_matching_runner",
    "trace_size_exceeded",
    "builds_disabled",
    "environment_creation_failure",
    "deployment_rejected",
    "failed_outdated_deployment_job",
    "job_execution_server_timeout",
    "stuck_pending_with_matching_runners",
    "stuck_pending_no_matching_runners",
    "no_updates_running",
    "no_updates_canceling",
    "server_timeout_running",
    "server_timeout_canceling",
    "runner_configuration_error",
    "runner_external_dependency_failure",
    "runner_interrupted",
    "protected_environment_failure",
    "insufficient_bridge_permissions",
    "downstream_bridge_project_not_found",
    "invalid_bridge_trigger",
    "upstream_bridge_project_not_found",
    "insufficient_upstream_permissions",
    "bridge_pipeline_is_child_pipeline",
    "downstream_pipeline_creation_failed",
    "secrets_provider_not_found",
    "reached_max_descendant_pipelines_depth",
    "ip_restriction_failure",
    "reached_max_pipeline_hierarchy_size",
    "reached_downstream_pipeline_trigger_rate_limit",
    "duo_workflow_not_allowed",
    "job_router_failure",
    "job_token_expired",
    "id_token_burned_project_path",
    "downstream_project_trigger_resolved_to_empty",
]
_AFTER_THE_START = frozenset(
    {
        "unknown_failure",
        "script_failure",
        "api_failure",
        "runner_system_failure",
        "job_execution_timeout",
        "trace_size_exceeded",
        "job_execution_server_timeout",
        "no_updates_running",
        "no_updates_canceling",
        "server_timeout_running",
        "server_timeout_canceling",
        "runner_configuration_error",
        "runner_external_dependency_failure",
        "runner_interrupted",
        "job_token_expired",
    }
)
NOT_RETRIED: frozenset[FailureReason] = frozenset(
    {
        "ci_quota_exceeded",
        "no_matching_runner",
        "missing_dependency_failure",
        "forward_deployment_failure",
        "environment_creation_failure",
        "job_token_expired",
    }
)
"""After these no retry follows by itself, whatever the job says."""
USUAL_RETRIES: dict[FailureReason, int] = {"scheduler_failure": 2}
"""How many retries follow by themselves for a job that says nothing."""
BEFORE_THE_START: frozenset[FailureReason] = frozenset(get_args(FailureReason)) - _AFTER_THE_START
"""Why a job can fail that has not started: a job of no duration shows no start then."""
