"""What goes wrong, as python-gitlab tells the program that uses it: strict and not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gitlab
import pytest
from gitlab import exceptions as errors

from tests.live import TOKEN, Live, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitlab.v4.objects import Project

DECLARED = """\
version: 1
database: ":memory:"
projects:
  - {id: 42, path: group/app, refs: [main], trigger_tokens: [{description: ci, token: glptt-abc}]}
  - {id: 43, path: group/other, trigger_tokens: [{description: ci, token: glptt-def}]}
"""

Asked = tuple["Callable[[Project], object]", type[gitlab.GitlabError], int, object]
GONE = (404, "404 Not found")
WRONG: dict[str, Asked] = {
    "get": (lambda p: p.pipelines.get(9), errors.GitlabGetError, *GONE),
    "latest of a ref without any": (
        lambda p: p.pipelines.latest(ref="x"), errors.GitlabHttpError, 403, "403 Forbidden",
    ),
    "list": (
        lambda p: p.pipelines.list(status="done", get_all=True),
        errors.GitlabListError, 400, "status does not have a valid value",
    ),
    "create": (
        lambda p: p.pipelines.create({"ref": "nope"}),
        errors.GitlabCreateError, 400, {"base": ["Reference not found"]},
    ),
    "trigger with the token of another project": (
        lambda p: anonymous(p).trigger_pipeline("main", "glptt-def"),
        errors.GitlabCreateError, 404, "404 Not Found",
    ),
    "trigger on a ref that is none": (
        lambda p: p.trigger_pipeline("nope", "glptt-abc"),
        errors.GitlabCreateError, 400, {"base": ["Reference not found"]},
    ),
    "retry": (
        lambda p: p.pipelines.get(9, lazy=True).retry(), errors.GitlabPipelineRetryError, *GONE,
    ),
    "cancel": (
        lambda p: p.pipelines.get(9, lazy=True).cancel(), errors.GitlabPipelineCancelError, *GONE,
    ),
    "delete": (lambda p: p.pipelines.delete(9), errors.GitlabDeleteError, *GONE),
    "variables": (
        lambda p: p.pipelines.get(9, lazy=True).variables.list(get_all=True),
        errors.GitlabListError, *GONE,
    ),
    "jobs": (
        lambda p: p.pipelines.get(9, lazy=True).jobs.list(get_all=True),
        errors.GitlabListError, *GONE,
    ),
    "test report": (
        lambda p: p.pipelines.get(9, lazy=True).test_report.get(), errors.GitlabGetError, *GONE,
    ),
    "trigger token": (lambda p: p.triggers.get(9), errors.GitlabGetError, *GONE),
    "create a trigger token": (
        lambda p: p.triggers.create({"description": "x", "expires_at": "never"}),
        errors.GitlabCreateError, 400, "expires_at is invalid",
    ),
    "update a trigger token": (
        lambda p: p.triggers.update(9, {"description": "x"}), errors.GitlabUpdateError, *GONE,
    ),
    "delete a trigger token": (lambda p: p.triggers.delete(9), errors.GitlabDeleteError, *GONE),
    "job": (lambda p: p.jobs.get(900001), errors.GitlabGetError, *GONE),
    "play": (lambda p: p.jobs.get(900001, lazy=True).play(), errors.GitlabJobPlayError, *GONE),
    "retry a job": (
        lambda p: p.jobs.get(900001, lazy=True).retry(), errors.GitlabJobRetryError, *GONE,
    ),
    "cancel a job": (
        lambda p: p.jobs.get(900001, lazy=True).cancel(), errors.GitlabJobCancelError, *GONE,
    ),
    "erase a job": (
        lambda p: p.jobs.get(900001, lazy=True).erase(), errors.GitlabJobEraseError, *GONE,
    ),
    "branch": (
        lambda p: p.branches.get("nope"), errors.GitlabGetError, 404, "404 Branch Not Found",
    ),
    "path that is none": (
        lambda p: p.manager.gitlab.http_get("/nowhere"),
        errors.GitlabHttpError, 404, "404 Not Found",
    ),
    "without a token": (
        lambda p: anonymous(p).pipelines.create({"ref": "main"}),
        errors.GitlabAuthenticationError, 401, "401 Unauthorized",
    ),
    "with a wrong token": (
        lambda p: stranger(p).pipelines.list(get_all=True),
        errors.GitlabAuthenticationError, 401, "401 Unauthorized",
    ),
}  # fmt: skip


def anonymous(project: Project) -> Project:
    return gitlab.Gitlab(project.manager.gitlab.url).projects.get(42, lazy=True)


def stranger(project: Project) -> Project:
    url = project.manager.gitlab.url
    return gitlab.Gitlab(url, private_token="wrong").projects.get(42, lazy=True)


@pytest.fixture(scope="module", params=["strict: false\n", "strict: true\n"])
def live(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    (folder / "mock.yaml").write_text(DECLARED + request.param, encoding="utf-8")
    with serving(folder) as live:
        yield live


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_an_exception_of_its_own(live: Live, what: str):
    call, expected, status, message = WRONG[what]
    client = gitlab.Gitlab(live.url, private_token=TOKEN)

    with pytest.raises(gitlab.GitlabError) as raised:
        call(client.projects.get(42))

    client.session.close()
    assert (type(raised.value), raised.value.response_code) == (expected, status)
    found: object = raised.value.error_message
    assert found == message
