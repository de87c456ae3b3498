"""The commands that people paste from GitLab's documentation, with curl."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.live import Live, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

TOKEN = '--header "PRIVATE-TOKEN: MOCK_SUPER_SECRET"'
FORMS = {
    "trigger with a form": (
        'curl --request POST --form token=glptt-abc --form ref=main "$URL/projects/1/trigger/pipeline"',
        ("ref", "main"),
    ),
    "trigger with a query": (
        'curl --request POST "$URL/projects/1/trigger/pipeline?token=glptt-abc&ref=main"',
        ("source", "trigger"),
    ),
    "trigger with variables": (
        'curl --request POST --form token=glptt-abc --form ref=main --form "variables[UPLOAD]=true" '
        '"$URL/projects/1/trigger/pipeline"',
        ("status", "running"),
    ),
    "trigger of a ref, as webhooks write it": (
        'curl --globoff --request POST "$URL/projects/1/ref/main/trigger/pipeline?token=glptt-abc&variables[A]=1"',
        ("ref", "main"),
    ),
    "create": (
        f'curl --request POST {TOKEN} "$URL/projects/1/pipeline?ref=main"',
        ("source", "api"),
    ),
    "create with variables in JSON": (
        f"curl --request POST {TOKEN} --header 'Content-Type: application/json' "
        '--data \'{"ref": "main", "variables": [{"key": "A", "value": "1"}]}\' "$URL/projects/1/pipeline"',
        ("ref", "main"),
    ),
    "create with variables in a query": (
        f"curl --globoff --request POST {TOKEN} "
        '"$URL/projects/1/pipeline?ref=main&variables[][key]=A&variables[][value]=1"',
        ("source", "api"),
    ),
    "single": (f'curl {TOKEN} "$URL/projects/1/pipelines/1"', ("id", 1)),
    "latest": (f'curl {TOKEN} "$URL/projects/1/pipelines/latest"', ("project_id", 1)),
    "name": (
        f'curl --request PUT {TOKEN} --data "name=new" "$URL/projects/1/pipelines/1/metadata"',
        ("name", "new"),
    ),
    "retry": (f'curl --request POST {TOKEN} "$URL/projects/1/pipelines/1/retry"', ("id", 1)),
    "cancel": (
        f'curl --request POST {TOKEN} "$URL/projects/1/pipelines/1/cancel"',
        ("status", "canceled"),
    ),
    "trigger token": (
        f'curl --request POST {TOKEN} --form description="my description" "$URL/projects/1/triggers"',
        ("description", "my description"),
    ),
    "project by path": (f'curl {TOKEN} "$URL/projects/group%2Fapp"', ("id", 1)),
    "job": (f'curl {TOKEN} "$URL/projects/1/jobs/100001"', ("stage", "test")),
    "job, retried": (
        f'curl --request POST {TOKEN} "$URL/projects/1/jobs/100001/retry"',
        ("message", "403 Forbidden - Job is not retryable"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    token = "trigger_tokens: [{description: ci, token: glptt-abc}]"
    declared = (
        f"version: 1\ndatabase: ':memory:'\nprojects: [{{id: 1, path: group/app, {token}}}]\n"
    )
    (folder / "mock.yaml").write_text(declared, encoding="utf-8")
    with serving(folder) as live:
        yield live


def paste(command: str, url: str) -> str:
    done = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl --silent --show-error ", 1)],
        env={"URL": url, "PATH": "/usr/bin:/bin:/usr/local/bin"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("form", FORMS)
def test_a_pasted_command_works(live: Live, form: str):
    command, (key, value) = FORMS[form]
    url = f"{live.url}/sandbox/{form.replace(' ', '-').replace(',', '')}/api/v4"
    paste(f'curl --request POST {TOKEN} "$URL/projects/1/pipeline?ref=main"', url)

    assert json.loads(paste(command, url))[key] == value


def test_lists_are_filtered_and_their_headers_shown(live: Live):
    url = f"{live.url}/sandbox/lists/api/v4"
    for _ in range(3):
        paste(f'curl --request POST {TOKEN} "$URL/projects/1/pipeline?ref=main"', url)

    shown = paste(
        f'curl --include {TOKEN} "$URL/projects/1/pipelines?status=running&per_page=2"', url
    )

    head, _, body = shown.replace("\r", "").partition("\n\n")
    assert [row["id"] for row in json.loads(body)] == [3, 2]
    assert "x-next-page: 2" in head.lower()


def test_a_file_is_saved_under_its_own_name(live: Live, tmp_path: Path):
    url = f"{live.url}/sandbox/files"
    scenario = '{"scenario_id": 900, "jobs": [{"name": "build", "artifacts": {"a.txt": "1"}}]}'
    json_type = "--header 'Content-Type: application/json'"
    paste(f"curl {TOKEN} {json_type} --data '{scenario}' \"$URL/_mock/scenarios\"", url)
    paste(f'curl {TOKEN} --data "ref=main&scenario_id=900" "$URL/api/v4/projects/1/pipeline"', url)

    paste(
        f"cd {tmp_path} && curl --remote-name --remote-header-name {TOKEN} "
        '"$URL/api/v4/projects/1/jobs/100001/artifacts"',
        url,
    )

    assert (tmp_path / "artifacts.zip").read_bytes()[:2] == b"PK"
