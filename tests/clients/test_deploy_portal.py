"""A portal that shows and stops environments, with python-gitlab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gitlab
import pytest

from tests.conftest import TOKEN
from tests.live import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DECLARED = """\
version: 1
database: ':memory:'
clock: {start: 2026-01-01T00:00:00Z, frozen: true}
scenarios:
  - scenario_id: 900
    jobs:
      - {name: deploy, environment: {name: review/$CI_COMMIT_REF_SLUG, on_stop: stop}}
      - {name: stop, when: manual, environment: {name: review/$CI_COMMIT_REF_SLUG, action: stop}}
default_scenario: 900
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "mock.yaml").write_text(DECLARED, encoding="utf-8")
    with serving(tmp_path) as live:
        yield gitlab.Gitlab(live.url, private_token=TOKEN).projects.get(1)


def test_a_portal_finds_what_is_deployed_where(project: Any):
    pipeline = project.pipelines.create({"ref": "feature/login"})

    [environment] = project.environments.list(search="review", get_all=True)
    shown = project.environments.get(environment.id)
    [deployment] = project.deployments.list(
        environment="review/feature-login", status="success", order_by="id", sort="desc"
    )

    assert shown.last_deployment["id"] == deployment.id
    assert deployment.sha == pipeline.sha
    assert deployment.deployable["pipeline"]["id"] == pipeline.id


def test_a_portal_stops_and_deletes_an_environment(project: Any):
    project.pipelines.create({"ref": "feature/login"})
    [environment] = project.environments.list(get_all=True)

    environment.stop()
    assert project.environments.get(environment.id).state == "stopped"
    environment.delete()

    assert project.environments.list(get_all=True) == []


def test_a_portal_makes_and_changes_what_it_deploys_itself(project: Any):
    environment = project.environments.create({"name": "qa", "external_url": "https://qa.test"})
    environment.external_url = "https://qa2.test"
    environment.save()
    deployment = project.deployments.create(
        {
            "environment": "qa",
            "sha": project.commits.get("main").id,
            "ref": "main",
            "tag": False,
            "status": "running",
        }
    )
    deployment.status = "success"
    deployment.save()

    shown = project.environments.get(environment.id)
    assert shown.external_url == "https://qa2.test"
    assert shown.last_deployment["id"] == deployment.id
    assert project.deployments.get(deployment.id).status == "success"
    assert deployment.mergerequests.list(get_all=True) == []
