"""The statuses of commits: listing those of jobs and posted ones, and posting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from mock_gitlab.engine.model import PostedState
from mock_gitlab.gitlab_api.commit_statuses import CommitStatus
from mock_gitlab.world import commit_statuses as of_the_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Mock

SHA = "a" * 40
PROJECT = "/api/v4/projects/1"
POST = f"{PROJECT}/statuses"
STRICT = "strict: true\nprojects: [{id: 1, path: group/app, refs: [main, dev]}]\n"


def post(mock: Mock, sha: str = SHA, **body: Any) -> Any:
    answer = mock.post(f"{POST}/{sha}", json={"state": "success", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(mock: Mock, code: int, sha: str = SHA, **body: Any) -> Any:
    answer = mock.post(f"{POST}/{sha}", json={"state": "success", **body})
    assert answer.status_code == code, answer.text
    return answer.json()


def listed(mock: Mock, query: str = "", sha: str = SHA) -> Any:
    answer = mock.get(f"{PROJECT}/repository/commits/{sha}/statuses?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(mock: Mock, query: str = "", sha: str = SHA) -> list[str]:
    return [each["name"] for each in listed(mock, query, sha)]


# ---------------------------------------------------------------------------- posting


def test_a_status_has_gitlabs_keys_in_their_order(mock: Mock):
    posted = post(
        mock,
        state="running",
        ref="dev",
        name="ci/jenkins",
        target_url="https://ci.example.com/1",
        description="at work",
        coverage=87.5,
    )

    assert list(posted) == list(CommitStatus.__annotations__)
    assert posted == {
        "id": 100_000,
        "sha": SHA,
        "ref": "dev",
        "status": "running",
        "name": "ci/jenkins",
        "target_url": "https://ci.example.com/1",
        "description": "at work",
        "created_at": "2026-01-01T00:00:00.000Z",
        "started_at": "2026-01-01T00:00:00.000Z",
        "finished_at": None,
        "allow_failure": False,
        "coverage": 87.5,
        "pipeline_id": 1,
        "author": posted["author"],
    }
    assert posted["author"]["username"] == "root"
    assert listed(mock) == [posted]


def test_a_status_for_a_commit_without_a_pipeline_makes_an_external_one(mock: Mock):
    posted = post(mock, ref="dev")

    pipeline = mock.pipeline(posted["pipeline_id"])
    assert (pipeline["source"], pipeline["ref"], pipeline["sha"]) == ("external", "dev", SHA)
    assert (pipeline["status"], pipeline["iid"], pipeline["tag"]) == ("success", 1, False)
    assert mock.get(f"{PROJECT}/pipelines/1/jobs").json() == []
    assert mock.get(f"{PROJECT}/pipelines").json()[0]["status"] == "success"


def test_a_status_joins_the_newest_pipeline_of_its_commit(mock: Mock):
    sha = mock.trigger(scenario_id=0)["sha"]
    mock.trigger(scenario_id=0)

    assert post(mock, sha)["pipeline_id"] == 2


def test_a_ref_narrows_the_pipelines_that_a_status_may_join(mock: Mock):
    first = post(mock, ref="dev")
    second = post(mock, ref="main")

    assert (first["pipeline_id"], second["pipeline_id"]) == (1, 2)
    assert post(mock, ref="dev")["pipeline_id"] == 1
    assert post(mock)["pipeline_id"] == 2


def test_a_status_goes_into_the_pipeline_that_is_named(mock: Mock):
    sha = mock.trigger(scenario_id=0)["sha"]
    mock.trigger(scenario_id=0)

    assert post(mock, sha, pipeline_id=1)["pipeline_id"] == 1


@pytest.mark.parametrize("more", [{"pipeline_id": 9}, {"pipeline_id": 1, "ref": "other"}])
def test_a_pipeline_that_does_not_fit_is_404(mock: Mock, more: dict[str, Any]):
    post(mock, ref="dev")

    answer = refused(mock, 404, **more)

    assert answer == {"message": "404 Pipeline for pipeline_id, sha and ref Not Found"}


def test_a_pipeline_of_another_commit_does_not_fit(mock: Mock):
    mock.trigger(scenario_id=0)
    refused(mock, 404, pipeline_id=1)


def test_a_status_without_a_ref_takes_the_first_branch_that_contains_the_commit(
    mock_with: Callable[..., Mock],
):
    older = "b" * 40
    mock = mock_with(
        "projects:\n- id: 1\n  path: group/app\n  branches: [{name: dev, sha: "
        f"'{SHA}'}}]\n  commits: [{{sha: '{SHA}', title: new}}, {{sha: '{older}', title: old}}]\n"
    )

    assert [post(mock, sha)["ref"] for sha in (SHA, older, "c" * 40)] == ["dev", "dev", "main"]


@pytest.mark.parametrize("name", ["main", "short"])
def test_a_commit_may_be_named_by_a_branch_or_the_beginning_of_its_sha(mock: Mock, name: str):
    sha = mock.trigger(scenario_id=0)["sha"]

    posted = post(mock, sha[:8] if name == "short" else name)

    assert (posted["sha"], posted["pipeline_id"]) == (sha, 1)


def test_a_status_of_a_tag_makes_a_pipeline_of_a_tag(mock_with: Callable[..., Mock]):
    mock = mock_with("projects: [{id: 1, path: group/app, tags: ['v*']}]\n")

    assert mock.pipeline(post(mock, ref="v1")["pipeline_id"])["tag"] is True


def test_a_strict_mock_knows_only_declared_commits(mock_with: Callable[..., Mock]):
    mock = mock_with(STRICT)

    assert refused(mock, 404) == {"message": "404 Commit Not Found"}
    assert post(mock, "dev")["ref"] == "dev"


def test_a_commit_that_no_branch_contains_needs_a_ref_in_a_strict_mock(
    mock_with: Callable[..., Mock],
):
    commits = f"commits: [{{sha: '{SHA}', title: lonely}}]"
    mock = mock_with(f"strict: true\nprojects: [{{id: 1, path: group/app, {commits}}}]\n")

    assert refused(mock, 404) == {"message": "404 References for commit Not Found"}
    assert post(mock, ref="main")["pipeline_id"] == 1


@pytest.mark.parametrize(
    ("body", "name"),
    [({}, "default"), ({"context": "c"}, "c"), ({"name": "n", "context": "c"}, "n")],
)
def test_the_name_comes_from_name_then_context(mock: Mock, body: dict[str, str], name: str):
    assert post(mock, **body)["name"] == name


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"state": None}, "state does not have a valid value"),
        ({"state": "manual"}, "state does not have a valid value"),
        ({"coverage": "much"}, "coverage is invalid"),
        ({"pipeline_id": "last"}, "pipeline_id is invalid"),
    ],
)
def test_a_wrong_parameter_is_400(mock: Mock, body: dict[str, Any], problem: str):
    assert refused(mock, 400, **body) == {"error": problem}


def test_a_missing_state_is_400(mock: Mock):
    answer = mock.post(f"{POST}/{SHA}", json={})
    assert (answer.status_code, answer.json()) == (400, {"error": "state is missing"})


LONG = "x" * 256
BLOCKED = "is blocked: Only allowed schemes are http, https"
TOO_LONG = "is too long (maximum is 255 characters)"


@pytest.mark.parametrize(
    ("body", "attribute", "problem"),
    [
        (
            {"target_url": "git://x"},
            "target_url",
            BLOCKED,
        ),
        ({"target_url": "http://"}, "target_url", "is blocked: URI is invalid"),
        ({"target_url": f"http://{LONG}"}, "target_url", TOO_LONG),
        ({"description": LONG}, "description", TOO_LONG),
        ({"ref": LONG}, "ref", TOO_LONG),
        ({"name": LONG}, "name", TOO_LONG),
    ],
)
def test_an_invalid_value_is_400_and_makes_no_pipeline(
    mock: Mock, body: dict[str, str], attribute: str, problem: str
):
    assert refused(mock, 400, **body) == {"message": {attribute: [problem]}}
    assert mock.get(f"{PROJECT}/pipelines").json() == []


def test_a_status_cannot_have_the_name_of_a_job(mock: Mock):
    mock.declare(900, jobs=[{"name": "build"}])
    sha = mock.trigger(scenario_id=900)["sha"]

    answer = refused(mock, 400, sha, name="build")

    assert answer == {"message": {"name": ["has already been taken"]}}


def test_a_request_without_a_token_is_401(mock: Mock):
    anonymous = mock.anonymous()
    assert anonymous.post(f"{POST}/{SHA}", json={"state": "success"}).status_code == 401
    assert anonymous.get(f"{PROJECT}/repository/commits/{SHA}/statuses").status_code == 401


def test_the_journal_says_which_pipeline_a_status_has_joined(mock: Mock):
    post(mock)
    [call] = mock.get("/_mock/requests").json()
    assert (call["operation"], call["pipeline_id"]) == ("post_commit_status", 1)


# ---------------------------------------------------------------------------- transitions


@pytest.mark.parametrize("state", get_args(PostedState))
def test_every_state_can_be_the_first(mock: Mock, state: str):
    posted = post(mock, state=state)

    assert posted["status"] == state
    assert (posted["started_at"] is not None) == (state == "running")
    assert (posted["finished_at"] is not None) == (state in ("success", "failed", "canceled"))


@pytest.mark.parametrize(
    ("before", "state"),
    [
        *(("pending", state) for state in ("running", "success", "failed", "canceled", "skipped")),
        *(("running", state) for state in ("success", "failed", "canceled")),
    ],
)
def test_an_open_status_is_changed(mock: Mock, before: str, state: str):
    first = post(mock, state=before, description="kept", coverage=5)
    mock.advance("5s")

    changed = post(mock, state=state, target_url="https://ci.example.com")

    assert (changed["id"], changed["status"]) == (first["id"], state)
    assert (changed["description"], changed["coverage"]) == ("kept", 5)
    assert changed["target_url"] == "https://ci.example.com"
    assert listed(mock, "all=true") == [changed]


@pytest.mark.parametrize(
    ("before", "state", "event"),
    [
        ("pending", "pending", "enqueue"),
        ("running", "pending", "enqueue"),
        ("running", "running", "run"),
        ("running", "skipped", "skip"),
    ],
)
def test_gitlabs_forbidden_transitions_are_400(mock: Mock, before: str, state: str, event: str):
    first = post(mock, state=before)

    answer = refused(mock, 400, state=state)

    assert answer == {
        "message": f"Cannot transition status via :{event} from :{before} "
        f'(Reason(s): Status cannot transition via "{event}")'
    }
    assert listed(mock, "all=true") == [first]


def test_a_status_that_has_ended_is_replaced_by_another(mock: Mock):
    first, second = post(mock, state="failed"), post(mock, state="pending")

    assert (first["id"], second["id"]) == (100_000, 101_000)
    assert listed(mock) == [second]
    assert [each["id"] for each in listed(mock, "all=true")] == [100_000, 101_000]


def test_statuses_of_other_names_stand_side_by_side(mock: Mock):
    post(mock, state="pending", name="one")
    post(mock, state="pending", name="two")

    assert names(mock) == ["one", "two"]


# ---------------------------------------------------------------------------- the pipeline


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (["pending"], "pending"),
        (["running"], "running"),
        (["success", "pending"], "running"),
        (["success", "failed"], "failed"),
        (["success", "canceled"], "canceled"),
        (["success", "skipped"], "success"),
        (["skipped"], "skipped"),
    ],
)
def test_the_status_of_an_external_pipeline_follows_from_its_statuses(
    mock: Mock, states: list[str], status: str
):
    for state in states:
        post(mock, state=state, name=state)

    assert mock.pipeline(1)["status"] == status
    assert mock.get(f"{PROJECT}/pipelines?status={status}").json()[0]["id"] == 1


def test_a_running_status_keeps_a_pipeline_running_when_its_jobs_have_ended(mock: Mock):
    mock.declare(900, jobs=[{"name": "build", "duration": 10}])
    sha = mock.trigger(scenario_id=900)["sha"]
    post(mock, sha, state="running", name="ci/jenkins")
    mock.advance("20s")
    assert mock.pipeline(1)["status"] == "running"

    post(mock, sha, state="failed", name="ci/jenkins")

    pipeline = mock.pipeline(1)
    assert (pipeline["status"], pipeline["finished_at"]) == ("failed", "2026-01-01T00:00:20.000Z")
    assert (pipeline["started_at"], pipeline["duration"]) == ("2026-01-01T00:00:00.000Z", 10)


def test_a_replaced_status_counts_no_more(mock: Mock):
    post(mock, state="failed")
    post(mock, state="success")

    assert mock.pipeline(1)["status"] == "success"


def test_the_coverage_of_a_pipeline_is_the_mean_of_jobs_and_statuses(mock: Mock):
    mock.declare(900, jobs=[{"name": "build", "coverage": 50}])
    sha = mock.trigger(scenario_id=900)["sha"]
    post(mock, sha, coverage=10)
    post(mock, sha, coverage=70)

    assert mock.pipeline(1)["coverage"] == "60.00"


def test_a_cancel_of_a_pipeline_cancels_its_open_statuses_and_spares_jobs_that_have_ended(
    mock: Mock,
):
    mock.declare(900, jobs=[{"name": "build"}])
    sha = mock.trigger(scenario_id=900)["sha"]
    post(mock, sha, state="running")

    canceled = mock.post(f"{PROJECT}/pipelines/1/cancel").json()

    assert canceled["status"] == "canceled"
    assert [each["status"] for each in listed(mock, sha=sha)] == ["canceled", "success"]


def test_a_cancel_cancels_jobs_and_statuses_together(mock: Mock):
    sha = mock.trigger(scenario_id=0)["sha"]
    post(mock, sha, state="running")

    mock.post(f"{PROJECT}/pipelines/1/cancel")

    assert {each["status"] for each in listed(mock, sha=sha)} == {"canceled"}


def test_a_status_that_is_posted_after_a_cancel_at_the_same_instant_stays(mock: Mock):
    post(mock, state="running")
    mock.post(f"{PROJECT}/pipelines/1/cancel")

    posted = post(mock, state="running")

    assert (posted["id"], posted["status"]) == (101_000, "running")
    assert mock.pipeline(1)["status"] == "running"


def test_an_external_pipeline_has_nothing_to_retry(mock: Mock):
    post(mock, state="failed")

    assert mock.post(f"{PROJECT}/pipelines/1/retry").json()["status"] == "failed"


def test_a_status_is_no_job(mock: Mock):
    number = post(mock)["id"]

    assert mock.get(f"{PROJECT}/jobs/{number}").status_code == 404
    assert mock.get(f"{PROJECT}/jobs").json() == []


def test_a_clock_that_is_set_back_shows_the_statuses_of_then(mock: Mock):
    post(mock, state="pending")
    mock.advance("10s")
    post(mock, state="running")
    mock.advance("10s")
    post(mock, state="success")

    mock.put("/_mock/clock", json={"now": "2026-01-01T00:00:15Z"})
    assert listed(mock)[0]["status"] == mock.pipeline(1)["status"] == "running"
    mock.put("/_mock/clock", json={"now": "2026-01-01T00:00:05Z"})
    assert listed(mock)[0]["status"] == mock.pipeline(1)["status"] == "pending"


def test_what_was_posted_in_the_past_is_not_undone_by_what_was_posted_before_for_later(mock: Mock):
    post(mock, state="pending")
    mock.advance("20s")
    post(mock, state="success")
    mock.put("/_mock/clock", json={"now": "2026-01-01T00:00:10Z"})
    post(mock, state="failed")

    mock.advance("1m")

    assert [each["status"] for each in listed(mock, "all=true")] == ["failed"]


def test_a_status_may_be_posted_before_its_pipeline_exists(mock: Mock):
    sha = mock.trigger(scenario_id=0)["sha"]
    mock.put("/_mock/clock", json={"now": "2025-12-31T00:00:00Z"})

    assert post(mock, sha)["created_at"] == "2026-01-01T00:00:00.000Z"


def test_statuses_go_with_their_pipeline(mock: Mock):
    sha = mock.trigger(scenario_id=0)["sha"]
    post(mock, sha)

    assert mock.delete(f"{PROJECT}/pipelines/1").status_code == 204

    assert listed(mock, sha=sha) == []
    database = mock.app.worlds.default._db  # type: ignore[attr-defined]  # the application is ours
    assert database.all("SELECT * FROM posted_statuses") == []


def test_a_reset_takes_statuses_away(mock: Mock):
    post(mock)
    assert mock.post("/_mock/reset").is_success

    assert listed(mock) == []
    assert post(mock)["id"] == 100_000


def test_statuses_outlive_a_restart(mock_with: Callable[..., Mock], tmp_path: Any):
    base = "version: 1\ndatabase: kept.db\nclock: {start: 2026-01-01T00:00:00Z, frozen: true}\n"
    mock = mock_with(base=base)
    posted = post(mock, state="running")
    mock.__exit__()

    assert listed(mock_with(base=base)) == [posted]


# ---------------------------------------------------------------------------- limits


def test_a_pipeline_with_100_statuses_is_full(mock: Mock):
    for number in range(100):
        post(mock, name=f"n{number}", state="pending")

    answer = refused(mock, 422, name="more", pipeline_id=1)

    assert answer == {"message": "The number of jobs has exceeded the limit"}
    assert post(mock, name="n5", state="success")["pipeline_id"] == 1
    assert post(mock, name="more")["pipeline_id"] == 2
    assert post(mock, name="more")["pipeline_id"] == 2
    assert mock.pipeline(2)["source"] == "external"


def test_a_list_ends_after_some_statuses(mock: Mock, monkeypatch: pytest.MonkeyPatch):
    _, _, sha = [mock.trigger(scenario_id=0)["sha"] for _ in range(3)]
    monkeypatch.setattr(of_the_world, "STATUSES_SEARCHED", 2)

    assert [each["pipeline_id"] for each in listed(mock, sha=sha)] == [2, 3]


def test_only_the_newest_pipelines_of_a_commit_are_searched(
    mock: Mock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(of_the_world, "PIPELINES_SEARCHED", 1)
    for ref in ("dev", "main"):
        post(mock, ref=ref, state="running")

    assert [each["pipeline_id"] for each in listed(mock)] == [2]
    assert [each["pipeline_id"] for each in listed(mock, "pipeline_id=1")] == [1]
    assert post(mock, ref="dev", pipeline_id=1)["pipeline_id"] == 1
    assert post(mock, ref="dev")["pipeline_id"] == 3


def test_a_status_shows_in_the_commit(mock: Mock):
    post(mock, state="failed")

    commit = mock.get(f"{PROJECT}/repository/commits/{SHA}").json()
    assert (commit["status"], commit["last_pipeline"]["source"]) == ("failed", "external")


# ---------------------------------------------------------------------------- listing


@pytest.fixture
def busy(mock: Mock) -> str:
    """A commit with two pipelines of one branch: jobs, a bridge and posted statuses."""
    jobs = [
        {"name": "build", "stage": "build", "duration": 5, "status": "failed", "coverage": 30},
        {"name": "lint", "stage": "build", "allow_failure": True, "needs": []},
        {"name": "next", "stage": "deploy", "downstream": {"project": "group/b", "scenario": 0}},
    ]
    mock.declare(900, jobs=jobs)
    sha = mock.trigger(scenario_id=900)["sha"]
    mock.advance("10s")
    mock.post(f"{PROJECT}/pipelines/1/retry")
    post(mock, sha, name="ci/jenkins", state="failed")
    post(mock, sha, name="ci/jenkins", state="running")
    mock.trigger(scenario_id=0)
    return str(sha)


def test_the_list_shows_builds_bridges_and_posted_statuses(mock: Mock, busy: str):
    found = listed(mock, sha=busy)

    assert [(each["id"], each["name"], each["status"]) for each in found] == [
        (100_002, "lint", "success"),
        (100_003, "next", "created"),
        (101_000, "ci/jenkins", "running"),
        (101_001, "build", "running"),
        (200_001, "pipeline", "running"),
    ]
    assert all(list(each) == list(CommitStatus.__annotations__) for each in found)


def test_a_job_is_shown_with_what_a_status_has(mock: Mock, busy: str):
    shown = {each["id"]: each for each in listed(mock, "all=true", busy)}

    build, lint, bridge = shown[100_001], shown[100_002], shown[100_003]
    assert build["target_url"] == "http://testserver/root/project-1/-/jobs/100001"
    assert (build["coverage"], build["description"], build["allow_failure"]) == (30, None, False)
    assert (build["started_at"], build["finished_at"]) == (
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:05.000Z",
    )
    assert (shown[101_001]["coverage"], lint["allow_failure"]) == (None, True)
    assert bridge["target_url"] is None


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("all=true", [100_000, 100_001, 100_002, 100_003, 101_000, 101_001, 200_001]),
        ("ref=main", [100_002, 100_003, 101_000, 101_001, 200_001]),
        ("ref=dev", []),
        ("ref=dev&pipeline_id=1", []),
        ("stage=build", [100_002, 101_001]),
        ("stage=external&all=1", [100_000, 101_000]),
        ("name=next", [100_003]),
        ("pipeline_id=2", [200_001]),
        ("pipeline_id=9", []),
        ("stage=deploy&sort=desc&ref=&name=", [100_003]),
        ("sort=desc", [200_001, 101_001, 101_000, 100_003, 100_002]),
        (
            "order_by=pipeline_id&sort=desc&per_page=2",
            [200_001, 101_001],
        ),
        ("per_page=2&page=2", [101_000, 101_001]),
    ],
)
def test_statuses_are_filtered_ordered_and_in_pages(
    mock: Mock, busy: str, query: str, ids: list[int]
):
    assert [each["id"] for each in listed(mock, query, busy)] == ids


def test_a_page_of_statuses_has_the_headers_of_pages(mock: Mock, busy: str):
    answer = mock.get(f"{PROJECT}/repository/commits/{busy}/statuses?per_page=2")
    assert (answer.headers["X-Total"], answer.headers["X-Next-Page"]) == ("5", "2")


def test_a_commit_without_pipelines_has_no_statuses(mock: Mock):
    assert listed(mock) == []


def test_only_a_whole_sha_finds_statuses(mock: Mock, busy: str):
    assert listed(mock, sha="main") == listed(mock, sha=busy[:10]) == []


def test_statuses_of_an_unknown_commit_are_404_in_a_strict_mock(mock_with: Callable[..., Mock]):
    answer = mock_with(STRICT).get(f"{PROJECT}/repository/commits/{SHA}/statuses")
    assert (answer.status_code, answer.json()) == (404, {"message": "404 Commit Not Found"})
