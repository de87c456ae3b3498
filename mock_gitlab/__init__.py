"""A test double for GitLab CI: trigger pipelines, poll them, declare what happens."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mock_gitlab.version import __version__

if TYPE_CHECKING:
    from mock_gitlab.config.diagnostics import ConfigurationError
    from mock_gitlab.testing.asynchronous import AsyncMockWorld
    from mock_gitlab.testing.client import MockError, MockWorld
    from mock_gitlab.testing.courses import every_course
    from mock_gitlab.testing.library import MockGitLab
    from mock_gitlab.testing.receiver import receiver
else:
    _MODULES = {
        "AsyncMockWorld": "testing.asynchronous",
        "ConfigurationError": "config.diagnostics",
        "MockError": "testing.client",
        "MockGitLab": "testing.library",
        "MockWorld": "testing.client",
        "every_course": "testing.courses",
        "receiver": "testing.receiver",
    }

    def __getattr__(name: str) -> Any:
        # Loaded on first use: importing one module of the package must not load all the others.
        if name in _MODULES:
            return getattr(import_module(f"mock_gitlab.{_MODULES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AsyncMockWorld",
    "ConfigurationError",
    "MockError",
    "MockGitLab",
    "MockWorld",
    "__version__",
    "every_course",
    "receiver",
]
