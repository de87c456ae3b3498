"""Keywords: what may be declared from Python, for type checkers and editors; the keys of the files.

Nested values are as loose as parsed YAML, and a duration may be a timedelta: the server checks
them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from mock_gitlab.engine.model import TerminalStatus

    Duration: TypeAlias = float | str | timedelta
    Some: TypeAlias = Mapping[str, Any]


class ScenarioFields(TypedDict, total=False):
    """A scenario; without a number it gets a free one."""

    scenario_id: int
    name: str | None
    terminal_after_seconds: Duration | None
    terminal_status: TerminalStatus
    never_complete: bool
    pending_seconds: Duration
    terminal_after_polls: int | None
    coverage: float | None
    stages: Sequence[str]
    jobs: Sequence[Some]
    attempts: Sequence[Some]
    test_report: Some | None
    faults: Sequence[Some]


class RuleFields(TypedDict, total=False):
    """A rule."""

    when: Some
    scenario: int | Sequence[int] | None
    cycle: bool
    variables: Mapping[str, str | int]
    name: str | None
    respond: Some | None


class FaultFields(TypedDict, total=False):
    """A fault."""

    when: Some
    times: int | None
    skip: int
    every: int
    respond: Some | None
    delay: Duration
    drop: bool
    truncate: bool
    slow: Duration
    malformed: bool
    limit: Some | None


class Settings(TypedDict, total=False):
    """What beats the environment and the file."""

    token: str
    database: str
    watch: bool
    watch_polling: bool
    log_level: Literal["critical", "error", "warning", "info", "debug"]
    allow_reset: bool
