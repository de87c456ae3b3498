"""The models of faults, their conversion to the engine's, and the keys of rules and faults."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeVar

from pydantic import Discriminator, Field, Tag, model_validator

from mock_gitlab.engine.matching import (
    BODY_FAULTS,
    BodyFault,
    DeliveryFault,
    DeliveryPattern,
    Fault,
    Limit,
    RequestPattern,
    Rule,
    SentPattern,
)

from .fields import (
    WHOLE,
    DurationField,
    Matching,
    Name,
    OperationName,
    ProjectName,
    StrictModel,
    Text,
    Violation,
    one_or_list,
    refuse,
)
from .responses import HeaderName, PatchModel, ResponseModel
from .wanted import WantedInput, WantedVariable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Declared = TypeVar("Declared", Rule, Fault)


PathGlob = Annotated[
    Text,
    Matching(r"^[^?]*$", "must be a path without a query, which no fault can tell apart"),
    Matching(r"^/(?!api/v4(/|$))[^?]*$", 'must be a path that begins with "/", without "/api/v4"'),
]
"""A glob on the path of a request."""


Operations = Annotated[
    Annotated[OperationName, Tag("~one")]
    | Annotated[list[OperationName], Tag("~list"), Field(min_length=1)],
    Discriminator(one_or_list),
]
"""An operation, or several of which a request is for one."""


class RequestWhenModel(StrictModel):
    """The requests that a fault applies to; a key that is missing matches anything."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] | None = Field(
        None, description="The HTTP method."
    )
    path: PathGlob | None = Field(
        None,
        description="Glob on the path without /api/v4; * stops at a slash, ** does not.",
        examples=["/projects/*/pipelines/*"],
    )
    operation: Operations | None = Field(
        None,
        description="The operation's id in the OpenAPI document, or several.",
        examples=["get_pipeline", ["get_pipeline", "get_job"]],
    )
    project: ProjectName | None = Field(
        None, description="Id, path or glob of paths.", examples=["group/*", 42]
    )

    parameters: dict[Name, WantedInput] = Field(
        {},
        description="Values of parameters of the query or the body, or {present: false}; texts "
        "are globs or /regular expressions/.",
        examples=[{"ref": "release/*"}],
    )

    def to_engine(self) -> RequestPattern:
        """Convert to the engine's type."""
        names = self.operations()
        operation = names[0] if len(names) == 1 else names or None
        parameters = tuple(self.parameters.items())
        return RequestPattern(
            self.method, self.path, operation, self.project, parameters=parameters
        )

    def operations(self) -> tuple[str, ...]:
        """List the operations of which a request must be for one; none: any will do."""
        if isinstance(self.operation, list):
            return tuple(self.operation)
        return () if self.operation is None else (self.operation,)


EventName = Literal["Pipeline Hook", "Job Hook", "Deployment Hook"]
Events = Annotated[
    Annotated[EventName, Tag("~one")]
    | Annotated[list[EventName], Tag("~list"), Field(min_length=1)],
    Discriminator(one_or_list),
]
"""A kind of webhook, or several."""
OF_REQUESTS = ("method", "path", "operation", "parameters", "headers", "token")
OF_WEBHOOKS = ("event", "status")
"""What only requests, and only webhooks can be asked for."""


class FaultWhenModel(RequestWhenModel):
    """The requests that a fault applies to; a key that is missing matches anything."""

    event: Events | None = Field(
        None,
        description="Of webhooks: the X-Gitlab-Event, or several.",
        examples=["Pipeline Hook", ["Job Hook", "Deployment Hook"]],
    )
    status: Name | None = Field(
        None, description="Of webhooks: the status that they tell of.", examples=["failed"]
    )
    headers: dict[HeaderName, WantedVariable] = Field(
        {},
        description="Globs or /regular expressions/ of headers, or {present: false}.",
        examples=[{"User-Agent": "python-gitlab/*"}],
    )
    token: Name | None = Field(
        None, description="The token that the request must have, wherever it is sent."
    )

    def events(self) -> tuple[str, ...]:
        """List the events of which a webhook must be one; none: any will do."""
        if isinstance(self.event, list):
            return tuple(self.event)
        return () if self.event is None else (self.event,)

    def given(self, names: Iterable[str]) -> Iterator[str]:
        """Find which of these keys have a value."""
        return (name for name in names if getattr(self, name) not in (None, {}))

    def to_sent(self) -> SentPattern | None:
        """Convert what is asked of headers and tokens to the engine's type."""
        if not self.headers and self.token is None:
            return None
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        return SentPattern(headers, self.token)


class LimitModel(StrictModel):
    """A rate limit, measured by the mock's clock."""

    requests: Annotated[int, Field(ge=0), WHOLE] = Field(
        description="How many requests may pass.", examples=[10]
    )
    per: DurationField = Field(description="The length of a window.", examples=["60s"])

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        refuse(self, [] if self.per else [(("per",), "must be longer than 0 seconds")])
        return self


Responses = Annotated[
    Annotated[ResponseModel, Tag("~one")]
    | Annotated[list[ResponseModel], Tag("~list"), Field(min_length=1)],
    Discriminator(one_or_list),
]
"""An answer, or several that follow one another."""


class FaultModel(StrictModel):
    """What goes wrong with the requests that match."""

    when: FaultWhenModel = Field(
        FaultWhenModel.model_validate({}),
        description="What it matches; by default every request.",
    )
    times: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        None, description="How often it applies; by default without end.", examples=[2]
    )
    skip: Annotated[int, Field(ge=0), WHOLE] = Field(
        0, description="How many matching requests pass before."
    )
    every: Annotated[int, Field(ge=1), WHOLE] = Field(
        1, description="It applies to the first of every so many requests; 1: to all."
    )
    respond: Responses | None = Field(
        None,
        description="The answer that is sent instead of the usual one, or several, one after the "
        "other; the last repeats.",
        examples=[{"status": 503}, [{"status": 503}, {"status": 429}]],
    )
    patch: PatchModel | None = Field(
        None,
        description="What is changed in the usual answer.",
        examples=[{"body": {"coverage": 87.5}}],
    )
    delay: DurationField = Field(
        0, description="The real time that passes before the answer.", examples=["1.5s"]
    )
    drop: bool = Field(False, description="Whether to close the connection without an answer.")
    truncate: bool = Field(False, description="Whether to cut the body in half.")
    slow: DurationField = Field(
        0, description="The real time over which the body is sent.", examples=["10s"]
    )
    malformed: bool = Field(False, description="Whether to make the JSON of the body invalid.")
    deliver: DeliveryFault | None = Field(
        None, description="What happens to webhooks that match.", examples=["twice"]
    )
    late: DurationField = Field(
        0,
        description="How much later, on the mock's clock, webhooks that match go out.",
        examples=["30s"],
    )
    limit: LimitModel | None = Field(
        None,
        description="Applies only to requests beyond this rate.",
        examples=[{"requests": 10, "per": "60s"}],
    )

    @model_validator(mode="after")
    def _contradictions(self) -> Self:
        refuse(self, self._found())
        return self

    def _of_webhooks(self) -> bool:
        return self.deliver is not None or self.late > 0

    def _contradicts_webhooks(self) -> Iterator[Violation]:
        for name in self.when.given(OF_REQUESTS):
            yield ("when", name), "cannot be asked of webhooks"
        for name in ("respond", "patch", "delay", "limit", *BODY_FAULTS):
            if getattr(self, name):
                yield (name,), "cannot be combined with deliver and late, which are for webhooks"

    def _found(self) -> Iterator[Violation]:
        if self._of_webhooks():
            yield from self._contradicts_webhooks()
            return
        for name in self.when.given(OF_WEBHOOKS):
            yield ("when", name), "needs deliver or late: only webhooks have it"
        faults = self._body_faults()
        acts = self.respond is not None or self.patch is not None or self.delay or self.limit
        if not (faults or acts):
            names = ", ".join(BODY_FAULTS)
            yield (), f"a fault needs one of respond, patch, delay, limit, {names}, deliver, late"
        for other in faults[1:]:
            yield (other,), f"cannot be combined with {faults[0]}"
        if self.drop and self.respond is not None:
            yield ("respond",), "cannot be combined with drop"
        others = {"respond": self.respond, "limit": self.limit, "drop": self.drop or None}
        if self.patch is not None:
            for name in (name for name, given in others.items() if given is not None):
                yield ("patch",), f"cannot be combined with {name}"
        for place, response in self._responses():
            if response.lacks_status() and self.limit is None:
                yield place, "needs a status"

    def _responses(self) -> list[tuple[tuple[str | int, ...], ResponseModel]]:
        if isinstance(self.respond, list):
            return [(("respond", number), each) for number, each in enumerate(self.respond)]
        return [] if self.respond is None else [(("respond",), self.respond)]

    def _body_faults(self) -> list[BodyFault]:
        return [name for name in BODY_FAULTS if getattr(self, name)]


def fault_from(model: FaultModel, place: str) -> Fault:
    """Convert to a fault without a key, for ``keyed``. ``place`` is "file:line", for messages."""
    limit = model.limit
    responses = [response.to_engine() for _, response in model._responses()]
    return Fault(
        key="",
        when=model.when.to_engine(),
        times=model.times,
        skip=model.skip,
        every=model.every,
        respond=next(iter(responses), None),
        delay=model.delay,
        body=next(iter(model._body_faults()), None),
        slow=model.slow,
        limit=None if limit is None else Limit(limit.requests, limit.per),
        place=place,
        later=tuple(responses[1:]),
        patch=None if model.patch is None else model.patch.to_engine(),
        sent=model.when.to_sent(),
        delivery=_delivery(model),
    )


def _delivery(model: FaultModel) -> DeliveryPattern | None:
    if not model._of_webhooks():
        return None
    when = model.when
    return DeliveryPattern(when.events(), when.status, model.deliver, model.late)


def keyed(declared: Iterable[Declared], prefix: str = "") -> tuple[Declared, ...]:
    """Give each rule or fault a key made of its content, not of its place.

    So its counters survive edits of the lines around it, and start anew when it is edited itself.
    """
    equal: Counter[str] = Counter()
    found = []
    for each in declared:
        content = sha256(repr(replace(each, place="")).encode()).hexdigest()[:12]
        equal[content] += 1
        number = f"-{equal[content]}" if equal[content] > 1 else ""
        found.append(replace(each, key=f"{prefix}{content}{number}"))
    return tuple(found)
