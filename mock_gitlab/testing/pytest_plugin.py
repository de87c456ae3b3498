"""Fixtures over MockGitLab, and nothing else.

pytest imports this in every run of everybody who has the package installed, so that whatever
costs time is imported where it is first used.
"""

from __future__ import annotations

import re
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from mock_gitlab.testing.client import MockWorld
    from mock_gitlab.testing.library import MockGitLab

_DECLARED = frozenset({"config", "scenarios", "rules", "faults", "clock", "seed"})
_MARKER = (
    "mock_gitlab(config=None, scenarios=(), rules=(), faults=(), clock=None, seed=None): "
    "what the mock of this test declares, besides or in place of the configuration file"
)
_used = pytest.StashKey["tuple[MockWorld, str | None]"]()
"""The world of a test, and the name of its configuration."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the configuration file."""
    said = "the configuration of the mock_gitlab fixture; default: mock.yaml, where there is one"
    parser.getgroup("mock_gitlab").addoption("--mock-gitlab-config", metavar="FILE", help=said)
    parser.addini("mock_gitlab_config", f"{said}; named from the root folder")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


class Servers:
    """The servers of a session, one for each configuration file that a test asks for."""

    def __init__(self, root: Path, usual: Path | None) -> None:
        self._root = root
        self._usual = usual
        self._running: dict[Path | None, MockGitLab] = {}

    def get(self, config: Path | str | None = None) -> MockGitLab:
        """Find or start the server of a file, which is named from the root folder."""
        path = self._path(config)
        if path not in self._running:
            self._running[path] = _started(path)
        return self._running[path]

    def name(self, config: Path | str | None = None) -> str | None:
        """Name the file as people would, from the root folder; None where there is none."""
        path = self._path(config)
        inside = path is not None and path.is_relative_to(self._root)
        return None if path is None else str(path.relative_to(self._root) if inside else path)

    def _path(self, config: Path | str | None) -> Path | None:
        return self._root / config if config else self._usual

    def stop(self) -> None:
        """Stop them all."""
        for server in self._running.values():
            server.stop()


def _started(path: Path | None) -> MockGitLab:
    from mock_gitlab.config.diagnostics import ConfigurationError
    from mock_gitlab.testing.library import MockGitLab

    try:
        return MockGitLab(path).start()
    except ConfigurationError as error:
        told = f"mistakes in the configuration of mock_gitlab:\n{error}"
        raise pytest.fail.Exception(told, pytrace=False) from None


def _usual(config: pytest.Config) -> Path | None:
    """Find the configuration of the session: what somebody names, or the one that is there."""
    said: str | None = config.getoption("--mock-gitlab-config")
    if said:
        return config.invocation_params.dir / said
    named: str = config.getini("mock_gitlab_config")
    path = config.rootpath / (named or "mock.yaml")
    return path if named or path.exists() else None


@pytest.fixture(scope="session")
def mock_gitlab_servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """Keep the servers of the session, which start when they are first asked for."""
    servers = Servers(pytestconfig.rootpath, _usual(pytestconfig))
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def mock_gitlab_server(mock_gitlab_servers: Servers) -> MockGitLab:
    """Serve the session's configuration on a free port."""
    return mock_gitlab_servers.get()


@pytest.fixture
def mock_gitlab(
    request: pytest.FixtureRequest, mock_gitlab_servers: Servers
) -> Iterator[MockWorld]:
    """Give a test a GitLab of its own: a sandbox that is named after it."""
    declared = _marked(request.node)
    config = declared.pop("config", None)
    server = mock_gitlab_servers.get(config)
    options = {name: declared.pop(name) for name in ("clock", "seed") if name in declared}
    name = _free(server, request.node.name)
    world = server.sandbox(name, **options)
    request.node.stash[_used] = (world, mock_gitlab_servers.name(config))
    try:
        _declare(world, **declared)
        yield world
    finally:
        del request.node.stash[_used]
        world.close()
        if server.running:
            server.delete_sandbox(name)


def _marked(item: pytest.Item) -> dict[str, Any]:
    """Gather what the markers of a module, a class and a test declare; the nearest one wins."""
    declared: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers("mock_gitlab"))):
        if marker.args or marker.kwargs.keys() - _DECLARED:
            given = [*map(repr, marker.args), *sorted(marker.kwargs.keys() - _DECLARED)]
            pytest.fail(f"{', '.join(given)}: expected {_MARKER.partition(':')[0]}", pytrace=False)
        declared |= marker.kwargs
    return declared


def _free(server: MockGitLab, test: str) -> str:
    """Make a sandbox's name of a test's; two tests may have one name in two files."""
    name = re.sub(r"[^A-Za-z0-9._~-]+", "-", test).strip("-.~_")[:100] or "test"
    taken = server.app.worlds.names()
    several = (f"{name}-{number}" for number in count(2))
    return next(each for each in chain((name,), several) if each not in taken)


def _declare(world: MockWorld, **declared: Any) -> None:
    from mock_gitlab.testing.client import MockError

    ways: dict[str, Callable[..., Any]]
    ways = {"scenarios": world.scenario, "rules": world.rule, "faults": world.fault}
    for kind, declare in ways.items():
        for number, fields in enumerate(declared.get(kind, ())):
            try:
                declare(**fields)
            except MockError as error:
                told = f"mistakes in what the test declares, {kind}[{number}]:\n{error}"
                raise pytest.fail.Exception(told, pytrace=False) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the last calls and pipelines of a test's mock where the test has failed."""
    report = yield
    used = item.stash.get(_used, None)
    if used is not None and report.failed:
        from mock_gitlab.testing import report as shown

        report.sections.append(("mock_gitlab", shown.report(*used)))
    return report
