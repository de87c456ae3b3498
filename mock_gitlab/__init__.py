"""A test double for GitLab CI: trigger pipelines, poll them, declare what happens."""

from typing import TYPE_CHECKING, Any

from mock_gitlab.version import __version__

if TYPE_CHECKING:
    from mock_gitlab.library import MockGitLab

__all__ = ["MockGitLab", "__version__"]


def __getattr__(name: str) -> Any:
    # Importing a part of the package must not load the whole of it.
    if name == "MockGitLab":
        from mock_gitlab.library import MockGitLab

        return MockGitLab
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
