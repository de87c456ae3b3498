"""How long pipelines and jobs stay in the statuses before they run, and after a cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mock_gitlab.engine.model import WAITS

from .fields import DurationField

if TYPE_CHECKING:
    from mock_gitlab.engine.model import Duration

    from .fields import StrictModel

_CREATED = Field(description="How long it stays created before anything happens.")
_RESOURCE = Field(description="How long it waits for a resource.")
_PREPARING = Field(description="How long it is prepared.")
_CALLBACK = Field(description="How long it waits for an answer from outside.")
_RUNNER = Field(description="How long it waits for a runner.")
_CANCELING = Field(description="How long a cancel takes while it runs.")

Created = Annotated[DurationField, _CREATED]
WaitingForResource = Annotated[DurationField, _RESOURCE]
Preparing = Annotated[DurationField, _PREPARING]
WaitingForCallback = Annotated[DurationField, _CALLBACK]
Pending = Annotated[DurationField, _RUNNER]
Canceling = Annotated[DurationField, _CANCELING]
MaybeCreated = Annotated[DurationField | None, _CREATED]
MaybeWaitingForResource = Annotated[DurationField | None, _RESOURCE]
MaybePreparing = Annotated[DurationField | None, _PREPARING]
MaybeWaitingForCallback = Annotated[DurationField | None, _CALLBACK]
MaybePending = Annotated[DurationField | None, _RUNNER]
MaybeCanceling = Annotated[DurationField | None, _CANCELING]


def waits_of(model: StrictModel) -> dict[str, Duration]:
    """Return a model's waits by the names of the engine's fields."""
    return {name: getattr(model, f"{name}_seconds") for name in WAITS}
