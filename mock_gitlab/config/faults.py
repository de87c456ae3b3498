"""The models of faults and answers, their conversion to the engine's, and the keys of both."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator

from mock_gitlab.engine.matching import (
    BODY_FAULTS,
    LIMIT_EXCEEDED,
    BodyFault,
    Fault,
    Limit,
    RequestPattern,
    Response,
    Rule,
)

from .fields import (
    WHOLE,
    AnyJson,
    DurationField,
    Matching,
    OperationName,
    ProjectName,
    StrictModel,
    Text,
    TextOrNumber,
    Violation,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Declared = TypeVar("Declared", Rule, Fault)


def _in_any_case(name: str) -> str:
    return "".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in name)


_HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
_FRAMING = "|".join(map(_in_any_case, ("content-length", "transfer-encoding")))
HeaderName = Annotated[
    Text,
    Matching(f"^{_HEADER_NAME}", "is not a valid header name"),
    Matching(f"^(?!(?:{_FRAMING})$){_HEADER_NAME}", "is set by the server, from the body"),
]


class ResponseModel(StrictModel):
    """An answer that is sent instead of the usual one."""

    status: Annotated[int, Field(ge=200, le=599), WHOLE] = Field(
        LIMIT_EXCEEDED.status,
        description="The HTTP status; it may be left out only beside limit.",
        examples=[503],
    )
    headers: dict[
        HeaderName,
        Annotated[
            TextOrNumber, Matching(r"^[\t\x20-\x7e\xa0-\xff]*$", "is not a valid header value")
        ],
    ] = Field({}, description="The headers.", examples=[{"Retry-After": "1"}])
    body: AnyJson = Field(
        None,
        description="The body: text is sent as it is, anything else as JSON.",
        examples=[{"message": "503 Service Unavailable"}],
    )

    def to_engine(self) -> Response:
        """Convert to the engine's type. Without status and body it is the answer of a limit."""
        usual = self.lacks_status() and self.body is None
        body = LIMIT_EXCEEDED.body if usual else self.body
        return Response(self.status, tuple(self.headers.items()), body)

    def lacks_status(self) -> bool:
        """Return whether the status was left out."""
        return "status" not in self.model_fields_set


PathGlob = Annotated[
    Text,
    Matching(r"^[^?]*$", "must be a path without a query, which no fault can tell apart"),
    Matching(r"^/(?!api/v4(/|$))[^?]*$", 'must be a path that begins with "/", without "/api/v4"'),
]
"""A glob on the path of a request."""


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
    operation: OperationName | None = Field(
        None, description="The operation's id in the OpenAPI document.", examples=["get_pipeline"]
    )
    project: ProjectName | None = Field(
        None, description="Id, path or glob of paths.", examples=["group/*", 42]
    )

    def to_engine(self) -> RequestPattern:
        """Convert to the engine's type."""
        return RequestPattern(self.method, self.path, self.operation, self.project)


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


class FaultModel(StrictModel):
    """What goes wrong with the requests that match."""

    when: RequestWhenModel = Field(
        RequestWhenModel.model_validate({}),
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
    respond: ResponseModel | None = Field(
        None,
        description="The answer that is sent instead of the usual one.",
        examples=[{"status": 503}],
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
    limit: LimitModel | None = Field(
        None,
        description="Applies only to requests beyond this rate.",
        examples=[{"requests": 10, "per": "60s"}],
    )

    @model_validator(mode="after")
    def _contradictions(self) -> Self:
        refuse(self, self._found())
        return self

    def _found(self) -> Iterator[Violation]:
        faults = self._body_faults()
        if not (faults or self.respond is not None or self.delay or self.limit):
            yield (), f"a fault needs one of respond, delay, limit, {', '.join(BODY_FAULTS)}"
        for other in faults[1:]:
            yield (other,), f"cannot be combined with {faults[0]}"
        if self.drop and self.respond is not None:
            yield ("respond",), "cannot be combined with drop"
        if self.respond is not None and self.respond.lacks_status() and self.limit is None:
            yield ("respond",), "needs a status"

    def _body_faults(self) -> list[BodyFault]:
        return [name for name in BODY_FAULTS if getattr(self, name)]


def fault_from(model: FaultModel, place: str) -> Fault:
    """Convert to a fault without a key, for ``keyed``. ``place`` is "file:line", for messages."""
    limit = model.limit
    return Fault(
        key="",
        when=model.when.to_engine(),
        times=model.times,
        skip=model.skip,
        every=model.every,
        respond=None if model.respond is None else model.respond.to_engine(),
        delay=model.delay,
        body=next(iter(model._body_faults()), None),
        slow=model.slow,
        limit=None if limit is None else Limit(limit.requests, limit.per),
        place=place,
    )


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
