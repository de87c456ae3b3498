"""Request: a request to an endpoint as its function sees it, who asks and what for."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.model import NotAllowed, NotFound, Project
from mock_gitlab.engine.statuses import EXECUTING
from mock_gitlab.http.asgi import LOGGED, WORLD
from mock_gitlab.world.jobs import JOB_TOKEN, JobView

from .body import BadParameters, decode_segment, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_gitlab.engine.model import Instant
    from mock_gitlab.http.asgi import Scope
    from mock_gitlab.world.journal import LoggedRequest
    from mock_gitlab.world.world import World

    from .endpoint import Endpoint

_FARTHEST = 2**62  # as far as anybody may turn pages


class Unauthorized(Exception):
    """Nobody, or somebody unknown, asks for what needs a login."""


class Request:
    """A request to an endpoint: who asks, for which world, with which parameters.

    ``origin`` is scheme and host as the client wrote them; ``site`` is where this GitLab's pages
    would be, which for a sandbox is below its path.
    """

    __slots__ = (
        "_headers",
        "_user_known",
        "body",
        "endpoint",
        "given",
        "job",
        "logged",
        "origin",
        "scope",
        "site",
        "user",
        "values",
        "world",
    )

    def __init__(self, endpoint: Endpoint, scope: Scope) -> None:
        self.endpoint = endpoint
        self.scope = scope
        self.world: World = scope[WORLD]
        self.logged: LoggedRequest = scope[LOGGED]
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._user_known = False
        self.user = False
        self.job: JobView | None = None
        self.body = b""
        self.given: Mapping[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.origin = f"{scope['scheme']}://{self.header(b'host') or 'localhost'}"
        self.site = self.origin + scope["root_path"].removesuffix("/api/v4")

    def header(self, name: bytes) -> str | None:
        """Read a header; ``name`` in lower case."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def read(self) -> None:
        """Read the query and the body, and note for the journal what they ask for.

        What the path names beats both.

        Raises:
            BadParameters: they cannot be read.
        """
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

    # ------------------------------------------------------------------ who asks

    def is_static_token(self, token: str) -> bool:
        """Tell whether a text is the token of the mock, in a time that tells nothing of it."""
        return hmac.compare_digest(token.encode(), self.world.declared.token.encode())

    def log_in(self) -> bool:
        """Find out who asks; False for nobody.

        Raises:
            Unauthorized: a token was sent, and it is wrong.
        """
        if not self._user_known:
            self.user = self._find_user()
            self._user_known = True
        return self.user

    def _find_user(self) -> bool:
        bearer = self._bearer()
        if bearer and self.endpoint.job_token and self._use_job_token(bearer):
            return True
        personal = self._text("private_token") or self.header(b"private-token")
        sent = []
        for token in (personal, bearer, self._text("access_token")):
            # GitLab does not take a job's token for a person's, nor for a wrong one.
            if not token or token.startswith(JOB_TOKEN):
                continue
            if self.is_static_token(token):
                self._refuse_sudo()
                return True
            sent.append(token)
        if self.endpoint.job_token:
            token = self._text("job_token") or self._text("token") or self.header(b"job-token")
            if token and self._use_job_token(token):
                return True
            sent += [token] if token else []
        if sent:
            raise Unauthorized
        return False

    def _refuse_sudo(self) -> None:
        """Refuse to act for anybody but the one user there is."""
        wanted = self._text("sudo") or self.header(b"sudo")
        user = self.world.declared.user
        if wanted and wanted.lower() not in (str(user.id), user.username.lower()):
            what = f"404 User with ID or username '{wanted}' Not Found"
            raise BadParameters(404, {"message": what})

    def _bearer(self) -> str | None:
        value = self.header(b"authorization")
        if value is None:
            return None
        kind, _, token = value.partition(" ")
        return token.strip() if kind.lower() == "bearer" else None

    def _text(self, name: str) -> str | None:
        value = self.given.get(name)
        return value if isinstance(value, str) else None

    def _use_job_token(self, token: str) -> bool:
        job = self.world.jobs.of_token(token)
        if job is None:
            return False
        if job.job.status not in EXECUTING:
            raise Unauthorized
        self.job = job
        return True

    def require_login(self) -> None:
        """Refuse whoever is not logged in."""
        if not self.log_in():
            raise Unauthorized

    # ------------------------------------------------------------------ what is asked for

    def project(self, name: str) -> Project:
        """Find the project that the path names, if the one who asks may see it.

        Raises:
            Unauthorized: nobody is logged in. A strict mock says that there is no such project,
                since GitLab does not tell strangers of private ones.
            NotFound: it does not exist.
        """
        if not self.log_in():
            raise NotFound("project") if self.world.declared.strict else Unauthorized
        return self.known_project(name)

    def known_project(self, name: str) -> Project:
        """Find the project that the path names, whoever asks."""
        project = self.world.catalog.project(decode_segment(name))
        self.logged.project_id, self.logged.project_path = project.id, project.path
        return project

    def refuse_if_modified(self, updated_at: Instant) -> None:
        """Refuse what was asked under the condition that nothing has changed since.

        Raises:
            NotAllowed: ``If-Unmodified-Since`` is earlier than ``updated_at``.
        """
        since = _moment_of(self.header(b"if-unmodified-since") or "")
        if since is not None and updated_at > since:
            raise NotAllowed("precondition failed")

    @property
    def limit(self) -> int:
        """How many rows a page has."""
        return int(self.values["per_page"])

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return min((int(self.values["page"]) - 1) * self.limit, _FARTHEST)


def _moment_of(text: str) -> Instant | None:
    """Read a date of HTTP or ISO 8601; GitLab sets no condition by what is neither."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text)
            return round(found.replace(tzinfo=found.tzinfo or UTC).timestamp() * 1000)
        except (ValueError, OverflowError):
            continue
    return None


def _variables_in(given: Any) -> dict[str, str]:
    """Find variables in either of the forms that GitLab takes, whether they are right or not."""
    if isinstance(given, dict):
        pairs = list(given.items())
    else:
        rows = given if isinstance(given, list) else []
        pairs = [(row.get("key"), row.get("value")) for row in rows if isinstance(row, dict)]
    return {key: value for key, value in pairs if isinstance(key, str) and isinstance(value, str)}
