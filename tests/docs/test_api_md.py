"""API.md, the served OpenAPI document and the routes say the same, and the server does it."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from mock_gitlab.app import ROUTES, MockGitLabApp, create_app
from mock_gitlab.cli.main import main
from mock_gitlab.engine.environments import environment_id
from mock_gitlab.engine.operations import OPERATIONS
from tests.conftest import TOKEN, Mock
from tests.docs.shown import Block, Exchange, anchor, blocks, exchanges, fits, headings, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API_MD = read("API.md")
_TABLE = re.compile(r"^\| (?:parameter|key) \|.*\n((?:\|.*\n)+)", re.MULTILINE)


class Story(NamedTuple):
    """A configuration that API.md shows, and the blocks below it, as far as the next one."""

    name: str
    configuration: str
    shown: list[Block]


def stories() -> list[Story]:
    everything = blocks(API_MD)
    starts = [place for place, block in enumerate(everything) if block.language == "yaml"]
    base = everything[starts[0]].text
    return [
        Story(
            f"{number} {everything[start].text.splitlines()[1].strip(' -')[:40]}",
            base if start == starts[0] else base + everything[start].text,
            everything[start + 1 : end],
        )
        for number, (start, end) in enumerate(pairwise([*starts, len(everything)]))
    ]


STORIES = stories()
[ENDPOINTS] = [each for each in STORIES if "artifacts" in each.configuration]


def sections() -> dict[str, str]:
    """Map each endpoint's heading to what stands below it."""
    parts = re.split(r"^##+ (.+)$", API_MD, flags=re.MULTILINE)
    found = zip(parts[1::2], parts[2::2], strict=True)
    return {name.strip("`"): text for name, text in found if re.fullmatch(r"`\w+ /\S*`", name)}


def parameters(section: str) -> set[str]:
    """List the parameters of an endpoint, those of the section that it refers to included."""
    referred = re.findall(r"^Parameters.*\(#([\w-]+)\)", section, re.MULTILINE)
    tables = [each for text in (section, *map(below, referred)) for each in _TABLE.findall(text)]
    return set(re.findall(r"^\| `(\w+)` \|", "".join(tables), re.MULTILINE))


def below(place: str) -> str:
    [heading] = [each for each in headings(API_MD) if anchor(each) == place]
    text = API_MD.partition(f"# {heading}\n")[2]
    return re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0]


def served(configuration: str, folder: Path) -> MockGitLabApp:
    path = folder / "mock.yaml"
    path.write_text(configuration, encoding="utf-8")
    return create_app(path, environ={}, watch=False)


@pytest.fixture
def app(tmp_path: Path) -> MockGitLabApp:
    return served(ENDPOINTS.configuration, tmp_path)


@pytest.fixture
def documented(app: MockGitLabApp) -> Iterator[Mock]:
    with Mock(app, headers={"PRIVATE-TOKEN": TOKEN}) as mock:
        yield mock


def as_shown(path: str) -> str:
    """Write the parameters of a path as API.md does: ``:id`` for ``{id}``."""
    return re.sub(r"{([a-z_]+)(:path)?}", r":\1", path)


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Map "METHOD /path/:parameter" to the operations of an OpenAPI document."""
    return {
        f"{method.upper()} {as_shown(path)}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "head", "post", "put", "patch", "delete")
    }


def properties(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """List the properties of a body, behind a reference or an alternative too."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for alternative in schema.get("anyOf", ()):
        if "$ref" in alternative:
            return properties(document, alternative)
    found: dict[str, Any] = schema.get("properties", {})
    return found


def served_by_gitlab(document: dict[str, Any]) -> dict[str, str]:
    """Map operations to endpoints, without those of the control namespace."""
    return {
        operation["operationId"]: endpoint
        for endpoint, operation in operations(document).items()
        if "/_mock" not in endpoint
    }


def test_api_md_the_document_and_the_routes_name_the_same_endpoints(app: MockGitLabApp):
    document = app.openapi()

    assert set(sections()) == set(operations(document))
    assert set(served_by_gitlab(document)) == {route.name for route in ROUTES}


def test_faults_know_every_endpoint_by_its_name():
    assert [route.name for route in ROUTES] == list(OPERATIONS)


def test_the_table_of_operations_leads_to_every_endpoint(app: MockGitLabApp):
    rows = re.findall(r"^\| \[`(\w+)`\]\(#(\S+)\) \| `(.+)` \|$", API_MD, re.MULTILINE)

    assert {name: endpoint for name, _, endpoint in rows} == served_by_gitlab(app.openapi())
    assert [place for _, place, _ in rows] == [anchor(f"`{endpoint}`") for *_, endpoint in rows]


def test_api_md_and_the_document_name_the_same_parameters(app: MockGitLabApp):
    document = app.openapi()
    for name, operation in operations(document).items():
        wanted = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"}
        content = operation.get("requestBody", {}).get("content", {})
        for body in content.values():
            wanted |= set(properties(document, body["schema"]))

        assert parameters(sections()[name]) == wanted, name


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_example_goes_as_it_is_shown(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with Mock(served(story.configuration, tmp_path), headers={"PRIVATE-TOKEN": TOKEN}) as mock:
        for block in story.shown:
            if block.language == "console":
                assert printed(block.text, tmp_path, capsys) == block.text
            for exchange in exchanges(block.text):
                confirm(exchange, mock)


def printed(shown: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the one command of a block, and show it as the block does."""
    command = shown.partition("\n")[0]
    assert main([*command.split()[2:], "--config", str(folder / "mock.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    return "\n".join([command, *lines]) + "\n"


def confirm(exchange: Exchange, mock: Mock) -> None:
    answer = mock.request(exchange.method, exchange.path, json=exchange.body)

    assert answer.status_code == exchange.status, (exchange, answer.text)
    if answer.content and "json" in answer.headers["content-type"]:
        assert fits(exchange.answer, answer.text), (exchange, answer.text)
    else:
        assert answer.text.strip() == exchange.answer, exchange


def test_every_block_of_requests_is_read_whole():
    shown = [block.text for block in blocks(API_MD) if block.language == "http"]

    assert sum(len(list(exchanges(text))) for text in shown) == sum(
        len(re.findall(r"^=> ", text, re.MULTILINE)) for text in shown
    )
    assert len(shown) > 50


def test_every_call_of_the_control_namespace_has_an_example():
    without = {
        name for name, text in sections().items() if "/_mock" in name and "```http" not in text
    }

    # A clock that goes on shows another time in every run, and a stream has no end.
    assert without == {"POST /_mock/clock/resume", "GET /_mock/events"}


SHA = "14b0d7240ea6074dcbdb76e16f85e548a8bb3824"
ENVIRONMENTS = "/projects/42/environments"
DEPLOYMENTS = "/projects/42/deployments"
ENVIRONMENT = environment_id(42, "qa")
DEPLOYMENT = {
    "environment": "qa", "sha": "a" * 40, "ref": "main", "tag": False, "status": "success",
}  # fmt: skip
CALLS: list[tuple[str, str, str, Any]] = [
    ("trigger_pipeline", "POST", "/projects/42/trigger/pipeline", {"ref": "a", "scenario_id": 900}),
    ("trigger_pipeline_of_ref", "POST", "/projects/42/ref/main/trigger/pipeline", {}),
    ("create_pipeline", "POST", "/projects/42/pipeline", {"ref": "main"}),
    ("get_pipeline", "GET", "/projects/42/pipelines/1", None),
    ("get_latest_pipeline", "GET", "/projects/42/pipelines/latest", None),
    ("list_pipelines", "GET", "/projects/42/pipelines", None),
    ("update_pipeline_metadata", "PUT", "/projects/42/pipelines/1/metadata", {"name": "x"}),
    ("list_pipeline_variables", "GET", "/projects/42/pipelines/1/variables", None),
    ("get_test_report", "GET", "/projects/42/pipelines/1/test_report", None),
    ("get_test_report_summary", "GET", "/projects/42/pipelines/1/test_report_summary", None),
    ("list_pipeline_jobs", "GET", "/projects/42/pipelines/1/jobs", None),
    ("list_pipeline_bridges", "GET", "/projects/42/pipelines/1/bridges", None),
    ("list_pipeline_trigger_jobs", "GET", "/projects/42/pipelines/1/trigger_jobs", None),
    ("list_jobs", "GET", "/projects/42/jobs", None),
    ("get_job", "GET", "/projects/42/jobs/100001", None),
    ("get_job_trace", "GET", "/projects/42/jobs/100001/trace", None),
    ("cancel_job", "POST", "/projects/42/jobs/100001/cancel", {}),
    ("retry_job", "POST", "/projects/42/jobs/100001/retry", {}),
    ("play_job", "POST", "/projects/42/jobs/100002/play", {}),
    ("erase_job", "POST", "/projects/42/jobs/100001/erase", {}),
    ("retry_pipeline", "POST", "/projects/42/pipelines/1/retry", {}),
    ("cancel_pipeline", "POST", "/projects/42/pipelines/1/cancel", {}),
    ("create_trigger", "POST", "/projects/42/triggers", {"description": "x"}),
    ("list_triggers", "GET", "/projects/42/triggers", None),
    ("get_trigger", "GET", "/projects/42/triggers/2", None),
    ("update_trigger", "PUT", "/projects/42/triggers/2", {"description": "y"}),
    ("get_project", "GET", "/projects/42", None),
    ("list_projects", "GET", "/projects", None),
    ("list_commits", "GET", "/projects/42/repository/commits", None),
    ("get_commit", "GET", "/projects/42/repository/commits/main", None),
    ("post_commit_status", "POST", "/projects/42/statuses/main", {"state": "pending"}),
    ("list_commit_statuses", "GET", f"/projects/42/repository/commits/{SHA}/statuses", None),
    ("list_branches", "GET", "/projects/42/repository/branches", None),
    ("get_branch", "GET", "/projects/42/repository/branches/main", None),
    ("branch_exists", "HEAD", "/projects/42/repository/branches/main", None),
    ("list_tags", "GET", "/projects/42/repository/tags", None),
    ("get_tag", "GET", "/projects/42/repository/tags/v1", None),
    ("get_current_user", "GET", "/user", None),
    ("get_version", "GET", "/version", None),
    ("get_metadata", "GET", "/metadata", None),
    ("get_job_of_token", "GET", "/job", None),
    ("list_allowed_agents", "GET", "/job/allowed_agents", None),
    ("list_artifacts", "GET", "/projects/42/jobs/100001/artifacts/tree", None),
    ("download_artifacts", "GET", "/projects/42/jobs/100001/artifacts", None),
    ("get_artifact", "GET", "/projects/42/jobs/100001/artifacts/app.txt", None),
    ("download_artifacts_of_ref", "GET", "/projects/42/jobs/artifacts/a/download?job=build", None),
    ("get_artifact_of_ref", "GET", "/projects/42/jobs/artifacts/a/raw/app.txt?job=build", None),
    ("keep_artifacts", "POST", "/projects/42/jobs/100001/artifacts/keep", {}),
    ("delete_artifacts", "DELETE", "/projects/42/jobs/100001/artifacts", None),
    ("delete_project_artifacts", "DELETE", "/projects/42/artifacts", None),
    ("create_hook", "POST", "/projects/42/hooks", {"url": "http://127.0.0.1:9/"}),
    ("list_hooks", "GET", "/projects/42/hooks", None),
    ("get_hook", "GET", "/projects/42/hooks/1", None),
    ("update_hook", "PUT", "/projects/42/hooks/1", {"name": "x"}),
    ("set_hook_header", "PUT", "/projects/42/hooks/1/custom_headers/X-A", {"value": "a"}),
    ("delete_hook_header", "DELETE", "/projects/42/hooks/1/custom_headers/X-A", None),
    ("set_hook_url_variable", "PUT", "/projects/42/hooks/1/url_variables/a", {"value": "a"}),
    ("delete_hook_url_variable", "DELETE", "/projects/42/hooks/1/url_variables/a", None),
    ("test_hook", "POST", "/projects/42/hooks/1/test/pipeline_events", {}),
    ("list_hook_events", "GET", "/projects/42/hooks/1/events", None),
    ("resend_hook_event", "POST", "/projects/42/hooks/1/events/1/resend", {}),
    ("delete_hook", "DELETE", "/projects/42/hooks/1", None),
    ("list_groups", "GET", "/groups", None),
    ("get_group", "GET", "/groups/group", None),
    ("list_subgroups", "GET", "/groups/group/subgroups", None),
    ("list_descendant_groups", "GET", "/groups/group/descendant_groups", None),
    ("list_group_projects", "GET", "/groups/group/projects", None),
    ("list_group_members", "GET", "/groups/group/members", None),
    ("list_namespaces", "GET", "/namespaces", None),
    ("get_namespace", "GET", "/namespaces/group", None),
    ("list_members", "GET", "/projects/42/members", None),
    ("list_all_members", "GET", "/projects/42/members/all", None),
    ("get_member", "GET", "/projects/42/members/1", None),
    ("get_any_member", "GET", "/projects/42/members/all/1", None),
    ("list_project_users", "GET", "/projects/42/users", None),
    ("list_users", "GET", "/users", None),
    ("get_user", "GET", "/users/1", None),
    ("get_own_token", "GET", "/personal_access_tokens/self", None),
    ("create_environment", "POST", "/projects/42/environments", {"name": "qa"}),
    ("list_environments", "GET", "/projects/42/environments", None),
    ("get_environment", "GET", f"{ENVIRONMENTS}/{ENVIRONMENT}", None),
    ("update_environment", "PUT", f"{ENVIRONMENTS}/{ENVIRONMENT}", {"tier": "other"}),
    ("create_deployment", "POST", "/projects/42/deployments", DEPLOYMENT),
    ("create_deployment", "POST", "/projects/42/deployments", DEPLOYMENT),
    ("list_deployments", "GET", "/projects/42/deployments", None),
    ("get_deployment", "GET", "/projects/42/deployments/100000", None),
    ("update_deployment", "PUT", "/projects/42/deployments/100000", {"status": "failed"}),
    ("list_deployment_merge_requests", "GET", f"{DEPLOYMENTS}/100000/merge_requests", None),
    ("delete_deployment", "DELETE", "/projects/42/deployments/100000", None),
    ("stop_stale_environments", "POST", f"{ENVIRONMENTS}/stop_stale", {"before": "2025-12-01"}),
    ("stop_environment", "POST", f"{ENVIRONMENTS}/{ENVIRONMENT}/stop", {}),
    ("delete_environment", "DELETE", f"{ENVIRONMENTS}/{ENVIRONMENT}", None),
    ("delete_trigger", "DELETE", "/projects/42/triggers/2", None),
    ("delete_pipeline", "DELETE", "/projects/42/pipelines/2", None),
]  # fmt: skip


def test_real_answers_are_as_the_document_says(documented: Mock, app: MockGitLabApp):
    document = app.openapi()
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:document", resource)
    by_id = {operation["operationId"]: operation for operation in operations(document).values()}

    for name, method, path, body in CALLS:
        answer = documented.request(method, f"/api/v4{path}", json=body)
        described = by_id[name]["responses"].get(str(answer.status_code))
        assert described is not None, (name, answer.status_code, answer.text)
        if "json" not in answer.headers.get("content-type", ""):
            continue
        schema = json.loads(
            json.dumps(described["content"]["application/json"]["schema"]).replace(
                '"#/', '"urn:document#/'
            )
        )
        problems = list(Draft202012Validator(schema, registry=registry).iter_errors(answer.json()))
        assert problems == [], (name, answer.text)

    assert {name for name, *_ in CALLS} == {route.name for route in ROUTES}


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc", "/sandbox/a/openapi.json"])
def test_the_documentation_is_served_without_a_token(documented: Mock, path: str):
    assert documented.anonymous().get(path).status_code == 200


def test_the_document_names_both_addresses_and_one_for_the_control_namespace(app: MockGitLabApp):
    document = app.openapi()

    assert document["openapi"].startswith("3.1")
    assert [server["url"] for server in document["servers"]] == ["/api/v4", "/"]
    assert document["paths"]["/_mock/clock"]["servers"] == [{"url": "/"}]
    assert document["paths"]["/_mock/health"]["get"].get("security", []) == []


def fields(
    document: dict[str, Any], schema: dict[str, Any], above: tuple[str, ...] = ()
) -> set[str]:
    """Name the fields of an answer, however deep."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        known = {} if name in above else document["components"]["schemas"][name]
        return fields(document, known, (*above, name))
    inside = [schema[key] for key in ("items", "additionalProperties") if schema.get(key)]
    inside += [each for key in ("anyOf", "allOf", "oneOf") for each in schema.get(key, ())]
    inside += schema.get("properties", {}).values()
    below = [fields(document, each, above) for each in inside if isinstance(each, dict)]
    return set(schema.get("properties", {})).union(*below)


def test_every_field_of_an_answer_is_named(app: MockGitLabApp):
    document = app.openapi()
    named = set(re.findall(r'[`"](\w+)[`"]', API_MD))
    for name, operation in operations(document).items():
        answers = [each for status, each in operation["responses"].items() if status[0] == "2"]
        for content in (each for answer in answers for each in answer.get("content", {}).values()):
            found = fields(document, content["schema"])
            assert found <= named, (name, found - named)
