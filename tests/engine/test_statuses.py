from __future__ import annotations

import pytest

from mock_gitlab.engine.statuses import (
    CANCELABLE,
    COMPLETED,
    STATUSES,
    JobStatus,
    PipelineStatus,
    composite,
    detailed,
)

# "?" before a status: the job is allowed to fail
_COMPOSITES = [
    # 1
    ("skipped", "skipped"),
    ("skipped ?manual", "skipped"),
    ("?manual", "skipped"),
    # 2
    ("success", "success"),
    ("success skipped", "success"),
    ("success ?failed", "success"),
    ("?failed", "success"),
    ("?canceled", "success"),
    ("success ?manual", "success"),
    ("success skipped ?failed ?canceled ?manual", "success"),
    # 3
    ("created", "created"),
    ("created ?failed ?manual", "created"),
    # 4
    ("preparing", "preparing"),
    ("preparing ?failed ?manual", "preparing"),
    # 5
    ("canceled", "canceled"),
    ("canceled success skipped ?failed ?manual", "canceled"),
    # 6
    ("pending", "pending"),
    ("pending created", "pending"),
    ("pending created skipped ?failed ?manual", "pending"),
    ("created skipped", "pending"),
    # 7
    ("running", "running"),
    ("running failed", "running"),
    ("pending success", "running"),
    ("failed pending", "running"),
    ("running manual", "running"),
    # 8
    ("waiting_for_resource", "waiting_for_resource"),
    ("waiting_for_resource success", "waiting_for_resource"),
    ("waiting_for_resource waiting_for_callback manual", "waiting_for_resource"),
    # 9
    ("waiting_for_callback success", "waiting_for_callback"),
    ("waiting_for_callback manual", "waiting_for_callback"),
    # 10
    ("manual", "manual"),
    ("manual failed", "manual"),
    ("manual scheduled", "manual"),
    ("manual created success", "manual"),
    # 11
    ("scheduled", "scheduled"),
    ("scheduled preparing", "scheduled"),
    # 12
    ("preparing success", "preparing"),
    ("preparing created", "preparing"),
    # 13
    ("success created", "running"),
    ("created canceling", "running"),
    # 14
    ("canceling", "canceling"),
    ("canceling failed", "canceling"),
    # 15
    ("failed", "failed"),
    ("failed canceled", "failed"),
    ("failed success skipped ?manual", "failed"),
]


def _jobs(words: str) -> list[tuple[JobStatus, bool]]:
    by_name: dict[str, JobStatus] = {status: status for status in STATUSES}
    return [(by_name[word.lstrip("?")], word.startswith("?")) for word in words.split()]


@pytest.mark.parametrize(("words", "expected"), _COMPOSITES)
def test_jobs_make_the_status_of_their_pipeline(words: str, expected: str):
    assert composite(_jobs(words)) == expected


@pytest.mark.parametrize(("words", "expected"), _COMPOSITES)
def test_the_order_and_number_of_jobs_make_no_difference(words: str, expected: str):
    assert composite(list(reversed(_jobs(words))) * 2) == expected


def test_no_jobs_have_no_status():
    assert composite([]) is None
    assert composite([], dag=True) is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("success", "success"),
        ("success ?failed", "success"),
        ("success skipped", "skipped"),
        ("running skipped", "skipped"),
        ("success ?manual", "skipped"),
        ("success manual", "pending"),
        ("success running", "pending"),
        ("failed running", "pending"),
        ("created", "pending"),
        ("success failed", "failed"),
        ("success canceled", "canceled"),
    ],
)
def test_needed_jobs_make_one_status(words: str, expected: str):
    assert composite(_jobs(words), dag=True) == expected


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("created", ("status_created", "Created", "created", "created")),
        (
            "waiting_for_resource",
            ("status_pending", "Waiting", "waiting for resource", "waiting-for-resource"),
        ),
        (
            "waiting_for_callback",
            ("status_pending", "Waiting", "waiting for callback", "waiting-for-callback"),
        ),
        ("preparing", ("status_preparing", "Preparing", "preparing", "preparing")),
        ("pending", ("status_pending", "Pending", "pending", "pending")),
        ("running", ("status_running", "Running", "running", "running")),
        ("success", ("status_success", "Passed", "passed", "success")),
        ("failed", ("status_failed", "Failed", "failed", "failed")),
        ("canceling", ("status_canceled", "Canceling", "canceling", "canceling")),
        ("canceled", ("status_canceled", "Canceled", "canceled", "canceled")),
        ("skipped", ("status_skipped", "Skipped", "skipped", "skipped")),
        ("manual", ("status_manual", "Blocked", "waiting for manual action", "manual")),
        ("scheduled", ("status_scheduled", "Delayed", "waiting for delayed job", "scheduled")),
    ],
)
def test_each_status_has_its_words(status: PipelineStatus, words: tuple[str, ...]):
    assert detailed(status) == words


def test_success_despite_an_allowed_failure_is_a_warning():
    words = detailed("success", has_warnings=True)
    assert words.icon == "status_warning"
    assert words.text == "Warning"
    assert words.label == "passed with warnings"
    assert words.group == "success-with-warnings"


def test_only_success_comes_with_warnings():
    assert detailed("failed", has_warnings=True).text == "Failed"


def test_a_pipeline_can_be_cancelled_unless_it_has_ended_waits_for_a_person_or_is_canceling():
    assert set(STATUSES) - CANCELABLE == COMPLETED | {"manual", "canceling"}
