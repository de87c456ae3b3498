"""Every parameter and every key that GitLab's documentation has, and where each is tested.

The pages are pipelines, pipeline triggers, jobs, job artifacts, projects (reading), branches, tags,
commits, users (the current one), version and metadata.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest
from typing_extensions import is_typeddict

from mock_gitlab.app import ROUTES
from mock_gitlab.engine.hooks import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Mock

PIPELINE = "/api/v4/projects/1/pipelines/1"
JOBS = "/api/v4/projects/1/jobs"

# ---------------------------------------------------------------------------- parameters

_PAGES = "rest.test_pagination::test_a_page_in_the_middle_has_all_headers_in_gitlabs_order"
_MOCK = {
    "test_triggering::test_inline_values_override_the_scenario_field_by_field": (
        "scenario_id terminal_after_seconds terminal_status"
    ),
}
_TRIGGER = {
    "test_triggering::test_bad_parameters_are_named_in_grapes_words": "ref variables",
    "test_triggering::test_what_a_token_without_a_header_is_worth": "token",
    "test_documented::test_inputs_are_a_map": "inputs",
    **_MOCK,
}
_HOOK = "test_project_webhooks::test_every_attribute_is_kept_and_changed"
_HOOK_PAIR = "test_project_webhooks::test_headers_and_variables_are_set_and_deleted"
_HOOK_FIELDS = (
    "name description token signing_token enable_ssl_verification push_events_branch_filter "
    "branch_filter_strategy custom_webhook_template custom_headers url_variables "
    f"{' '.join(EVENTS)}"
)
_OF_REF = {
    "test_artifacts::test_artifacts_of_a_ref_are_searched_in_child_pipelines_too": "job",
    "test_artifacts::test_a_search_finds_artifacts_in_older_successes": (
        "search_recent_successful_pipelines"
    ),
}
_GROUPS = "test_groups::test_"
_WALK = "test_branches_and_tags::test_names_are_walked_by_the_name_of_the_last_one"
_SEARCH = "test_branches_and_tags::test_a_search_ignores_case_and_shows_the_very_name_first"

PARAMETERS: dict[str, dict[str, str]] = {
    "get_latest_pipeline": {
        "test_reading::test_the_latest_pipeline_is_that_of_the_default_branch_or_of_a_ref": "ref",
    },
    "list_pipelines": {
        "test_reading::test_filters_and_orders": (
            "scope status ref yaml_errors username updated_before updated_after created_before "
            "created_after name order_by sort source"
        ),
        "test_documented::test_pipelines_are_filtered_by_their_commit": "sha",
    },
    "create_pipeline": {
        "test_reading::test_bad_creates_are_400": "ref variables",
        "test_documented::test_inputs_are_a_map": "inputs",
        **_MOCK,
    },
    "update_pipeline_metadata": {
        "test_reading::test_a_name_has_1_to_255_characters": "name",
    },
    "trigger_pipeline": _TRIGGER,
    "trigger_pipeline_of_ref": {
        "test_triggering::test_a_full_ref_is_taken_and_kept_as_its_name": "ref token",
        "test_documented::test_the_trigger_of_a_ref_takes_what_the_other_one_takes": "variables",
        "test_documented::test_inputs_are_a_map": "inputs",
        **_MOCK,
    },
    "create_trigger": {
        "test_trigger_tokens::test_a_bad_trigger_token_is_400": "description expires_at",
    },
    "update_trigger": {
        "test_trigger_tokens::test_a_trigger_token_is_made_shown_described_listed_and_deleted": (
            "description"
        ),
    },
    "list_pipeline_jobs": {
        "test_documented::test_jobs_are_filtered": "scope include_retried",
    },
    "list_pipeline_bridges": {"test_documented::test_jobs_are_filtered": "scope"},
    "list_pipeline_trigger_jobs": {"test_documented::test_jobs_are_filtered": "scope"},
    "list_jobs": {
        "test_documented::test_jobs_are_filtered": "scope ref",
        "rest.test_pagination::test_a_walk_by_cursor_sees_every_job_once_and_ends_without_a_link": (
            "pagination"
        ),
        "rest.test_pagination::test_a_cursor_that_nobody_gave_is_invalid": "cursor",
    },
    "get_job_trace": {
        "test_playing_jobs::test_a_part_of_a_trace_is_read_by_its_bytes": "byte_offset byte_limit",
    },
    "cancel_job": {"test_documented::test_a_job_is_canceled_by_force_too": "force"},
    "retry_job": {"test_playing_jobs::test_the_inputs_of_a_job_are_a_map": "inputs"},
    "play_job": {
        "test_playing_jobs::test_the_inputs_of_a_job_are_a_map": "job_inputs",
        "test_playing_jobs::test_the_variables_of_a_played_job_stand_in_the_journal": (
            "job_variables_attributes"
        ),
    },
    "download_artifacts_of_ref": _OF_REF,
    "get_artifact_of_ref": _OF_REF,
    "list_artifacts": {
        "test_artifacts::test_the_tree_has_folders_recursion_and_pages": "path recursive",
    },
    "get_project": {
        "test_projects::test_a_single_project_shows_more_if_it_is_asked_to": (
            "statistics with_custom_attributes license"
        ),
    },
    "list_projects": {
        "test_projects::test_the_list_of_projects_has_gitlabs_filters": (
            "order_by sort active archived visibility search search_namespaces owned starred "
            "imported membership with_issues_enabled with_merge_requests_enabled "
            "with_programming_language min_access_level id_after id_before last_activity_after "
            "last_activity_before repository_storage repository_checksum_failed "
            "wiki_checksum_failed topic topic_id updated_before updated_after include_hidden "
            "include_pending_delete marked_for_deletion_on"
        ),
        "test_projects::test_a_simple_list_has_only_the_first_keys": "simple",
        "test_projects::test_a_list_of_projects_shows_more_if_it_is_asked_to": (
            "statistics with_custom_attributes"
        ),
        "test_projects::test_projects_are_walked_by_their_numbers": "pagination",
    },
    "list_commits": {
        "test_commits::test_the_list_of_commits_has_gitlabs_filters": (
            "ref_name since until path author all first_parent order trailers"
        ),
        "test_commits::test_the_list_of_commits_shows_statistics_if_it_is_asked_to": "with_stats",
    },
    "get_commit": {
        "test_commits::test_the_statistics_of_a_single_commit_can_be_left_out": "stats",
    },
    "list_commit_statuses": {
        "test_commit_statuses::test_statuses_are_filtered_ordered_and_in_pages": (
            "ref stage name pipeline_id all order_by sort"
        ),
    },
    "post_commit_status": {
        "test_commit_statuses::test_a_status_has_gitlabs_keys_in_their_order": (
            "state ref name target_url description coverage"
        ),
        "test_commit_statuses::test_the_name_comes_from_name_then_context": "context",
        "test_commit_statuses::test_a_status_goes_into_the_pipeline_that_is_named": "pipeline_id",
    },
    "list_branches": {
        _SEARCH: "search",
        _WALK: "page_token pagination",
        "test_branches_and_tags::test_branches_are_filtered_by_a_regular_expression": "regex",
        "test_branches_and_tags::test_branches_have_gitlabs_orders": "sort",
    },
    "list_tags": {
        _SEARCH: "search",
        _WALK: "page_token pagination",
        "test_branches_and_tags::test_tags_have_gitlabs_orders": "sort order_by",
    },
    "create_hook": {_HOOK: f"url {_HOOK_FIELDS}"},
    "update_hook": {_HOOK: f"url {_HOOK_FIELDS}"},
    "set_hook_header": {_HOOK_PAIR: "value"},
    "set_hook_url_variable": {_HOOK_PAIR: "value"},
    "list_hook_events": {
        "test_project_webhooks::test_events_are_listed_filtered_and_sent_again": "status",
    },
    "list_environments": {
        "test_environments::test_environments_are_filtered": "name search states",
    },
    "create_environment": {
        "test_environments::test_the_api_makes_an_environment": (
            "external_url tier description auto_stop_setting"
        ),
        "test_environments::test_a_bad_environment_is_400": "name slug",
    },
    "update_environment": {
        "test_environments::test_an_environment_is_changed": "external_url tier description",
        "test_environments::test_a_setting_is_changed_and_a_slug_is_not": "auto_stop_setting slug",
    },
    "stop_stale_environments": {
        "test_environments::test_stale_environments_are_stopped": "before",
    },
    "stop_environment": {"test_environments::test_force_stops_without_the_job": "force"},
    "list_deployments": {
        "test_deployments::test_deployments_are_filtered_and_ordered": (
            "order_by sort updated_after updated_before finished_after finished_before environment "
            "status"
        ),
    },
    "create_deployment": {
        "test_deployments::test_a_bad_deployment_is_400_and_makes_nothing": (
            "environment sha ref tag status"
        ),
    },
    "list_groups": {
        f"{_GROUPS}groups_are_filtered_and_ordered": (
            "search order_by sort owned min_access_level all_available skip_groups statistics "
            "top_level_only"
        ),
    },
    "list_subgroups": {
        f"{_GROUPS}groups_below_are_filtered_and_ordered": (
            "search order_by sort owned min_access_level all_available skip_groups statistics"
        ),
    },
    "list_descendant_groups": {
        f"{_GROUPS}groups_below_are_filtered_and_ordered": (
            "search order_by sort owned min_access_level all_available skip_groups statistics"
        ),
    },
    "get_group": {f"{_GROUPS}a_group_shows_its_projects_unless_asked_not_to": "with_projects"},
    "list_group_projects": {
        f"{_GROUPS}the_projects_of_a_group_are_filtered_and_ordered": (
            "search include_subgroups order_by sort archived simple"
        ),
    },
    "list_namespaces": {
        f"{_GROUPS}namespaces_are_filtered": "search owned_only top_level_only",
    },
    **{
        name: {"test_members::test_members_are_filtered": "query user_ids"}
        for name in ("list_members", "list_all_members", "list_group_members")
    },
    "list_project_users": {
        "test_members::test_the_users_of_a_project_are_filtered": "search skip_users",
    },
    "list_users": {
        "test_members::test_users_are_filtered": "username search active blocked external",
    },
    "update_deployment": {
        "test_deployments::test_a_made_deployment_changes_its_status": "status",
    },
}
"""For each operation: its parameters by the test that uses them."""


def find(test: str) -> Callable[..., None]:
    """Find a test by its module and name; most modules stand beside this one."""
    module, name = test.split("::")
    package = "tests" if "." in module else "tests.gitlab_api"
    found: Callable[..., None] = getattr(importlib.import_module(f"{package}.{module}"), name)
    return found


def test_every_parameter_is_in_the_table():
    declared = {
        route.name: {p.name for p in route.endpoint.params} - {"page", "per_page"}
        for route in ROUTES
    }

    listed = {
        name: {parameter for names in tests.values() for parameter in names.split()}
        for name, tests in PARAMETERS.items()
    }
    assert listed == {name: params for name, params in declared.items() if params}


def test_the_tests_of_the_table_exist_and_name_their_parameters():
    for tests in PARAMETERS.values():
        for test, names in tests.items():
            source = inspect.getsource(find(test))
            assert [name for name in names.split() if name not in source] == [], test


def test_every_list_takes_pages():
    assert callable(find(_PAGES))
    for route in ROUTES:
        params = {param.name for param in route.endpoint.params}
        assert route.endpoint.paged is ({"page", "per_page"} <= params)


# ---------------------------------------------------------------------------- tested here alone


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


def test_pipelines_are_filtered_by_their_commit(mock: Mock):
    shas = [mock.trigger(ref=ref)["sha"] for ref in ("main", "other", "main")]

    url = "/api/v4/projects/1/pipelines"
    assert ids(mock.get(f"{url}?sha={shas[0]}")) == [3, 1]
    assert ids(mock.get(f"{url}?sha={shas[1]}")) == [2]
    assert ids(mock.get(f"{url}?sha={shas[0][:8]}")) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{PIPELINE}/jobs?scope=success", [100_001]),
        (f"{PIPELINE}/jobs?scope[]=success&scope[]=running", [101_002, 100_001]),
        (f"{PIPELINE}/jobs?include_retried=true", [101_002, 100_002, 100_001]),
        (f"{PIPELINE}/jobs?include_retried=true&scope=failed", [100_002]),
        (f"{PIPELINE}/jobs", [101_002, 100_001]),
        (f"{PIPELINE}/bridges?scope=success", [100_003]),
        (f"{PIPELINE}/bridges?scope=failed", []),
        (f"{PIPELINE}/trigger_jobs?scope[]=success", [100_003]),
        (f"{PIPELINE}/trigger_jobs?scope[]=failed", []),
        (f"{JOBS}?ref=other", [300_001]),
        (f"{JOBS}?ref=nowhere", []),
        (f"{JOBS}?scope=failed", [100_002]),
        (f"{JOBS}?scope[a]=failed&scope[b]=success", [300_001, 100_002, 100_001]),
    ],
)
def test_jobs_are_filtered(mock: Mock, path: str, expected: list[int]):
    bridge = {"name": "start", "downstream": {"project": "2", "scenario": 5}}
    again = {"name": "test", "duration": 9, "attempts": [{"status": "failed", "duration": 0}, {}]}
    mock.declare(900, jobs=[{"name": "build"}, again, bridge])
    mock.trigger(scenario_id=900)
    mock.trigger(terminal_after_seconds=0, ref="other")
    assert mock.post(f"{JOBS}/100002/retry").status_code == 201

    assert ids(mock.get(path)) == expected


@pytest.mark.parametrize(
    "path", [f"{PIPELINE}/jobs", f"{PIPELINE}/bridges", f"{PIPELINE}/trigger_jobs", JOBS]
)
def test_a_scope_is_a_status(mock: Mock, path: str):
    mock.trigger()

    answer = mock.get(f"{path}?scope[]=done")

    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "scope does not have a valid value"},
    )


@pytest.mark.parametrize("force", ["true", "false"])
def test_a_job_is_canceled_by_force_too(mock: Mock, force: str):
    mock.trigger(scenario_id=0)

    answer = mock.post(f"{JOBS}/100001/cancel?force={force}")
    bad = mock.post(f"{JOBS}/100001/cancel?force=x")

    assert (answer.status_code, answer.json()["status"]) == (201, "canceled")
    assert (bad.status_code, bad.json()) == (400, {"error": "force is invalid"})


@pytest.mark.parametrize("path", ["pipeline", "trigger/pipeline", "ref/main/trigger/pipeline"])
def test_inputs_are_a_map(mock: Mock, path: str):
    url = f"/api/v4/projects/1/{path}"

    fine = mock.post(url, json={"ref": "main", "inputs": {"level": 3}})
    bad = mock.post(url, json={"ref": "main", "inputs": "x"})

    assert fine.status_code == 201
    assert (bad.status_code, bad.json()) == (400, {"error": "inputs is invalid"})


def test_the_trigger_of_a_ref_takes_what_the_other_one_takes(mock: Mock):
    body = {"variables": {"A": "1"}, "scenario_id": 5}
    created = mock.post("/api/v4/projects/1/ref/main/trigger/pipeline", json=body)

    assert created.status_code == 201
    assert mock.get("/_mock/pipelines/1").json()["variables"]["A"] == "1"


# ---------------------------------------------------------------------------- keys

EVERYTHING = """
projects:
  - {id: 1, path: group/app, trigger_tokens: [{description: ci, token: glptt-one}]}
  - {id: 2, path: root/app}
scenarios:
  - scenario_id: 900
    name: everything
    jobs:
      - {name: build, status: failed, trace: done, artifacts: {docs/a.txt: a}}
      - {name: start, downstream: {project: root/app, scenario: 5}}
    test_report: {suites: [{name: build, cases: [{name: adds}]}]}
"""
KEYS: dict[str, tuple[str, str, str]] = {
    "PipelineWithName": (
        "/pipelines/1",
        "",
        """
        id iid project_id sha ref status source created_at updated_at web_url before_sha tag
        yaml_errors user started_at finished_at committed_at duration queued_duration coverage
        detailed_status archived name
        """,
    ),
    "UserBasic": (
        "/pipelines/1",
        "user",
        """
        id username public_email name state locked avatar_url web_url
        """,
    ),
    "DetailedStatus": (
        "/pipelines/1",
        "detailed_status",
        """
        icon text label group tooltip has_details details_path illustration favicon
        """,
    ),
    "PipelineListItem": (
        "/pipelines",
        "0",
        """
        id iid project_id sha ref status source created_at updated_at web_url name
        """,
    ),
    "Pipeline": (
        "POST /pipelines/1/cancel",
        "",
        """
        id iid project_id sha ref status source created_at updated_at web_url before_sha tag
        yaml_errors user started_at finished_at committed_at duration queued_duration coverage
        detailed_status archived
        """,
    ),
    "PipelineVariable": (
        "/pipelines/1/variables",
        "0",
        "variable_type key value raw",
    ),
    "TestReport": (
        "/pipelines/1/test_report",
        "",
        """
        total_time total_count success_count failed_count skipped_count error_count test_suites
        """,
    ),
    "TestSuiteShape": (
        "/pipelines/1/test_report",
        "test_suites.0",
        """
        name total_time total_count success_count failed_count skipped_count error_count suite_error
        test_cases
        """,
    ),
    "TestCaseShape": (
        "/pipelines/1/test_report",
        "test_suites.0.test_cases.0",
        """
        status name classname file execution_time system_output stack_trace recent_failures
        """,
    ),
    "TestReportSummary": (
        "/pipelines/1/test_report_summary",
        "",
        "total test_suites",
    ),
    "SummaryTotal": (
        "/pipelines/1/test_report_summary",
        "total",
        "time count success failed skipped error suite_error",
    ),
    "SummarySuite": (
        "/pipelines/1/test_report_summary",
        "test_suites.0",
        """
        name total_time total_count success_count failed_count skipped_count error_count build_ids
        suite_error
        """,
    ),
    "Trigger": (
        "/triggers/1",
        "",
        """
        id token description created_at updated_at last_used expires_at owner
        """,
    ),
    "Job": (
        "/jobs/100001",
        "",
        """
        id status stage name ref tag coverage allow_failure created_at started_at finished_at
        erased_at duration queued_duration user commit pipeline failure_reason web_url project
        artifacts_file artifacts runner runner_manager artifacts_expire_at archived tag_list
        """,
    ),
    "User": (
        "/jobs/100001",
        "user",
        """
        id username public_email name state locked avatar_url web_url created_at bio location
        linkedin twitter discord website_url github job_title pronouns organization bot
        work_information local_time
        """,
    ),
    "Commit": (
        "/jobs/100001",
        "commit",
        """
        id short_id created_at parent_ids title message author_name author_email authored_date
        committer_name committer_email committed_date trailers extended_trailers web_url
        """,
    ),
    "PipelineBasic": (
        "/jobs/100001",
        "pipeline",
        """
        id iid project_id sha ref status source created_at updated_at web_url
        """,
    ),
    "JobProject": (
        "/jobs/100001",
        "project",
        "ci_job_token_scope_enabled",
    ),
    "ArtifactsFile": (
        "/jobs/100001",
        "artifacts_file",
        "filename size",
    ),
    "JobArtifact": (
        "/jobs/100001",
        "artifacts.0",
        "file_type size filename file_format",
    ),
    "Bridge": (
        "/pipelines/1/bridges",
        "0",
        """
        id status stage name ref tag coverage allow_failure created_at started_at finished_at
        erased_at duration queued_duration user commit pipeline web_url project downstream_pipeline
        """,
    ),
    "ArtifactEntry": (
        "/jobs/100001/artifacts/tree?path=docs",
        "0",
        "name path type size mode",
    ),
    "Accepted": (
        "DELETE /artifacts",
        "",
        "message",
    ),
    "ProjectShape": (
        "?statistics=1&license=1&with_custom_attributes=1",
        "",
        """
        id description name name_with_namespace path path_with_namespace created_at default_branch
        tag_list topics ssh_url_to_repo http_url_to_repo web_url readme_url forks_count license_url
        license avatar_url star_count last_activity_at namespace custom_attributes
        repository_storage container_registry_image_prefix _links packages_enabled empty_repo
        archived visibility resolve_outdated_diff_discussions container_expiration_policy
        repository_object_format issues_enabled merge_requests_enabled wiki_enabled jobs_enabled
        snippets_enabled container_registry_enabled service_desk_enabled service_desk_address
        can_create_merge_request_in issues_access_level repository_access_level
        merge_requests_access_level forking_access_level wiki_access_level builds_access_level
        snippets_access_level pages_access_level analytics_access_level
        container_registry_access_level security_and_compliance_access_level releases_access_level
        environments_access_level feature_flags_access_level infrastructure_access_level
        monitor_access_level model_experiments_access_level model_registry_access_level
        package_registry_access_level emails_disabled emails_enabled shared_runners_enabled
        lfs_enabled creator_id import_url import_type import_status import_error open_issues_count
        description_html updated_at ci_default_git_depth ci_delete_pipelines_in_seconds
        ci_forward_deployment_enabled ci_forward_deployment_rollback_allowed
        ci_job_token_scope_enabled ci_separated_caches
        ci_allow_fork_pipelines_to_run_in_parent_project ci_id_token_sub_claim_components
        build_git_strategy keep_latest_artifact restrict_user_defined_variables
        ci_pipeline_variables_minimum_override_role runners_token runner_token_expiration_interval
        group_runners_enabled auto_cancel_pending_pipelines build_timeout auto_devops_enabled
        auto_devops_deploy_strategy ci_push_repository_for_job_token_allowed ci_config_path
        public_jobs shared_with_groups only_allow_merge_if_pipeline_succeeds
        allow_merge_on_skipped_pipeline request_access_enabled
        only_allow_merge_if_all_discussions_are_resolved remove_source_branch_after_merge
        printing_merge_request_link_enabled merge_method squash_option
        enforce_auth_checks_on_uploads suggestion_commit_message merge_commit_template
        squash_commit_template issue_branch_template statistics
        warn_about_potentially_unwanted_characters autoclose_referenced_issues max_artifacts_size
        permissions
        """,
    ),
    "Namespace": (
        "",
        "namespace",
        "id name path kind full_path parent_id avatar_url web_url",
    ),
    "Links": (
        "",
        "_links",
        """
        self issues merge_requests repo_branches labels events members cluster_agents
        """,
    ),
    "ExpirationPolicy": (
        "",
        "container_expiration_policy",
        """
        cadence enabled keep_n older_than name_regex name_regex_keep next_run_at
        """,
    ),
    "Statistics": (
        "?statistics=1",
        "statistics",
        """
        commit_count storage_size repository_size wiki_size lfs_objects_size job_artifacts_size
        pipeline_artifacts_size packages_size snippets_size uploads_size container_registry_size
        """,
    ),
    "Permissions": (
        "",
        "permissions",
        "project_access group_access",
    ),
    "ProjectAccess": (
        "",
        "permissions.project_access",
        "access_level notification_level",
    ),
    "ProjectBasic": (
        "/api/v4/projects?simple=1&with_custom_attributes=1",
        "0",
        """
        id description name name_with_namespace path path_with_namespace created_at default_branch
        tag_list topics ssh_url_to_repo http_url_to_repo web_url readme_url forks_count avatar_url
        star_count last_activity_at namespace custom_attributes
        """,
    ),
    "CommitWithStats": (
        "/repository/commits?with_stats=1",
        "0",
        """
        id short_id created_at parent_ids title message author_name author_email authored_date
        committer_name committer_email committed_date trailers extended_trailers web_url stats
        """,
    ),
    "CommitStats": (
        "/repository/commits/main",
        "stats",
        "additions deletions total",
    ),
    "CommitDetail": (
        "/repository/commits/main",
        "",
        """
        id short_id created_at parent_ids title message author_name author_email authored_date
        committer_name committer_email committed_date trailers extended_trailers web_url stats
        status project_id last_pipeline
        """,
    ),
    "Branch": (
        "/repository/branches/main",
        "",
        """
        name commit merged protected developers_can_push developers_can_merge can_push default
        web_url
        """,
    ),
    "Tag": (
        "/repository/tags/v1",
        "",
        "name message target commit release protected created_at",
    ),
    "CurrentUser": (
        "/api/v4/user",
        "",
        """
        id username public_email name state locked avatar_url web_url created_at bio location
        linkedin twitter discord website_url github job_title pronouns organization bot
        work_information followers following local_time is_followed last_sign_in_at confirmed_at
        last_activity_on email theme_id color_scheme_id projects_limit current_sign_in_at identities
        can_create_group can_create_project two_factor_enabled external private_profile commit_email
        is_admin
        """,
    ),
    "Version": (
        "/api/v4/version",
        "",
        "version revision kas enterprise",
    ),
    "Kas": (
        "/api/v4/version",
        "kas",
        "enabled externalUrl externalK8sProxyUrl version",
    ),
}
"""For each shape: a request, the place in its answer, and the keys there in GitLab's order."""

TESTED_ELSEWHERE = {
    "CommitStatus": "test_commit_statuses::test_a_status_has_gitlabs_keys_in_their_order",
    "HookShape": "test_project_webhooks::test_a_new_hook_has_all_keys_and_no_secret",
    "Key": "test_project_webhooks::test_a_new_hook_has_all_keys_and_no_secret",
    "Sent": "test_project_webhooks::test_a_test_sends_the_newest_pipeline_or_job",
    "HookEvent": "test_project_webhooks::test_events_are_listed_filtered_and_sent_again",
    "Resent": "test_project_webhooks::test_events_are_listed_filtered_and_sent_again",
    **dict.fromkeys(
        ("Environment", "LastDeployment"),
        "test_environments::test_a_list_shows_the_project_and_a_single_one_its_last_deployment",
    ),
    **dict.fromkeys(
        ("Deployment", "EnvironmentBasic"),
        "test_deployments::test_a_job_with_an_environment_has_a_deployment_from_its_creation_on",
    ),
    **dict.fromkeys(
        ("Group", "GroupDetail", "GroupStatistics", "BranchProtection"),
        "test_groups::test_a_group_has_gitlabs_keys",
    ),
    **dict.fromkeys(("Member", "AccessToken"), "test_members::test_keys"),
    "AllowedAgents": "test_artifacts::test_a_running_job_may_ask_for_its_agents_and_there_are_none",
    "AgentProject": "test_artifacts::test_a_running_job_may_ask_for_its_agents_and_there_are_none",
    "AgentUser": "test_artifacts::test_a_running_job_may_ask_for_its_agents_and_there_are_none",
    "Numbered": "test_artifacts::test_a_running_job_may_ask_for_its_agents_and_there_are_none",
}
NEVER_SHOWN = {"License", "CustomAttribute", "Identity"}
"""No project has a license or attributes here, and the user has no account elsewhere."""
SOMETIMES = {
    "artifacts_file", "custom_attributes", "failure_reason", "license", "license_url", "owner",
    "size", "statistics",
}  # fmt: skip
"""Keys that only some answers of a shape have; other tests show when."""


def shapes(hint: Any) -> Iterator[Any]:
    """Find the shapes that an answer is made of."""
    if is_typeddict(hint):
        yield hint
        for each in get_type_hints(hint).values():
            yield from shapes(each)
    for each in get_args(hint):
        yield from shapes(each)


SHAPES = {shape.__name__: shape for route in ROUTES for shape in shapes(route.endpoint.answers)}


def test_every_key_is_in_the_table():
    assert set(SHAPES) == set(KEYS) | set(TESTED_ELSEWHERE) | NEVER_SHOWN
    for name, (_, _, keys) in KEYS.items():
        assert set(SHAPES[name].__annotations__) - SOMETIMES == set(keys.split()) - SOMETIMES, name
    for test in TESTED_ELSEWHERE.values():
        assert callable(find(test))


@pytest.mark.parametrize("shape", KEYS)
def test_an_answer_has_gitlabs_keys_in_gitlabs_order(mock_with: Callable[..., Mock], shape: str):
    request, place, keys = KEYS[shape]
    mock = mock_with(EVERYTHING)
    mock.trigger(scenario_id=900, token="glptt-one")
    method, _, path = request.rpartition(" ")
    url = path if path.startswith("/api") else f"/api/v4/projects/1{path}"

    found = mock.request(method or "GET", url).json()
    for part in filter(None, place.split(".")):
        found = found[int(part)] if part.isdecimal() else found[part]

    assert list(found) == keys.split()
