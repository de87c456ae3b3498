"""What can start a pipeline, in GitLab's words.

https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/models/concerns/enums/ci/pipeline.rb
"""

from __future__ import annotations

from typing import Literal, get_args

Source = Literal[
    "unknown",
    "push",
    "web",
    "trigger",
    "schedule",
    "api",
    "external",
    "pipeline",
    "chat",
    "webide",
    "merge_request_event",
    "external_pull_request_event",
    "parent_pipeline",
    "ondemand_dast_scan",
    "ondemand_dast_validation",
    "security_orchestration_policy",
    "container_registry_push",
    "duo_workflow",
    "pipeline_execution_policy_schedule",
    "dependency_management_security_update",
]
SOURCES: tuple[Source, ...] = get_args(Source)
CHILD_SOURCE: Source = "parent_pipeline"
"""The source of a child pipeline."""
