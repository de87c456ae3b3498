"""The errors of GitLab's API: the status and the body of each, in one table.

An endpoint raises an entry by its name::

    raise ApiError(Error.BRANCH_NOT_FOUND)
    raise ApiError(Error.USER_NOT_FOUND, name="jane")

``api_error`` finds the entry for an error that the world raises. The gateway has a few errors of
its own, for requests that it stops before they reach an endpoint (410, 413, 500, 503).
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.model import NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping


class Error(Enum):
    """The table: status and body. ``{words}`` in a body are filled in by ``ApiError``."""

    # reading the parameters
    INVALID_PARAMETERS = 400, {"error": "{problems}"}
    UNREADABLE_BODY = 400, {"error": "message body does not match declared format"}
    UNREADABLE_JSON = (
        400,
        {
            "error": "message body does not match declared format: "
            "The JSON object in the body cannot be read"
        },
    )
    NOT_A_JSON_OBJECT = (
        400,
        {"error": "message body does not match declared format: A JSON object is expected"},
    )
    INCOMPLETE_FORM = 400, {"error": "message body does not match declared format: it breaks off"}
    NOT_UTF8 = 400, {"error": "the parameters are not valid UTF-8"}
    NULL_BYTE_IN_PATH = 400, {"error": "the path contains a null byte"}
    TOO_MANY_PARAMETERS = 400, {"error": "there are more than {limit} parameters"}
    TOO_MANY_JSON_VALUES = 400, {"error": "Too many total parameters"}
    NESTED_TOO_DEEP = 400, {"error": "the parameters are nested too deep"}
    CONFLICTING_NESTING = 400, {"error": "expected {expected} (got {got}) for param `{name}'"}
    REGEX_IS_INVALID = 400, {"message": "Regex is invalid"}
    CURSOR_IS_INVALID = 400, {"error": "cursor is invalid"}
    INVALID_PAGE_TOKEN = 422, {"message": "Invalid page token: {ref}"}
    UNSUPPORTED_CONTENT_TYPE = (
        415,
        {"error": "The provided content-type '{kind}' is not supported."},
    )
    OFFSET_TOO_LARGE = (
        405,
        {
            "error": "Offset pagination has a maximum allowed offset of {limit} for requests that "
            "return objects of type {type}. Remaining records can be retrieved using keyset "
            "pagination."
        },
    )
    NO_KEYSET_PAGINATION = (
        405,
        {"error": "Keyset pagination is not yet available for this type of request"},
    )

    # authentication
    UNAUTHORIZED = 401, {"message": "401 Unauthorized"}
    JOB_IS_ERASED = 401, {"message": "Job has been erased!"}
    JOB_IS_NOT_RUNNING = 401, {"message": "Job is not running"}
    USER_NOT_FOUND = 404, {"message": "404 User with ID or username '{name}' Not Found"}

    # looking things up
    NO_ROUTE = 404, {"error": "404 Not Found"}
    NOT_FOUND = 404, {"message": "404 Not Found"}
    RECORD_NOT_FOUND = 404, {"message": "404 Not found"}  # GitLab's small f: a record by its number
    PROJECT_NOT_FOUND = 404, {"message": "404 Project Not Found"}
    GROUP_NOT_FOUND = 404, {"message": "404 Group Not Found"}
    NAMESPACE_NOT_FOUND = 404, {"message": "404 Namespace Not Found"}
    NO_SUCH_USER = 404, {"message": "404 User Not Found"}
    BRANCH_NOT_FOUND = 404, {"message": "404 Branch Not Found"}
    TAG_NOT_FOUND = 404, {"message": "404 Tag Not Found"}
    COMMIT_NOT_FOUND = 404, {"message": "404 Commit Not Found"}
    REFERENCES_NOT_FOUND = 404, {"message": "404 References for commit Not Found"}
    PIPELINE_OF_STATUS_NOT_FOUND = (
        404,
        {"message": "404 Pipeline for pipeline_id, sha and ref Not Found"},
    )
    JOB_NOT_FOUND = 404, {"message": "404 Job Not Found"}
    ARTIFACTS_NOT_FOUND = 404, {"message": "404 Artifacts Not Found"}
    PATH_NOT_FOUND = 404, {"message": "404 Path Not Found"}
    SCENARIO_NOT_FOUND = 404, {"message": "404 Scenario Not Found"}

    # creating and changing
    BAD_REQUEST = 400, {"message": "400 Bad request"}
    UPDATES_NOT_PAIRED = (
        400,
        {
            "message": "400 Bad request - `updated_at` filter and `updated_at` sorting must be "
            "paired"
        },
    )
    CI_FILE_IS_INVALID = 400, {"message": {"base": ["{errors}"]}}
    FAILED_FOR_ITS_CI_FILE = 422, {"message": {"base": ["{errors}"]}}
    REFERENCE_NOT_FOUND = 400, {"message": {"base": ["Reference not found"]}}
    DUPLICATE_VARIABLE = 400, {"message": {"base": ["Duplicate variable name: {names}"]}}
    DUPLICATE_VARIABLES = 400, {"message": {"base": ["Duplicate variable names: {names}"]}}
    VARIABLES_ARE_NO_MAP = 400, {"message": "variables needs to be a map of key-valued strings"}
    NAME_TOO_SHORT = (
        400,
        {"message": "Failed to update pipeline - Name is too short (minimum is 1 character)"},
    )
    NAME_TOO_LONG = (
        400,
        {"message": "Failed to update pipeline - Name is too long (maximum is {limit} characters)"},
    )
    EXPIRES_TOO_LATE = (
        400,
        {"message": "400 Bad request - Expiration date must be at most a year ahead"},
    )
    INVALID_URL = 422, {"error": "Invalid url given"}
    INVALID_SIGNING_TOKEN = 422, {"error": "Signing token is invalid"}
    TOO_MANY_HOOKS = (
        422,
        {"message": {"base": ["Maximum number of project hooks ({limit}) exceeded"]}},
    )
    HOOK_TOO_LARGE = 422, {"message": {"{attribute}": ["{problem}"]}}
    NO_PARAMETERS = 400, {"error": "No parameters provided"}
    NOTHING_TO_TEST = 422, {"message": "Ensure the project has CI jobs."}
    NO_DEPLOYMENT_TO_TEST = 422, {"message": "Ensure the project has deployments."}
    HOOK_TEST_FAILED = 422, {"message": "{response}"}
    SEARCH_TOO_SHORT = (
        400,
        {"message": "400 Bad request - Search query is less than {limit} characters"},
    )
    NAME_IS_TAKEN = 400, {"message": {"name": ["has already been taken"]}}
    ENVIRONMENT_NAME_TOO_LONG = (
        400,
        {"message": {"name": ["is too long (maximum is {limit} characters)"]}},
    )
    ENVIRONMENT_NAME_IS_INVALID = (
        400,
        {
            "message": {
                "name": [
                    "can contain only letters, digits, '-', '_', '/', '$', '{{', '}}', '.', and "
                    "spaces, but it cannot start or end with '/'"
                ]
            }
        },
    )
    EXTERNAL_URL_TOO_LONG = (
        400,
        {"message": {"external_url": ["is too long (maximum is {limit} characters)"]}},
    )
    DESCRIPTION_TOO_LONG = (
        400,
        {"message": {"description": ["is too long (maximum is {limit} characters)"]}},
    )
    TOO_MANY_ENVIRONMENTS = 400, {"message": {"project": ["has too many environments"]}}
    INVALID_DATE = 400, {"message": "400 Bad request - Invalid Date"}
    TWO_FILTERS_OF_DEPLOYMENTS = (
        400,
        {
            "message": "400 Bad request - Both `updated_at` filter and `finished_at` filter can "
            "not be specified"
        },
    )
    UPDATED_NOT_SORTED = (
        400,
        {"message": "400 Bad request - `updated_at` filter requires `updated_at` sort"},
    )
    FINISHED_NOT_SORTED = (
        400,
        {"message": "400 Bad request - `finished_at` filter requires `finished_at` sort."},
    )
    FINISHED_NOT_FILTERED = (
        400,
        {
            "message": "400 Bad request - `finished_at` sort requires `finished_at` filter or a "
            "filter with at least one of the finished statuses."
        },
    )
    FINISHED_NOT_SUCCESSFUL = (
        400,
        {
            "message": "400 Bad request - `finished_at` filter must be combined with `success` "
            "status filter."
        },
    )
    NO_SUCH_COMMIT = 400, {"message": {"sha": ["The commit does not exist"]}}
    NO_SUCH_BRANCH_OR_TAG = 400, {"message": {"ref": ["The branch or tag does not exist"]}}
    NO_SUCH_TRANSITION = 400, {"message": {"status": ['cannot transition via "{event}"']}}
    DEPLOYMENT_IS_RUNNING = 400, {"message": "400 Cannot destroy running deployment"}
    DEPLOYMENT_IS_THE_LAST = (
        400,
        {"message": "400 Deployment currently deployed to environment"},
    )
    DEPLOYMENT_OF_A_JOB = (
        403,
        {
            "message": "403 Forbidden - Deployments created using GitLab CI can not be updated "
            "using the API"
        },
    )
    INVALID_COMMIT_STATUS = 400, {"message": {"{attribute}": ["{problem}"]}}
    NO_SUCH_STEP_OF_A_STATUS = (
        400,
        {
            "message": "Cannot transition status via :{event} from :{state} "
            '(Reason(s): Status cannot transition via "{event}")'
        },
    )
    PIPELINE_IS_FULL = 422, {"message": "The number of jobs has exceeded the limit"}
    UNPLAYABLE_JOB = 400, {"message": "400 Bad request - Unplayable Job"}
    JOB_IS_NOT_RETRYABLE = 403, {"message": "403 Forbidden - Job is not retryable"}
    JOB_IS_NOT_ERASABLE = 403, {"message": "403 Forbidden - Job is not erasable!"}
    FORBIDDEN = 403, {"message": "403 Forbidden"}
    PRECONDITION_FAILED = 412, {"message": "412 Precondition Failed"}

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.body = body


class Problem(StrEnum):
    """What ``INVALID_PARAMETERS`` says of a parameter, after its name."""

    MISSING = "is missing"
    EMPTY = "is empty"
    INVALID = "is invalid"
    NOT_AN_OPTION = "does not have a valid value"
    NOT_ALLOWED = "has a value not allowed"


class ApiError(Exception):
    """An endpoint answers with an error of the table; ``values`` fill in the words of its body.

    ``hint`` explains it in the journal; the client does not see that.
    """

    def __init__(self, error: Error, hint: str | None = None, **values: object) -> None:
        super().__init__(error.name)
        self.error = error
        self.hint = hint
        self.status = error.status
        self.body: dict[str, Any] = _fill(error.body, values)


def _fill(part: Any, values: Mapping[str, object]) -> Any:
    if isinstance(part, str):
        return part.format_map(values)
    if isinstance(part, list):
        return [_fill(item, values) for item in part]
    return {_fill(key, values): _fill(item, values) for key, item in part.items()}


class Unauthorized(ApiError):
    """The endpoint needs a login, and the request has no token or a wrong one."""

    def __init__(self, hint: str) -> None:
        super().__init__(Error.UNAUTHORIZED, hint)


def invalid(problems: str) -> ApiError:
    """Make the error for parameters that cannot be used."""
    return ApiError(Error.INVALID_PARAMETERS, problems=problems)


# ---------------------------------------------------------------------------- the world's errors

_NOT_FOUND = {
    "project": Error.PROJECT_NOT_FOUND,
    "pipeline": Error.RECORD_NOT_FOUND,
    "job": Error.RECORD_NOT_FOUND,
    "trigger": Error.RECORD_NOT_FOUND,
    "hook": Error.RECORD_NOT_FOUND,
    "environment": Error.RECORD_NOT_FOUND,
    "group": Error.GROUP_NOT_FOUND,
    "namespace": Error.NAMESPACE_NOT_FOUND,
    "user": Error.NO_SUCH_USER,
    "member": Error.RECORD_NOT_FOUND,
    "deployment": Error.RECORD_NOT_FOUND,
    "hook event": Error.RECORD_NOT_FOUND,
    "hook test": Error.NOTHING_TO_TEST,
    "hook test of deployments": Error.NO_DEPLOYMENT_TO_TEST,
    "ref of a status": Error.REFERENCES_NOT_FOUND,
    "pipeline of a status": Error.PIPELINE_OF_STATUS_NOT_FOUND,
    "scenario": Error.SCENARIO_NOT_FOUND,
    "reference": Error.REFERENCE_NOT_FOUND,
}
_NOT_ALLOWED = {
    "Job is not retryable": Error.JOB_IS_NOT_RETRYABLE,
    "Job is not erasable!": Error.JOB_IS_NOT_ERASABLE,
    "Unplayable Job": Error.UNPLAYABLE_JOB,
    "environment is not stopped": Error.FORBIDDEN,
    "too many environments": Error.TOO_MANY_ENVIRONMENTS,
    "Cannot destroy running deployment": Error.DEPLOYMENT_IS_RUNNING,
    "Deployment currently deployed to environment": Error.DEPLOYMENT_IS_THE_LAST,
    "The number of jobs has exceeded the limit": Error.PIPELINE_IS_FULL,
    "Deployment of a job": Error.DEPLOYMENT_OF_A_JOB,
}


def api_error(error: NotFound | NotAllowed) -> ApiError:
    """Find GitLab's error for an error that the world raised."""
    if isinstance(error, NotFound):
        return ApiError(_NOT_FOUND[error.what], error.hint)
    return ApiError(_NOT_ALLOWED[error.reason])
