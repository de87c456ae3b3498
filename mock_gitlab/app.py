"""create_app: one ASGI application from its parts; hands each wing to the other."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from mock_gitlab.gitlab_api.job_artifacts import job_artifacts
from mock_gitlab.gitlab_api.jobs import jobs
from mock_gitlab.gitlab_api.pipeline_triggers import triggers
from mock_gitlab.gitlab_api.pipelines import pipelines
from mock_gitlab.gitlab_api.projects import projects
from mock_gitlab.gitlab_api.test_reports import test_reports
from mock_gitlab.http.gateway import Gateway
from mock_gitlab.rest.routes import Routes, no_route
from mock_gitlab.version import __version__
from mock_gitlab.world.sandboxes import Worlds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from mock_gitlab.config.loader import Loaded, Settings
    from mock_gitlab.rest.endpoint import GitLabRoute
from mock_gitlab.config.live import LiveConfig
from mock_gitlab.config.loader import DEFAULT_CONFIG
from mock_gitlab.world.clock import wall_clock

ROUTES: tuple[GitLabRoute, ...] = (
    *pipelines.routes,
    *test_reports.routes,
    *triggers.routes,
    *jobs.routes,
    *job_artifacts.routes,
    *projects.routes,
)
"""GitLab's endpoints; the first that fits method and path answers, what is polled comes first."""


class MockGitLabApp(FastAPI):
    """The application. The gateway stands before FastAPI's own stack, which serves ``/_mock``."""

    def __init__(self, live: LiveConfig, allowed_hosts: frozenset[str] = frozenset()) -> None:
        super().__init__(
            title="mock_gitlab",
            version=__version__,
            lifespan=_lifespan,
            root_path_in_servers=False,
        )
        self.live = live
        self.ending = False
        self.allowed_hosts = set(allowed_hosts)
        self.worlds = self._open()
        live.on_change = self._apply
        self.router.routes.extend(ROUTES)
        self._control_wing: ASGIApp | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.live.current.settings

    def _open(self) -> Worlds:
        return Worlds(self.settings.database, self.live.current.declarations)

    def _apply(self, loaded: Loaded) -> None:
        self.worlds.apply(loaded.declarations)

    def build_middleware_stack(self) -> ASGIApp:
        """Put the gateway first, and let it hand GitLab's paths to their routes directly."""
        gitlab = Routes(ROUTES, otherwise=no_route)
        return Gateway(self, gitlab, self._serve_control, self.allowed_hosts)

    async def _serve_control(self, scope: Scope, receive: Receive, send: Send) -> None:
        served = self.router if scope["type"] == "lifespan" else self.control_wing()
        await served(scope, receive, send)

    def control_wing(self) -> ASGIApp:
        """Build FastAPI's own stack with ``/_mock`` in it, when it is first asked for.

        A server that is only triggered and polled starts in half the time without it.
        """
        if self._control_wing is None:
            from mock_gitlab.control_api.errors import ERROR_HANDLERS
            from mock_gitlab.control_api.routers import ROUTERS

            self.exception_handlers.update(ERROR_HANDLERS)
            for router in ROUTERS:
                self.include_router(router)
            self._control_wing = super().build_middleware_stack()
        return self._control_wing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go straight to the gateway; FastAPI's own preparations belong to the control wing."""
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Make the OpenAPI document when it is first asked for."""
        if not self.openapi_schema:
            from mock_gitlab.openapi import document

            self.control_wing()
            self.openapi_schema = document(self, ROUTES)
        return self.openapi_schema

    def reopen(self) -> None:
        """Open the stores again after ``close``; nothing happens while they are open."""
        self.ending = False
        if self.worlds.closed:
            self.worlds = self._open()

    def close(self) -> None:
        """Close the stores."""
        self.worlds.close()


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    assert isinstance(app, MockGitLabApp)
    app.reopen()
    stop = asyncio.Event()
    watching = asyncio.create_task(app.live.watch(stop))
    try:
        yield
    finally:
        stop.set()
        await watching
        app.close()


def create_app(
    config: Path | str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    must_exist: bool | None = None,
    **overrides: Any,
) -> MockGitLabApp:
    """Make an application from a configuration file.

    ``config`` of None is what ``MOCK_CONFIG`` names, or ``mock.yaml`` in the working directory
    where there is one; a file that is named must be there, unless ``must_exist`` says otherwise.
    ``overrides`` beat the environment, which beats the file: ``token``,
    ``database``, ``host``, ``port``, ``watch``, ``watch_polling``, ``log_level``, ``allow_reset``.

    Raises:
        ConfigurationError: with every mistake of every file.
        UnusableDatabase: the database cannot be opened.
    """
    environ = os.environ if environ is None else environ
    named = config or environ.get("MOCK_CONFIG") or None
    live = LiveConfig(
        named or DEFAULT_CONFIG,
        environ,
        overrides,
        now=wall_clock,
        must_exist=named is not None if must_exist is None else must_exist,
    )
    hosts = environ.get("MOCK_ALLOWED_HOSTS", "")
    return MockGitLabApp(
        live, frozenset(name.strip().lower() for name in hosts.split(",") if name.strip())
    )


def __getattr__(name: str) -> Any:
    # "uvicorn mock_gitlab.app:app" asks for it; importing this module opens no database.
    if name == "app":
        return create_app()
    raise AttributeError(name)
