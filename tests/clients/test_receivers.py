"""Libraries that receive GitLab's webhooks read what the mock sends."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import gidgetlab.routing
import gidgetlab.sansio
import pydantic_gitlab_webhooks  # type: ignore[import-untyped]
import pytest
import standardwebhooks
from gidgetlab.exceptions import ValidationFailure

if TYPE_CHECKING:
    from mock_gitlab.testing.receiver import Received, Receiver
    from tests.conftest import Mock

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
JOBS = [
    {"name": "build", "stage": "build", "duration": 10, "artifacts": {"a.txt": "a"}},
    {
        "name": "deploy",
        "stage": "deploy",
        "duration": 10,
        "environment": {"name": "review/$CI_COMMIT_REF_SLUG", "url": "https://a.test"},
    },
    {"name": "approve", "stage": "deploy", "when": "manual"},
    {"name": "start", "stage": "deploy", "downstream": {"project": "2", "scenario": 5}},
]


@pytest.fixture
def received(mock: Mock, receiver: Receiver) -> list[Received]:
    """All webhooks of a pipeline with jobs, a deployment and a downstream pipeline."""
    wanted = {
        "url": receiver.url,
        "token": "s3cret",
        "signing_token": KEY,
        "pipeline_events": True,
        "job_events": True,
        "deployment_events": True,
    }
    for project in (1, 2):
        assert mock.post(f"/api/v4/projects/{project}/hooks", json=wanted).status_code == 201
    mock.declare(900, jobs=JOBS)
    mock.trigger(scenario_id=900, ref="main", variables={"A": "b"})
    mock.advance("1m")
    assert {got.event for got in receiver.received} == {
        "Pipeline Hook", "Job Hook", "Deployment Hook",
    }  # fmt: skip
    return receiver.received


def test_pydantic_gitlab_webhooks_finds_the_payloads_valid(received: list[Received]):
    for got in received:
        if got.event == "Job Hook":
            continue  # it asks for a runner and a source pipeline, which not every job has
        parsed: Any = pydantic_gitlab_webhooks.validate_event_header_and_body_dict(
            got.event, got.body
        )
        assert parsed.object_kind == got.body["object_kind"]


def test_gidgetlab_reads_and_dispatches(received: list[Received]):
    router = gidgetlab.routing.Router()
    ended = []

    @router.register("Pipeline Hook")
    async def note(event: gidgetlab.sansio.Event) -> None:
        if event.object_attributes["status"] == "success":
            ended.append((event.project_id, event.object_attributes["id"]))

    async def dispatch() -> None:
        for got in received:
            headers = {name.lower(): value for name, value in got.headers.items()}
            event = gidgetlab.sansio.Event.from_http(headers, got.raw, secret="s3cret")
            await router.dispatch(event)

    asyncio.run(dispatch())

    assert sorted(ended) == [(1, 1), (2, 2)]


def test_gidgetlab_refuses_another_secret(received: list[Received]):
    headers = {name.lower(): value for name, value in received[0].headers.items()}

    with pytest.raises(ValidationFailure):
        gidgetlab.sansio.Event.from_http(headers, received[0].raw, secret="another")


def test_standardwebhooks_verifies_the_signature(received: list[Received]):
    verifier = standardwebhooks.Webhook(KEY)

    for got in received:
        headers = {name.lower(): value for name, value in got.headers.items()}
        assert verifier.verify(got.raw, headers) == got.body


def test_standardwebhooks_refuses_a_forged_signature(mock: Mock, receiver: Receiver):
    hook = {"url": receiver.url, "signing_token": KEY, "pipeline_events": True}
    mock.post("/api/v4/projects/1/hooks", json=hook)
    mock.post("/_mock/faults", json={"deliver": "wrong_token"})
    mock.trigger(scenario_id=1)
    mock.advance("1s")
    got = receiver.received[-1]
    headers = {name.lower(): value for name, value in got.headers.items()}

    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(KEY).verify(got.raw, headers)
