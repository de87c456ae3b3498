"""Environments as values: names, slugs, tiers, variables, and their course over time."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_gitlab.engine.environments import (
    ENDS,
    Course,
    DeploymentStatus,
    Happening,
    course,
    deployment_status,
    environment_id,
    environment_of,
    expand,
    is_valid_name,
    slug_of,
    tier_of,
)
from mock_gitlab.engine.model import Environment, PipelineRecord, Project, Variable
from mock_gitlab.engine.statuses import JobStatus
from mock_gitlab.engine.texts import slug

RECORD = PipelineRecord(7, 3, 1, "Feature/X", "a" * 40, "push", created_at=0)
PROJECT = Project(1, "group/app", default_branch="trunk")


def test_a_slug_of_a_ref_is_as_in_gitlab():
    assert slug("Feature/Add_Ümlaut!") == "feature-add--mlaut"
    assert slug("x" * 80) == "x" * 63


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("dev", "development"),
        ("review/x", "development"),
        ("Trunk", "development"),
        ("test", "testing"),
        ("QA", "testing"),
        ("acpt", "testing"),
        ("acceptance", "testing"),
        ("printing", "testing"),
        ("stg", "staging"),
        ("staging", "staging"),
        ("preprod", "staging"),
        ("modl", "staging"),
        ("demo", "staging"),
        ("prod", "production"),
        ("prd-eu", "production"),
        ("live", "production"),
        ("canary", "other"),
    ],
)
def test_a_tier_is_guessed_from_the_name(name: str, tier: str):
    assert tier_of(name) == tier


@pytest.mark.parametrize("name", ["production", "review/$X", "a b", "{x}.y_z-1"])
def test_a_good_name(name: str):
    assert is_valid_name(name)


@pytest.mark.parametrize("name", ["", "/x", "x/", "ü", "a:b", "a\n"])
def test_a_bad_name(name: str):
    assert not is_valid_name(name)


@given(st.text(min_size=1, max_size=60))
def test_a_slug_stands_in_a_host_name(name: str):
    written = slug_of(name, "salt")

    assert len(written) <= 24
    assert written[0].isalpha()
    assert set(written) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not written.endswith("-")


def test_a_slug_that_differs_from_the_name_depends_on_the_whole_name():
    assert slug_of("production", "salt") == "production"
    assert slug_of("review/a", "salt").startswith("review-a-")
    assert slug_of("review/a", "salt") != slug_of("review-a/", "salt")
    assert slug_of("review/a", "salt") != slug_of("review/a", "pepper")
    assert slug_of("1st", "salt").startswith("env-1st-")


def test_the_number_of_an_environment_follows_from_project_and_name():
    assert environment_id(1, "a") == environment_id(1, "a")
    assert len({environment_id(1, "a"), environment_id(1, "b"), environment_id(2, "a")}) == 3


# ---------------------------------------------------------------------------- variables


def test_variables_are_put_into_name_and_url():
    declared = Environment(
        "review/$CI_COMMIT_REF_SLUG", url="https://$CI_ENVIRONMENT_SLUG.${DOMAIN}/$CI_JOB_NAME"
    )
    record = RECORD._replace(variables=(Variable("DOMAIN", "app.test"),))

    found = environment_of(declared, PROJECT, record, "deploy", "salt")

    assert found.name == "review/feature-x"
    assert found.url == f"https://{slug_of('review/feature-x', 'salt')}.app.test/deploy"


def test_an_environment_without_variables_is_left_alone():
    declared = Environment("production", url="https://app.test")

    assert environment_of(declared, PROJECT, RECORD, "deploy") is declared


def test_a_variable_of_the_pipeline_beats_a_predefined_one():
    record = RECORD._replace(variables=(Variable("CI_PIPELINE_ID", "mine"),))

    assert environment_of(Environment("$CI_PIPELINE_ID"), PROJECT, record, "x").name == "mine"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CI_COMMIT_REF_NAME", "Feature/X"),
        ("CI_COMMIT_BRANCH", "Feature/X"),
        ("CI_COMMIT_TAG", ""),
        ("CI_COMMIT_SHA", "a" * 40),
        ("CI_COMMIT_SHORT_SHA", "a" * 8),
        ("CI_DEFAULT_BRANCH", "trunk"),
        ("CI_PIPELINE_IID", "3"),
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_PROJECT_ID", "1"),
        ("CI_PROJECT_NAME", "app"),
        ("CI_PROJECT_NAMESPACE", "group"),
        ("CI_PROJECT_PATH", "group/app"),
        ("CI_PROJECT_PATH_SLUG", "group-app"),
    ],
)
def test_predefined_variables(name: str, value: str):
    assert environment_of(Environment(f"${name}"), PROJECT, RECORD, "x").name == value


def test_a_dollar_sign_is_written_twice():
    assert expand("a$$b $UNKNOWN ${X}", {"X": "1"}) == "a$b  1"


# ---------------------------------------------------------------------------- over time


def test_every_status_of_a_job_is_one_of_a_deployment():
    assert {deployment_status(each) for each in get_args(JobStatus)} == set(
        get_args(DeploymentStatus)
    )
    assert set(get_args(DeploymentStatus)) > ENDS


def test_an_environment_is_available_from_its_creation_on():
    assert course(5, [], 10) == Course("available", 5, 5, None, None)


def test_what_happens_later_is_not_seen():
    assert course(5, [Happening(11, "stopped")], 10).state == "available"


def test_a_deployment_sets_the_url_and_when_it_stops():
    seen = course(0, [Happening(10, "available", "https://a", 5)], 14)

    assert seen == Course("available", 0, 10, "https://a", 15)


def test_time_stops_it():
    seen = course(0, [Happening(10, "available", "https://a", 5)], 15)

    assert seen == Course("stopped", 0, 15, "https://a", None)


def test_time_stops_it_before_what_comes_later():
    happenings = [Happening(10, "available", None, 5), Happening(20, None, "https://b")]

    assert course(0, happenings, 30) == Course("stopped", 0, 20, "https://b", None)


def test_a_newer_deployment_begins_a_new_time():
    happenings = [Happening(10, "available", None, 5), Happening(12, "available", None, 50)]

    assert course(0, happenings, 30) == Course("available", 0, 12, None, 62)


def test_a_stop_ends_the_time():
    happenings = [Happening(10, "available", None, 50), Happening(12, "stopping")]

    assert course(0, happenings, 80) == Course("stopping", 0, 12, None, None)


def test_the_order_in_which_it_is_told_does_not_matter():
    happenings = [Happening(12, "stopped"), Happening(10, "available", "https://a")]

    assert course(0, happenings, 20) == course(0, happenings[::-1], 20)
