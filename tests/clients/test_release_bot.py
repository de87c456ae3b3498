"""A release bot that knows nothing of the mock: python-gitlab against a real server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import gitlab
import pytest

from tests.live import TOKEN, Live, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitlab import Gitlab

DECLARED = """\
version: 1
database: ":memory:"
clock: {start: 2026-01-01T00:00:00Z, frozen: true}
projects:
  - {id: 42, path: group/sub/app, trigger_tokens: [{description: ci, token: glptt-abc}]}
scenarios:
  - scenario_id: 900
    name: build, test, deploy
    jobs:
      - name: build
        stage: build
        duration: 30s
        trace: "compiling\\ndone\\n"
        artifacts: {dist/app.txt: "1.4.0"}
        coverage: 80
      - {name: flaky, stage: test, duration: 10s, attempts: [{status: failed}, {status: success}]}
      - {name: deploy, stage: deploy, duration: 20s, when: manual, allow_failure: false}
    test_report: {suites: [{name: flaky, cases: [{name: adds, execution_time: 0.5}]}]}
rules:
  - {when: {ref: deploy}, scenario: 900}
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    (folder / "mock.yaml").write_text(DECLARED, encoding="utf-8")
    with serving(folder) as live:
        yield live


@pytest.fixture
def world(live: Live, request: pytest.FixtureRequest) -> str:
    """A GitLab of its own for each test."""
    return f"{live.url}/sandbox/{re.sub('[^a-z0-9]+', '-', request.node.name)}"


@pytest.fixture
def bot(world: str) -> Iterator[Gitlab]:
    client = gitlab.Gitlab(world, private_token=TOKEN)
    yield client
    client.session.close()


def advance(bot: Gitlab, duration: str) -> None:
    url = f"{bot.url}/_mock/clock/advance"
    headers = {"PRIVATE-TOKEN": TOKEN}
    assert bot.session.post(url, json={"duration": duration}, headers=headers).ok


def test_it_authenticates_and_knows_the_user(bot: Gitlab):
    bot.auth()

    assert bot.user is not None
    assert bot.user.username == "root"
    assert bot.version() == ("18.5.0-ee", "3d8b6f0c2a1")


@pytest.mark.parametrize("name", [42, "group/sub/app"])
def test_it_finds_a_project_by_number_and_by_path(bot: Gitlab, name: int | str):
    project = bot.projects.get(name)

    assert (project.id, project.path_with_namespace) == (42, "group/sub/app")
    found = bot.projects.list(search="sub", search_namespaces=True, get_all=True)
    assert [each.id for each in found] == [42]


def test_it_triggers_with_a_trigger_token_and_polls_to_the_end(bot: Gitlab):
    project = bot.projects.get(42, lazy=True)

    pipeline = project.trigger_pipeline("main", "glptt-abc", variables={"A": "1"})
    seen = [pipeline.status]
    while pipeline.status not in ("success", "failed", "canceled", "skipped"):
        advance(bot, "100s")
        pipeline.refresh()
        seen.append(pipeline.status)

    assert seen == ["running", "running", "running", "success"]
    assert {v.key: v.value for v in pipeline.variables.list(get_all=True)}["A"] == "1"


def test_it_triggers_with_its_personal_token_unless_the_mock_is_strict(bot: Gitlab):
    pipeline = bot.projects.get("group/sub/app").trigger_pipeline("main", TOKEN)

    assert (pipeline.source, pipeline.ref) == ("trigger", "main")


def test_it_creates_lists_pages_and_iterates(bot: Gitlab):
    project = bot.projects.get("group/sub/app")
    for _ in range(45):
        project.pipelines.create({"ref": "main"})

    pages = [project.pipelines.list(page=page, per_page=20) for page in (1, 2, 3)]
    everything = [pipeline.id for pipeline in project.pipelines.list(iterator=True)]

    assert [len(page) for page in pages] == [20, 20, 5]
    assert everything == list(range(45, 0, -1))
    assert project.pipelines.latest().id == 45


def test_it_reads_jobs_logs_artifacts_and_reports(bot: Gitlab):
    project = bot.projects.get(42)
    pipeline = project.pipelines.create({"ref": "deploy"})
    advance(bot, "30s")

    jobs = {job.name: job for job in pipeline.jobs.list(get_all=True)}
    build = project.jobs.get(jobs["build"].id)

    assert {name: job.status for name, job in jobs.items()} == {
        "build": "success",
        "flaky": "running",
        "deploy": "created",
    }
    assert build.trace() == b"compiling\ndone\n"
    assert build.artifact("dist/app.txt") == b"1.4.0"
    assert build.artifacts()[:2] == b"PK"
    advance(bot, "10s")
    assert pipeline.test_report.get().total_count == 1


def test_it_retries_what_failed_and_plays_the_deploy(bot: Gitlab):
    project = bot.projects.get(42)
    pipeline = project.pipelines.create({"ref": "deploy"})
    advance(bot, "40s")
    pipeline.refresh()
    assert pipeline.status == "failed"

    pipeline.retry()
    advance(bot, "10s")
    pipeline.refresh()
    assert pipeline.status == "manual"

    [deploy] = [job for job in pipeline.jobs.list(get_all=True) if job.name == "deploy"]
    project.jobs.get(deploy.id).play()
    advance(bot, "20s")
    pipeline.refresh()
    assert pipeline.status == "success"
    assert len(pipeline.jobs.list(include_retried=True, get_all=True)) == 4


def test_it_cancels_renames_and_deletes(bot: Gitlab):
    project = bot.projects.get(42)
    pipeline = project.pipelines.create({"ref": "main"})

    path = f"/projects/42/pipelines/{pipeline.id}/metadata"
    bot.http_put(path, post_data={"name": "nightly"})
    pipeline.cancel()
    [listed] = project.pipelines.list(name="nightly", scope="finished", get_all=True)
    pipeline.refresh()

    assert (pipeline.status, pipeline.name, listed.id) == ("canceled", "nightly", pipeline.id)
    pipeline.delete()
    with pytest.raises(gitlab.GitlabGetError) as gone:
        project.pipelines.get(pipeline.id)

    assert (gone.value.response_code, gone.value.error_message) == (404, "404 Not found")


def test_it_manages_trigger_tokens(bot: Gitlab):
    project = bot.projects.get(42)

    token = project.triggers.create({"description": "bot"})
    token.description = "release bot"
    token.save()
    pipeline = (
        gitlab.Gitlab(bot.url).projects.get(42, lazy=True).trigger_pipeline("main", token.token)
    )

    assert pipeline.source == "trigger"
    assert project.triggers.get(token.id).last_used == "2026-01-01T00:00:00.000Z"
    assert [each.description for each in project.triggers.list(get_all=True)] == [
        "ci",
        "release bot",
    ]
    token.delete()
    assert len(project.triggers.list(get_all=True)) == 1


def test_a_wrong_token_is_the_clients_authentication_error(world: str):
    with pytest.raises(gitlab.GitlabAuthenticationError):
        gitlab.Gitlab(world, private_token="wrong").auth()


def test_a_refused_pipeline_is_the_clients_create_error(bot: Gitlab):
    variables = [{"key": "A", "value": "1"}] * 2

    with pytest.raises(gitlab.GitlabCreateError) as error:
        bot.projects.get(42).pipelines.create({"ref": "main", "variables": variables})

    assert error.value.response_code == 400
    refused: object = error.value.error_message
    assert refused == {"base": ["Duplicate variable name: A"]}


def test_an_unplayable_job_is_the_clients_play_error(bot: Gitlab):
    project = bot.projects.get(42)
    pipeline = project.pipelines.create({"ref": "main"})
    [job] = pipeline.jobs.list(get_all=True)

    with pytest.raises(gitlab.GitlabJobPlayError) as error:
        project.jobs.get(job.id).play()

    assert error.value.error_message == "400 Bad request - Unplayable Job"
