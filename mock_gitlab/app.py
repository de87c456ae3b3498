"""Assemble the application: the gateway, GitLab's endpoints, ``/_mock`` and the configuration."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import weakref
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from mock_gitlab.config.diagnostics import ConfigurationError, Mistake
from mock_gitlab.config.live import LiveConfig
from mock_gitlab.config.loader import DEFAULT_CONFIG
from mock_gitlab.dashboard.pages import serve_pages
from mock_gitlab.gitlab_api.branches import branches
from mock_gitlab.gitlab_api.commit_statuses import commit_statuses
from mock_gitlab.gitlab_api.commits import commits
from mock_gitlab.gitlab_api.deployments import deployments
from mock_gitlab.gitlab_api.environments import environments
from mock_gitlab.gitlab_api.groups import groups
from mock_gitlab.gitlab_api.job_artifacts import job_artifacts
from mock_gitlab.gitlab_api.jobs import jobs
from mock_gitlab.gitlab_api.members import members
from mock_gitlab.gitlab_api.pipeline_triggers import triggers
from mock_gitlab.gitlab_api.pipelines import pipelines
from mock_gitlab.gitlab_api.project_webhooks import project_webhooks
from mock_gitlab.gitlab_api.projects import projects
from mock_gitlab.gitlab_api.tags import tags
from mock_gitlab.gitlab_api.test_reports import test_reports
from mock_gitlab.gitlab_api.users import users
from mock_gitlab.gitlab_api.version import version
from mock_gitlab.http.follower import EVERYTHING
from mock_gitlab.http.gateway import Gateway
from mock_gitlab.rest.request import authenticates
from mock_gitlab.rest.routes import Routes, no_route
from mock_gitlab.version import __version__
from mock_gitlab.world.clock import wall_clock
from mock_gitlab.world.sandboxes import Worlds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    import httpx
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mock_gitlab.config.loader import Loaded, Settings
    from mock_gitlab.http.deliveries import Couriers
    from mock_gitlab.http.exchange import Observer
    from mock_gitlab.http.follower import Follower
    from mock_gitlab.http.metrics import RequestMetrics
    from mock_gitlab.rest.route import GitLabRoute
    from mock_gitlab.world.world import World

DATABASE_CHECK_SECONDS = 1.0
"""How often to look whether the database is still there."""

ROUTES: tuple[GitLabRoute, ...] = (
    *pipelines.routes,
    *test_reports.routes,
    *triggers.routes,
    *jobs.routes,
    *job_artifacts.routes,
    *projects.routes,
    *commits.routes,
    *commit_statuses.routes,
    *branches.routes,
    *tags.routes,
    *project_webhooks.routes,
    *environments.routes,
    *deployments.routes,
    *groups.routes,
    *members.routes,
    *users.routes,
    *version.routes,
)
"""GitLab's endpoints. The first that matches a request serves it, so polls come first."""


class MockGitLabApp(FastAPI):
    """The application: a gateway in front of GitLab's endpoints, and of FastAPI for ``/_mock``."""

    def __init__(self, live: LiveConfig, allowed_hosts: frozenset[str] = frozenset()) -> None:
        super().__init__(
            title="mock_gitlab",
            version=__version__,
            openapi_url=None,  # FastAPI would make the document on the event loop
            docs_url=None,  # FastAPI's pages load their scripts from other hosts
            redoc_url=None,
            lifespan=_lifespan,
            root_path_in_servers=False,
        )
        self.live = live
        self._document: bytes | None = None
        self.ending = False
        self._followers: list[Follower] = []
        self.allowed_hosts = set(allowed_hosts)
        self.metrics = _make_metrics(live) if live.current.settings.metrics else None
        self.observers = self._observers()
        self.worlds = self._open()
        live.prepare, live.on_change = self._prepare, self._apply
        live.after_reload = self._tell_of_files
        self._control_app: ASGIApp | None = None
        self._couriers: Couriers | None = None
        self.webhook_apps: dict[str, httpx.AsyncBaseTransport] = {}

    @property
    def settings(self) -> Settings:
        """The current settings."""
        return self.live.current.settings

    def follow(self, follower: Follower) -> None:
        """Tell a follower what happens from now on."""
        self._followers.append(follower)
        self.observers.append(follower)

    def unfollow(self, follower: Follower) -> None:
        """Tell a follower nothing more."""
        self._followers.remove(follower)
        self.observers.remove(follower)

    def begin_to_end(self) -> None:
        """Answer no more requests, and end the streams that are followed."""
        self.ending = True
        for follower in self._followers:
            follower.wake()

    def _tell_of_files(self) -> None:
        for follower in self._followers:
            follower.tell(EVERYTHING)

    def tell(self, world: World, *changed: str) -> None:
        """Tell those who follow a world what has changed."""
        for follower in self._followers:
            follower.tell_of(world.name, *changed)

    def _observers(self) -> list[Observer]:
        found: list[Observer] = [] if self.metrics is None else [self.metrics]
        if self.settings.log_requests or self.settings.log_level == "debug":
            from mock_gitlab.http.access_log import log_exchange

            found.append(log_exchange)
        return found

    def _open(self) -> Worlds:
        return Worlds(self.settings.database, self.live.current.declarations)

    def _prepare(self, loaded: Loaded) -> None:
        self.worlds.prepare(loaded.declarations)

    def _apply(self, loaded: Loaded) -> None:
        self.worlds.apply(loaded.declarations)

    def build_middleware_stack(self) -> ASGIApp:
        """Build the gateway, which passes requests to GitLab's endpoints without FastAPI."""
        otherwise = serve_pages(no_route) if self.settings.dashboard else no_route
        gitlab = Routes(ROUTES, otherwise=otherwise)
        return Gateway(self, gitlab, self._serve_control, authenticates, self.allowed_hosts)

    def couriers(self) -> Couriers:
        """Return what delivers webhooks; it is loaded when there is one."""
        if self._couriers is None:
            from mock_gitlab.http.deliveries import Couriers

            self._couriers = Couriers(
                lambda world: self.tell(world, "deliveries"), self.webhook_apps
            )
        return self._couriers

    def wake(self, world: World) -> None:
        """Deliver soon what a world's webhooks are owed."""
        self.couriers().of(world).wake()

    async def _serve_control(self, scope: Scope, receive: Receive, send: Send) -> None:
        served = self.router if scope["type"] == "lifespan" else self.control_app()
        await served(scope, receive, send)

    def control_app(self) -> ASGIApp:
        """Build FastAPI's own stack with ``/_mock``, when it is first needed.

        A server starts in half the time without it.
        """
        if self._control_app is None:
            from mock_gitlab.control_api.errors import ERROR_HANDLERS
            from mock_gitlab.control_api.routers import ROUTERS

            self.exception_handlers.update(ERROR_HANDLERS)
            for router in ROUTERS:
                self.include_router(router)
            if self.settings.dashboard:
                from mock_gitlab.dashboard.routes import ROUTES as PAGES

                self.router.routes.extend(PAGES)
            self._control_app = super().build_middleware_stack()
        return self._control_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the gateway."""
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Make the OpenAPI document, when it is first needed."""
        if not self.openapi_schema:
            from mock_gitlab.openapi import document

            self.control_app()
            self.openapi_schema = document(self, [route.endpoint for route in ROUTES])
        return self.openapi_schema

    def document(self) -> bytes:
        """Write the OpenAPI document, which takes long the first time; any thread may call this."""
        if self._document is None:
            self._document = json.dumps(self.openapi(), separators=(",", ":")).encode()
        return self._document

    def reopen(self) -> None:
        """Open the stores again after ``close``; do nothing if they are open."""
        self.ending = False
        if self.worlds.closed:
            self.worlds = self._open()

    def close(self) -> None:
        """Close the stores."""
        self.worlds.close()


def _make_metrics(live: LiveConfig) -> RequestMetrics:
    """Make the counters.

    Raises:
        ConfigurationError: the library for them is not installed.
    """
    try:
        from mock_gitlab.http.metrics import RequestMetrics
    except ModuleNotFoundError as error:
        what = f"need the package {error.name}: pip install 'mock-gitlab[metrics]'"
        raise ConfigurationError([Mistake(str(live.path), 1, 1, "metrics", what)]) from error
    return RequestMetrics()


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    assert isinstance(app, MockGitLabApp)
    app.reopen()
    stop = asyncio.Event()
    watching = asyncio.gather(app.live.watch(stop), _watch_database(app, stop))
    if app.worlds.default.hooks.active:
        app.wake(app.worlds.default)  # what a server before this one still owed
    try:
        yield
    finally:
        if app._couriers is not None:
            await app._couriers.close()
        stop.set()
        await watching
        app.close()


async def _watch_database(app: MockGitLabApp, stop: asyncio.Event) -> None:
    """Warn of a database that is gone, until ``stop`` is set."""
    stopped = asyncio.ensure_future(stop.wait())
    while not stopped.done():
        app.worlds.warn_if_file_is_gone()
        await asyncio.wait([stopped], timeout=DATABASE_CHECK_SECONDS)


def create_app(
    config: Path | str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    must_exist: bool | None = None,
    **overrides: Any,
) -> MockGitLabApp:
    """Make an application from a configuration file.

    Without ``config``, the file is the one that ``MOCK_CONFIG`` names, or else ``mock.yaml`` in
    the working directory, which may be missing. A file that is named must exist, unless
    ``must_exist`` is False.

    The environment overrides the file, and ``overrides`` beat both: ``token``, ``database``,
    ``host``, ``port``, ``watch``, ``watch_polling``, ``log_level``, ``log_format``,
    ``log_requests``, ``dashboard``, ``metrics``, ``allow_reset``.

    Raises:
        ConfigurationError: the files have mistakes; it lists them all.
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


_served: weakref.ref[MockGitLabApp] | None = None
"""The application that ``app`` named last, for as long as somebody refers to it."""


def __getattr__(name: str) -> Any:
    # For "uvicorn mock_gitlab.app:app". Importing this module alone opens no database.
    if name == "app":
        global _served
        app = None if _served is None else _served()
        if app is None:
            app = create_app()
            _served = weakref.ref(app)
        return app
    raise AttributeError(name)
