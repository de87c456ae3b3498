"""The tokens in the headers of a request."""

from __future__ import annotations

import pytest

from mock_gitlab.http.tokens import bearer_token, tokens_equal


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        ("Bearer glpat-1", "glpat-1"),
        ("bearer  glpat-1 ", "glpat-1"),
        ("Basic glpat-1", None),
        ("Bearer", ""),
        ("", None),
        (None, None),
    ],
)
def test_a_bearer_token_is_read_in_any_case(authorization: str | None, token: str | None):
    assert bearer_token(authorization) == token


def test_tokens_are_compared_also_where_one_is_no_ascii():
    assert tokens_equal("glpat-1", "glpat-1")
    assert not tokens_equal("\xe9", "glpat-1")
