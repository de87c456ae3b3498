"""Apply the settings of the environment and of options, which beat the file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from .diagnostics import ConfigurationError, Document, Entry, Mistake, Node
from .files import MockFile
from .loader import FIXED_SETTINGS, MEMORY
from .messages import mistakes_of
from .scalars import BadScalar, resolve_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .loader import Loaded

VARIABLES = {
    "MOCK_TOKEN": "token",
    "MOCK_DATABASE": "database",
    "MOCK_HOST": "host",
    "MOCK_PORT": "port",
    "MOCK_WATCH": "watch",
    "MOCK_WATCH_POLLING": "watch_polling",
    "MOCK_LOG_LEVEL": "log_level",
    "MOCK_LOG_FORMAT": "log_format",
    "MOCK_LOG_REQUESTS": "log_requests",
    "MOCK_DASHBOARD": "dashboard",
    "MOCK_METRICS": "metrics",
    "MOCK_ALLOW_RESET": "allow_reset",
}
"""The environment variable of each key of mock.yaml. An empty variable counts as not set."""
_KUBERNETES = re.compile(r"(tcp|udp|sctp)://")
_NOT_OURS = (
    'is ignored: Kubernetes sets it to an address where a service is called "mock"; '
    "enableServiceLinks: false in the pod, or another name, avoids that"
)
_BOOLEANS = ("watch", "watch_polling", "log_requests", "dashboard", "metrics", "allow_reset")
_WORDS = {
    **dict.fromkeys(("1", "yes", "on", "true"), True),
    **dict.fromkeys(("0", "no", "off", "false"), False),
}


def overridden(loaded: Loaded, environ: Mapping[str, str], overrides: Mapping[str, Any]) -> Loaded:
    """Apply the environment to what was loaded, and ``overrides`` to both.

    ``overrides`` has keys of mock.yaml, those in VARIABLES. None counts as missing. The path of a
    database is relative to the working directory here. A MOCK_PORT of Kubernetes', such as
    ``tcp://10.0.0.1:8000``, is left out with a warning.

    Raises:
        ConfigurationError: a variable or an option has an invalid value.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    options = _checked({name: (name, value) for name, value in given.items()}, "options")
    foreign = _KUBERNETES.match(environ.get("MOCK_PORT", "")) is not None
    from_environ = _checked(
        {
            name: (variable, _value_of(name, environ[variable]))
            for variable, name in VARIABLES.items()
            if environ.get(variable) and not (foreign and name == "port")
        },
        "environment",
    )
    values = {**from_environ, **options}
    settings = {name: values[name] for name in FIXED_SETTINGS if name in values}
    if settings.get("database", MEMORY) != MEMORY:
        settings["database"] = Path(settings["database"])
    declared = {name: values[name] for name in ("token", "allow_reset") if name in values}
    if "token" in values:
        source = "option" if "token" in options else "environment"
        settings |= {"token": values["token"], "token_source": source}
    warnings = [Mistake("environment", 1, 1, "MOCK_PORT", _NOT_OURS)] if foreign else []
    return replace(
        loaded,
        warnings=(*warnings, *loaded.warnings),
        settings=replace(loaded.settings, **settings),
        declarations=replace(loaded.declarations, **declared),
    )


def _value_of(name: str, text: str) -> Any:
    if name in _BOOLEANS and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return resolve_reference(text)
    except BadScalar:
        return text


def _checked(given: Mapping[str, tuple[str, Any]], source: str) -> dict[str, Any]:
    """Validate values like those of a file. Each comes with its name for messages."""
    values = {name: str(v) if isinstance(v, Path) else v for name, (_, v) in given.items()}
    try:
        return MockFile.model_validate(values).model_dump(exclude_unset=True)
    except ValidationError as error:
        root = Node(1, 1, values)
        secret = source == "environment"
        root.entries = {
            name: Entry(Node(1, 1), Node(1, 1, value, secret=secret))
            for name, value in values.items()
        }
        found = mistakes_of(error, MockFile, Document(source, root))
        known = {name: shown for name, (shown, _) in given.items()}
        raise ConfigurationError(
            Mistake(each.file, each.line, each.column, known.get(each.where, each.where), each.what)
            for each in found
        ) from None
