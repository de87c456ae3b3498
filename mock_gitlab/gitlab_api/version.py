"""The pages Version (https://docs.gitlab.com/api/version/) and Metadata, which answer the same.

GitLab keeps ``/version`` beside the newer ``/metadata`` (https://docs.gitlab.com/api/metadata/).
"""

from __future__ import annotations

from typing_extensions import TypedDict

from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints
from mock_gitlab.version import GITLAB_VERSION

version = Endpoints("version")

_REVISION = "3d8b6f0c2a1"


class Kas(TypedDict):
    """The state of GitLab's server for Kubernetes agents, which the mock does not have."""

    enabled: bool
    externalUrl: str | None
    externalK8sProxyUrl: str | None
    version: str | None


class Version(TypedDict):
    """The version of GitLab that the mock claims to be."""

    version: str
    revision: str
    kas: Kas
    enterprise: bool


def _version() -> Version:
    return {
        "version": GITLAB_VERSION,
        "revision": _REVISION,
        "kas": {
            "enabled": False,
            "externalUrl": None,
            "externalK8sProxyUrl": None,
            "version": None,
        },
        "enterprise": True,
    }


@version("GET", "/version", answers=Version, login=Login.FIRST)
def get_version(request: Request) -> Version:
    """Show the version of GitLab that the mock claims to be."""
    return _version()


@version("GET", "/metadata", answers=Version, login=Login.FIRST)
def get_metadata(request: Request) -> Version:
    """Show the same as ``/version``."""
    return _version()
