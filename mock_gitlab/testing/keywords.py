"""The keyword arguments of declarations, for type checkers and editors: the keys of the files.

Nested values are not typed further, and a duration may be a timedelta. The server checks them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from mock_gitlab.engine.model import TerminalStatus

    Duration: TypeAlias = float | str | timedelta
    Keys: TypeAlias = Mapping[str, Any]


class ScenarioFields(TypedDict, total=False):
    """A scenario; without ``scenario_id`` it gets a free number."""

    scenario_id: int
    name: str | None
    terminal_after_seconds: Duration | None
    terminal_status: TerminalStatus
    never_complete: bool
    created_seconds: Duration
    waiting_for_resource_seconds: Duration
    preparing_seconds: Duration
    waiting_for_callback_seconds: Duration
    pending_seconds: Duration
    canceling_seconds: Duration
    terminal_after_polls: int | None
    coverage: float | None
    stages: Sequence[str]
    jobs: Sequence[Keys]
    attempts: Sequence[Keys]
    test_report: Keys | None
    yaml_errors: str | None
    external_statuses: Sequence[Keys]
    faults: Sequence[Keys]


class RuleFields(TypedDict, total=False):
    """A rule."""

    when: Keys
    scenario: int | Sequence[int] | None
    cycle: bool
    variables: Mapping[str, str | int]
    name: str | None
    respond: Keys | None


class FaultFields(TypedDict, total=False):
    """A fault."""

    when: Keys
    times: int | None
    skip: int
    every: int
    respond: Keys | Sequence[Keys] | None
    patch: Keys | None
    delay: Duration
    drop: bool
    truncate: bool
    slow: Duration
    malformed: bool
    deliver: str | None
    late: Duration
    limit: Keys | None


class SandboxFields(TypedDict, total=False):
    """What a sandbox has for itself."""

    clock: Keys | None
    seed: int | str | None
    strict: bool | None
    default_scenario: int | None
    user: Keys | None
    projects: Sequence[Keys] | None
    pipelines: Sequence[Keys] | None
    journal: int | None


class Settings(TypedDict, total=False):
    """Settings that beat the environment and the file."""

    token: str
    database: str
    watch: bool
    watch_polling: bool
    log_level: Literal["critical", "error", "warning", "info", "debug"]
    log_format: Literal["text", "json"]
    log_requests: bool
    dashboard: bool
    metrics: bool
    allow_reset: bool
