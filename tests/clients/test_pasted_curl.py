"""The commands that people paste from GitLab's documentation, with curl."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.app import ROUTES
from mock_gitlab.rest.routes import Routes, no_route
from tests.live import Live, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Expected = str | tuple[str, Any]
"""All that is shown, or a key and its value in the object, or in the first of a list."""

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

TOKEN = '--header "PRIVATE-TOKEN: MOCK_SUPER_SECRET"'
JSON = "--header 'Content-Type: application/json'"
FORMS: dict[str, tuple[str, Expected]] = {
    # docs.gitlab.com/api/pipelines
    "list pipelines": (
        f'curl --request GET {TOKEN} --url "$URL/projects/1/pipelines?scope=running"', ("id", 1),
    ),
    "get a pipeline": (f'curl {TOKEN} --url "$URL/projects/1/pipelines/1"', ("id", 1)),
    "get the latest pipeline": (
        f'curl {TOKEN} "$URL/projects/1/pipelines/latest"', ("project_id", 1),
    ),
    "get the latest pipeline of a ref": (
        f'curl {TOKEN} "$URL/projects/1/pipelines/latest?ref=feature%2Fx"',
        ("message", "403 Forbidden"),
    ),
    "get the variables of a pipeline": (
        f'curl {TOKEN} --url "$URL/projects/1/pipelines/1/variables"', ("key", "RUN_NIGHTLY"),
    ),
    "get the test report of a pipeline": (
        f'curl {TOKEN} --url "$URL/projects/1/pipelines/1/test_report"', ("total_count", 1),
    ),
    "get a summary of the test report of a pipeline": (
        f'curl {TOKEN} --url "$URL/projects/1/pipelines/1/test_report_summary"',
        ("test_suites", [{"name": "build", "total_time": 0.5, "total_count": 1, "success_count": 1,
          "failed_count": 0, "skipped_count": 0, "error_count": 0, "build_ids": [100001],
          "suite_error": None}]),
    ),
    "create a pipeline": (
        f'curl --request POST {TOKEN} "$URL/projects/1/pipeline?ref=main"', ("source", "api"),
    ),
    "create a pipeline with variables in JSON": (
        f'curl --request POST {TOKEN} {JSON} --url "$URL/projects/1/pipeline" '
        """--data '{ "ref": "main", "variables": [ {"key": "A", "value": "1"} ] }'""",
        ("ref", "main"),
    ),
    "create a pipeline with variables in a query": (
        f"curl --globoff --request POST {TOKEN} "
        '"$URL/projects/1/pipeline?ref=main&variables[][key]=A&variables[][value]=1"',
        ("source", "api"),
    ),
    "create a pipeline with inputs": (
        f'curl --request POST {TOKEN} {JSON} --url "$URL/projects/1/pipeline" '
        """--data '{"ref": "main", "inputs": {"environment": "dev", "count": 3}}'""",
        ("source", "api"),
    ),
    "retry jobs in a pipeline": (
        f'curl --request POST {TOKEN} "$URL/projects/1/pipelines/1/retry"', ("id", 1),
    ),
    "cancel all jobs for a pipeline": (
        f'curl --request POST {TOKEN} "$URL/projects/1/pipelines/1/cancel"', ("status", "canceled"),
    ),
    "update the name of a pipeline": (
        f'curl --request PUT {TOKEN} --data "name=Some new pipeline name" '
        '--url "$URL/projects/1/pipelines/1/metadata"',
        ("name", "Some new pipeline name"),
    ),
    "delete a pipeline": (
        f'curl {TOKEN} --request "DELETE" "$URL/projects/1/pipelines/1"', "",
    ),
    # docs.gitlab.com/api/pipeline_triggers and docs.gitlab.com/ci/triggers
    "list trigger tokens": (f'curl {TOKEN} "$URL/projects/1/triggers"', ("token", "glptt-abc")),
    "get a trigger token": (f'curl {TOKEN} "$URL/projects/1/triggers/1"', ("description", "ci")),
    "create a trigger token": (
        f'curl --request POST {TOKEN} --form description="my description" "$URL/projects/1/triggers"',
        ("description", "my description"),
    ),
    "update a trigger token": (
        f'curl --request PUT {TOKEN} --form description="my description" '
        '"$URL/projects/1/triggers/1"',
        ("description", "my description"),
    ),
    "remove a trigger token": (
        f'curl --request DELETE {TOKEN} "$URL/projects/1/triggers/1"', "",
    ),
    "trigger with a form": (
        'curl --request POST --form token=glptt-abc --form ref=main "$URL/projects/1/trigger/pipeline"',
        ("ref", "main"),
    ),
    "trigger with a query": (
        'curl --request POST "$URL/projects/1/trigger/pipeline?token=glptt-abc&ref=main"',
        ("source", "trigger"),
    ),
    "trigger with variables": (
        'curl --request POST --form token=glptt-abc --form ref=main --form "variables[UPLOAD]=true" '
        '"$URL/projects/1/trigger/pipeline"',
        ("status", "running"),
    ),
    "trigger with inputs": (
        "curl --request POST --form token=glptt-abc --form ref=main "
        '--form "inputs[environment]=dev" "$URL/projects/1/trigger/pipeline"',
        ("source", "trigger"),
    ),
    "trigger in a job": (
        'curl --request POST --form "token=$CI_JOB_TOKEN" --form ref=main '
        '"$URL/projects/1/trigger/pipeline"',
        ("source", "pipeline"),
    ),
    "trigger of a ref, as webhooks write it": (
        "curl --globoff --request POST "
        '"$URL/projects/1/ref/main/trigger/pipeline?token=glptt-abc&variables[A]=1"',
        ("ref", "main"),
    ),
    # docs.gitlab.com/api/jobs
    "list project jobs": (
        f'curl --globoff {TOKEN} "$URL/projects/1/jobs?scope[]=pending&scope[]=running"',
        ("name", "test"),
    ),
    "list pipeline jobs": (
        f'curl --globoff {TOKEN} "$URL/projects/1/pipelines/1/jobs?scope[]=pending&scope[]=running"',
        ("name", "test"),
    ),
    "list pipeline bridges": (
        f'curl --globoff {TOKEN} "$URL/projects/1/pipelines/1/bridges?scope[]=success"',
        ("name", "downstream"),
    ),
    "list pipeline trigger jobs": (
        f'curl --globoff {TOKEN} "$URL/projects/1/pipelines/1/trigger_jobs?scope[]=success"',
        ("name", "downstream"),
    ),
    "get the job of a job token": (
        'curl --header "JOB-TOKEN: $CI_JOB_TOKEN" --url "$URL/job"', ("id", 100002),
    ),
    "get a job": (f'curl {TOKEN} "$URL/projects/1/jobs/100001"', ("stage", "build")),
    "get a log file": (
        f'curl --location {TOKEN} "$URL/projects/1/jobs/100001/trace"', "compiling\ndone\n",
    ),
    "cancel a job": (
        f'curl --request POST {TOKEN} "$URL/projects/1/jobs/100002/cancel"', ("status", "canceled"),
    ),
    "retry a job": (
        f'curl --request POST {TOKEN} "$URL/projects/1/jobs/100001/retry"', ("id", 101001),
    ),
    "retry a job that runs": (
        f'curl --request POST {TOKEN} "$URL/projects/1/jobs/100002/retry"',
        ("message", "403 Forbidden - Job is not retryable"),
    ),
    "erase a job": (
        f'curl --request POST {TOKEN} "$URL/projects/1/jobs/100001/erase"', ("artifacts", []),
    ),
    "run a job": (
        f'curl --request POST "$URL/projects/1/jobs/100003/play" {JSON} {TOKEN} --data '
        """'{ "job_variables_attributes": [ { "key": "TEST_VAR_1", "value": "test1" } ] }'""",
        ("id", 100003),
    ),
    # docs.gitlab.com/api/job_artifacts
    "download job artifacts": (
        f'curl --location --output a.zip {TOKEN} "$URL/projects/1/jobs/100001/artifacts" && '
        "head -c 2 a.zip",
        "PK",
    ),
    "download job artifacts in a job": (
        'curl --location --output a.zip --header "JOB-TOKEN: $CI_JOB_TOKEN" '
        '"$URL/projects/1/jobs/100001/artifacts" && head -c 2 a.zip',
        "PK",
    ),
    "list the files in an archive": (
        f'curl {TOKEN} "$URL/projects/1/jobs/100001/artifacts/tree?path=some&recursive=true"',
        ("path", "some/release/"),
    ),
    "agents of a job": (
        'curl --header "JOB-TOKEN: $CI_JOB_TOKEN" "$URL/job/allowed_agents"',
        ("job", {"id": 100002}),
    ),
    "keep artifacts": (
        f'curl --request POST {TOKEN} "$URL/projects/1/jobs/100001/artifacts/keep"',
        ("id", 100001),
    ),
    "delete job artifacts": (
        f'curl --request DELETE {TOKEN} "$URL/projects/1/jobs/100001/artifacts"', "",
    ),
    "delete project artifacts": (
        f'curl --request DELETE {TOKEN} "$URL/projects/1/artifacts"', ("message", "202 Accepted"),
    ),
    "download job artifacts by reference name": (
        f'curl --location --output a.zip {TOKEN} '
        '"$URL/projects/1/jobs/artifacts/done/download?job=build" && head -c 2 a.zip',
        "PK",
    ),
    "download a single artifact": (
        f'curl --location {TOKEN} "$URL/projects/1/jobs/100001/artifacts/some/release/app.txt"',
        "1.4.0",
    ),
    "download a single artifact by reference name": (
        f'curl --location {TOKEN} '
        '"$URL/projects/1/jobs/artifacts/done/raw/some/release/app.txt?job=build"',
        "1.4.0",
    ),
    # what is looked up before
    "project by path": (f'curl {TOKEN} "$URL/projects/group%2Fapp"', ("id", 1)),
    "projects": (f'curl {TOKEN} "$URL/projects?search=app"', ("path", "app")),
    "user": (f'curl {TOKEN} "$URL/user"', ("username", "root")),
    "user, with OAuth": (
        'curl --header "Authorization: Bearer MOCK_SUPER_SECRET" "$URL/user"', ("username", "root"),
    ),
    "version": (f'curl {TOKEN} "$URL/version"', ("enterprise", True)),
    "metadata": (f'curl {TOKEN} --url "$URL/metadata"', ("enterprise", True)),
    "branches": (f'curl {TOKEN} "$URL/projects/1/repository/branches"', ("name", "done")),
    "branch": (f'curl {TOKEN} "$URL/projects/1/repository/branches/main"', ("default", True)),
    "branch, whether it exists": (
        f'curl --head --request HEAD {TOKEN} "$URL/projects/1/repository/branches/main" '
        "| head -c 12",
        "HTTP/1.1 204",
    ),
    "tags": (f'curl {TOKEN} "$URL/projects/1/repository/tags"', ("name", "v1.0")),
    "tag": (f'curl {TOKEN} "$URL/projects/1/repository/tags/v1.0"', ("name", "v1.0")),
    "commits": (
        f'curl {TOKEN} "$URL/projects/1/repository/commits?ref_name=main"', ("parent_ids", []),
    ),
    "commit": (f'curl {TOKEN} "$URL/projects/1/repository/commits/main"', ("parent_ids", [])),
    # docs.gitlab.com/api/project_webhooks
    "list webhooks": (f'curl {TOKEN} "$URL/projects/1/hooks"', ("id", 1)),
    "get a webhook": (
        f'curl {TOKEN} "$URL/projects/1/hooks/1"', ("custom_headers", [{"key": "X-A"}]),
    ),
    "create a webhook": (
        f'curl --request POST {TOKEN} {JSON} --url "$URL/projects/1/hooks" '
        """--data '{"url": "http://localhost:9", "job_events": true}'""",
        ("job_events", True),
    ),
    "update a webhook": (
        f'curl --request PUT {TOKEN} --data "pipeline_events=true" "$URL/projects/1/hooks/1"',
        ("pipeline_events", True),
    ),
    "delete a webhook": (f'curl --request DELETE {TOKEN} "$URL/projects/1/hooks/1"', ""),
    "list the events of a webhook": (f'curl {TOKEN} "$URL/projects/1/hooks/1/events"', "[]"),
    "resend an event of a webhook": (
        f'curl --request POST {TOKEN} "$URL/projects/1/hooks/1/events/1/resend"',
        ("message", "404 Not found"),
    ),
    "test a webhook that nobody receives": (
        f'curl --request POST {TOKEN} "$URL/projects/1/hooks/1/test/pipeline_events"',
        ("message", "ConnectError: All connection attempts failed"),
    ),
    "set a custom header": (
        f"curl --request PUT {TOKEN} {JSON} --data '{{\"value\": \"b\"}}' "
        '"$URL/projects/1/hooks/1/custom_headers/X-B"',
        "",
    ),
    "delete a custom header": (
        f'curl --request DELETE {TOKEN} "$URL/projects/1/hooks/1/custom_headers/X-A"', "",
    ),
    "set a url variable": (
        f'curl --request PUT {TOKEN} --form "value=c" "$URL/projects/1/hooks/1/url_variables/place"',
        "",
    ),
    # docs.gitlab.com/api/groups, namespaces, members, users, personal_access_tokens
    "list groups": (f'curl {TOKEN} "$URL/groups"', ("full_path", "group")),
    "get a group": (
        f'curl {TOKEN} "$URL/groups/group?with_projects=false"', ("full_path", "group"),
    ),
    "list subgroups": (f'curl {TOKEN} "$URL/groups/group/subgroups"', "[]"),
    "list descendant groups": (f'curl {TOKEN} "$URL/groups/group/descendant_groups"', "[]"),
    "list the projects of a group": (
        f'curl {TOKEN} "$URL/groups/group/projects?order_by=id&sort=asc"', ("id", 1),
    ),
    "list the members of a group": (
        f'curl {TOKEN} "$URL/groups/group/members"', ("access_level", 50),
    ),
    "list namespaces": (f'curl {TOKEN} "$URL/namespaces?search=group"', ("kind", "group")),
    "get a namespace": (f'curl {TOKEN} "$URL/namespaces/group"', ("kind", "group")),
    "list the members of a project": (
        f'curl {TOKEN} "$URL/projects/1/members"', ("access_level", 50),
    ),
    "list all members of a project": (
        f'curl {TOKEN} "$URL/projects/1/members/all"', ("username", "root"),
    ),
    "get a member": (f'curl {TOKEN} "$URL/projects/1/members/1"', ("access_level", 50)),
    "get any member": (
        f'curl {TOKEN} "$URL/projects/1/members/all/1"', ("membership_state", "active"),
    ),
    "list the users of a project": (
        f'curl {TOKEN} "$URL/projects/1/users"', ("username", "root"),
    ),
    "look up a user": (f'curl {TOKEN} "$URL/users?username=root"', ("id", 1)),
    "get a user": (f'curl {TOKEN} "$URL/users/1"', ("username", "root")),
    "show the own token": (
        f'curl {TOKEN} "$URL/personal_access_tokens/self"', ("scopes", ["api"]),
    ),
    # docs.gitlab.com/api/environments
    "list environments": (
        f'curl {TOKEN} "$URL/projects/1/environments?name=production"', ("tier", "production"),
    ),
    "search environments": (
        f'curl {TOKEN} "$URL/projects/1/environments?search=prod"', ("state", "available"),
    ),
    "get an environment": (
        f'curl {TOKEN} "$URL/projects/1/environments/117973062"', ("slug", "production"),
    ),
    "create an environment": (
        f'curl --request POST --data "name=deploy&external_url=https://deploy.test" {TOKEN} '
        '"$URL/projects/1/environments"',
        ("external_url", "https://deploy.test"),
    ),
    "update an environment": (
        f'curl --request PUT --data "external_url=https://other.test" {TOKEN} '
        '"$URL/projects/1/environments/117973062"',
        ("external_url", "https://other.test"),
    ),
    "stop an environment": (
        f'curl --request POST {TOKEN} "$URL/projects/1/environments/117973062/stop"',
        ("state", "stopped"),
    ),
    "stop stale environments": (
        f'curl --request POST {TOKEN} "$URL/projects/1/environments/stop_stale?before=2021-10-10"',
        ("message", "Successfully requested stop for all stale environments"),
    ),
    "delete an environment that is available": (
        f'curl --request DELETE {TOKEN} "$URL/projects/1/environments/117973062"',
        ("message", "403 Forbidden"),
    ),
    # docs.gitlab.com/api/commits
    "list the statuses of a commit": (
        f'curl --url "$URL/projects/1/repository/commits/18f3e63d05582537db6d183d9d557be09e1f90c8/statuses" {TOKEN}',
        "[]",
    ),
    "post the status of a commit": (
        f'curl --request POST {TOKEN} --url "$URL/projects/1/statuses/18f3e63d05582537db6d183d9d557be09e1f90c8?state=success"',
        ("name", "default"),
    ),
    # docs.gitlab.com/api/deployments
    "list deployments": (f'curl {TOKEN} "$URL/projects/1/deployments"', ("iid", 1)),
    "get a deployment": (f'curl {TOKEN} "$URL/projects/1/deployments/100001"', ("iid", 1)),
    "create a deployment": (
        f'curl --request POST {TOKEN} --data "environment=production&sha=a91957a858320c0e17f3a0eca7cfacbff50ea29a'
        '&ref=main&tag=false&status=success" "$URL/projects/1/deployments"',
        ("status", "success"),
    ),
    "update the deployment of a job": (
        f'curl --request PUT --data "status=success" {TOKEN} '
        '"$URL/projects/1/deployments/100001"',
        (
            "message",
            "403 Forbidden - Deployments created using GitLab CI can not be updated using the API",
        ),
    ),
    "delete a deployment": (
        f'curl --request DELETE {TOKEN} "$URL/projects/1/deployments/100001"', "",
    ),
    "list the merge requests of a deployment": (
        f'curl {TOKEN} "$URL/projects/1/deployments/100001/merge_requests"', "[]",
    ),
    "delete a url variable": (
        f'curl --request DELETE {TOKEN} "$URL/projects/1/hooks/1/url_variables/place"', "",
    ),
}  # fmt: skip
DECLARED = """\
version: 1
database: ':memory:'
projects:
  - id: 1
    path: group/app
    tags: [v1.0]
    trigger_tokens: [{description: ci, token: glptt-abc}]
    hooks: [{url: "http://localhost:9/{place}", custom_headers: {X-A: a}, url_variables: {place: b}}]
scenarios:
  - scenario_id: 900
    jobs:
      - &build
        name: build
        stage: build
        trace: "compiling\\ndone\\n"
        environment: production
        artifacts: {some/release/app.txt: "1.4.0"}
      - {name: test, stage: test, duration: 1h}
      - {name: deploy, stage: test, when: manual}
      - {name: downstream, stage: build, downstream: {project: group/other}}
    test_report: {suites: [{name: build, cases: [{name: adds, execution_time: 0.5}]}]}
  - {scenario_id: 901, jobs: [*build]}
rules:
  - {when: {ref: done}, scenario: 901}
  - {when: {ref: main}, scenario: 900}
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    (folder / "mock.yaml").write_text(DECLARED, encoding="utf-8")
    with serving(folder) as live:
        yield live


def paste(command: str, url: str, folder: Path | None = None, **env: str) -> str:
    done = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl --silent --show-error ", 1)],
        env={"URL": url, "PATH": "/usr/bin:/bin:/usr/local/bin", **env},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("form", FORMS)
def test_a_pasted_command_works(live: Live, form: str, tmp_path: Path):
    command, expected = FORMS[form]
    site = f"{live.url}/sandbox/{re.sub('[^a-zA-Z]+', '-', form)}"
    url = f"{site}/api/v4"
    order = '{"ref": "main", "variables": [{"key": "RUN_NIGHTLY", "value": "1"}]}'
    paste(f"curl {TOKEN} {JSON} --data '{order}' \"$URL/projects/1/pipeline\"", url)
    paste(f'curl --request POST {TOKEN} "$URL/projects/1/pipeline?ref=done"', url)
    jobs = json.loads(paste(f'curl {TOKEN} "$URL/_mock/pipelines/1"', site))["jobs"]
    running = next(job["token"] for job in jobs if job["name"] == "test")

    shown = paste(command, url, tmp_path, CI_JOB_TOKEN=running)

    if isinstance(expected, str):
        assert shown == expected
    else:
        found = json.loads(shown)
        key, value = expected
        assert (found[0] if isinstance(found, list) else found)[key] == value


def test_every_call_of_the_documentation_that_is_served_is_pasted():
    routes, pasted = Routes(ROUTES, otherwise=no_route), set()
    for command, _ in FORMS.values():
        method = re.search('--request "?([A-Z]+)', command)
        path = re.search(r'\$URL([^"?]+)', command)
        assert path is not None
        found = routes.find(method[1] if method else "GET", path[1])
        assert found is not None, command
        pasted.add(found[0].name)

    assert pasted == {route.name for route in ROUTES}


def test_lists_are_filtered_and_their_headers_shown(live: Live):
    url = f"{live.url}/sandbox/lists/api/v4"
    for _ in range(3):
        paste(f'curl --request POST {TOKEN} "$URL/projects/1/pipeline?ref=main"', url)

    shown = paste(
        f'curl --include {TOKEN} "$URL/projects/1/pipelines?status=running&per_page=2"', url
    )

    head, _, body = shown.replace("\r", "").partition("\n\n")
    assert [row["iid"] for row in json.loads(body)] == [3, 2]
    assert "x-next-page: 2" in head.lower()


def test_a_file_is_saved_under_its_own_name(live: Live, tmp_path: Path):
    url = f"{live.url}/sandbox/files"
    paste(f'curl {TOKEN} --data "ref=done" "$URL/api/v4/projects/1/pipeline"', url)

    paste(
        f"curl --remote-name --remote-header-name {TOKEN} "
        '"$URL/api/v4/projects/1/jobs/100001/artifacts"',
        url,
        tmp_path,
    )

    assert (tmp_path / "artifacts.zip").read_bytes()[:2] == b"PK"
