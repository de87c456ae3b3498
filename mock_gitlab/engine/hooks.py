"""Webhooks as values: what a hook is, and what GitLab does when it fails.

It follows https://docs.gitlab.com/user/project/integrations/webhooks/.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

EVENTS = (
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
)
"""The events that a hook may want, in the order of GitLab's answer."""
SENT: dict[str, str] = {
    "pipeline_events": "Pipeline Hook",
    "job_events": "Job Hook",
    "deployment_events": "Deployment Hook",
}
"""The events that the mock sends, and the value of ``X-Gitlab-Event``."""
MOST_OF_PROJECT = 100
"""How many hooks a project may have."""
DISABLED_AFTER = 40
"""How many failures in a row disable a hook for good."""
_BACKS_OFF_AFTER = 4
_FIRST_PAUSE = 60_000
_LONGEST_PAUSE = 86_400_000
_PLACEHOLDER = re.compile(r"\{\{(.+?)\}\}")
_VARIABLE = re.compile(r"\{(\w+)\}")
AlertStatus = Literal["executable", "temporarily_disabled", "disabled"]


@dataclass(frozen=True, slots=True)
class HookSpec:
    """A webhook as it is declared or made. ``custom_headers`` and ``url_variables`` are pairs."""

    url: str
    name: str | None = None
    description: str | None = None
    token: str | None = field(default=None, repr=False)
    signing_token: str | None = field(default=None, repr=False)
    enable_ssl_verification: bool = True
    events: frozenset[str] = frozenset(("push_events",))
    push_events_branch_filter: str | None = None
    branch_filter_strategy: str = "wildcard"
    custom_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    url_variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    custom_webhook_template: str | None = None

    @property
    def target(self) -> str:
        """The URL with the values of its variables."""
        values = dict(self.url_variables)
        return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), self.url)


_LONGEST = {
    "url": 2048,
    "name": 255,
    "description": 2048,
    "token": 2048,
    "push_events_branch_filter": 5000,
    "custom_webhook_template": 4096,
}
_MOST_PAIRS = 20
_LONGEST_KEY, _LONGEST_VALUE = 255, 2048


def excess(spec: HookSpec) -> tuple[str, str] | None:
    """Find what is too large for GitLab: the attribute and what is wrong; None if nothing is."""
    for name, most in _LONGEST.items():
        if len(getattr(spec, name) or "") > most:
            return name, f"is too long (maximum is {most} characters)"
    for name in ("custom_headers", "url_variables"):
        pairs: tuple[tuple[str, str], ...] = getattr(spec, name)
        if len(pairs) > _MOST_PAIRS:
            return name, f"must have at most {_MOST_PAIRS} entries"
        if any(len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE for key, value in pairs):
            return name, (
                f"must have keys of at most {_LONGEST_KEY} characters and values of at most "
                f"{_LONGEST_VALUE}"
            )
    return None


def render(template: str, payload: Any) -> str:
    """Fill in a template of a body: ``{{object_attributes.status}}`` is what the payload has there.

    A text stands without its quotation marks, which the template has. What is missing is null.
    """

    def value(found: re.Match[str]) -> str:
        part = payload
        for name in found[1].strip().split("."):
            part = part.get(name) if isinstance(part, dict) else None
        written = json.dumps(part)
        return written[1:-1] if isinstance(part, str) else written

    return _PLACEHOLDER.sub(value, template)


def allows(url: str, hosts: Iterable[str]) -> bool:
    """Return whether a hook may have this URL: its host is loopback, or one of ``hosts``."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host:
        return False
    return is_loopback(host) or host in {each.lower() for each in hosts}


def is_loopback(host: str) -> bool:
    """Return whether a host is ``localhost``, or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_signing_token(text: str) -> bool:
    """Return whether a text is ``whsec_`` and 32 bytes in base64."""
    try:
        return text.startswith("whsec_") and len(signing_key(text)) == 32
    except ValueError:
        return False


def signing_key(token: str) -> bytes:
    """Return the key in a signing token."""
    return b64decode(token.removeprefix("whsec_"), validate=True)


def signature(token: str, key: str, seconds: int, body: bytes) -> str:
    """Sign a request as Standard Webhooks says; ``key`` is its id."""
    signed = f"{key}.{seconds}.".encode() + body
    digest = hmac.new(signing_key(token), signed, "sha256").digest()
    return f"v1,{b64encode(digest).decode()}"


def without_password(url: str) -> str:
    """Return a URL with stars in the place of its password."""
    parts: SplitResult = urlsplit(url)
    if parts.password is None:
        return url
    return url.replace(f":{parts.password}@", ":*****@", 1)


def pause_after(failures: int) -> int | None:
    """Return for how many milliseconds so many failures in a row disable a hook; None for good."""
    if failures >= DISABLED_AFTER:
        return None
    if failures < _BACKS_OFF_AFTER:
        return 0
    return int(min(_FIRST_PAUSE << (failures - _BACKS_OFF_AFTER), _LONGEST_PAUSE))


def alert_status(failures: int, disabled_until: int | None, now: int) -> AlertStatus:
    """Return whether a hook is sent to at ``now``."""
    if failures >= DISABLED_AFTER:
        return "disabled"
    paused = disabled_until is not None and disabled_until > now
    return "temporarily_disabled" if paused else "executable"
