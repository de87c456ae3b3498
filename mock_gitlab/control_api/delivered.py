"""A delivery of a webhook, as the controls show it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from mock_gitlab.engine.hooks import SENT
from mock_gitlab.engine.instants import timestamp

if TYPE_CHECKING:
    from mock_gitlab.store.hooks import Delivery

Deliver = Literal["all", "last", "none"]
"""Which events of a move go out."""
DELIVER: Deliver = Field(
    "all",
    description="Which webhooks go out: all, the last of each pipeline and job, or none.",
)


class DeliveryRow(TypedDict):
    """A delivery of a webhook. ``response_status`` is None until its receiver has answered.

    ``fault`` is what a fault has done to it.
    """

    id: int
    hook_id: int
    at: str
    event: str
    pipeline_id: int
    job_id: int | None
    status: str
    state: str
    idempotency_key: str
    response_status: int | str | None
    fault: str | None
    payload: dict[str, Any] | Any


def payload_of(delivery: Delivery) -> Any:
    """Read the body of a delivery: None if it has none, text if a template has made no JSON."""
    try:
        return json.loads(delivery.body) if delivery.body else None
    except ValueError:
        return delivery.body


def delivery_row(delivery: Delivery) -> DeliveryRow:
    """Present a delivery."""
    event, response = delivery.event, delivery.response
    return {
        "id": delivery.id,
        "hook_id": event.hook_id,
        "at": timestamp(event.at),
        "event": SENT[event.event],
        "pipeline_id": event.pipeline_id,
        "job_id": event.job_id or None,
        "status": event.status,
        "state": delivery.state,
        "idempotency_key": delivery.key,
        "response_status": None if response is None else response["status"],
        "fault": delivery.fault or ("late" if delivery.due_at > event.at else None),
        "payload": payload_of(delivery),
    }
