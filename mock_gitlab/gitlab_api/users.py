"""The Users page (https://docs.gitlab.com/api/users/): the only user, whom most answers embed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Instant

users = Endpoints("users")

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
    return {**present_user(request), **_PROFILE, "local_time": None}


_PROFILE: Profile = {
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


class Identity(TypedDict):
    """An account of the user elsewhere."""

    provider: str
    extern_uid: str


class CurrentUser(UserBasic, Profile):
    """The user whose token the request has."""

    followers: int
    following: int
    local_time: str | None
    is_followed: bool
    last_sign_in_at: str | None
    confirmed_at: str
    last_activity_on: str | None
    email: str
    theme_id: int | None
    color_scheme_id: int
    projects_limit: int
    current_sign_in_at: str | None
    identities: list[Identity]
    can_create_group: bool
    can_create_project: bool
    two_factor_enabled: bool
    external: bool
    private_profile: bool
    commit_email: str
    is_admin: bool


@users("GET", "/user", answers=CurrentUser, login=Login.FIRST)
def get_current_user(request: Request) -> CurrentUser:
    """Show the user whose token the request has."""
    user = request.world.declared.user
    return {
        **present_user(request),
        **_PROFILE,
        "followers": 0,
        "following": 0,
        "local_time": None,
        "is_followed": False,
        "last_sign_in_at": None,
        "confirmed_at": timestamp(BORN),
        "last_activity_on": None,
        "email": user.email,
        "theme_id": None,
        "color_scheme_id": 1,
        "projects_limit": 100000,
        "current_sign_in_at": None,
        "identities": [],
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
        "commit_email": user.email,
        "is_admin": True,
    }
