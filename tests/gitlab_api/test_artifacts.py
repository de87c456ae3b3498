"""Artifacts: when they expire, which are kept and found, and what an archive holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

JOBS = "/api/v4/projects/1/jobs"
FILES = {"a.txt": "abc", "docs/api/index.html": "<p>", "docs/style.css": "p {}", "zoo": ""}


def declare(mock: Mock, **more: Any) -> None:
    """Declare a scenario with a job that leaves artifacts, and one that does not."""
    mock.declare(900, jobs=[{"name": "build", "artifacts": FILES, **more}, {"name": "test"}])


def archives(mock: Mock, *pipelines: int) -> list[int]:
    """Download the archive of the first job of each pipeline, and return the statuses."""
    numbers = [number * 100_000 + 1 for number in pipelines]
    return [mock.get(f"{JOBS}/{number}/artifacts").status_code for number in numbers]


# ---------------------------------------------------------------------------- expiring


@pytest.fixture
def expiring(mock: Mock) -> Mock:
    """A pipeline whose job ends at once, and whose artifacts expire an hour later."""
    declare(mock, artifacts_expire_in="1h")
    mock.trigger(scenario_id=900)
    return mock


def test_artifacts_expire_in_virtual_time(expiring: Mock):
    ended = expiring.get(f"{JOBS}/100001").json()
    expiring.advance("3599s")
    before = archives(expiring, 1)
    expiring.advance("1s")
    expired = expiring.get(f"{JOBS}/100001").json()

    assert (before, archives(expiring, 1)) == ([200], [404])
    assert "artifacts_file" in ended
    assert "artifacts_file" not in expired
    assert ended["artifacts_expire_at"] == expired["artifacts_expire_at"]
    assert expired["artifacts_expire_at"][:13] > ended["finished_at"][:13]


def test_kept_artifacts_outlive_their_time(expiring: Mock):
    kept = expiring.post(f"{JOBS}/100001/artifacts/keep")
    again = expiring.post(f"{JOBS}/100001/artifacts/keep")
    expiring.advance("2h")

    assert (kept.status_code, kept.json()["artifacts_expire_at"]) == (200, None)
    assert again.json() == kept.json()
    assert archives(expiring, 1) == [200]
    assert len(expiring.get("/_mock/pipelines/1").json()["actions"]) == 1


def test_expired_artifacts_cannot_be_kept(expiring: Mock):
    expiring.advance("1h")

    assert expiring.post(f"{JOBS}/100001/artifacts/keep").status_code == 404


# ---------------------------------------------------------------------------- deleting


def test_the_artifacts_of_the_newest_success_of_each_ref_are_kept(mock: Mock):
    declare(mock)
    mock.declare(901, jobs=[{"name": "build", "artifacts": FILES}, {
        "name": "test", "status": "failed"}])  # fmt: skip
    for scenario, ref in ((900, "main"), (900, "main"), (901, "main"), (900, "v1"), (901, "v2")):
        mock.trigger(scenario_id=scenario, ref=ref)
    mock.trigger(scenario_id=5, ref="v3")

    answer = mock.delete("/api/v4/projects/1/artifacts")

    assert (answer.status_code, answer.json()) == (202, {"message": "202 Accepted"})
    assert archives(mock, 1, 2, 3, 4, 5) == [404, 200, 404, 200, 404]


def test_a_newer_success_no_longer_protects_the_older_one(mock: Mock):
    declare(mock)
    mock.trigger(scenario_id=900)
    mock.delete("/api/v4/projects/1/artifacts")
    mock.trigger(scenario_id=5)
    mock.advance("5s")

    mock.delete("/api/v4/projects/1/artifacts")

    assert archives(mock, 1) == [404]


@pytest.fixture
def family(mock: Mock) -> Mock:
    """A pipeline with artifacts whose bridges start one with artifacts here and one elsewhere."""
    declare(mock)
    there, here = ({"project": project, "scenario": 900} for project in ("2", "1"))
    bridges = [{"name": f"to {each['project']}", "downstream": each} for each in (there, here)]
    mock.declare(902, jobs=[{"name": "parent", "artifacts": {"a.txt": "parent"}}, *bridges])
    mock.trigger(scenario_id=902)
    return mock


def test_the_artifacts_of_child_pipelines_are_kept_with_those_of_their_parent(family: Mock):
    project_of_second = family.get("/projects/2/pipelines").json()[0]["id"]

    family.delete("/api/v4/projects/1/artifacts")
    family.delete("/api/v4/projects/2/artifacts")

    assert archives(family, 1, 3 if project_of_second == 2 else 2) == [200, 200]
    url = f"/projects/2/jobs/{project_of_second}00001/artifacts"
    assert family.get(url).status_code == 200


@pytest.mark.parametrize(
    ("project", "job", "status"),
    [("1", "parent", 200), ("1", "build", 200), ("2", "build", 200), ("2", "parent", 404)],
)
def test_artifacts_of_a_ref_are_searched_in_child_pipelines_too(
    family: Mock, project: str, job: str, status: int
):
    answer = family.get(f"/projects/{project}/jobs/artifacts/main/raw/a.txt?job={job}")

    assert answer.status_code == status


# ---------------------------------------------------------------------------- searching


@pytest.fixture
def three(mock: Mock) -> Mock:
    """Two successes of which only the older has artifacts, and a failure between them."""
    declare(mock)
    mock.declare(
        901, jobs=[{"name": "build", "artifacts": {"a.txt": "failed"}, "status": "failed"}]
    )
    mock.declare(902, jobs=[{"name": "build"}, {"name": "test"}])
    for scenario in (900, 901, 902):
        mock.trigger(scenario_id=scenario)
    return mock


@pytest.mark.parametrize("what", ["download", "raw/a.txt"])
def test_a_search_finds_artifacts_in_older_successes(three: Mock, what: str):
    url = f"{JOBS}/artifacts/main/{what}?job=build"

    newest = three.get(url)
    found = three.get(f"{url}&search_recent_successful_pipelines=true")

    assert (newest.status_code, newest.json()) == (404, {"message": "404 Not found"})
    expected = three.get(f"{JOBS}/100001/artifacts{what.removeprefix('download')[3:]}")
    assert (found.status_code, found.content) == (200, expected.content)


@pytest.mark.parametrize("what", ["download", "raw/a.txt"])
@pytest.mark.parametrize(("job", "ref"), [("test", "main"), ("build", "other")])
def test_a_search_without_a_find_is_404(three: Mock, what: str, job: str, ref: str):
    answer = three.get(
        f"{JOBS}/artifacts/{ref}/{what}?job={job}&search_recent_successful_pipelines=1"
    )

    assert (answer.status_code, answer.json()) == (404, {"message": "404 Job Not Found"})


def test_a_search_looks_at_a_hundred_pipelines(mock: Mock):
    declare(mock)
    mock.trigger(scenario_id=900)
    url = f"{JOBS}/artifacts/main/raw/a.txt?job=build&search_recent_successful_pipelines=true"
    statuses = []
    for _ in range(2):
        for _ in range(50):
            mock.trigger(terminal_after_seconds=0)
        statuses.append(mock.get(url).status_code)

    assert statuses == [200, 404]


# ---------------------------------------------------------------------------- listing


def tree(mock: Mock, query: str = "") -> Any:
    return mock.get(f"{JOBS}/100001/artifacts/tree?{query}")


def test_the_tree_shows_folders_and_then_files(mock: Mock):
    declare(mock)
    mock.trigger(scenario_id=900)

    rows = tree(mock).json()

    assert [list(row.items()) for row in rows] == [
        list(row.items())
        for row in (
            {"name": "docs", "path": "docs/", "type": "directory", "mode": "040755"},
            {"name": "a.txt", "path": "a.txt", "type": "file", "size": 3, "mode": "100644"},
            {"name": "zoo", "path": "zoo", "type": "file", "size": 0, "mode": "100644"},
        )
    ]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("path=", ["docs/", "a.txt", "zoo"]),
        ("path=docs", ["docs/api/", "docs/style.css"]),
        ("path=docs/", ["docs/api/", "docs/style.css"]),
        ("path=docs/api", ["docs/api/index.html"]),
        ("recursive=true", ["a.txt", "docs/", "docs/api/", "docs/api/index.html",
                            "docs/style.css", "zoo"]),
        ("recursive=true&path=docs", ["docs/api/", "docs/api/index.html", "docs/style.css"]),
        ("recursive=true&per_page=2&page=2", ["docs/api/", "docs/api/index.html"]),
        ("page=9", []),
    ],
)  # fmt: skip
def test_the_tree_has_folders_recursion_and_pages(mock: Mock, query: str, paths: list[str]):
    declare(mock)
    mock.trigger(scenario_id=900)

    answer = tree(mock, query)

    assert [row["path"] for row in answer.json()] == paths
    assert "x-total" in answer.headers


@pytest.mark.parametrize("path", ["nowhere", "a.txt", "doc", "docs//", "..", "/", "docs/api/.."])
@pytest.mark.parametrize("recursive", ["true", "false"])
def test_a_folder_that_is_not_in_the_archive_is_404(mock: Mock, path: str, recursive: str):
    declare(mock)
    mock.trigger(scenario_id=900)

    answer = tree(mock, f"path={path}&recursive={recursive}")

    assert (answer.status_code, answer.json()) == (404, {"message": "404 Path Not Found"})


def test_a_job_without_artifacts_has_no_tree(mock: Mock):
    declare(mock, duration=10)
    mock.trigger(scenario_id=900)

    early = tree(mock)
    mock.advance("10s")
    there = tree(mock)
    mock.post(f"{JOBS}/100001/erase")
    erased = tree(mock)

    assert (early.status_code, early.json()) == (404, {"message": "404 Artifacts Not Found"})
    assert (there.status_code, erased.status_code) == (200, 404)
    assert mock.get(f"{JOBS}/7/artifacts/tree").json() == {"message": "404 Not found"}


def test_an_archive_is_listed_with_its_metadata_and_the_log(mock: Mock):
    declare(mock, trace="done\n")
    mock.trigger(scenario_id=900)

    job = mock.get(f"{JOBS}/100001").json()

    archive, metadata, trace = job["artifacts"]
    assert archive == {
        "file_type": "archive",
        "size": len(mock.get(f"{JOBS}/100001/artifacts").content),
        "filename": "artifacts.zip",
        "file_format": "zip",
    }
    assert metadata.pop("size") > 0
    assert metadata == {
        "file_type": "metadata", "filename": "metadata.gz", "file_format": "gzip",
    }  # fmt: skip
    assert trace == {
        "file_type": "trace", "size": 5, "filename": "job.log", "file_format": "raw",
    }  # fmt: skip
    assert job["artifacts_file"] == {"filename": "artifacts.zip", "size": archive["size"]}


def test_a_very_deep_tree_is_listed_at_once(mock: Mock):
    deep = "a/" * 500
    mock.declare(900, jobs=[{"name": "build", "artifacts": {f"{deep}b": "", f"{deep}c": ""}}])
    mock.trigger(scenario_id=900)

    last = tree(mock, "recursive=true&per_page=2&page=251").json()

    assert [row["name"] for row in last] == ["b", "c"]


def test_a_bad_recursion_is_400(mock: Mock):
    answer = tree(mock, "recursive=x")

    assert (answer.status_code, answer.json()) == (400, {"error": "recursive is invalid"})


def test_a_running_job_may_read_the_tree(mock: Mock):
    declare(mock)
    mock.declare(901, jobs=[{"name": "build", "artifacts": FILES}, {"name": "use", "duration": 9}])
    mock.trigger(scenario_id=901)
    token = mock.get("/_mock/pipelines/1").json()["jobs"][1]["token"]

    answer = mock.anonymous().get(f"{JOBS}/100001/artifacts/tree", headers={"JOB-TOKEN": token})

    assert answer.status_code == 200


# ---------------------------------------------------------------------------- allowed agents


@pytest.mark.parametrize(
    ("path", "groups"), [("group/sub/app", 2), ("group/app", 1), ("root/app", 0)]
)
def test_a_running_job_may_ask_for_its_agents_and_there_are_none(
    mock_with: Callable[..., Mock], path: str, groups: int
):
    mock = mock_with(f"projects: [{{id: 1, path: {path}}}]\n")
    mock.trigger(scenario_id=0)
    token = mock.get("/_mock/pipelines/1").json()["jobs"][0]["token"]

    answer = mock.anonymous().get("/api/v4/job/allowed_agents", headers={"JOB-TOKEN": token})

    namespace = mock.get("/projects/1").json()["namespace"]
    above = [{"id": number} for number in (namespace["id"], namespace["parent_id"])][:groups]
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "allowed_agents": [],
            "job": {"id": 100_001},
            "pipeline": {"id": 1},
            "project": {"id": 1, "groups": above},
            "user": {
                "id": 1,
                "username": "root",
                "roles_in_project": [
                    "guest", "planner", "reporter", "developer", "maintainer", "owner",
                ],
            },
        },
    )  # fmt: skip


def test_only_a_job_has_allowed_agents(mock: Mock):
    nobody = mock.anonymous().get("/job/allowed_agents")
    user = mock.get("/job/allowed_agents")

    assert nobody.status_code == 401
    assert (user.status_code, user.json()) == (404, {"message": "404 Job Not Found"})
