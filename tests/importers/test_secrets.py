"""Secrets do not get into a file that people commit."""

from __future__ import annotations

import pytest

from mock_gitlab.importers.secrets import Cleaner


@pytest.mark.parametrize(
    "text",
    [
        "glpat-abcdefgh12345678",
        "glptt-0123456789abcdef",
        "GR1348941abcdefgh1234",
        "ghp_0123456789abcdef",
        "github_pat_0123456789",
        "xoxb-12345678-abc",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
        "Authorization: Bearer abc.def-123",
        "PRIVATE-TOKEN: whatever1",
        "https://user:pass1234@host/x",
        "mysql --password=hunter22",
        "token: hunter22",
        "someone.else+tag@mail.example.org",
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_replaced(text: str):
    clean = Cleaner()

    cleaned = clean.text(f"before {text} after")

    assert "[removed]" in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    assert sum(clean.counts.values()) == 1
    kept = ("Authorization: Bearer ", "PRIVATE-TOKEN: ", "https://", "mysql --password=", "token: ")
    secret = next((text.removeprefix(each) for each in kept if text.startswith(each)), text)
    assert secret.partition("@host")[0] not in cleaned


@pytest.mark.parametrize(
    "text",
    ["global-settings-are-kept", "a@b", "http://host:80/x", "password", "eyJ.a", "tokens: 3"],
)
def test_other_words_are_kept(text: str):
    clean = Cleaner()

    assert clean.text(text) == text
    assert clean.report() == []


def test_values_of_variables_are_replaced_where_they_stand():
    clean = Cleaner()
    clean.learn(["longsecret", "longsecret-more", "main"])

    assert clean.text("longsecret-more longsecret main") == "[removed] [removed] main"
    assert clean.report() == ["taken out: values of variables (2)"]
