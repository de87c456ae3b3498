"""The Projects page (https://docs.gitlab.com/api/projects/): reading projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_gitlab.rest.entities.project_shape import NO_STATISTICS, ProjectBasic, ProjectShape
from mock_gitlab.rest.entities.projects import (
    present_basic_project,
    present_project,
    project_name,
)
from mock_gitlab.rest.entities.users import BORN
from mock_gitlab.rest.errors import ApiError, Error
from mock_gitlab.rest.pagination import KeysetPage, Page, page_of
from mock_gitlab.rest.params import Kind, Param
from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gitlab.engine.model import Project

projects = Endpoints("projects")

_SINGLE_ALONE = frozenset(
    ("import_error", "build_git_strategy", "runners_token", "runner_token_expiration_interval")
)


def _more(statistics: bool | None, with_custom_attributes: bool | None) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if statistics:
        more["statistics"] = NO_STATISTICS
    if with_custom_attributes:
        more["custom_attributes"] = []
    return more


_EXTRAS = (
    Param("statistics", Kind.BOOLEAN, default=False, description="Show how much is stored."),
    Param("with_custom_attributes", Kind.BOOLEAN, description="Show them. There are none."),
)


@projects(
    "GET",
    "/projects/{id}",
    *_EXTRAS,
    Param("license", Kind.BOOLEAN, default=False, description="Show the license. There is none."),
    answers=ProjectShape,
)
def get_project(request: Request, id: str, license: bool, **extras: Any) -> ProjectShape:
    """Show a project, found by its number or its URL-encoded path."""
    more = _more(**extras) | ({"license_url": None, "license": None} if license else {})
    return present_project(request, request.project(id), more)


# ---------------------------------------------------------------------------- the list


_ORDERS = (
    "id", "name", "path", "created_at", "updated_at", "last_activity_at", "similarity",
    "star_count", "storage_size", "repository_size", "wiki_size", "packages_size",
)  # fmt: skip
_MAX_OFFSET = 50_000


@projects(
    "GET",
    "/projects",
    Param("order_by", Kind.STRING, values=_ORDERS, default="created_at"),
    Param("sort", Kind.STRING, values=("asc", "desc"), default="desc"),
    Param("active", Kind.BOOLEAN, description="Whether it is neither archived nor to be deleted."),
    Param("archived", Kind.BOOLEAN),
    Param("visibility", Kind.STRING, values=("private", "internal", "public")),
    Param("search", Kind.STRING, description="Words that are all part of the name."),
    Param("search_namespaces", Kind.BOOLEAN, description="Search the whole path."),
    Param("owned", Kind.BOOLEAN, default=False),
    Param("starred", Kind.BOOLEAN, default=False),
    Param("imported", Kind.BOOLEAN, default=False),
    Param("membership", Kind.BOOLEAN, default=False),
    Param("with_issues_enabled", Kind.BOOLEAN, default=False),
    Param("with_merge_requests_enabled", Kind.BOOLEAN, default=False),
    Param("with_programming_language", Kind.STRING),
    Param("min_access_level", Kind.INTEGER, values=(10, 15, 20, 30, 40, 50)),
    Param("id_after", Kind.INTEGER),
    Param("id_before", Kind.INTEGER),
    Param("last_activity_after", Kind.DATETIME),
    Param("last_activity_before", Kind.DATETIME),
    Param("repository_storage", Kind.STRING),
    Param("repository_checksum_failed", Kind.BOOLEAN, default=False),
    Param("wiki_checksum_failed", Kind.BOOLEAN, default=False),
    Param("topic", Kind.STRING),
    Param("topic_id", Kind.INTEGER),
    Param("updated_before", Kind.DATETIME),
    Param("updated_after", Kind.DATETIME),
    Param("include_hidden", Kind.BOOLEAN),
    Param("include_pending_delete", Kind.BOOLEAN),
    Param("marked_for_deletion_on", Kind.DATETIME),
    Param("simple", Kind.BOOLEAN, default=False, description="Show the most important keys only."),
    *_EXTRAS,
    Param(
        "pagination",
        Kind.STRING,
        description="`keyset`: pages are found by `id_after` or `id_before`.",
        example="keyset",
    ),
    answers=list[ProjectShape] | list[ProjectBasic],
    paged=True,
)
def list_projects(
    request: Request,
    simple: bool,
    statistics: bool,
    with_custom_attributes: bool | None,
    **params: Any,
) -> Page | KeysetPage:
    """List the projects that were declared or used."""
    by_update = params["updated_after"] is not None or params["updated_before"] is not None
    if by_update and params["order_by"] != "updated_at":
        raise ApiError(Error.UPDATES_NOT_PAIRED)
    if not request.log_in():
        if not request.world.declared.strict:
            request.require_login()
        return Page([], 0, more=False)  # no project here is public
    more = {
        key: value
        for key, value in _more(statistics, with_custom_attributes).items()
        if not simple or key in ProjectBasic.__annotations__
    }

    def present(project: Project) -> ProjectShape | ProjectBasic:
        if simple:
            return {**present_basic_project(request, project), **more}  # type: ignore[return-value]  # keys that may be missing
        shown = present_project(request, project, more)
        return {key: value for key, value in shown.items() if key not in _SINGLE_ALONE}  # type: ignore[return-value]  # keys that may be missing

    found = [project for project in _candidates(request, params) if _matches(project, params)]
    return _page_of_projects(request, _sorted(found, params), params, present)


def _page_of_projects(
    request: Request,
    found: list[Project],
    params: dict[str, Any],
    present: Callable[[Project], ProjectShape | ProjectBasic],
) -> Page | KeysetPage:
    if params["pagination"] != "keyset":
        if request.offset > _MAX_OFFSET:
            raise ApiError(Error.OFFSET_TOO_LARGE, limit=_MAX_OFFSET, type="Project")
        return page_of(request, found, present)
    if params["order_by"] != "id":
        raise ApiError(Error.NO_KEYSET_PAGINATION)
    shown = found[: request.limit]
    # GitLab links to a page behind the last one, which is empty.
    last = str(shown[-1].id) if shown else None
    name = "id_before" if params["sort"] == "desc" else "id_after"
    return KeysetPage([present(project) for project in shown], last, name)


_NO_PROJECT_IS = (
    "archived", "starred", "imported", "repository_checksum_failed", "wiki_checksum_failed",
    "topic", "topic_id", "with_programming_language", "marked_for_deletion_on",
)  # fmt: skip
"""Filters that no project of the mock meets, if they have a value."""


def _candidates(request: Request, params: dict[str, Any]) -> list[Project]:
    """List the projects that meet the filters for which all projects of the mock are alike."""
    after, before = params["last_activity_after"], params["last_activity_before"]
    updated_after, updated_before = params["updated_after"], params["updated_before"]
    none = (
        any(params[name] for name in _NO_PROJECT_IS)
        or params["active"] is False
        or params["visibility"] not in (None, "private")
        or params["repository_storage"] not in (None, "", "default")
        or any(each is not None and each > BORN for each in (after, updated_after))
        or any(each is not None and each < BORN for each in (before, updated_before))
    )
    return [] if none else request.world.catalog.projects()


def _matches(project: Project, params: dict[str, Any]) -> bool:
    searched = project.path if params["search_namespaces"] else project_name(project)
    words = (params["search"] or "").lower().split()
    after, before = params["id_after"], params["id_before"]
    return (
        all(word in searched.lower() for word in words)
        and (after is None or project.id > after)
        and (before is None or project.id < before)
    )


def _sorted(found: list[Project], params: dict[str, Any]) -> list[Project]:
    order, search = params["order_by"], (params["search"] or "").lower()
    if order == "similarity" and search:
        return sorted(
            found, key=lambda project: (project_name(project).lower() != search, project.id)
        )
    by_name = order in ("name", "path")
    return sorted(
        found,
        key=lambda project: (project_name(project) if by_name else "", project.id),
        reverse=params["sort"] == "desc",
    )
