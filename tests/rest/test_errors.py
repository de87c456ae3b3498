"""GitLab's errors: their shapes, and a request that provokes each of them.

The body of an error is an object with one key:

- ``error`` with a text, if the parameters cannot be used or there is no such endpoint;
- ``message`` with a text, for everything else;
- ``message`` with ``{"base": [text]}``, if a pipeline cannot be created.

A text that begins with a status begins with the status of the answer.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.world import commit_statuses, environments
from tests.conftest import Mock

if TYPE_CHECKING:
    from collections.abc import Callable

STRICT = """strict: true
projects:
  - {id: 1, path: group/app, refs: [main], trigger_tokens: [{description: a, token: t}],
     hooks: [{url: "http://localhost:9"}],
     commits: [{sha: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, title: lonely}]}
  - {id: 2, path: group/empty, hooks: [{url: "http://localhost:9"}]}
  - {id: 3, path: group/full, hooks: [HOOKS]}
scenarios:
  - {scenario_id: 900, name: jobs, jobs: [{name: build, duration: 10, trace: a,
     environment: production},
     {name: test, artifacts: {a: b}}]}
  - {scenario_id: 901, name: broken, yaml_errors: "jobs:build is no job"}
"""
STRICT = STRICT.replace("HOOKS", ", ".join(['{url: "http://localhost:9"}'] * 100))
DIFFERS = "message body does not match declared format"
NO_JSON = f"{DIFFERS}: The JSON object in the body cannot be read"
JSON = "application/json"


class Case(NamedTuple):
    """A request, and the error that answers it."""

    error: Error
    method: str
    path: str
    text: str
    sent: Any = None
    headers: Any = None


def sent(error: Error, content: str, kind: str, text: str) -> Case:
    """A request with this body."""
    return Case(error, "POST", "/projects/1/pipeline", text, content, {"content-type": kind})


JOB = "/projects/1/jobs/100001"
ENVIRONMENTS = "/projects/1/environments"
DEPLOYMENTS = "/projects/1/deployments"
STATUSES = "/projects/1/statuses"
DEPLOYED = {"environment": "made", "sha": "a" * 40, "tag": False, "status": "success"}
CREATE = "/projects/1/pipeline"
TRIGGER = "/projects/1/trigger/pipeline"
TWICE = [{"key": "A", "value": "1"}, {"key": "A", "value": "2"}]
FORM = "multipart/form-data; boundary=x"
FIELD = '--x\r\nContent-Disposition: form-data; name="ref"\r\n\r\nmain\r\n'
FAR = (
    "Offset pagination has a maximum allowed offset of 50000 for requests that return objects of "
    "type Ci::Build. Remaining records can be retrieved using keyset pagination."
)
NO_KEYSET = "Keyset pagination is not yet available for this type of request"
CASES = [
    Case(Error.INVALID_PARAMETERS, "POST", CREATE, "ref is missing"),
    sent(Error.UNREADABLE_BODY, "x", "multipart/form-data", DIFFERS),
    sent(Error.UNREADABLE_JSON, "{", JSON, NO_JSON),
    sent(Error.NOT_A_JSON_OBJECT, "[]", JSON, f"{DIFFERS}: A JSON object is expected"),
    sent(Error.INCOMPLETE_FORM, FIELD, FORM, f"{DIFFERS}: it breaks off"),
    Case(Error.NOT_UTF8, "GET", "/projects?search=%ff", "the parameters are not valid UTF-8"),
    Case(Error.NULL_BYTE_IN_PATH, "GET", "/projects/a%00", "the path contains a null byte"),
    Case(
        Error.TOO_MANY_PARAMETERS,
        "GET",
        f"/projects?{'a&' * 4096}",
        "there are more than 4096 parameters",
    ),
    sent(
        Error.TOO_MANY_JSON_VALUES,
        f"[{'1,' * 100_001}1]",
        "application/json",
        "Too many total parameters",
    ),
    Case(
        Error.NESTED_TOO_DEEP,
        "GET",
        f"/projects?a{'[b]' * 32}=1",
        "the parameters are nested too deep",
    ),
    Case(
        Error.CONFLICTING_NESTING,
        "GET",
        "/projects?a=1&a[b]=2",
        "expected Hash (got String) for param `a'",
    ),
    Case(
        Error.CURSOR_IS_INVALID,
        "GET",
        "/projects/1/jobs?pagination=keyset&cursor=x",
        "cursor is invalid",
    ),
    sent(
        Error.UNSUPPORTED_CONTENT_TYPE,
        "x",
        "text/plain",
        "The provided content-type 'text/plain' is not supported.",
    ),
    Case(Error.OFFSET_TOO_LARGE, "GET", "/projects/1/jobs?page=502&per_page=100", FAR),
    Case(
        Error.NO_KEYSET_PAGINATION,
        "GET",
        "/projects/1/jobs?pagination=keyset&order_by=name",
        NO_KEYSET,
    ),
    Case(
        Error.REGEX_IS_INVALID, "GET", "/projects/1/repository/branches?regex=[", "Regex is invalid"
    ),
    Case(
        Error.INVALID_PAGE_TOKEN,
        "GET",
        "/projects/1/repository/tags?pagination=keyset&page_token=v9",
        "Invalid page token: refs/tags/v9",
    ),
    Case(
        Error.UNAUTHORIZED, "GET", "/user", "401 Unauthorized", headers={"private-token": "wrong"}
    ),
    Case(Error.JOB_IS_ERASED, "POST", TRIGGER, "Job has been erased!", {"token": "{erased}"}),
    Case(Error.JOB_IS_NOT_RUNNING, "POST", TRIGGER, "Job is not running", {"token": "{ended}"}),
    Case(
        Error.USER_NOT_FOUND,
        "GET",
        "/user?sudo=jane",
        "404 User with ID or username 'jane' Not Found",
    ),
    Case(Error.NO_ROUTE, "GET", "/nowhere", "404 Not Found"),
    Case(Error.NOT_FOUND, "GET", f"{JOB}/artifacts", "404 Not Found"),
    Case(Error.RECORD_NOT_FOUND, "GET", "/projects/1/pipelines/7", "404 Not found"),
    Case(Error.PROJECT_NOT_FOUND, "GET", "/projects/7", "404 Project Not Found"),
    Case(
        Error.BRANCH_NOT_FOUND,
        "GET",
        "/projects/1/repository/branches/other",
        "404 Branch Not Found",
    ),
    Case(Error.TAG_NOT_FOUND, "GET", "/projects/1/repository/tags/v1", "404 Tag Not Found"),
    Case(
        Error.COMMIT_NOT_FOUND,
        "GET",
        "/projects/1/repository/commits/abcdef0",
        "404 Commit Not Found",
    ),
    Case(Error.JOB_NOT_FOUND, "GET", "/job", "404 Job Not Found"),
    Case(Error.ARTIFACTS_NOT_FOUND, "GET", f"{JOB}/artifacts/tree", "404 Artifacts Not Found"),
    Case(
        Error.PATH_NOT_FOUND,
        "GET",
        "/projects/1/jobs/100002/artifacts/tree?path=b",
        "404 Path Not Found",
    ),
    Case(
        Error.SCENARIO_NOT_FOUND,
        "POST",
        CREATE,
        "404 Scenario Not Found",
        {"ref": "main", "scenario_id": 4711},
    ),
    Case(Error.BAD_REQUEST, "GET", f"{JOB}/artifacts/..%2Fa", "400 Bad request"),
    Case(
        Error.UPDATES_NOT_PAIRED,
        "GET",
        "/projects?updated_after=2026-01-01",
        "400 Bad request - `updated_at` filter and `updated_at` sorting must be paired",
    ),
    Case(Error.REFERENCE_NOT_FOUND, "POST", CREATE, "Reference not found", {"ref": "other"}),
    Case(
        Error.DUPLICATE_VARIABLE,
        "POST",
        CREATE,
        "Duplicate variable name: A",
        {"ref": "main", "variables": TWICE},
    ),
    Case(
        Error.DUPLICATE_VARIABLES,
        "POST",
        CREATE,
        "Duplicate variable names: B, A",
        {"ref": "main", "variables": [{"key": key, "value": ""} for key in "BACAB"]},
    ),
    Case(
        Error.VARIABLES_ARE_NO_MAP,
        "POST",
        TRIGGER,
        "variables needs to be a map of key-valued strings",
        {"token": "t", "variables": {"A": 1}},
    ),
    Case(
        Error.NAME_TOO_SHORT,
        "PUT",
        "/projects/1/pipelines/1/metadata",
        "Failed to update pipeline - Name is too short (minimum is 1 character)",
        {"name": ""},
    ),
    Case(
        Error.NAME_TOO_LONG,
        "PUT",
        "/projects/1/pipelines/1/metadata",
        "Failed to update pipeline - Name is too long (maximum is 255 characters)",
        {"name": "x" * 256},
    ),
    Case(
        Error.CI_FILE_IS_INVALID,
        "POST",
        CREATE,
        "jobs:build is no job",
        {"ref": "main", "scenario_id": 901},
    ),
    Case(
        Error.FAILED_FOR_ITS_CI_FILE,
        "POST",
        TRIGGER,
        "jobs:build is no job",
        {"token": "t", "ref": "main", "scenario_id": 901},
    ),
    Case(
        Error.EXPIRES_TOO_LATE,
        "POST",
        "/projects/1/triggers",
        "400 Bad request - Expiration date must be at most a year ahead",
        {"description": "a", "expires_at": "2027-01-03"},
    ),
    Case(Error.UNPLAYABLE_JOB, "POST", f"{JOB}/play", "400 Bad request - Unplayable Job"),
    Case(
        Error.JOB_IS_NOT_RETRYABLE,
        "POST",
        "/projects/1/jobs/200001/retry",
        "403 Forbidden - Job is not retryable",
    ),
    Case(
        Error.JOB_IS_NOT_ERASABLE,
        "POST",
        "/projects/1/jobs/200001/erase",
        "403 Forbidden - Job is not erasable!",
    ),
    Case(
        Error.INVALID_URL,
        "POST",
        "/projects/1/hooks",
        "Invalid url given",
        {"url": "http://example.com"},
    ),
    Case(
        Error.INVALID_SIGNING_TOKEN,
        "POST",
        "/projects/1/hooks",
        "Signing token is invalid",
        {"url": "http://localhost", "signing_token": "x"},
    ),
    Case(
        Error.TOO_MANY_HOOKS,
        "POST",
        "/projects/3/hooks",
        "Maximum number of project hooks (100) exceeded",
        {"url": "http://localhost"},
    ),
    Case(
        Error.HOOK_TOO_LARGE,
        "POST",
        "/projects/1/hooks",
        "is too long (maximum is 255 characters)",
        {"url": "http://localhost", "name": "x" * 256},
    ),
    Case(Error.NO_PARAMETERS, "PUT", "/projects/1/hooks/1", "No parameters provided"),
    Case(
        Error.NOTHING_TO_TEST,
        "POST",
        "/projects/2/hooks/2/test/pipeline_events",
        "Ensure the project has CI jobs.",
    ),
    Case(
        Error.HOOK_TEST_FAILED,
        "POST",
        "/projects/1/hooks/1/test/pipeline_events",
        "ConnectError: All connection attempts failed",
    ),
    Case(Error.FORBIDDEN, "GET", "/projects/1/pipelines/latest?ref=other", "403 Forbidden"),
    Case(Error.GROUP_NOT_FOUND, "GET", "/groups/nothing", "404 Group Not Found"),
    Case(Error.NAMESPACE_NOT_FOUND, "GET", "/namespaces/nothing", "404 Namespace Not Found"),
    Case(Error.NO_SUCH_USER, "GET", "/users/7", "404 User Not Found"),
    Case(
        Error.SEARCH_TOO_SHORT,
        "GET",
        f"{ENVIRONMENTS}?search=ab",
        "400 Bad request - Search query is less than 3 characters",
    ),
    Case(
        Error.NAME_IS_TAKEN, "POST", ENVIRONMENTS, "has already been taken", {"name": "production"}
    ),
    Case(
        Error.ENVIRONMENT_NAME_TOO_LONG,
        "POST",
        ENVIRONMENTS,
        "is too long (maximum is 255 characters)",
        {"name": "x" * 256},
    ),
    Case(
        Error.ENVIRONMENT_NAME_IS_INVALID,
        "POST",
        ENVIRONMENTS,
        "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces, but it "
        "cannot start or end with '/'",
        {"name": "/x"},
    ),
    Case(
        Error.EXTERNAL_URL_TOO_LONG,
        "POST",
        ENVIRONMENTS,
        "is too long (maximum is 255 characters)",
        {"name": "x", "external_url": "x" * 256},
    ),
    Case(
        Error.DESCRIPTION_TOO_LONG,
        "POST",
        ENVIRONMENTS,
        "is too long (maximum is 10000 characters)",
        {"name": "x", "description": "x" * 10_001},
    ),
    Case(
        Error.TOO_MANY_ENVIRONMENTS,
        "POST",
        ENVIRONMENTS,
        "has too many environments",
        {"name": "another"},
    ),
    Case(
        Error.INVALID_DATE,
        "POST",
        f"{ENVIRONMENTS}/stop_stale",
        "400 Bad request - Invalid Date",
        {"before": "2000-01-01"},
    ),
    Case(
        Error.TWO_FILTERS_OF_DEPLOYMENTS,
        "GET",
        f"{DEPLOYMENTS}?updated_after=2025-01-01&finished_after=2025-01-01",
        "400 Bad request - Both `updated_at` filter and `finished_at` filter can not be specified",
    ),
    Case(
        Error.UPDATED_NOT_SORTED,
        "GET",
        f"{DEPLOYMENTS}?updated_after=2025-01-01",
        "400 Bad request - `updated_at` filter requires `updated_at` sort",
    ),
    Case(
        Error.FINISHED_NOT_SORTED,
        "GET",
        f"{DEPLOYMENTS}?finished_after=2025-01-01",
        "400 Bad request - `finished_at` filter requires `finished_at` sort.",
    ),
    Case(
        Error.FINISHED_NOT_FILTERED,
        "GET",
        f"{DEPLOYMENTS}?order_by=finished_at",
        "400 Bad request - `finished_at` sort requires `finished_at` filter or a filter with at "
        "least one of the finished statuses.",
    ),
    Case(
        Error.FINISHED_NOT_SUCCESSFUL,
        "GET",
        f"{DEPLOYMENTS}?order_by=finished_at&finished_after=2025-01-01",
        "400 Bad request - `finished_at` filter must be combined with `success` status filter.",
    ),
    Case(Error.NO_SUCH_COMMIT, "POST", DEPLOYMENTS, "The commit does not exist", DEPLOYED),
    Case(
        Error.NO_SUCH_BRANCH_OR_TAG,
        "POST",
        DEPLOYMENTS,
        "The branch or tag does not exist",
        {**DEPLOYED, "sha": "{head}", "ref": "nowhere"},
    ),
    Case(
        Error.NO_SUCH_TRANSITION,
        "PUT",
        f"{DEPLOYMENTS}/100000",
        'cannot transition via "succeed"',
        {"status": "success"},
    ),
    Case(
        Error.DEPLOYMENT_IS_RUNNING,
        "DELETE",
        f"{DEPLOYMENTS}/200001",
        "400 Cannot destroy running deployment",
    ),
    Case(
        Error.DEPLOYMENT_IS_THE_LAST,
        "DELETE",
        f"{DEPLOYMENTS}/100001",
        "400 Deployment currently deployed to environment",
    ),
    Case(
        Error.DEPLOYMENT_OF_A_JOB,
        "PUT",
        f"{DEPLOYMENTS}/100001",
        "403 Forbidden - Deployments created using GitLab CI can not be updated using the API",
        {"status": "failed"},
    ),
    Case(
        Error.NO_DEPLOYMENT_TO_TEST,
        "POST",
        "/projects/2/hooks/2/test/deployment_events",
        "Ensure the project has deployments.",
    ),
    Case(
        Error.REFERENCES_NOT_FOUND,
        "POST",
        f"{STATUSES}/{'b' * 40}",
        "404 References for commit Not Found",
        {"state": "success", "ref": ""},
    ),
    Case(
        Error.PIPELINE_OF_STATUS_NOT_FOUND,
        "POST",
        f"{STATUSES}/main",
        "404 Pipeline for pipeline_id, sha and ref Not Found",
        {"state": "success", "pipeline_id": 9},
    ),
    Case(
        Error.INVALID_COMMIT_STATUS,
        "POST",
        f"{STATUSES}/main",
        "is blocked: Only allowed schemes are http, https",
        {"state": "success", "target_url": "ftp://x"},
    ),
    Case(
        Error.NO_SUCH_STEP_OF_A_STATUS,
        "POST",
        f"{STATUSES}/main",
        "Cannot transition status via :run from :running "
        '(Reason(s): Status cannot transition via "run")',
        {"state": "running"},
    ),
    Case(
        Error.PIPELINE_IS_FULL,
        "POST",
        f"{STATUSES}/main",
        "The number of jobs has exceeded the limit",
        {"state": "success", "pipeline_id": 2, "name": "more"},
    ),
    Case(
        Error.PRECONDITION_FAILED,
        "DELETE",
        "/projects/1/pipelines/1",
        "412 Precondition Failed",
        headers={"if-unmodified-since": "2020-01-01"},
    ),
]


@pytest.fixture
def strict(mock_with: Callable[..., Mock], monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A strict mock: the jobs of pipeline 1 have ended, and one of them is erased; 2 runs.

    The API has made a deployment, and can make no further environment. A status of pipeline 2 runs,
    and there is no room for another.
    """
    monkeypatch.setattr(commit_statuses, "STATUSES_LIMIT", 1)
    monkeypatch.setattr(environments, "MOST_MADE", 1)
    mock = mock_with(STRICT)
    for _ in range(2):
        created = mock.post(CREATE, json={"ref": "main", "scenario_id": 900})
        assert created.status_code == 201, created.text
        if created.json()["id"] == 1:
            mock.advance("1m")
    assert mock.post(f"{JOB}/erase").status_code == 201
    made = {**DEPLOYED, "sha": created.json()["sha"], "ref": "main"}
    assert mock.post(DEPLOYMENTS, json=made).json()["id"] == 100_000
    assert mock.post(f"{STATUSES}/main", json={"state": "running"}).json()["pipeline_id"] == 2
    return mock


def text_of(body: Any) -> str:
    """The text of an error, whatever its shape."""
    [(key, value)] = body.items()
    if isinstance(value, str):
        return value
    [[_, [text]]] = value.items()
    assert key == "message"
    return str(text)


@pytest.mark.parametrize("error", Error, ids=lambda error: error.name)
def test_an_error_has_one_of_gitlabs_shapes(error: Error):
    [key] = error.body
    status = re.match(r"\d{3}\b", text_of(error.body))

    assert key in ("error", "message")
    assert error.status in (400, 401, 403, 404, 405, 412, 415, 422)
    assert status is None or int(status[0]) == error.status


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.error.name)
def test_a_request_provokes_the_error(strict: Mock, case: Case):
    jobs = strict.get("/_mock/pipelines/1").json()["jobs"]
    tokens = {"{erased}": jobs[0]["token"], "{ended}": jobs[1]["token"]}
    body = case.sent
    if isinstance(body, dict):
        token = {"token": tokens.get(body["token"], body["token"])} if "token" in body else {}
        body = json.dumps({"ref": "main", **body, **token})
        body = body.replace("{head}", strict.pipeline(1)["sha"])
    headers = case.headers or ({"content-type": JSON} if body else {})

    answer = strict.request(case.method, case.path, content=body, headers=headers)

    assert (answer.status_code, text_of(answer.json())) == (case.error.status, case.text)
    assert answer.json().keys() == case.error.body.keys()


def test_every_error_is_provoked():
    assert {case.error for case in CASES} == set(Error)


def test_words_are_filled_into_the_body_as_they_are():
    error = ApiError(Error.DUPLICATE_VARIABLE, names="{A}, %s")

    assert (error.status, str(error)) == (400, "DUPLICATE_VARIABLE")
    assert error.body == {"message": {"base": ["Duplicate variable name: {A}, %s"]}}
