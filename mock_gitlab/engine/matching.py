"""Match triggers with rules, and requests with faults and verifications.

One function decides and explains: a pattern matches if ``differences`` returns none. The module is
long because the patterns stand beside the functions that give them their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast, get_args

from .inputs import matches_input, presence
from .texts import equal_secrets, matches_path, matches_text, split_ref

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BodyFault = Literal["drop", "truncate", "slow", "malformed"]
BODY_FAULTS: tuple[BodyFault, ...] = get_args(BodyFault)
"""What a fault can do to a body: at most one of these."""

DeliveryFault = Literal["lost", "twice", "out_of_order", "wrong_token", "old_payload"]
DELIVERY_FAULTS: tuple[DeliveryFault, ...] = get_args(DeliveryFault)
"""What a fault can do to the delivery of a webhook: one of these, and it can be late."""

# ---------------------------------------------------------------------------- declared


@dataclass(frozen=True, slots=True)
class TriggerPattern:
    """The triggers that a rule applies to. A field of None matches anything.

    ``project`` is a number, a path or a glob of paths. ``ref``, ``username`` and the texts of
    ``variables`` and ``inputs`` are globs, or ``/regular expressions/``. A ``ref`` that begins with
    ``refs/heads/`` matches only branches, and one with ``refs/tags/`` only tags. For a variable,
    True requires that it is present, False that it is absent. For an input, these are values, and
    ``{"present": True}`` requires that it is present.
    """

    project: str | None = None
    ref: str | None = None
    variables: tuple[tuple[str, str | bool], ...] = ()
    source: tuple[str, ...] | None = None
    username: str | None = None
    inputs: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        conditions = {
            "project": self.project,
            "ref": self.ref,
            "source": " or ".join(self.source or ()),
            "username": self.username,
            **{f"variables.{name}": _shown_variable(value) for name, value in self.variables},
            **{f"inputs.{name}": _shown_input(value) for name, value in self.inputs},
        }
        words = (f"{name} {value}" for name, value in conditions.items() if value not in (None, ""))
        return ", ".join(words) or "every pipeline"


@dataclass(frozen=True, slots=True)
class Response:
    """A declared answer. ``body`` is text sent as it is, or a JSON value; None is no body.

    With ``file``, the body is the content of a file of that name, as base64 in ``content``.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = None
    file: str | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """What is changed in an answer of the mock.

    ``body`` is merged into a JSON object, or into each entry of a list. ``headers`` replace those
    with the same names; None removes one. ``status`` of None leaves the status as it is.
    """

    status: int | None = None
    headers: tuple[tuple[str, str | None], ...] = ()
    body: Any = None


LIMIT_EXCEEDED = Response(429, body="Retry later\n")
"""GitLab's answer to a request beyond a rate limit."""
PRESETS: Mapping[str, Response] = {
    "status_conflict": Response(
        409, body={"message": "Another update to this commit status is in progress"}
    ),
}
"""Answers of GitLab's that a test can ask for by a name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a trigger that matches ``when`` gets.

    ``scenarios`` is used one after the other, then its last entry repeats; with ``cycle`` it starts
    over. If it is empty, the default scenario applies. ``respond`` is sent instead of creating a
    pipeline. ``place`` is "file:line", for messages.
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
    """The requests that a fault or a verification applies to. A field of None matches anything.

    ``path`` is a glob on the path without ``/api/v4``. ``operation`` is one, or any of several.
    ``project``, ``ref`` and ``variables`` work
    as in a rule.
    """

    method: str | None = None
    path: str | None = None
    operation: str | tuple[str, ...] | None = None
    project: str | None = None
    ref: str | None = None
    variables: tuple[tuple[str, str | bool], ...] = ()
    status: int | None = None
    parameters: tuple[tuple[str, Any], ...] = ()

    def has_operation(self, name: str | None) -> bool:
        """Return whether a request for an operation is one of those that the pattern wants."""
        wanted = self.operation
        return wanted in (None, name) or (isinstance(wanted, tuple) and name in wanted)


class Sent(NamedTuple):
    """What the journal does not keep of a request: its headers, in lower case, and its tokens."""

    headers: Mapping[str, str]
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SentPattern:
    """The headers, as variables in a rule, and the token that a request must have."""

    headers: tuple[tuple[str, str | bool], ...] = ()
    token: str | None = field(default=None, repr=False)

    def matches(self, sent: Sent) -> bool:
        """Return whether a request has them; tokens are compared in constant time."""
        if not all(_variable_matches(value, name, sent.headers) for name, value in self.headers):
            return False
        wanted = self.token
        return wanted is None or any(equal_secrets(each, wanted) for each in sent.tokens)


@dataclass(frozen=True, slots=True)
class DeliveryPattern:
    """The deliveries of webhooks that a fault applies to; ``events`` are values of X-Gitlab-Event.

    ``fault`` is what happens to them. They are ``late`` by so many milliseconds of the world's
    clock.
    """

    events: tuple[str, ...] = ()
    status: str | None = None
    fault: DeliveryFault | None = None
    late: int = 0

    def matches(self, event: str, status: str) -> bool:
        """Return whether the delivery of an event that tells of a status is one of these."""
        return event in (self.events or (event,)) and self.status in (None, status)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``requests`` requests in each window of ``per`` milliseconds on the world's clock."""

    requests: int
    per: int


_BODY_WORDS: dict[BodyFault, str] = {
    "drop": "drop the connection",
    "truncate": "cut the answer short",
    "slow": "send the answer slowly",
    "malformed": "spoil the answer",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the requests that match ``when``.

    The first ``skip`` matching requests pass. Then the fault applies to every ``every``-th one, at
    most ``times`` times (None: no limit). ``delay`` and ``slow`` are milliseconds of real time.
    The answers in ``later`` follow ``respond``, one each time that it applies; the last repeats.
    With ``delivery`` it is no fault of requests, but of webhooks; of ``when`` it has the project.
    """

    key: str
    when: RequestPattern
    times: int | None = None
    skip: int = 0
    every: int = 1
    respond: Response | None = None
    delay: int = 0
    body: BodyFault | None = None
    slow: int = 0
    limit: Limit | None = None
    place: str = ""
    later: tuple[Response, ...] = ()
    patch: Patch | None = None
    sent: SentPattern | None = None
    delivery: DeliveryPattern | None = None

    def response(self, applied: int) -> Response | None:
        """Return the declared answer for the time after it has applied so often."""
        answers = (self.respond, *self.later)
        return answers[min(applied, len(answers) - 1)]

    def in_words(self, response: Response | None) -> str:
        """Say what it does if it gives this answer."""
        steps = [
            f"wait {self.delay / 1000:g}s" if self.delay else "",
            _BODY_WORDS[self.body] if self.body else "",
            f"answer {response.status}" if response else "",
            f"answer {LIMIT_EXCEEDED.status}" if self.limit and not response else "",
            "change the answer" if self.patch else "",
        ]
        return ", then ".join(filter(None, steps))


class Trigger(NamedTuple):
    """A request to create a pipeline, as rules see it; ``ref`` is a short name."""

    project_id: int
    project_path: str
    ref: str
    tag: bool
    source: str
    username: str
    variables: Mapping[str, str]
    inputs: Mapping[str, Any]


class Arrived(Protocol):
    """A request as faults and verifications see it."""

    method: str
    path: str
    operation: str | None
    project_id: int | None
    project_path: str | None
    ref: str | None
    variables: Mapping[str, str]
    status: int | None
    parameters: Mapping[str, Any]


class Difference(NamedTuple):
    """A condition that was not met: its name, the wanted value and the value found."""

    what: str
    wanted: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.what}: wanted {self.wanted!r}, got {self.got!r}"


# ---------------------------------------------------------------------------- matching


def differences(
    pattern: TriggerPattern | RequestPattern, arrived: Trigger | Arrived
) -> Iterator[Difference]:
    """Find the conditions of a pattern that are not met; the pattern matches if there are none.

    ``arrived`` is a Trigger for a TriggerPattern, and an Arrived for a RequestPattern.
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


def next_of_sequence(rule: Rule, times_matched: int) -> int | None:
    """Return the next scenario of a rule that has matched so many times before."""
    if not rule.scenarios:
        return None
    last = len(rule.scenarios) - 1
    index = times_matched % len(rule.scenarios) if rule.cycle else min(times_matched, last)
    return rule.scenarios[index]


class NearMiss(NamedTuple):
    """A request that does not match, why not, and how many equal ones there were."""

    request: Any
    differences: list[Difference]
    times: int


def near_misses(
    pattern: RequestPattern, requests: Iterable[Arrived], limit: int = 3
) -> list[NearMiss]:
    """List the requests that almost match, nearest first, else in their order.

    Equal requests are counted as one. A request to another address is left out if there is one
    whose address differs less.
    """
    alike: dict[Any, NearMiss] = {}
    for request in requests:
        found = list(differences(pattern, request))
        if found:
            key = (request.method, request.path, repr(found))
            miss = alike.get(key, NearMiss(request, found, 0))
            alike[key] = miss._replace(times=miss.times + 1)
    nearest = min(map(_address_differences, alike.values()), default=0)
    here = [miss for miss in alike.values() if _address_differences(miss) == nearest]
    return sorted(here, key=lambda miss: _distance(miss.differences))[:limit]


def _address_differences(miss: NearMiss) -> int:
    return sum(each.what in ("method", "path", "operation") for each in miss.differences)


# ---------------------------------------------------------------------------- private


def _common_differences(
    pattern: TriggerPattern | RequestPattern, arrived: Trigger | Arrived
) -> Iterator[Difference]:
    if pattern.project is not None and not matches_project(
        pattern.project, arrived.project_id, arrived.project_path
    ):
        yield Difference("project", pattern.project, arrived.project_path)
    if pattern.ref is not None and not _matches_ref(pattern.ref, arrived):
        yield Difference("ref", pattern.ref, arrived.ref)
    for name, value in pattern.variables:
        if not _variable_matches(value, name, arrived.variables):
            got = arrived.variables.get(name)
            yield Difference(f"variables.{name}", _shown_variable(value), got)


def _matches_ref(pattern: str, arrived: Trigger | Arrived) -> bool:
    if arrived.ref is None:
        return False
    wanted, of_tags = split_ref(pattern)
    ref, tag = split_ref(arrived.ref)
    if isinstance(arrived, Trigger):
        tag = arrived.tag
    return matches_text(wanted, ref) and (None in (of_tags, tag) or of_tags is tag)


def _trigger_differences(pattern: TriggerPattern, trigger: Trigger) -> Iterator[Difference]:
    if pattern.source is not None and trigger.source not in pattern.source:
        yield Difference("source", " or ".join(pattern.source), trigger.source)
    if pattern.username is not None and not matches_text(pattern.username, trigger.username):
        yield Difference("username", pattern.username, trigger.username)
    yield from _value_differences("inputs", pattern.inputs, trigger.inputs)


def _value_differences(
    what: str, wanted: Iterable[tuple[str, Any]], found: Mapping[str, Any]
) -> Iterator[Difference]:
    for name, value in wanted:
        expected = presence(value)
        if expected is not None:
            if (name in found) is not expected:
                yield Difference(f"{what}.{name}", _shown_input(value), found.get(name))
        elif not (name in found and matches_input(value, found[name])):
            yield Difference(f"{what}.{name}", value, found.get(name))


def _request_differences(pattern: RequestPattern, request: Arrived) -> Iterator[Difference]:
    if pattern.method is not None and pattern.method.upper() != request.method:
        yield Difference("method", pattern.method.upper(), request.method)
    if pattern.path is not None and not matches_path(pattern.path, request.path):
        yield Difference("path", pattern.path, request.path)
    if not pattern.has_operation(request.operation):
        yield Difference("operation", pattern.operation, request.operation)
    if pattern.status is not None and pattern.status != request.status:
        yield Difference("status", pattern.status, request.status)
    yield from _value_differences("parameters", pattern.parameters, request.parameters)


def _variable_matches(wanted: str | bool, name: str, got: Mapping[str, str]) -> bool:
    if isinstance(wanted, bool):
        return (name in got) is wanted
    return name in got and matches_text(wanted, got[name])


def _shown_variable(wanted: str | bool) -> str:
    return _PRESENCE[wanted] if isinstance(wanted, bool) else wanted


def _shown_input(wanted: Any) -> Any:
    expected = presence(wanted)
    return wanted if expected is None else _PRESENCE[expected]


_PRESENCE = {True: "present", False: "absent"}
_FIELD_WEIGHT = {"method": 3, "path": 3, "operation": 3, "project": 2}


def _distance(found: list[Difference]) -> int:
    # A wrong value is nearer than a missing one.
    return sum(_FIELD_WEIGHT.get(each.what, 1) + (each.got is None) for each in found)
