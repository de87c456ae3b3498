"""Which rule or fault applies to what has just arrived; how near the others were.

One function decides and explains at once: a pattern matches when ``differences`` finds none.
Nouns stand here beside their verbs, since nobody else understands them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

from .texts import matches_path, matches_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

# ---------------------------------------------------------------------------- nouns


@dataclass(frozen=True, slots=True)
class TriggerPattern:
    """When a rule applies to a new pipeline; None means: whatever it is.

    ``project`` is a number, a path or a glob of paths. ``ref``, ``username`` and the values of
    ``variables`` and ``inputs`` are globs, or ``/regular expressions/``; in a map, True asks that
    the name be present, False that it be absent.
    """

    project: str | None = None
    ref: str | None = None
    variables: tuple[tuple[str, str | bool], ...] = ()
    source: tuple[str, ...] | None = None
    username: str | None = None
    inputs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """A declared answer. ``body`` is text as it is, or any JSON value; None is an empty body."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What a new pipeline that matches ``when`` gets.

    ``scenarios`` is a sequence whose last entry repeats (``cycle``: starts over); empty where the
    rule leaves the choice to the default. ``respond`` refuses the pipeline with that answer.
    ``place`` is "file:line", which names the rule to people.
    """

    key: str
    when: TriggerPattern
    scenarios: tuple[int, ...] = ()
    cycle: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    name: str | None = None
    respond: Response | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class RequestPattern:
    """When a fault or a verification applies to a call; None means: whatever it is.

    ``path`` is a glob on the path without the ``/api/v4`` prefix; ``project``, ``ref`` and
    ``variables`` as in a rule.
    """

    method: str | None = None
    path: str | None = None
    operation: str | None = None
    project: str | None = None
    ref: str | None = None
    variables: tuple[tuple[str, str | bool], ...] = ()
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``requests`` calls in any window of ``per`` milliseconds of the world's clock."""

    requests: int
    per: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the calls that match ``when``.

    Of the matching calls the first ``skip`` pass, then every ``every``-th is applied, ``times`` in
    all (None: without end). ``delay`` is in milliseconds of real time.
    """

    key: str
    when: RequestPattern
    times: int | None = None
    skip: int = 0
    every: int = 1
    respond: Response | None = None
    delay: int = 0
    body: Literal["drop", "truncate", "slow", "malformed"] | None = None
    slow: int = 0
    limit: Limit | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A pipeline that is about to be created, as rules see it."""

    project_id: int
    project_path: str
    ref: str
    source: str
    username: str
    variables: Mapping[str, str]
    inputs: Mapping[str, Any]


class Arrived(Protocol):
    """A call as faults and verifications see it."""

    method: str
    path: str
    operation: str | None
    project_id: int | None
    project_path: str | None
    ref: str | None
    variables: Mapping[str, str]
    status: int | None


class Difference(NamedTuple):
    """One condition that was not met: what it is about, what was wanted, what came."""

    what: str
    wanted: Any
    got: Any


# ---------------------------------------------------------------------------- verbs


def differences(
    pattern: TriggerPattern | RequestPattern, arrived: Trigger | Arrived
) -> Iterator[Difference]:
    """Find the conditions of a pattern that a trigger or a request does not meet.

    ``arrived`` is a Trigger for a TriggerPattern, an Arrived for a RequestPattern.
    """
    yield from _common_differences(pattern, arrived)
    if isinstance(pattern, TriggerPattern):
        yield from _trigger_differences(pattern, cast("Trigger", arrived))
    else:
        yield from _request_differences(pattern, cast("Arrived", arrived))


def matches(pattern: TriggerPattern | RequestPattern, arrived: Trigger | Arrived) -> bool:
    """Return whether a trigger or a request meets all conditions of a pattern."""
    return next(differences(pattern, arrived), None) is None


def matches_project(pattern: str, number: int | None, path: str | None) -> bool:
    """Match a project by its number, its path or a glob of paths."""
    if pattern.isdecimal():
        return pattern.lstrip("0") == str(number)
    return path is not None and matches_path(pattern, path)


def choose(rules: Iterable[Rule], trigger: Trigger) -> Rule | None:
    """Find the first rule that matches a trigger."""
    return next((rule for rule in rules if matches(rule.when, trigger)), None)


def next_of_sequence(rule: Rule, times_matched: int) -> int | None:
    """Take the scenario for a rule that has matched so many times before."""
    if not rule.scenarios:
        return None
    last = len(rule.scenarios) - 1
    index = times_matched % len(rule.scenarios) if rule.cycle else min(times_matched, last)
    return rule.scenarios[index]


class NearMiss(NamedTuple):
    """A call that did not match, why not, and how many there were like it."""

    request: Any
    differences: list[Difference]
    times: int


def near_misses(
    pattern: RequestPattern, calls: Iterable[Arrived], limit: int = 3
) -> list[NearMiss]:
    """Rank the calls that do not match: nearest first, then as they come.

    Those alike are one, the first of them; those to another address are left out where one is
    nearer in that.
    """
    alike: dict[Any, NearMiss] = {}
    for call in calls:
        found = list(differences(pattern, call))
        if found:
            key = (call.method, call.path, repr(found))
            miss = alike.get(key, NearMiss(call, found, 0))
            alike[key] = miss._replace(times=miss.times + 1)
    nearest = min(map(_astray, alike.values()), default=0)
    here = [miss for miss in alike.values() if _astray(miss) == nearest]
    return sorted(here, key=lambda miss: _distance(miss.differences))[:limit]


def _astray(miss: NearMiss) -> int:
    return sum(each.what in ("method", "path", "operation") for each in miss.differences)


@dataclass(slots=True)
class FaultCounters:
    """How often the faults of one world have met a call, and applied."""

    matched: dict[str, int] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)
    windows: dict[str, tuple[int, int]] = field(default_factory=dict)

    def due(self, faults: Iterable[Fault], call: Arrived, now: int) -> FaultHit | None:
        """Count a call with every fault that it meets, up to and with the one that strikes."""
        for fault in faults:
            if matches(fault.when, call):
                hit = self._meet(fault, now)
                if hit is not None:
                    return hit
        return None

    def keep(self, keys: Collection[str]) -> None:
        """Forget the faults that are no longer in force."""
        for counted in (self.matched, self.applied, self.windows):
            for key in counted.keys() - keys:
                del counted[key]

    def _meet(self, fault: Fault, now: int) -> FaultHit | None:
        seen = self.matched[fault.key] = self.matched.get(fault.key, 0) + 1
        applied = self.applied.get(fault.key, 0)
        if seen <= fault.skip or (seen - fault.skip - 1) % fault.every:
            return None
        if fault.times is not None and applied >= fault.times:
            return None
        observed = 0 if fault.limit is None else self._observe(fault.key, fault.limit, now)
        if fault.limit is not None and observed <= fault.limit.requests:
            return None
        self.applied[fault.key] = applied + 1
        return FaultHit(fault, observed)

    def _observe(self, key: str, limit: Limit, now: int) -> int:
        window = now // limit.per
        current, count = self.windows.get(key, (window, 0))
        count = count + 1 if current == window else 1
        self.windows[key] = (window, count)
        return count


class FaultHit(NamedTuple):
    """A fault that applies to a call; ``observed`` counts the calls in the window of its limit."""

    fault: Fault
    observed: int


# ---------------------------------------------------------------------------- private


def _common_differences(
    pattern: TriggerPattern | RequestPattern, arrived: Trigger | Arrived
) -> Iterator[Difference]:
    if pattern.project is not None and not matches_project(
        pattern.project, arrived.project_id, arrived.project_path
    ):
        yield Difference("project", pattern.project, arrived.project_path)
    if pattern.ref is not None and not (
        arrived.ref is not None and matches_text(pattern.ref, arrived.ref)
    ):
        yield Difference("ref", pattern.ref, arrived.ref)
    if pattern.variables:
        yield from _map_differences("variables", pattern.variables, arrived.variables)


def _trigger_differences(pattern: TriggerPattern, trigger: Trigger) -> Iterator[Difference]:
    if pattern.source is not None and trigger.source not in pattern.source:
        yield Difference("source", " or ".join(pattern.source), trigger.source)
    if pattern.username is not None and not matches_text(pattern.username, trigger.username):
        yield Difference("username", pattern.username, trigger.username)
    if pattern.inputs:
        yield from _map_differences("inputs", pattern.inputs, trigger.inputs)


def _request_differences(pattern: RequestPattern, call: Arrived) -> Iterator[Difference]:
    if pattern.method is not None and pattern.method.upper() != call.method:
        yield Difference("method", pattern.method.upper(), call.method)
    if pattern.path is not None and not matches_path(pattern.path, call.path):
        yield Difference("path", pattern.path, call.path)
    if pattern.operation is not None and pattern.operation != call.operation:
        yield Difference("operation", pattern.operation, call.operation)
    if pattern.status is not None and pattern.status != call.status:
        yield Difference("status", pattern.status, call.status)


def _map_differences(
    what: str, wanted: tuple[tuple[str, Any], ...], got: Mapping[str, Any]
) -> Iterator[Difference]:
    for name, value in wanted:
        if not _value_matches(value, name, got):
            yield Difference(f"{what}.{name}", _in_words(value), got.get(name))


def _value_matches(wanted: Any, name: str, got: Mapping[str, Any]) -> bool:
    if wanted is True or wanted is False:
        return (name in got) is wanted
    if name not in got:
        return False
    if isinstance(wanted, str) and isinstance(got[name], str):
        return matches_text(wanted, got[name])
    return bool(wanted == got[name])


def _in_words(wanted: Any) -> Any:
    return {True: "present", False: "absent"}[wanted] if isinstance(wanted, bool) else wanted


_FIELD_WEIGHT = {"method": 3, "path": 3, "operation": 3, "project": 2}


def _distance(found: list[Difference]) -> int:
    # What was said and is wrong is nearer than what was not said at all.
    return sum(_FIELD_WEIGHT.get(each.what, 1) + (each.got is None) for each in found)
