"""A request to an endpoint, as the endpoint's function sees it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.instants import from_datetime
from mock_gitlab.engine.model import NotFound, Project
from mock_gitlab.engine.statuses import EXECUTING
from mock_gitlab.http.asgi import LOGGED, WORLD
from mock_gitlab.http.tokens import bearer_token, tokens_equal
from mock_gitlab.world.jobs import JOB_TOKEN, JobView

from .body import parse
from .errors import ApiError, Error, Unauthorized
from .paths import decode_segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_gitlab.engine.model import Declarations, Instant
    from mock_gitlab.http.asgi import Scope
    from mock_gitlab.world.journal import LoggedRequest
    from mock_gitlab.world.world import World

    from .endpoint import Endpoint
    from .params import ReadValues

_ANONYMOUS = "the request has no token"
_STRANGER = "its token is not the one of the mock (token in mock.yaml, or MOCK_TOKEN)"
_MAX_OFFSET = 2**62  # SQLite's integers end at 2**63


class Request:
    """A request: its world, its parameters, and who sends it.

    - ``given`` are the parameters as they were sent, ``values`` the checked ones. ``read_values``
      are there if the parameters were read ahead.
    - ``job`` is the job whose token the request uses, if it uses one.
    - ``logged`` is its entry in the journal.
    - ``origin`` is scheme and host as the client wrote them; ``site`` is where the web pages of
      this GitLab would be (in a sandbox: below its path).
    """

    __slots__ = (
        "_headers",
        "_logged_in",
        "_unreadable",
        "body",
        "endpoint",
        "given",
        "job",
        "logged",
        "origin",
        "read_values",
        "scope",
        "site",
        "values",
        "world",
    )

    def __init__(self, endpoint: Endpoint, scope: Scope) -> None:
        self.endpoint = endpoint
        self.scope = scope
        self.world: World = scope[WORLD]
        self.logged: LoggedRequest = scope[LOGGED]
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._logged_in: bool | None = None
        self.job: JobView | None = None
        self.body = b""
        self.given: Mapping[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.read_values: ReadValues | None = None
        self._unreadable: ApiError | None = None
        self.origin = f"{scope['scheme']}://{self.header(b'host') or 'localhost'}"
        self.site = self.origin + scope["root_path"].removesuffix("/api/v4")

    def header(self, name: bytes) -> str | None:
        """Read a header; ``name`` is in lower case."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def read_ahead(self) -> None:
        """Read the parameters before anything else; this is called in a thread for a large body."""
        try:
            self._read()
        except ApiError as error:
            self._unreadable = error
        self.read_values = self.endpoint.checked.read(self.given)

    def read(self) -> None:
        """Read the parameters from query, body and path, and note them for the journal.

        Raises:
            ApiError: they cannot be read.
        """
        if self._unreadable is not None:
            raise self._unreadable
        if self.read_values is None:
            self._read()

    def _read(self) -> None:
        query = self.scope["query_string"]
        if query or self.body:
            self.logged.size = len(self.body)
            self.given = parse(query, self.header(b"content-type"), self.body)
            self.logged.parameters = self.given
        if self.endpoint.named:
            in_path = self.scope["path_params"]
            named = {name: decode_segment(in_path[name]) for name in self.endpoint.named}
            self.given = {**self.given, **named}
        if self.given:
            self.logged.ref = self._text("ref")
            variables = self.given.get("variables")
            if variables:
                self.logged.variables = _variables_in(variables)

    def _text(self, name: str) -> str | None:
        value = self.given.get(name)
        return value if isinstance(value, str) else None

    # ------------------------------------------------------------------ who sends it

    def is_static_token(self, token: str) -> bool:
        """Compare a text with the token of the mock, in constant time."""
        return tokens_equal(token, self.world.declared.token)

    def log_in(self) -> bool:
        """Check the token of the request; False if there is none.

        Raises:
            Unauthorized: the token is wrong.
        """
        if self._logged_in is None:
            self._logged_in = self._find_user()
        return self._logged_in

    def require_login(self) -> None:
        """Check the token of the request; raises Unauthorized if there is none, or a wrong one."""
        if not self.log_in():
            raise Unauthorized(_ANONYMOUS)

    def _find_user(self) -> bool:
        bearer = bearer_token(self.header(b"authorization"))
        if bearer and self.endpoint.job_token and self._use_job_token(bearer):
            return True
        personal = self._text("private_token") or self.header(b"private-token")
        wrong = []
        for token in (personal, bearer, self._text("access_token")):
            # GitLab ignores a job's token here.
            if not token or token.startswith(JOB_TOKEN):
                continue
            if self.is_static_token(token):
                self._check_sudo()
                return True
            wrong.append(token)
        if self.endpoint.job_token:
            token = self._text("job_token") or self._text("token") or self.header(b"job-token")
            if token and self._use_job_token(token):
                return True
            wrong += [token] if token else []
        if wrong:
            raise Unauthorized(_STRANGER)
        return False

    def _check_sudo(self) -> None:
        """Refuse to act for another user than the only one."""
        name = self._text("sudo") or self.header(b"sudo")
        user = self.world.declared.user
        if name and name.lower() not in (str(user.id), user.username.lower()):
            raise ApiError(Error.USER_NOT_FOUND, name=name)

    def _use_job_token(self, token: str) -> bool:
        """Log in as a job; False if no job has this token."""
        job = self.world.jobs.of_token(token)
        if job is None:
            return False
        if job.job.status not in EXECUTING:
            raise Unauthorized(f"the job of its token is {job.job.status}")
        self.job = job
        return True

    # ------------------------------------------------------------------ what it asks for

    def project(self, raw: str) -> Project:
        """Find the project of the path, after a login.

        Raises:
            Unauthorized: the request has no token, or a wrong one.
            NotFound: there is no such project. A strict mock also says so if there is no token,
                as GitLab does of private projects.
        """
        if not self.log_in():
            strict = self.world.declared.strict
            raise NotFound("project", _ANONYMOUS) if strict else Unauthorized(_ANONYMOUS)
        return self.known_project(raw)

    def known_project(self, raw: str) -> Project:
        """Find the project of the path without a login; raises NotFound."""
        project = self.world.catalog.project(decode_segment(raw))
        self.logged.project_id, self.logged.project_path = project.id, project.path
        return project

    def require_unmodified(self, updated_at: Instant) -> None:
        """Raise an ApiError if ``If-Unmodified-Since`` is earlier than ``updated_at``."""
        since = _read_date(self.header(b"if-unmodified-since") or "")
        if since is not None and updated_at > since:
            raise ApiError(Error.PRECONDITION_FAILED)

    @property
    def limit(self) -> int:
        """How many rows a page has."""
        return int(self.values["per_page"])

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return min((int(self.values["page"]) - 1) * self.limit, _MAX_OFFSET)


def authenticates(scope: Scope, body: bytes, declared: Declarations) -> bool:
    """Return whether a request has a token that a world accepts before anything has happened."""
    headers = dict(scope["headers"])
    sent = [headers.get(b"private-token", b"").decode("latin-1")]
    sent.append(bearer_token(headers.get(b"authorization", b"").decode("latin-1")) or "")
    with suppress(ApiError):
        given = parse(
            scope["query_string"], headers.get(b"content-type", b"").decode("latin-1"), body
        )
        sent += [given.get(name, "") for name in ("private_token", "access_token", "token")]
    good = [declared.token]
    good += [each.token for project in declared.projects for each in project.trigger_tokens]
    return any(
        tokens_equal(token, each)
        for token in sent
        if token and isinstance(token, str)
        for each in good
    )


def _read_date(text: str) -> Instant | None:
    """Read a date of HTTP or ISO 8601; None for any other text, which GitLab ignores."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return from_datetime(read(text))
        except (ValueError, OverflowError):
            continue
    return None


def _variables_in(given: Any) -> dict[str, str]:
    """Find variables in a map or in a list of rows, and leave out those that are malformed."""
    if isinstance(given, dict):
        pairs = list(given.items())
    else:
        rows = given if isinstance(given, list) else []
        pairs = [(row.get("key"), row.get("value")) for row in rows if isinstance(row, dict)]
    return {key: value for key, value in pairs if isinstance(key, str) and isinstance(value, str)}
