"""Endpoint: one operation of GitLab's API, from the request to its answer.

::

    fault due? -> parameters read -> login -> parameters checked -> the endpoint's own function

The order is GitLab's, since it decides which mistake of a request is named first. An endpoint's
function is a plain one, called on the event loop: it cannot await, so nothing can come between
its steps, and no thread is needed.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi.routing import APIRoute

from mock_gitlab.asgi import CALL, WORLD, answer, read_body
from mock_gitlab.engine.model import Declined, MockGitLabError, NotFound, Project, Refused
from mock_gitlab.faults import send_response, strike, suffer
from mock_gitlab.gitlab_api.params import PAGE, Param, Params, path_integer
from mock_gitlab.gitlab_api.reading import BadParameters, decode_segment, parse
from mock_gitlab.gitlab_api.responses import (
    NO_ROUTE,
    UNAUTHORIZED,
    error_of,
    etag,
    json_bytes,
    link,
    page_headers,
)
from mock_gitlab.world import JOB_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mock_gitlab.asgi import App, Headers, Receive, Scope, Send
    from mock_gitlab.engine.model import Moment
    from mock_gitlab.journal import Call
    from mock_gitlab.world import SeenJob, World

_JSON_HEADERS: Headers = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"max-age=0, private, must-revalidate"),
]
_FARTHEST = 2**62  # as far as anybody may turn pages
NUMBERS = ("pipeline_id", "job_id", "trigger_id")
"""The segments of paths that are numbers."""
_ASK = "mock_gitlab.ask"
_BODYLESS = frozenset(("GET", "HEAD", "OPTIONS"))


class Login(Enum):
    """When an endpoint wants to know who is asking."""

    ALWAYS = "before anything else"
    UNLESS_READING = "before anything else, but for reading only when the project is looked up"
    IN_BODY = "after the parameters were checked"
    NEVER = "it has a way of its own"


class Unauthorized(Exception):
    """Nobody, or somebody unknown, asks for what needs a login."""


class Page(NamedTuple):
    """A page of a list. ``total`` of None is not told; ``more`` says whether a page follows."""

    rows: list[Any]
    total: int | None
    more: bool


class KeysetPage(NamedTuple):
    """A page of a list that is walked by a cursor; None at its end."""

    rows: list[Any]
    cursor: str | None


class Raw(NamedTuple):
    """An answer that is no JSON."""

    body: bytes
    content_type: str
    headers: Mapping[str, str] = {}


class Status(NamedTuple):
    """An answer with a status other than the endpoint's usual one."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation as it is declared.

    ``answers`` is the shape of its answer: a TypedDict, a list of one, bytes, or None for an
    empty body. ``function`` takes the Ask, the path's segments and the parameters by their names.
    ``forgives`` says whether a forgivable parameter may be missing. ``named`` are the parameters
    that stand in the path, where they beat the query and the body; ``numbers`` are the segments
    that must be numbers.
    """

    method: str
    path: str
    named: tuple[str, ...]
    numbers: tuple[str, ...]
    function: Callable[..., Any]
    params: tuple[Param, ...]
    checked: Params
    login: Login
    job_token: bool
    status: int
    answers: Any
    paged: bool
    forgives: Callable[[Ask], bool] | None
    page_doc: str

    @property
    def name(self) -> str:
        """The operation's name, which faults and the journal use."""
        return self.function.__name__


class Ask:
    """A request to an endpoint: who asks, for which world, with which parameters.

    ``origin`` is scheme and host as the client wrote them; ``site`` is where this GitLab's pages
    would be, which for a sandbox is below its path.
    """

    __slots__ = (
        "_headers",
        "_user_known",
        "body",
        "call",
        "endpoint",
        "given",
        "job",
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
        self.call: Call = scope[CALL]
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._user_known = False
        self.user = False
        self.job: SeenJob | None = None
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
            self.call.size = len(self.body)
            self.given = parse(query, self.header(b"content-type"), self.body)
            self.call.parameters = self.given
        if self.endpoint.named:
            in_path = self.scope["path_params"]
            named = {name: decode_segment(in_path[name]) for name in self.endpoint.named}
            self.given = {**self.given, **named}
        if self.given:
            self.call.ref = self._text("ref")
            variables = self.given.get("variables")
            if variables:
                self.call.variables = _variables_in(variables)

    # ------------------------------------------------------------------ who asks

    def is_static_token(self, token: str | None) -> bool:
        """Tell whether a text is the token of the mock, in a time that tells nothing of it."""
        expected = self.world.declared.token.encode()
        return token is not None and hmac.compare_digest(token.encode(), expected)

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
        if self.endpoint.job_token and bearer and self._use_job_token(bearer):
            return True
        personal = self._text("private_token") or self.header(b"private-token")
        candidates = (personal, bearer, self._text("access_token"))
        # GitLab does not take a job's token for a person's, nor for a wrong one.
        sent = [token for token in candidates if token and not token.startswith(JOB_TOKEN)]
        if any(self.is_static_token(token) for token in sent):
            self._refuse_sudo()
            return True
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
        value = self.header(b"authorization") or ""
        kind, _, token = value.partition(" ")
        return token.strip() if kind.lower() == "bearer" else None

    def _text(self, name: str) -> str | None:
        value = self.given.get(name)
        return value if isinstance(value, str) else None

    def _use_job_token(self, token: str) -> bool:
        job = self.world.job_of_token(token)
        if job is None:
            return False
        if job.job.status not in ("running", "canceling"):
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
        self.call.project_id, self.call.project_path = project.id, project.path
        return project

    def refuse_if_modified(self, updated_at: Moment) -> None:
        """Refuse what was asked under the condition that nothing has changed since.

        Raises:
            Refused: ``If-Unmodified-Since`` is earlier than ``updated_at``.
        """
        since = _moment_of(self.header(b"if-unmodified-since") or "")
        if since is not None and updated_at > since:
            raise Refused("precondition failed")

    @property
    def limit(self) -> int:
        """How many rows a page has."""
        return int(self.values["per_page"])

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return min((int(self.values["page"]) - 1) * self.limit, _FARTHEST)


async def _stand_in() -> None:
    """Stand where FastAPI wants a function to look at; the route serves without it."""


class GitLabRoute(APIRoute):
    """An endpoint as a route of FastAPI: documented like any other, served without a detour."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.gitlab = endpoint

        super().__init__(
            endpoint.path,
            _stand_in,
            methods=[endpoint.method],
            name=endpoint.name,
            status_code=endpoint.status,
            operation_id=endpoint.name,
            response_model=None,
        )
        self.app = self.serve

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, unless a fault is due for it."""
        call: Call = scope[CALL]
        call.operation = self.gitlab.name
        struck = strike(scope[WORLD], call, scope["path_params"])
        if struck is None:
            await self._answer(scope, receive, send)
            return
        ask = Ask(self.gitlab, scope)
        ask.body = await self._body(ask, receive)
        with suppress(BadParameters):
            ask.read()
        scope[_ASK] = ask
        await suffer(struck, scope, receive, send, self._answer)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        ask = scope.get(_ASK)
        if ask is None:
            ask = Ask(self.gitlab, scope)
            ask.body = await self._body(ask, receive)
        try:
            status, headers, content = self._respond(ask)
        except Declined as declined:
            await send_response(declined.response, send)
        else:
            await answer(send, status, headers, content)

    async def _body(self, ask: Ask, receive: Receive) -> bytes:
        if ask.scope["method"] in _BODYLESS:
            return b""
        return await read_body(receive, ask.world.declared.body_limit)

    def _respond(self, ask: Ask) -> tuple[int, Headers, bytes]:
        try:
            found = self._call(ask)
        except BadParameters as error:
            return error.status, _JSON_HEADERS[:1], json_bytes(error.body)
        except Unauthorized:
            return UNAUTHORIZED[0], _JSON_HEADERS[:1], json_bytes(UNAUTHORIZED[1])
        except Declined:
            raise
        except MockGitLabError as error:
            status, content = error_of(error)
            return status, _JSON_HEADERS[:1], json_bytes(content)
        return _presented(ask, found)

    def _call(self, ask: Ask) -> Any:
        endpoint = self.gitlab
        ask.read()
        in_path: Mapping[str, Any] = ask.scope["path_params"]
        refused: list[str] = []
        if endpoint.numbers:
            numbers = {name: path_integer(in_path[name]) for name in endpoint.numbers}
            refused = [f"{name} is invalid" for name, number in numbers.items() if number is None]
            in_path = {**in_path, **numbers}
        if endpoint.named:
            in_path = {k: v for k, v in in_path.items() if k not in endpoint.named}
        if endpoint.login is Login.ALWAYS or (
            endpoint.login is Login.UNLESS_READING and endpoint.method != "GET"
        ):
            ask.require_login()
        forgive = endpoint.forgives is not None and endpoint.forgives(ask)
        ask.values = endpoint.checked.check(ask.given, forgive=forgive, refused=refused)
        if endpoint.login is Login.IN_BODY:
            ask.require_login()
        values = ask.values
        if endpoint.paged:
            values = {k: v for k, v in values.items() if k not in ("page", "per_page")}
        return endpoint.function(ask, **in_path, **values)


def _moment_of(text: str) -> Moment | None:
    """Read a date of HTTP or ISO 8601; GitLab sets no condition by what is neither."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text)
        except ValueError:
            continue
        return round(found.replace(tzinfo=found.tzinfo or UTC).timestamp() * 1000)
    return None


def _variables_in(given: Any) -> dict[str, str]:
    """Find variables in either of the forms that GitLab takes, whether they are right or not."""
    if isinstance(given, dict):
        pairs = list(given.items())
    else:
        rows = given if isinstance(given, list) else []
        pairs = [(row.get("key"), row.get("value")) for row in rows if isinstance(row, dict)]
    return {key: value for key, value in pairs if isinstance(key, str) and isinstance(value, str)}


def _presented(ask: Ask, found: Any) -> tuple[int, Headers, bytes]:
    status = ask.endpoint.status
    if isinstance(found, Status):
        status, found = found
    if status == 204:
        return status, [], b""
    if isinstance(found, Raw):
        named = {"Content-Type": found.content_type, **found.headers}
        headers = [*(_header(name, value) for name, value in named.items()), _JSON_HEADERS[1]]
        return _unless_known(ask, status, headers, found.body)
    headers = _JSON_HEADERS
    if isinstance(found, Page):
        headers = [*headers, *_page_headers(ask, found)]
        found = found.rows
    elif isinstance(found, KeysetPage):
        headers = [*headers, *_keyset_headers(ask, found)]
        found = found.rows
    return _unless_known(ask, status, headers, json_bytes(found))


def _unless_known(
    ask: Ask, status: int, headers: Headers, body: bytes
) -> tuple[int, Headers, bytes]:
    """Leave out what the client has said that it knows already."""
    if status != 200 or ask.endpoint.method != "GET":
        return status, headers, body
    tag = etag(body)
    headers = [*headers, (b"etag", tag.encode())]
    if ask.header(b"if-none-match") == tag:
        return 304, headers, b""
    return status, headers, body


def _header(name: str, value: str) -> tuple[bytes, bytes]:
    return name.lower().encode(), value.encode("latin-1", errors="replace")


def _page_headers(ask: Ask, page: Page) -> Headers:
    headers = page_headers(
        base_url=ask.origin + ask.scope["path"],
        query=_query_of(ask),
        page=ask.values["page"],
        per_page=ask.values["per_page"],
        empty=not page.rows,
        total=page.total,
        more=page.more,
    )
    return [_header(name, value) for name, value in headers]


def _keyset_headers(ask: Ask, page: KeysetPage) -> Headers:
    if page.cursor is None:
        return []
    query = {**_query_of(ask), "cursor": page.cursor}
    return [_header("Link", link(ask.origin + ask.scope["path"], query, "next"))]


def _query_of(ask: Ask) -> dict[str, Any]:
    """Say again all that was asked for, with the defaults and the parameters of the path."""
    return {
        **{k: v for k, v in ask.values.items() if v is not None},
        **ask.given,
        **{k: decode_segment(v) for k, v in ask.scope["path_params"].items()},
    }


class Routes:
    """The routes by method and number of segments; the first that fits a path serves it.

    ``otherwise`` serves what fits none: to GitLab a path with another method is an unknown one.
    """

    def __init__(self, routes: Iterable[GitLabRoute], otherwise: App) -> None:
        self._otherwise = otherwise
        self._fixed: dict[tuple[str, int], list[_Fixed]] = {}
        self._open: dict[str, list[GitLabRoute]] = {}
        for route in routes:
            method = route.gitlab.method
            if ":path}" in route.path:
                self._open.setdefault(method, []).append(route)
            else:
                fixed = _fixed(route)
                self._fixed.setdefault((method, fixed.length), []).append(fixed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by the route that it fits."""
        found = self.find(scope["method"], scope[CALL].path)
        if found is None:
            await self._otherwise(scope, receive, send)
            return
        route, scope["path_params"] = found
        await route.serve(scope, receive, send)

    def find(self, method: str, path: str) -> tuple[GitLabRoute, dict[str, str]] | None:
        """Find the route of a path, and what stands in the places of its parameters."""
        segments = path.split("/")
        for fixed in self._fixed.get((method, len(segments)), ()):
            for place, word in fixed.words:
                if segments[place] != word:
                    break
            else:
                return fixed.route, {name: segments[place] for place, name in fixed.names}
        for route in self._open.get(method, ()):
            matched = route.path_regex.match(path)
            if matched is not None:
                return route, matched.groupdict()
        return None


class _Fixed(NamedTuple):
    """A route with a fixed number of segments: its words and its parameters by their places."""

    route: GitLabRoute
    length: int
    words: tuple[tuple[int, str], ...]
    names: tuple[tuple[int, str], ...]


def _fixed(route: GitLabRoute) -> _Fixed:
    segments = route.path.split("/")
    words = [(place, each) for place, each in enumerate(segments) if not each.startswith("{")]
    names = [(place, each[1:-1]) for place, each in enumerate(segments) if each.startswith("{")]
    # The last words tell routes apart soonest.
    return _Fixed(route, len(segments), tuple(reversed(words)), tuple(names))


class Endpoints:
    """The endpoints of one page of GitLab's documentation."""

    def __init__(self, page_doc: str) -> None:
        self.routes: list[GitLabRoute] = []
        self._page_doc = page_doc

    def __call__(
        self,
        method: str,
        path: str,
        *params: Param,
        answers: Any,
        status: int = 200,
        login: Login = Login.UNLESS_READING,
        job_token: bool = False,
        paged: bool = False,
        forgives: Callable[[Ask], bool] | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare an endpoint over the function that answers it."""
        declared = (*params, *PAGE) if paged else params

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self.routes.append(
                GitLabRoute(
                    Endpoint(
                        method=method,
                        path=path,
                        named=tuple(p.name for p in params if f"{{{p.name}:" in path),
                        numbers=tuple(name for name in NUMBERS if f"{{{name}}}" in path),
                        function=function,
                        params=declared,
                        checked=Params(*declared),
                        login=login,
                        job_token=job_token,
                        status=status,
                        answers=answers,
                        paged=paged,
                        forgives=forgives,
                        page_doc=self._page_doc,
                    )
                )
            )
            return function

        return register


async def no_route(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for a path or method that GitLab does not have; a fault may be declared for it."""

    async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, NO_ROUTE[0], _JSON_HEADERS[:1], json_bytes(NO_ROUTE[1]))

    struck = strike(scope[WORLD], scope[CALL], {})
    if struck is None:
        await not_found(scope, receive, send)
    else:
        await suffer(struck, scope, receive, send, not_found)
