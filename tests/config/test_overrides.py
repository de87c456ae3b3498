from __future__ import annotations

from pathlib import Path

import pytest

from mock_gitlab.config.diagnostics import ConfigurationError
from mock_gitlab.config.loader import load
from mock_gitlab.config.overrides import overridden

LOADED = load("no-such-file.yaml", {}, must_exist=False)


def test_nothing_given_changes_nothing():
    assert overridden(LOADED, {"MOCK_TOKEN": "", "PATH": "x"}, {"port": None}) == LOADED


def test_the_environment_beats_the_file():
    environ = {
        "MOCK_TOKEN": "12345",
        "MOCK_DATABASE": "x.db",
        "MOCK_HOST": "::1",
        "MOCK_PORT": "0",
        "MOCK_WATCH": "0",
        "MOCK_WATCH_POLLING": "Yes",
        "MOCK_LOG_LEVEL": "debug",
        "MOCK_ALLOW_RESET": "true",
    }
    loaded = overridden(LOADED, environ, {})
    settings = loaded.settings
    assert (settings.token, settings.token_source) == ("12345", "environment")
    assert loaded.declarations.token == "12345"
    assert loaded.declarations.allow_reset is True
    assert (settings.database, settings.host, settings.port) == (Path("x.db"), "::1", 0)
    assert (settings.watch, settings.watch_polling) == (False, True)
    assert settings.log_level == "debug"


def test_options_beat_the_environment():
    given = {"token": "b", "database": Path("y.db"), "port": 5}
    environ = {"MOCK_TOKEN": "a", "MOCK_PORT": "4", "MOCK_DATABASE": ":memory:"}
    settings = overridden(LOADED, environ, given).settings
    assert (settings.token, settings.token_source) == ("b", "option")
    assert (settings.port, settings.database) == (5, Path("y.db"))


def test_a_database_in_memory_stays_in_memory():
    settings = overridden(LOADED, {"MOCK_DATABASE": ":memory:"}, {}).settings
    assert settings.database == ":memory:"


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        (
            "MOCK_PORT",
            "abc",
            "environment:1:1: MOCK_PORT: must be a whole number, not this text",
        ),
        (
            "MOCK_WATCH",
            "maybe",
            "environment:1:1: MOCK_WATCH: must be true or false, not this text",
        ),
        ("MOCK_TOKEN", "a b", "environment:1:1: MOCK_TOKEN: must be one word of plain ASCII"),
        (
            "MOCK_PORT",
            "9" * 200,
            "environment:1:1: MOCK_PORT: must be a whole number, not this text",
        ),
    ],
)
def test_a_variable_that_cannot_be_understood_is_named(variable: str, text: str, message: str):
    with pytest.raises(ConfigurationError) as refused:
        overridden(LOADED, {variable: text}, {})
    assert str(refused.value) == message


def test_an_option_that_cannot_be_understood_is_named():
    with pytest.raises(ConfigurationError, match="options:1:1: port: must be 65535 or less"):
        overridden(LOADED, {}, {"port": 70000})
