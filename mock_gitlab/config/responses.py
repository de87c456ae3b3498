"""The models of answers, and of changes to them, and the files that answers come from."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from mock_gitlab.engine.matching import LIMIT_EXCEEDED, PRESETS, Patch, Response

from .contents import content_of
from .fields import WHOLE, AnyJson, Matching, Name, StrictModel, Text, TextOrNumber, refuse


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
    headers: dict[HeaderName, HeaderValue] = Field(
        {}, description="The headers.", examples=[{"Retry-After": "1"}]
    )
    body: AnyJson = Field(
        None,
        description="The body: text is sent as it is, anything else as JSON.",
        examples=[{"message": "503 Service Unavailable"}],
    )
    body_file: Name | None = Field(
        None,
        description="The file whose content is the body, as seen from the file that declares it.",
        examples=["answers/report.pdf"],
    )
    preset: Literal["status_conflict"] | None = Field(
        None,
        description="An answer of GitLab's by its name, in place of status and body.",
        examples=["status_conflict"],
    )
    _content: str | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _nothing_beside_a_preset(self) -> Self:
        others = self.model_fields_set & {"status", "body", "body_file"}
        given = [name for name in sorted(others) if getattr(self, name) is not None]
        preset = self.preset is not None
        refuse(self, [((name,), "cannot be combined with preset") for name in given if preset])
        return self

    @model_validator(mode="after")
    def _read_file(self, info: ValidationInfo) -> Self:
        content = content_of(self, "body_file", "body", info)
        self._content = None if content is None else b64encode(content).decode()
        return self

    def to_engine(self) -> Response:
        """Convert to the engine's type. Without status and body it is the answer of a limit."""
        headers = tuple(self.headers.items())
        if self.preset is not None:
            return replace(PRESETS[self.preset], headers=headers)
        usual = self.lacks_status() and self.body is None and self.body_file is None
        body = LIMIT_EXCEEDED.body if usual else self.body
        return Response(self.status, headers, body, self.body_file, self._content)

    def lacks_status(self) -> bool:
        """Return whether the status was left out, and nothing else says what it is."""
        return "status" not in self.model_fields_set and self.preset is None


HeaderValue = Annotated[
    TextOrNumber, Matching(r"^[\t\x20-\x7e\xa0-\xff]*$", "is not a valid header value")
]


class PatchModel(StrictModel):
    """What is changed in the mock's own answer."""

    status: Annotated[int, Field(ge=200, le=599), WHOLE] | None = Field(
        None, description="Another HTTP status.", examples=[202]
    )
    headers: dict[HeaderName, HeaderValue | None] = Field(
        {}, description="Headers to replace or, with null, to remove.", examples=[{"X-Total": None}]
    )
    body: dict[str, AnyJson] | None = Field(
        None,
        description="Keys to replace in the JSON of the body, or in each entry of a list.",
        examples=[{"coverage": 87.5}],
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        given = self.status is not None or self.headers or self.body
        refuse(self, [] if given else [((), "needs one of status, headers, body")])
        return self

    def to_engine(self) -> Patch:
        """Convert to the engine's type."""
        return Patch(self.status, tuple(self.headers.items()), self.body)
