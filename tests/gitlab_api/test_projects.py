"""Read projects: all keys of a single one, and the filters, orders and pages of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

PROJECTS = "/api/v4/projects"
SIMPLE = [
    "id", "description", "name", "name_with_namespace", "path", "path_with_namespace",
    "created_at", "default_branch", "tag_list", "topics", "ssh_url_to_repo", "http_url_to_repo",
    "web_url", "readme_url", "forks_count", "avatar_url", "star_count", "last_activity_at",
    "namespace",
]  # fmt: skip
LISTED = [
    *SIMPLE, "repository_storage", "container_registry_image_prefix", "_links", "packages_enabled",
    "empty_repo", "archived", "visibility", "resolve_outdated_diff_discussions",
    "container_expiration_policy", "repository_object_format", "issues_enabled",
    "merge_requests_enabled", "wiki_enabled", "jobs_enabled", "snippets_enabled",
    "container_registry_enabled", "service_desk_enabled", "service_desk_address",
    "can_create_merge_request_in", "issues_access_level", "repository_access_level",
    "merge_requests_access_level", "forking_access_level", "wiki_access_level",
    "builds_access_level", "snippets_access_level", "pages_access_level",
    "analytics_access_level", "container_registry_access_level",
    "security_and_compliance_access_level", "releases_access_level",
    "environments_access_level", "feature_flags_access_level", "infrastructure_access_level",
    "monitor_access_level", "model_experiments_access_level", "model_registry_access_level",
    "package_registry_access_level", "emails_disabled", "emails_enabled",
    "shared_runners_enabled", "lfs_enabled", "creator_id", "import_url", "import_type",
    "import_status", "open_issues_count", "description_html", "updated_at",
    "ci_default_git_depth", "ci_delete_pipelines_in_seconds", "ci_forward_deployment_enabled",
    "ci_forward_deployment_rollback_allowed", "ci_job_token_scope_enabled",
    "ci_separated_caches", "ci_allow_fork_pipelines_to_run_in_parent_project",
    "ci_id_token_sub_claim_components", "keep_latest_artifact",
    "restrict_user_defined_variables", "ci_pipeline_variables_minimum_override_role",
    "group_runners_enabled", "auto_cancel_pending_pipelines", "build_timeout",
    "auto_devops_enabled", "auto_devops_deploy_strategy",
    "ci_push_repository_for_job_token_allowed", "ci_config_path", "public_jobs",
    "shared_with_groups", "only_allow_merge_if_pipeline_succeeds",
    "allow_merge_on_skipped_pipeline", "request_access_enabled",
    "only_allow_merge_if_all_discussions_are_resolved", "remove_source_branch_after_merge",
    "printing_merge_request_link_enabled", "merge_method", "squash_option",
    "enforce_auth_checks_on_uploads", "suggestion_commit_message", "merge_commit_template",
    "squash_commit_template", "issue_branch_template",
    "warn_about_potentially_unwanted_characters", "autoclose_referenced_issues",
    "max_artifacts_size", "permissions",
]  # fmt: skip
SINGLE_ALONE = [
    "import_error", "build_git_strategy", "runners_token", "runner_token_expiration_interval",
]  # fmt: skip


def without(keys: list[str], *left_out: str) -> list[str]:
    return [key for key in keys if key not in left_out]


# ---------------------------------------------------------------------------- one


def test_a_single_project_has_gitlabs_keys_in_gitlabs_order(mock: Mock):
    single = list(mock.get(f"{PROJECTS}/group%2Fapp").json())
    [listed] = mock.get(PROJECTS).json()

    assert without(single, *SINGLE_ALONE) == list(listed) == LISTED
    assert [key for key in single if key in SINGLE_ALONE] == SINGLE_ALONE


def test_only_a_project_of_a_user_has_an_owner(mock: Mock):
    of_user = mock.get(f"{PROJECTS}/root%2Fapp").json()
    of_group = mock.get(f"{PROJECTS}/group%2Fapp").json()

    assert of_user["owner"] == {key: mock.get("/user").json()[key] for key in of_user["owner"]}
    assert list(of_user)[26] == "owner"
    assert "owner" not in of_group


def test_a_project_links_to_what_belongs_to_it(mock: Mock):
    links = mock.get(f"/sandbox/a{PROJECTS}/7").json()["_links"]

    url = "http://testserver/sandbox/a/api/v4/projects/7"
    assert links == {
        "self": url,
        "issues": f"{url}/issues",
        "merge_requests": f"{url}/merge_requests",
        "repo_branches": f"{url}/repository/branches",
        "labels": f"{url}/labels",
        "events": f"{url}/events",
        "members": f"{url}/members",
        "cluster_agents": f"{url}/cluster_agents",
    }


def test_the_namespace_of_a_group_and_that_of_a_user_differ(mock: Mock):
    group = mock.get(f"{PROJECTS}/a%2Fb%2Fapp").json()
    user = mock.get(f"{PROJECTS}/root%2Fapp").json()

    assert group["namespace"] | {"id": 0, "parent_id": 0} == {
        "id": 0, "name": "b", "path": "b", "kind": "group", "full_path": "a/b", "parent_id": 0,
        "avatar_url": None, "web_url": "http://testserver/groups/a/b",
    }  # fmt: skip
    assert user["namespace"] | {"id": 0} == {
        "id": 0, "name": "Administrator", "path": "root", "kind": "user", "full_path": "root",
        "parent_id": None, "avatar_url": user["owner"]["avatar_url"],
        "web_url": "http://testserver/root",
    }  # fmt: skip
    assert group["name_with_namespace"] == "a / b / app"
    assert user["name_with_namespace"] == "Administrator / app"


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("statistics=true", {"statistics"}),
        ("license=true", {"license", "license_url"}),
        ("with_custom_attributes=true", {"custom_attributes"}),
        ("statistics=false&license=false&with_custom_attributes=false", set()),
    ],
)
def test_a_single_project_shows_more_if_it_is_asked_to(mock: Mock, query: str, more: set[str]):
    plain, asked = (mock.get(f"{PROJECTS}/1?{each}").json() for each in ("", query))

    assert set(asked) - set(plain) == more
    assert without(list(asked), *more) == list(plain)


def test_statistics_are_those_of_an_empty_repository(mock: Mock):
    statistics = mock.get(f"{PROJECTS}/1?statistics=true").json()["statistics"]

    assert list(statistics) == [
        "commit_count", "storage_size", "repository_size", "wiki_size", "lfs_objects_size",
        "job_artifacts_size", "pipeline_artifacts_size", "packages_size", "snippets_size",
        "uploads_size", "container_registry_size",
    ]  # fmt: skip
    assert set(statistics.values()) == {0}


# ---------------------------------------------------------------------------- filters


DECLARED = """
projects:
  - {id: 5, path: zoo/app}
  - {id: 6, path: root/web-app}
  - {id: 7, path: zoo/sub/Api}
"""


@pytest.fixture
def three(mock_with: Callable[..., Mock]) -> Mock:
    """Two projects of groups, and one of the user."""
    return mock_with(DECLARED)


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


ALL, NONE = [7, 6, 5], list[int]()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("active=true", ALL),
        ("active=false", NONE),
        ("archived=false", ALL),
        ("archived=true", NONE),
        ("visibility=private", ALL),
        ("visibility=internal", NONE),
        ("visibility=public", NONE),
        ("owned=true&membership=true", ALL),
        ("starred=true", NONE),
        ("imported=true", NONE),
        ("search=APP", [6, 5]),
        ("search=zoo", NONE),
        ("search=zoo&search_namespaces=true", [7, 5]),
        ("search=web+app", [6]),
        ("search=web+api", NONE),
        ("search=", ALL),
        ("id_after=5", [7, 6]),
        ("id_before=7", [6, 5]),
        ("id_after=5&id_before=7", [6]),
        ("min_access_level=50", ALL),
        ("with_issues_enabled=true&with_merge_requests_enabled=true", ALL),
        ("with_programming_language=ruby", NONE),
        ("with_programming_language=", ALL),
        ("topic=a,b", NONE),
        ("topic=", ALL),
        ("topic_id=1", NONE),
        ("repository_storage=default", ALL),
        ("repository_storage=other", NONE),
        ("repository_checksum_failed=true", NONE),
        ("wiki_checksum_failed=true", NONE),
        ("marked_for_deletion_on=2026-01-01", NONE),
        ("include_hidden=true&include_pending_delete=true", ALL),
        ("last_activity_after=2025-01-01T00:00:00Z", ALL),
        ("last_activity_after=2025-01-01T00:00:01Z", NONE),
        ("last_activity_before=2025-01-01T00:00:00Z", ALL),
        ("last_activity_before=2024-12-31", NONE),
        ("order_by=updated_at&updated_after=2024-12-31", ALL),
        ("order_by=updated_at&updated_after=2025-01-02", NONE),
        ("order_by=updated_at&updated_before=2025-01-02", ALL),
        ("order_by=updated_at&updated_before=2024-12-31", NONE),
        ("sort=asc", [5, 6, 7]),
        ("order_by=name&sort=asc", [7, 5, 6]),
        ("order_by=path&sort=desc", [6, 5, 7]),
        ("order_by=star_count&sort=asc", [5, 6, 7]),
        ("order_by=storage_size", ALL),
        ("order_by=similarity", ALL),
        ("order_by=similarity&search=app", [5, 6]),
        ("order_by=similarity&search=app&sort=asc", [5, 6]),
        ("per_page=2&page=2", [5]),
    ],
)
def test_the_list_of_projects_has_gitlabs_filters(three: Mock, query: str, expected: list[int]):
    assert ids(three.get(f"{PROJECTS}?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("order_by=x", "order_by does not have a valid value"),
        ("sort=x", "sort does not have a valid value"),
        ("visibility=secret", "visibility does not have a valid value"),
        ("min_access_level=7", "min_access_level does not have a valid value"),
        ("min_access_level=x", "min_access_level is invalid"),
        ("id_after=x", "id_after is invalid"),
        ("id_before=x", "id_before is invalid"),
        ("topic_id=x", "topic_id is invalid"),
        ("last_activity_after=x", "last_activity_after is invalid"),
        ("last_activity_before=x", "last_activity_before is invalid"),
        ("updated_after=x", "updated_after is invalid"),
        ("updated_before=x", "updated_before is invalid"),
        ("marked_for_deletion_on=x", "marked_for_deletion_on is invalid"),
        *(
            (f"{name}=x", f"{name} is invalid")
            for name in (
                "active", "archived", "imported", "include_hidden", "include_pending_delete",
                "membership", "owned", "repository_checksum_failed", "search_namespaces", "simple",
                "starred", "statistics", "wiki_checksum_failed", "with_custom_attributes",
                "with_issues_enabled", "with_merge_requests_enabled",
            )
        ),
    ],
)  # fmt: skip
def test_bad_filters_of_projects_are_400(three: Mock, query: str, error: str):
    answer = three.get(f"{PROJECTS}?{query}")

    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize("name", ["statistics", "license", "with_custom_attributes"])
def test_bad_parameters_of_a_single_project_are_400(three: Mock, name: str):
    answer = three.get(f"{PROJECTS}/5?{name}=x")

    assert (answer.status_code, answer.json()) == (400, {"error": f"{name} is invalid"})


@pytest.mark.parametrize("query", ["updated_after=2025-01-01", "updated_before=2025-01-01"])
@pytest.mark.parametrize("order", ["", "&order_by=id"])
def test_a_filter_by_update_needs_the_order_by_update(three: Mock, query: str, order: str):
    answer = three.get(f"{PROJECTS}?{query}{order}")

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "message": "400 Bad request - `updated_at` filter and `updated_at` sorting "
            "must be paired"
        },
    )


def test_a_simple_list_has_only_the_first_keys(three: Mock):
    for row in three.get(f"{PROJECTS}?simple=true&statistics=true").json():
        assert list(row) == SIMPLE


@pytest.mark.parametrize(
    ("query", "key"),
    [("statistics=true", "statistics"), ("with_custom_attributes=true", "custom_attributes")],
)
def test_a_list_of_projects_shows_more_if_it_is_asked_to(three: Mock, query: str, key: str):
    assert all(key in row for row in three.get(f"{PROJECTS}?{query}").json())


# ---------------------------------------------------------------------------- keysets


@pytest.mark.parametrize(("sort", "expected"), [("desc", ALL), ("asc", [5, 6, 7])])
def test_projects_are_walked_by_their_numbers(three: Mock, sort: str, expected: list[int]):
    url, walked, answers = (
        f"{PROJECTS}?pagination=keyset&order_by=id&sort={sort}&per_page=2", [], []
    )  # fmt: skip
    while url:
        answers.append(three.get(url))
        walked += ids(answers[-1])
        url = answers[-1].links.get("next", {}).get("url")

    assert walked == expected
    assert [len(answer.json()) for answer in answers] == [2, 1, 0]
    name = {"desc": "id_before", "asc": "id_after"}[sort]
    assert f"{name}={expected[1]}" in answers[0].headers["link"]
    assert "link" not in answers[-1].headers
    assert "x-page" not in answers[0].headers


@pytest.mark.parametrize("order", ["", "&order_by=name"])
def test_projects_are_walked_in_no_other_order(three: Mock, order: str):
    answer = three.get(f"{PROJECTS}?pagination=keyset{order}")

    error = "Keyset pagination is not yet available for this type of request"
    assert (answer.status_code, answer.json()) == (405, {"error": error})


def test_pages_of_projects_cannot_be_turned_beyond_50000_rows(three: Mock):
    near = three.get(f"{PROJECTS}?page=501&per_page=100")
    far = three.get(f"{PROJECTS}?page=502&per_page=100")

    assert (near.status_code, near.json(), far.status_code) == (200, [], 405)
    assert "objects of type Project." in far.json()["error"]
