"""What may be written of rules and faults; each knows its noun."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import Discriminator, Field, Tag, model_validator

from mock_gitlab.engine.matching import (
    BODY_FAULTS,
    BodyFault,
    Fault,
    Limit,
    RequestPattern,
    Response,
    Rule,
    TriggerPattern,
)
from mock_gitlab.engine.sources import Source

from .fields import (
    WHOLE,
    AnyJson,
    DurationField,
    Glob,
    GlobOrNumber,
    Matching,
    Name,
    OperationName,
    ProjectName,
    ScenarioNumber,
    StrictModel,
    Text,
    TextOrNumber,
    Violation,
    WantedJson,
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
    """An answer in place of the usual one."""

    status: Annotated[int, Field(ge=200, le=599), WHOLE] = Field(
        200, description="The HTTP status.", examples=[503]
    )
    headers: dict[
        HeaderName,
        Annotated[TextOrNumber, Matching(r"^[\t\x20-\x7e\xa0-\xff]*$", "is not a valid header value")],
    ] = Field({}, description="Headers.", examples=[{"Retry-After": "1"}])
    body: AnyJson = Field(
        None,
        description="The body: text as it is, anything else as JSON.",
        examples=[{"message": "503 Service Unavailable"}],
    )

    def to_engine(self) -> Response:
        """Make what the engine knows."""
        return Response(self.status, tuple(self.headers.items()), self.body)


def _one_or_list(value: Any) -> str:
    return "~list" if isinstance(value, list) else "~one"


Sources = Annotated[
    Annotated[Source, Tag("~one")] | Annotated[list[Source], Tag("~list"), Field(min_length=1)],
    Discriminator(_one_or_list),
]
Scenarios = Annotated[
    Annotated[ScenarioNumber, Tag("~one")]
    | Annotated[list[ScenarioNumber], Tag("~list"), Field(min_length=1)],
    Discriminator(_one_or_list),
]


def _present_or_text(value: Any) -> str:
    return "~present" if isinstance(value, bool) else "~text"


Wanted = Annotated[
    Annotated[bool, Tag("~present")] | Annotated[GlobOrNumber, Tag("~text")],
    Discriminator(_present_or_text),
]


class TriggerWhenModel(StrictModel):
    """Which new pipelines a rule is for; what is left out may be anything."""

    project: ProjectName | None = Field(
        None, description="Number, path or glob of paths.", examples=["group/*", 42]
    )
    ref: Glob | None = Field(
        None, description="Glob or /regular expression/.", examples=["release/*", "/^v[0-9]+$/"]
    )
    variables: dict[Name, Wanted] = Field(
        {},
        description="Globs or /regular expressions/; true: present, false: absent.",
        examples=[{"DEPLOY_ENV": "prod", "DEBUG": False}],
    )
    source: Sources | None = Field(None, description="What started it.", examples=["trigger"])
    username: Glob | None = Field(None, description="Glob or /regular expression/.")
    inputs: dict[Name, WantedJson] = Field(
        {}, description="Values that the inputs have; globs for text; true: present, false: absent."
    )

    def to_engine(self) -> TriggerPattern:
        """Make what the engine knows."""
        source = (self.source,) if isinstance(self.source, str) else self.source
        return TriggerPattern(
            project=self.project,
            ref=self.ref,
            variables=tuple(self.variables.items()),
            source=None if source is None else tuple(source),
            username=self.username,
            inputs=tuple(self.inputs.items()),
        )


class RuleModel(StrictModel):
    """What a new pipeline that matches gets; the first rule that matches decides."""

    when: TriggerWhenModel = Field(
        TriggerWhenModel.model_validate({}), description="What it matches; left out: everything."
    )
    scenario: Scenarios | None = Field(
        None,
        description="The scenario, or several in turn, of which the last repeats.",
        examples=[900, [902, 902, 1]],
    )
    cycle: bool = Field(False, description="Whether several scenarios start over at the end.")
    variables: dict[Name, TextOrNumber] = Field({}, description="Variables that it gets besides.")
    name: Name | None = Field(None, description="The name that it gets.")
    respond: ResponseModel | None = Field(
        None, description="Refuses the pipeline with this answer.", examples=[{"status": 400}]
    )

    @model_validator(mode="after")
    def _contradictions(self) -> Self:
        refuse(self, self._found())
        return self

    def _found(self) -> Iterator[Violation]:
        if self.cycle and not isinstance(self.scenario, list):
            yield ("cycle",), "needs a list of scenarios"
        for other in ("scenario", "variables", "name"):
            if self.respond is not None and getattr(self, other):
                yield (other,), "cannot be combined with respond"


PathGlob = Annotated[
    Text,
    Matching(r"^/(?!api/v4(/|$)).*$", 'must be a path that begins with "/", without "/api/v4"'),
]
"""A glob on the path of a call."""


class RequestWhenModel(StrictModel):
    """Which calls a fault is for; what is left out may be anything."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] | None = Field(
        None, description="The HTTP method."
    )
    path: PathGlob | None = Field(
        None,
        description="Glob on the path without /api/v4: * stays between slashes, ** does not.",
        examples=["/projects/*/pipelines/*"],
    )
    operation: OperationName | None = Field(
        None, description="The name of a call in the OpenAPI document.", examples=["get_pipeline"]
    )
    project: ProjectName | None = Field(
        None, description="Number, path or glob of paths.", examples=["group/*", 42]
    )

    def to_engine(self) -> RequestPattern:
        """Make what the engine knows."""
        return RequestPattern(self.method, self.path, self.operation, self.project)


class LimitModel(StrictModel):
    """A rate limit, in the time of the mock's clock."""

    requests: Annotated[int, Field(ge=0), WHOLE] = Field(
        description="How many calls may pass.", examples=[10]
    )
    per: DurationField = Field(description="In each span of this length.", examples=["60s"])

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        refuse(self, [] if self.per else [(("per",), "must be longer than 0 seconds")])
        return self


class FaultModel(StrictModel):
    """What goes wrong with the calls that match."""

    when: RequestWhenModel = Field(
        RequestWhenModel.model_validate({}), description="What it matches; left out: every call."
    )
    times: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        None, description="How often it strikes; left out: without end.", examples=[2]
    )
    skip: Annotated[int, Field(ge=0), WHOLE] = Field(0, description="How many calls pass before.")
    every: Annotated[int, Field(ge=1), WHOLE] = Field(1, description="Strikes every so many calls.")
    respond: ResponseModel | None = Field(
        None, description="The answer in place of the usual one.", examples=[{"status": 503}]
    )
    delay: DurationField = Field(
        0, description="Real time that passes before the answer.", examples=["1.5s"]
    )
    drop: bool = Field(False, description="Closes the connection without an answer.")
    truncate: bool = Field(False, description="Cuts the body in half.")
    slow: DurationField = Field(
        0, description="Real time over which the body is spread.", examples=["10s"]
    )
    malformed: bool = Field(False, description="Spoils the JSON of the body.")
    limit: LimitModel | None = Field(
        None,
        description="Strikes only calls beyond a rate.",
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

    def _body_faults(self) -> list[BodyFault]:
        return [name for name in BODY_FAULTS if getattr(self, name)]


def rule_from(model: RuleModel, place: str) -> Rule:
    """Make the engine's rule, for ``keyed``; ``place`` is "file:line" for people."""
    scenario = model.scenario
    return Rule(
        key="",
        when=model.when.to_engine(),
        scenarios=(scenario,) if isinstance(scenario, int) else tuple(scenario or ()),
        cycle=model.cycle,
        variables=tuple(model.variables.items()),
        name=model.name,
        respond=None if model.respond is None else model.respond.to_engine(),
        place=place,
    )


def fault_from(model: FaultModel, place: str) -> Fault:
    """Make the engine's fault, for ``keyed``; ``place`` is "file:line" for people."""
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
    """Give rules or faults keys made of what they say, not of where they stand.

    What is counted under its key outlives edits around it, and ends with an edit of itself.
    """
    alike: Counter[str] = Counter()
    found = []
    for each in declared:
        said = sha256(repr(replace(each, place="")).encode()).hexdigest()[:12]
        alike[said] += 1
        number = f"-{alike[said]}" if alike[said] > 1 else ""
        found.append(replace(each, key=f"{prefix}{said}{number}"))
    return tuple(found)
