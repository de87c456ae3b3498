"""A user, as most answers embed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.rest.request import Request

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Instant

BORN: Instant = 1_735_689_600_000
"""2025-01-01: when everything was created that no request creates."""


class UserBasic(TypedDict):
    """A user as pipelines embed it."""

    id: int
    username: str
    public_email: str | None
    name: str
    state: str
    locked: bool
    avatar_url: str | None
    web_url: str


class Profile(TypedDict):
    """What a user tells about himself."""

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


class User(UserBasic, Profile):
    """A user as jobs embed it."""

    local_time: str | None


def present_user(request: Request) -> UserBasic:
    """Present the user as pipelines embed it."""
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
    """Present the user as jobs embed it, with the fields of the profile."""
    return {**present_user(request), **PROFILE, "local_time": None}


PROFILE: Profile = {
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
}
