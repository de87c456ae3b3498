"""Shown JSON may leave things out, and nothing else."""

from __future__ import annotations

import pytest

from tests.docs.shown import Exchange, anchor, exchanges, fits

GOT = '{"id": 1, "tags": ["a", "b", "c"], "user": {"id": 7, "name": "r..."}, "done": false}'


@pytest.mark.parametrize(
    "shown",
    [
        GOT,
        "{...}",
        '{"id": 1, ...}',
        '{..., "done": false}',
        '{"id": 1, ..., "done": false}',
        '{"id": 1, ..., "user": {...}, ...}',
        '{"id": ..., "tags": ["a", ...], ...}',
        '{..., "tags": [..., "c"], "user": ..., "done": ...}',
        '{..., "user": {"id": 7, "name": "r..."}, ...}',
    ],
)
def test_three_dots_stand_for_what_is_left_out(shown: str):
    assert fits(shown, GOT)


@pytest.mark.parametrize(
    "shown",
    [
        "{}",
        '{"id": 1}',
        '{"id": true, ...}',
        '{..., "id": 1}',
        '{..., "done": false, "user": {...}}',
        '{"id": 1, "tags": ["a"], ...}',
        '{"id": 1, "tags": [..., "d"], ...}',
        '{..., "user": {"id": 7}, ...}',
        '{..., "user": {"id": 7, "name": "..."}, ...}',
    ],
)
def test_what_is_shown_must_be_there_in_that_order(shown: str):
    assert not fits(shown, GOT)


def test_a_block_may_hold_several_exchanges():
    text = 'POST /a\n{"b": 1}\n=> 201 {"id": 1}\n\nDELETE /a/1\n=> 204\n'

    assert list(exchanges(text)) == [
        Exchange("POST", "/a", {"b": 1}, 201, '{"id": 1}'),
        Exchange("DELETE", "/a/1", None, 204, ""),
    ]


def test_an_anchor_is_made_as_hosts_make_it():
    assert anchor("An entry of `jobs`") == "an-entry-of-jobs"
    assert anchor("`GET /projects/:id/pipelines`") == "get-projectsidpipelines"
    assert anchor("What differs from GitLab") == "what-differs-from-gitlab"
