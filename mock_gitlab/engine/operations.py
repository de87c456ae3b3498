"""The names of GitLab's endpoints, by which faults and verifications know them.

They stand here and not with the routes so that files can be checked, and editors complete them,
without the web server; a test compares the two.
"""

from __future__ import annotations

from typing import Literal

Operation = Literal[
    "get_latest_pipeline",
    "get_pipeline",
    "list_pipelines",
    "create_pipeline",
    "retry_pipeline",
    "cancel_pipeline",
    "delete_pipeline",
    "update_pipeline_metadata",
    "list_pipeline_variables",
    "get_test_report",
    "get_test_report_summary",
    "trigger_pipeline",
    "trigger_pipeline_of_ref",
    "list_triggers",
    "get_trigger",
    "create_trigger",
    "update_trigger",
    "delete_trigger",
    "list_pipeline_jobs",
    "list_pipeline_bridges",
    "list_pipeline_trigger_jobs",
    "list_jobs",
    "get_job",
    "get_job_trace",
    "get_job_of_token",
    "cancel_job",
    "retry_job",
    "play_job",
    "erase_job",
    "download_artifacts_of_ref",
    "get_artifact_of_ref",
    "download_artifacts",
    "get_artifact",
    "keep_artifacts",
    "delete_artifacts",
    "delete_project_artifacts",
    "get_project",
    "list_projects",
    "get_commit",
    "list_branches",
    "get_branch",
    "list_tags",
    "get_tag",
    "get_current_user",
    "get_version",
    "get_metadata",
]
