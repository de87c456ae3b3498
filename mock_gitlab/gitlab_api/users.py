"""The Users page (https://docs.gitlab.com/api/users/): the only user."""

from __future__ import annotations

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.entities.users import BORN, PROFILE, Profile, UserBasic, present_user
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

users = Endpoints("users")


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
        **PROFILE,
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
