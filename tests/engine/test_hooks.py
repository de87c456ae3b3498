"""Webhooks as values: where they may go, how they are signed, when they are disabled."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_gitlab.engine.hooks import (
    HookSpec,
    alert_status,
    allows,
    is_signing_token,
    pause_after,
    signature,
    without_password,
)

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "https://localhost/", "http://[::1]:9/", "http://In.side/"]
)
def test_loopback_and_declared_hosts_are_allowed(url: str):
    assert allows(url, ["In.Side"])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://10.0.0.1/",
        "http://[::1/",
        "ftp://localhost/",
        "http:///x",
        "http://localhost:99999/",
        "localhost",
    ],
)
def test_other_urls_are_not(url: str):
    assert not allows(url, ["in.side"])


def test_variables_are_put_into_the_url():
    spec = HookSpec("http://localhost/{key}/{other}", url_variables=(("key", "k"),))
    assert spec.target == "http://localhost/k/{other}"


def test_secrets_are_not_printed():
    assert "s3cret" not in repr(HookSpec("http://localhost/", token="s3cret"))
    assert without_password("http://me:s3cret@localhost/") == "http://me:*****@localhost/"
    assert without_password("http://localhost/") == "http://localhost/"


def test_a_signing_token_holds_32_bytes():
    assert is_signing_token(KEY)
    assert not is_signing_token("whsec_abc=")
    assert not is_signing_token("whsec_!")
    assert not is_signing_token(KEY.removeprefix("whsec_"))


def test_a_signature_is_that_of_standard_webhooks():
    token = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the example of the specification
    body = b'{"test": 2432232314}'
    signed = signature(token, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_pause_doubles_from_the_fourth_failure_to_a_day():
    assert [pause_after(count) for count in (0, 3, 4, 5, 6, 30)] == [
        0,
        0,
        60_000,
        120_000,
        240_000,
        86_400_000,
    ]
    assert pause_after(40) is None


@given(st.integers(0, 39), st.integers(0, 10**12))
def test_a_pause_ends(failures: int, now: int):
    pause = pause_after(failures)
    assert pause is not None
    assert alert_status(failures, now + pause, now + pause) == "executable"
    assert alert_status(failures, None, now) == "executable"
    assert alert_status(failures, now + 1, now) == "temporarily_disabled"
    assert alert_status(40, None, now) == "disabled"
