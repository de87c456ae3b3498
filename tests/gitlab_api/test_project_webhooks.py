"""Webhooks made and read through GitLab's API."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.gitlab_api.project_webhooks import HookShape

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mock_gitlab.testing.receiver import Receiver
    from tests.conftest import Mock

HOOKS = "/api/v4/projects/1/hooks"
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
URL = "http://127.0.0.1:9/hook"
ALL: dict[str, Any] = {
    "url": "http://me:pw@127.0.0.1:9/{key}",
    "name": "mine",
    "description": "of mine",
    "token": "s3cret",
    "enable_ssl_verification": False,
    "push_events_branch_filter": "main",
    "branch_filter_strategy": "regex",
    "custom_webhook_template": '{"text": "{{object_kind}}"}',
    "pipeline_events": True,
    "custom_headers": [{"key": "X-A", "value": "hidden a"}],
    "url_variables": [{"key": "key", "value": "hidden k"}],
}


def made(mock: Mock, **fields: Any) -> Any:
    answer = mock.post(HOOKS, json={"url": URL, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_new_hook_has_all_keys_and_no_secret(mock: Mock):
    hook = made(mock, **ALL)

    assert list(hook) == list(HookShape.__annotations__)
    assert hook["url"] == "http://me:*****@127.0.0.1:9/{key}"
    assert hook["custom_headers"] == [{"key": "X-A"}]
    assert hook["url_variables"] == [{"key": "key"}]
    assert (hook["push_events"], hook["pipeline_events"], hook["token_present"]) == (True,) * 3
    assert (hook["alert_status"], hook["disabled_until"]) == ("executable", None)
    assert "hidden" not in json.dumps(hook)


def test_every_attribute_is_kept_and_changed(mock: Mock):
    flags = [
        "push_events",
        "tag_push_events",
        "merge_requests_events",
        "repository_update_events",
        "issues_events",
        "confidential_issues_events",
        "note_events",
        "confidential_note_events",
        "pipeline_events",
        "wiki_page_events",
        "deployment_events",
        "feature_flag_events",
        "job_events",
        "releases_events",
        "milestone_events",
        "emoji_events",
        "resource_access_token_events",
        "resource_deploy_token_events",
        "vulnerability_events",
    ]
    sent = {
        "url": URL,
        "name": "mine",
        "description": "of mine",
        "enable_ssl_verification": False,
        "push_events_branch_filter": "main",
        "branch_filter_strategy": "regex",
        "custom_webhook_template": "{}",
        **dict.fromkeys(flags, True),
    }
    secret = {"token": "s3cret", "signing_token": KEY}
    pairs = {name: [{"key": "a", "value": "b"}] for name in ("custom_headers", "url_variables")}

    hook = made(mock, **{**sent, **secret, **pairs})
    assert {name: hook[name] for name in sent} == sent
    assert hook["custom_headers"] == hook["url_variables"] == [{"key": "a"}]
    other = {**dict.fromkeys(flags, False), "enable_ssl_verification": True, "url": f"{URL}/2"}
    changed = mock.put(f"{HOOKS}/{hook['id']}", json=other).json()
    assert {name: changed[name] for name in other} == other
    assert (changed["token_present"], changed["signing_token_present"]) == (False, True)


def test_a_list_leaves_out_variables_and_headers(mock: Mock):
    made(mock, **ALL)
    [row] = mock.get(HOOKS).json()
    assert not {"custom_headers", "url_variables"} & set(row)


def test_the_journal_hides_the_secrets_of_a_hook(mock: Mock):
    made(mock, **ALL)
    mock.post(f"{HOOKS}?url={URL}&custom_headers[][key]=a&custom_headers[][value]=hidden")
    mock.put(f"{HOOKS}/1/custom_headers/X-B", json={"value": "hidden b"})
    mock.put(f"{HOOKS}/1/url_variables/key?value=hidden-c")
    mock.put(f"{HOOKS}/1", json={"custom_headers": "hidden"})
    text = mock.get("/_mock/requests").text
    assert "hidden" not in text
    assert "s3cret" not in text
    assert "me:pw@" not in text


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://localhost/", "x"])
def test_a_url_elsewhere_is_refused(mock: Mock, url: str):
    answer = mock.post(HOOKS, json={"url": url})
    assert (answer.status_code, answer.json()) == (422, {"error": "Invalid url given"})
    number = made(mock)["id"]
    assert mock.put(f"{HOOKS}/{number}", json={"url": url}).status_code == 422


def test_a_bad_signing_token_is_refused(mock: Mock):
    assert mock.post(HOOKS, json={"url": URL, "signing_token": "x"}).status_code == 422


def test_a_hook_is_changed_and_a_new_url_drops_its_token(mock: Mock):
    path = f"{HOOKS}/{made(mock, token='s3cret')['id']}"

    changed = mock.put(path, json={"job_events": True, "push_events": False}).json()
    assert (changed["job_events"], changed["push_events"]) == (True, False)
    assert changed["token_present"]
    assert not mock.put(path, json={"url": f"{URL}/2"}).json()["token_present"]
    nothing = mock.put(path, json={})
    assert (nothing.status_code, nothing.json()) == (400, {"error": "No parameters provided"})


def test_a_declared_hook_may_be_signed(mock_with: Callable[..., Mock]):
    key = "whsec_" + base64.b64encode(b"k" * 32).decode()
    mock = mock_with(
        f"projects: [{{id: 1, path: group/app, hooks: [{{url: {URL}, signing_token: {key}}}]}}]\n"
    )

    [hook] = mock.get(HOOKS).json()
    assert hook["signing_token_present"] is True


def test_a_hook_is_deleted(mock: Mock):
    path = f"{HOOKS}/{made(mock)['id']}"
    assert mock.delete(path).status_code == 204
    missing = mock.get(path)
    assert (missing.status_code, missing.json()) == (404, {"message": "404 Not found"})
    assert mock.get(HOOKS).json() == []


def test_a_hook_belongs_to_its_project(mock: Mock):
    number = made(mock)["id"]
    assert mock.get(f"/api/v4/projects/2/hooks/{number}").status_code == 404


def test_hooks_need_a_token(mock: Mock):
    assert mock.anonymous().get(HOOKS).status_code == 401


@pytest.mark.parametrize("kind", ["custom_headers", "url_variables"])
def test_headers_and_variables_are_set_and_deleted(mock: Mock, kind: str):
    path = f"{HOOKS}/{made(mock)['id']}"
    assert mock.put(f"{path}/{kind}/X-B", json={"value": "b"}).status_code == 204
    assert mock.get(path).json()[kind] == [{"key": "X-B"}]
    assert mock.delete(f"{path}/{kind}/X-B").status_code == 204
    assert mock.delete(f"{path}/{kind}/X-B").status_code == 404


def test_hooks_outlive_the_server(tmp_path: Path, mock_with: Callable[..., Mock]):
    base = f"version: 1\ndatabase: {tmp_path / 'kept.db'}\n"
    first = mock_with(base=base)
    number = made(first, name="kept")["id"]
    first.__exit__()
    second = mock_with(base=base)
    assert second.get(f"{HOOKS}/{number}").json()["name"] == "kept"


def test_declared_hooks_follow_the_file(mock_with: Callable[..., Mock], tmp_path: Path):
    def written(*names: str) -> str:
        hooks = [{"url": URL, "name": name} for name in names]
        return "projects: " + json.dumps([{"id": 1, "path": "group/app", "hooks": hooks}])

    base = "version: 1\ndatabase: ':memory:'\n"
    mock = mock_with(written("a", "b"), base=base)
    before = {row["name"]: row["id"] for row in mock.get(HOOKS).json()}
    (tmp_path / "mock-0.yaml").write_text(base + written("b", "c"), encoding="utf-8")
    assert mock.post("/_mock/config/reload").status_code == 200
    after = {row["name"]: row["id"] for row in mock.get(HOOKS).json()}
    assert set(after) == {"b", "c"}
    assert after["b"] == before["b"]


def test_a_reset_deletes_hooks_and_deliveries(mock: Mock):
    made(mock)
    assert mock.post("/_mock/reset").status_code == 204
    assert mock.get(HOOKS).json() == []
    assert mock.get("/_mock/deliveries").json() == []


# ---------------------------------------------------------------------------- what was sent


def test_a_test_sends_the_newest_pipeline_or_job(mock: Mock, receiver: Receiver):
    path = f"{HOOKS}/{made(mock, url=receiver.url)['id']}/test"
    nothing = mock.post(f"{path}/pipeline_events")
    assert nothing.json() == {"message": "Ensure the project has CI jobs."}
    mock.trigger()

    answer = mock.post(f"{path}/pipeline_events")
    assert (answer.status_code, answer.json()) == (201, {"message": "201 Created"})
    mock.declare(709, jobs=[{"name": "a"}])
    mock.trigger(scenario_id=709)
    assert mock.post(f"{path}/job_events").status_code == 201
    assert [got.body["object_kind"] for got in receiver.received] == ["pipeline", "build"]
    assert mock.post(f"{path}/wiki_page_events").status_code == 400


def test_a_bad_test_says_what_the_receiver_said(mock: Mock, receiver: Receiver):
    receiver.react = lambda _: 418
    path = f"{HOOKS}/{made(mock, url=receiver.url)['id']}"
    mock.trigger()
    answer = mock.post(f"{path}/test/pipeline_events")
    assert (answer.status_code, answer.json()) == (422, {"message": "ok"})


def test_events_are_listed_filtered_and_sent_again(mock: Mock, receiver: Receiver):
    number = made(mock, url=receiver.url, token="s3cret", custom_headers=ALL["custom_headers"])
    path = f"{HOOKS}/{number['id']}"
    mock.trigger()
    mock.post(f"{path}/test/pipeline_events")
    receiver.react = lambda _: 500
    mock.post(f"{path}/test/pipeline_events")

    failed, good = mock.get(f"{path}/events").json()
    assert (failed["response_status"], good["response_status"]) == ("500", "200")
    assert good["trigger"] == "pipeline_hooks"
    assert good["request_headers"]["X-Gitlab-Token"] == "[REDACTED]"
    assert good["request_headers"]["X-A"] == "[REDACTED]"
    for status, found in (("successful", [good]), ("500", [failed]), ("client_failure", [])):
        assert mock.get(f"{path}/events", params={"status": status}).json() == found

    again = f"{path}/events/{good['id']}/resend"
    refused = mock.post(again)
    assert refused.status_code == 422
    receiver.react = lambda _: None
    assert mock.post(again).json() == {"response_status": 200}
    keys = [got.headers["Idempotency-Key"] for got in receiver.received]
    assert keys[0] == keys[-1] != keys[1]
    assert mock.post(f"{path}/events/999/resend").status_code == 404


def test_more_than_20_events_a_page_are_refused(mock: Mock):
    path = f"{HOOKS}/{made(mock)['id']}/events"
    assert mock.get(path, params={"per_page": 21}).status_code == 400


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"url": URL + "x" * 2048}, {"url": ["is too long (maximum is 2048 characters)"]}),
        ({"name": "x" * 256}, {"name": ["is too long (maximum is 255 characters)"]}),
        (
            {"description": "x" * 2049},
            {"description": ["is too long (maximum is 2048 characters)"]},
        ),
        ({"token": "x" * 2049}, {"token": ["is too long (maximum is 2048 characters)"]}),
        (
            {"push_events_branch_filter": "x" * 5001},
            {"push_events_branch_filter": ["is too long (maximum is 5000 characters)"]},
        ),
        (
            {"custom_headers": [{"key": f"X-{n}", "value": "a"} for n in range(21)]},
            {"custom_headers": ["must have at most 20 entries"]},
        ),
        (
            {"url_variables": [{"key": "a", "value": "x" * 2049}]},
            {
                "url_variables": [
                    "must have keys of at most 255 characters and values of at most 2048"
                ]
            },
        ),
    ],
)
def test_a_hook_is_no_larger_than_gitlab_allows(mock: Mock, fields: dict[str, Any], error: Any):
    number = made(mock)["id"]

    for answer in (
        mock.post(HOOKS, json={"url": URL, **fields}),
        mock.put(f"{HOOKS}/{number}", json=fields),
    ):
        assert (answer.status_code, answer.json()) == (422, {"message": error})
    assert len(mock.get(HOOKS).json()) == 1


def test_a_header_more_than_gitlab_allows_is_not_set(mock: Mock):
    headers = [{"key": f"X-{n}", "value": "a"} for n in range(20)]
    number = made(mock, custom_headers=headers)["id"]

    answer = mock.put(f"{HOOKS}/{number}/custom_headers/X-20", json={"value": "a"})

    assert answer.status_code == 422
    assert len(mock.get(f"{HOOKS}/{number}").json()["custom_headers"]) == 20
