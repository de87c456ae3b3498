"""Serve the requests to an endpoint, and collect the endpoints of a page.

The order of the steps is GitLab's, since it decides which mistake of a request is named first::

    fault due? -> read parameters -> log in -> check parameters -> the endpoint's function

An endpoint's function is a plain function, called on the event loop. It cannot await, so no other
request comes between its steps; only one that delivers a webhook awaits the receiver. The
parameters of a large body are read in a thread before.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.model import NotAllowed, NotFound, RejectedByRule
from mock_gitlab.http.asgi import LARGE_BODY, LOGGED, answer, read_body
from mock_gitlab.http.faults import apply_fault, match_fault, send_response

from .endpoint import Endpoint, Login
from .errors import ApiError, Problem, api_error
from .pagination import PAGE
from .paths import path_integer
from .rendering import Writer, error_answer
from .request import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.http.asgi import Receive, Scope, Send
    from mock_gitlab.world.journal import LoggedRequest

    from .params import Param
    from .rendering import Answer

_BODYLESS = frozenset(("GET", "HEAD", "OPTIONS"))


class GitLabRoute:
    """Serves the requests to one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.name = endpoint.name
        self.path = endpoint.path
        self._writer = Writer()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or apply the fault that is due for it."""
        logged: LoggedRequest = scope[LOGGED]
        logged.operation = self.name
        request = Request(self.endpoint, scope)
        if scope["method"] not in _BODYLESS:
            request.body = await read_body(receive, request.world.declared.body_limit)
            if len(request.body) > LARGE_BODY:
                await asyncio.to_thread(request.read_ahead)  # other requests go on meanwhile
        if request.world.has_faults:
            with suppress(ApiError):
                request.read()  # a fault may ask for parameters, and the journal shows them
        hit = match_fault(scope, scope["path_params"])
        if hit is None:
            await self._answer(request, send)
            return

        async def proceed(scope: Scope, receive: Receive, send: Send) -> None:
            await self._answer(request, send)

        await apply_fault(hit, scope, receive, send, proceed)

    async def _answer(self, request: Request, send: Send) -> None:
        try:
            status, headers, content = await self._respond(request)
        except RejectedByRule as rejected:
            await send_response(rejected.response, send)
        else:
            await answer(send, status, headers, content)

    async def _respond(self, request: Request) -> Answer:
        try:
            result = self._call(request)
            if self.endpoint.delivers:
                result = await result
        except ApiError as error:
            return self._refuse(request, error)
        except (NotFound, NotAllowed) as error:
            return self._refuse(request, api_error(error))
        return self._writer.write(request, result)

    def _refuse(self, request: Request, error: ApiError) -> Answer:
        request.logged.hint = error.hint
        return error_answer(error)

    def _call(self, request: Request) -> Any:
        """Call the endpoint's function, after the login and the check of the parameters."""
        endpoint = self.endpoint
        request.read()
        segments: dict[str, Any] = dict(request.scope["path_params"])
        problems: list[str] = []
        for name in endpoint.numbers:
            segments[name] = path_integer(segments[name])
            if segments[name] is None:
                problems.append(f"{name} {Problem.INVALID}")
        for name in endpoint.named:
            del segments[name]
        if endpoint.logs_in_first:
            request.require_login()
        forgive = endpoint.forgives is not None and endpoint.forgives(request)
        values = endpoint.checked.check(
            request.given, forgive=forgive, problems=problems, read=request.read_values
        )
        request.values = values
        if endpoint.login is Login.AFTER_PARAMETERS:
            request.require_login()
        if endpoint.paged:
            values = {k: v for k, v in values.items() if k not in ("page", "per_page")}
        return endpoint.function(request, **segments, **values)


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
        login: Login = Login.FIRST_UNLESS_GET,
        job_token: bool = False,
        paged: bool = False,
        delivers: bool = False,
        forgives: Callable[[Request], bool] | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare the endpoint that the decorated function answers (see Endpoint)."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            declared = Endpoint(
                method=method,
                path=path,
                function=function,
                params=(*params, *PAGE) if paged else params,
                login=login,
                job_token=job_token,
                status=status,
                answers=answers,
                paged=paged,
                delivers=delivers,
                forgives=forgives,
                page_doc=self._page_doc,
            )
            self.routes.append(GitLabRoute(declared))
            return function

        return register
