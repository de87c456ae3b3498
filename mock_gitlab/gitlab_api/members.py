"""The pages Members, and the users that may be named (https://docs.gitlab.com/api/members/)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from mock_gitlab.engine.instants import timestamp
from mock_gitlab.engine.model import NotFound
from mock_gitlab.rest.endpoint import Login
from mock_gitlab.rest.entities.groups import find_group
from mock_gitlab.rest.entities.users import BORN, User, UserBasic, present_full_user, present_user
from mock_gitlab.rest.pagination import Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.route import Endpoints

if TYPE_CHECKING:
    from mock_gitlab.rest.request import Request

members = Endpoints("members")

_OWNER = 50
_QUERY = (
    Param("query", Kind.STRING, description="Part of the name or the username."),
    Param("user_ids", Kind.STRINGS, description="The numbers of users."),
)


class Member(UserBasic):
    """A member of a project or a group."""

    access_level: int
    created_at: str
    created_by: UserBasic
    expires_at: str | None
    membership_state: str


class AccessToken(TypedDict):
    """The token of the request; its text is never shown."""

    id: int
    name: str
    revoked: bool
    created_at: str
    description: str | None
    scopes: list[str]
    user_id: int
    last_used_at: str | None
    active: bool
    expires_at: str | None


def _present(request: Request) -> Member:
    return {
        **present_user(request),
        "access_level": _OWNER,
        "created_at": timestamp(BORN),
        "created_by": present_user(request),
        "expires_at": None,
        "membership_state": "active",
    }


def _is_named(request: Request, text: str | None) -> bool:
    """Return whether a text is part of the name or the username of the only user."""
    user = request.world.declared.user
    return any((text or "").lower() in each.lower() for each in (user.name, user.username))


def _page(request: Request, query: str | None, user_ids: list[str] | None) -> Page:
    number = str(request.world.declared.user.id)
    wanted = _is_named(request, query) and (not user_ids or number in user_ids)
    return page_of(request, [_present(request)] if wanted else [], lambda member: member)


def _only(request: Request, number: int, what: str) -> None:
    if number != request.world.declared.user.id:
        raise NotFound(what)


@members(
    "GET",
    "/projects/{id}/members",
    *_QUERY,
    answers=list[Member],
    login=Login.FIRST,
    paged=True,
)
def list_members(request: Request, id: str, query: str | None, user_ids: list[str] | None) -> Page:
    """List the members of a project: the user is its owner."""
    request.project(id)
    return _page(request, query, user_ids)


@members(
    "GET",
    "/projects/{id}/members/all",
    *_QUERY,
    answers=list[Member],
    login=Login.FIRST,
    paged=True,
)
def list_all_members(
    request: Request, id: str, query: str | None, user_ids: list[str] | None
) -> Page:
    """List the members of a project, also those that it has from its groups."""
    request.project(id)
    return _page(request, query, user_ids)


@members("GET", "/projects/{id}/members/{user_id}", answers=Member, login=Login.FIRST)
def get_member(request: Request, id: str, user_id: int) -> Member:
    """Show a member of a project."""
    request.project(id)
    _only(request, user_id, "member")
    return _present(request)


@members("GET", "/projects/{id}/members/all/{user_id}", answers=Member, login=Login.FIRST)
def get_any_member(request: Request, id: str, user_id: int) -> Member:
    """Show a member of a project, also one that it has from its groups."""
    request.project(id)
    _only(request, user_id, "member")
    return _present(request)


@members(
    "GET",
    "/groups/{group}/members",
    *_QUERY,
    answers=list[Member],
    login=Login.FIRST,
    paged=True,
)
def list_group_members(
    request: Request, group: str, query: str | None, user_ids: list[str] | None
) -> Page:
    """List the members of a group: the user is its owner."""
    find_group(request, group)
    return _page(request, query, user_ids)


@members(
    "GET",
    "/projects/{id}/users",
    Param("search", Kind.STRING, description="Part of the name or the username."),
    Param("skip_users", Kind.STRINGS, description="The numbers of users to leave out."),
    answers=list[UserBasic],
    login=Login.FIRST,
    paged=True,
)
def list_project_users(
    request: Request, id: str, search: str | None, skip_users: list[str] | None
) -> Page:
    """List the users of a project."""
    request.project(id)
    skipped = str(request.world.declared.user.id) in (skip_users or ())
    found = [present_user(request)] if _is_named(request, search) and not skipped else []
    return page_of(request, found, lambda user: user)


# ---------------------------------------------------------------------------- users


@members(
    "GET",
    "/users",
    Param("username", Kind.STRING, description="The username."),
    Param("search", Kind.STRING, description="Part of the name, the username or the address."),
    Param("active", Kind.BOOLEAN, default=False),
    Param("blocked", Kind.BOOLEAN, default=False, description="Nobody is blocked."),
    Param("external", Kind.BOOLEAN, default=False, description="Nobody is external."),
    answers=list[UserBasic],
    login=Login.FIRST,
    paged=True,
)
def list_users(request: Request, username: str | None, search: str | None, **params: Any) -> Page:
    """List the users: there is one."""
    user = request.world.declared.user
    wanted = (
        (username is None or username.lower() == user.username.lower())
        and (_is_named(request, search) or (search or "").lower() == user.email.lower())
        and not (params["blocked"] or params["external"])
    )
    return page_of(request, [present_user(request)] if wanted else [], lambda each: each)


@members("GET", "/users/{user_id}", answers=User, login=Login.FIRST)
def get_user(request: Request, user_id: int) -> User:
    """Show a user."""
    _only(request, user_id, "user")
    return present_full_user(request)


@members("GET", "/personal_access_tokens/self", answers=AccessToken, login=Login.FIRST)
def get_own_token(request: Request) -> AccessToken:
    """Show the token of the request, which may do everything and never expires."""
    return {
        "id": 1,
        "name": "mock_gitlab",
        "revoked": False,
        "created_at": timestamp(BORN),
        "description": None,
        "scopes": ["api"],
        "user_id": request.world.declared.user.id,
        "last_used_at": timestamp(request.world.clock.now()),
        "active": True,
        "expires_at": None,
    }
