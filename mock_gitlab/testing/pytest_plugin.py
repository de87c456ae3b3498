"""Fixtures for pytest, made with MockGitLab.

pytest imports this module in every run of everybody who has installed the package. Therefore
imports that take time stand where they are first used.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from mock_gitlab.testing.asynchronous import AsyncMockWorld
    from mock_gitlab.testing.client import MockWorld
    from mock_gitlab.testing.library import MockGitLab

_OWN = ("clock", "seed", "strict", "default_scenario", "user", "projects", "pipelines", "journal")
_KEYWORDS = frozenset({"config", "scenarios", "rules", "faults", *_OWN})
_MARKER = (
    "mock_gitlab(config=None, scenarios=(), rules=(), faults=(), clock=None, seed=None, "
    "strict=None, default_scenario=None, user=None, projects=None, pipelines=None, journal=None): "
    "what the mock of this test declares, in addition to the configuration file or instead of it"
)
_FIXTURES = frozenset({"mock_gitlab", "mock_gitlab_server"})
_fixture = pytest.StashKey["tuple[MockWorld, MockWorld, str | None]"]()
"""Where a test keeps its world, and the name of its configuration."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the configuration file."""
    help = "the configuration of the mock_gitlab fixture; default: mock.yaml if it exists"
    parser.getgroup("mock_gitlab").addoption("--mock-gitlab-config", metavar="FILE", help=help)
    parser.addini("mock_gitlab_config", f"{help}; relative to the root folder")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Import what the fixtures need before any test can patch what that uses."""
    if any(_FIXTURES.intersection(getattr(item, "fixturenames", ())) for item in session.items):
        import mock_gitlab.testing.library  # noqa: F401 - only tests with the fixtures pay for it


class Servers:
    """The servers of a session, one for each configuration file; they start when first needed."""

    def __init__(self, root: Path, default: Path | None) -> None:
        self._root = root
        self._default = default
        self._running: dict[Path | None, MockGitLab] = {}

    def get(self, config: Path | str | None = None) -> MockGitLab:
        """Return the server of a configuration file, whose path is relative to the root folder."""
        path = self._path(config)
        if path not in self._running:
            self._running[path] = _start(path)
        return self._running[path]

    def name(self, config: Path | str | None = None) -> str | None:
        """Return the path from the root folder, for people; None if there is no file."""
        path = self._path(config)
        if path is None:
            return None
        return str(path.relative_to(self._root) if path.is_relative_to(self._root) else path)

    def _path(self, config: Path | str | None) -> Path | None:
        return self._root / config if config else self._default

    def stop(self) -> None:
        """Stop all servers."""
        for server in self._running.values():
            server.stop()


def _start(path: Path | None) -> MockGitLab:
    from mock_gitlab.config.diagnostics import ConfigurationError
    from mock_gitlab.testing.library import MockGitLab

    try:
        return MockGitLab(path).start()
    except ConfigurationError as error:
        message = f"mistakes in the configuration of mock_gitlab:\n{error}"
        raise pytest.fail.Exception(message, pytrace=False) from None


def _default_config(config: pytest.Config) -> Path | None:
    """Return the configuration of the session: by option, by ini setting, or mock.yaml."""
    from mock_gitlab.config.loader import DEFAULT_CONFIG

    by_option: str | None = config.getoption("--mock-gitlab-config")
    if by_option:
        return config.invocation_params.dir / by_option
    by_ini: str = config.getini("mock_gitlab_config")
    path = config.rootpath / (by_ini or DEFAULT_CONFIG)
    return path if by_ini or path.exists() else None


@pytest.fixture(scope="session")
def mock_gitlab_servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """Keep the servers of the session, which start when they are first needed."""
    servers = Servers(pytestconfig.rootpath, _default_config(pytestconfig))
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def mock_gitlab_server(mock_gitlab_servers: Servers) -> MockGitLab:
    """Serve the configuration of the session on a free port."""
    return mock_gitlab_servers.get()


@pytest.fixture
def mock_gitlab(
    request: pytest.FixtureRequest, mock_gitlab_servers: Servers
) -> Iterator[MockWorld]:
    """Give a test its own GitLab: a sandbox with the name of the test."""
    declared = _declared_by_markers(request.node)
    config = declared.pop("config", None)
    server = mock_gitlab_servers.get(config)
    own = {name: declared.pop(name) for name in _OWN if name in declared}
    name = _free_name(server, request.node.name)
    with _declaring():
        world = server.sandbox(name, **own)
    request.node.stash[_fixture] = (world, server.mock, mock_gitlab_servers.name(config))
    try:
        _declare(world, **declared)
        yield world
    finally:
        del request.node.stash[_fixture]
        world.close()
        if server.running:
            _drop(server, name)


@pytest.fixture
def async_mock_gitlab(mock_gitlab: MockWorld) -> AsyncMockWorld:
    """Give an asynchronous test its own GitLab, whose methods are awaited."""
    from mock_gitlab.testing.asynchronous import AsyncMockWorld

    return AsyncMockWorld(mock_gitlab)


def _drop(server: MockGitLab, name: str) -> None:
    """Drop the sandbox of a test, unless it was evicted or dropped meanwhile."""
    from mock_gitlab.testing.client import MockError

    with suppress(MockError):
        server.delete_sandbox(name)


def _declared_by_markers(item: pytest.Item) -> dict[str, Any]:
    """Merge what the markers of a module, a class and a test declare; the nearest one wins."""
    declared: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers("mock_gitlab"))):
        unknown = [*map(repr, marker.args), *sorted(marker.kwargs.keys() - _KEYWORDS)]
        if unknown:
            expected = _MARKER.partition(":")[0]
            pytest.fail(f"{', '.join(unknown)}: expected {expected}", pytrace=False)
        declared |= marker.kwargs
    return declared


def _free_name(server: MockGitLab, test: str) -> str:
    """Make a sandbox's name from a test's name, which another file may have too."""
    name = re.sub(r"[^A-Za-z0-9._~-]+", "-", test).strip("-.~_")[:100] or "test"
    taken = server.sandboxes()
    numbered = (f"{name}-{number}" for number in count(2))
    return next(each for each in chain((name,), numbered) if each not in taken)


def _declare(world: MockWorld, **declared: Any) -> None:
    methods: dict[str, Callable[..., Any]]
    methods = {"scenarios": world.scenario, "rules": world.rule, "faults": world.fault}
    for kind, declare in methods.items():
        for number, fields in enumerate(declared.get(kind, ())):
            with _declaring(f", {kind}[{number}]"):
                declare(**fields)


@contextmanager
def _declaring(place: str = "") -> Iterator[None]:
    """Fail the test with the mistakes alone if the mock refuses what it declares."""
    from mock_gitlab.testing.client import MockError

    try:
        yield
    except MockError as error:
        message = f"mistakes in what the test declares{place}:\n{error}"
        raise pytest.fail.Exception(message, pytrace=False) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the last requests and pipelines of a test's mock if the test has failed."""
    report = yield
    used = item.stash.get(_fixture, None)
    if used is not None and report.failed:
        from mock_gitlab.testing.report import report_on

        report.sections.append(("mock_gitlab", report_on(*used)))
    return report
