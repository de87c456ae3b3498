"""Users, who stand inside the answers of every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Instant
    from mock_gitlab.rest.request import Request

BORN: Instant = 1_735_689_600_000
"""2025-01-01: what exists without a pipeline having made it has existed for a while."""


class UserBasic(TypedDict):
    """A user inside another object."""

    id: int
    username: str
    public_email: str | None
    name: str
    state: str
    locked: bool
    avatar_url: str | None
    web_url: str


class User(UserBasic):
    """A user inside a job."""

    created_at: str
    bio: str
    location: str | None
    linkedin: str
    twitter: str
    discord: str
    website_url: str
    github: str
    job_title: str
    pronouns: str | None
    organization: str | None
    bot: bool
    work_information: str | None
    local_time: str | None


def present_user(request: Request) -> UserBasic:
    """Show the one user of the mock."""
    user = request.world.declared.user
    return {
        "id": user.id,
        "username": user.username,
        "public_email": None,
        "name": user.name,
        "state": "active",
        "locked": False,
        "avatar_url": f"{request.site}/uploads/-/system/user/avatar/{user.id}/avatar.png",
        "web_url": f"{request.site}/{user.username}",
    }


def present_full_user(request: Request) -> User:
    """Show the one user of the mock with what a profile says."""
    return {
        **present_user(request),
        "created_at": timestamp(BORN),
        "bio": "",
        "location": None,
        "linkedin": "",
        "twitter": "",
        "discord": "",
        "website_url": "",
        "github": "",
        "job_title": "",
        "pronouns": None,
        "organization": None,
        "bot": False,
        "work_information": None,
        "local_time": None,
    }
