"""Endpoint: one operation of GitLab's API, from the request to its answer.

::

    fault due? -> parameters read -> login -> parameters checked -> the endpoint's own function

The order is GitLab's, since it decides which mistake of a request is named first. An endpoint's
function is a plain one, called on the event loop: it cannot await, so nothing can come between
its steps, and no thread is needed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute

from mock_gitlab.engine.model import MockGitLabError, RejectedByRule
from mock_gitlab.http.asgi import JSON, LOGGED, WORLD, answer, read_body
from mock_gitlab.http.faults import apply_fault, match_fault, send_response

from .body import BadParameters
from .errors import UNAUTHORIZED, error_of, json_bytes
from .params import PAGE, Param, Params, path_integer
from .rendering import Writer
from .request import Request, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.http.asgi import Receive, Scope, Send
    from mock_gitlab.world.journal import LoggedRequest

    from .rendering import Answer

NUMBERS = ("pipeline_id", "job_id", "trigger_id")
"""The segments of paths that are numbers."""
_REQUEST = "mock_gitlab.request"
_BODYLESS = frozenset(("GET", "HEAD", "OPTIONS"))


class Login(Enum):
    """When an endpoint wants to know who is asking."""

    ALWAYS = "before anything else"
    UNLESS_READING = "before anything else, but for reading only when the project is looked up"
    IN_BODY = "after the parameters were checked"
    NEVER = "it has a way of its own"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation as it is declared.

    ``answers`` is the shape of its answer: a TypedDict, a list of one, bytes, or None for an
    empty body. ``function`` takes the Request, the path's segments and the parameters.
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
    forgives: Callable[[Request], bool] | None
    page_doc: str
    writer: Writer = field(default_factory=Writer)

    @property
    def name(self) -> str:
        """The operation's name, which faults and the journal use."""
        return self.function.__name__

    @property
    def logs_in_first(self) -> bool:
        """Whether who asks must be known before anything else is looked at."""
        return self.login is Login.ALWAYS or (
            self.login is Login.UNLESS_READING and self.method != "GET"
        )


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
        call: LoggedRequest = scope[LOGGED]
        call.operation = self.gitlab.name
        hit = match_fault(scope[WORLD], call, scope["path_params"])
        if hit is None:
            await self._answer(scope, receive, send)
            return
        request = Request(self.gitlab, scope)
        request.body = await self._body(request, receive)
        with suppress(BadParameters):
            request.read()
        scope[_REQUEST] = request
        await apply_fault(hit, scope, receive, send, self._answer)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = scope.get(_REQUEST)
        if request is None:
            request = Request(self.gitlab, scope)
            request.body = await self._body(request, receive)
        try:
            status, headers, content = self._respond(request)
        except RejectedByRule as declined:
            await send_response(declined.response, send)
        else:
            await answer(send, status, headers, content)

    async def _body(self, request: Request, receive: Receive) -> bytes:
        if request.scope["method"] in _BODYLESS:
            return b""
        return await read_body(receive, request.world.declared.body_limit)

    def _respond(self, request: Request) -> Answer:
        try:
            found = self._call(request)
        except BadParameters as error:
            return error.status, JSON, json_bytes(error.body)
        except Unauthorized:
            return UNAUTHORIZED[0], JSON, json_bytes(UNAUTHORIZED[1])
        except RejectedByRule:
            raise
        except MockGitLabError as error:
            status, content = error_of(error)
            return status, JSON, json_bytes(content)
        return self.gitlab.writer.write(request, found)

    def _call(self, request: Request) -> Any:
        endpoint = self.gitlab
        request.read()
        in_path: dict[str, Any] = dict(request.scope["path_params"])
        refused: list[str] = []
        for name in endpoint.numbers:
            in_path[name] = path_integer(in_path[name])
            if in_path[name] is None:
                refused.append(f"{name} is invalid")
        for name in endpoint.named:
            del in_path[name]
        if endpoint.logs_in_first:
            request.require_login()
        forgive = endpoint.forgives is not None and endpoint.forgives(request)
        request.values = endpoint.checked.check(request.given, forgive=forgive, refused=refused)
        if endpoint.login is Login.IN_BODY:
            request.require_login()
        values = request.values
        if endpoint.paged:
            values = {k: v for k, v in values.items() if k not in ("page", "per_page")}
        return endpoint.function(request, **in_path, **values)


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
        forgives: Callable[[Request], bool] | None = None,
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
