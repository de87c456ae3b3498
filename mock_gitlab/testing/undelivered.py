"""Explain which webhooks came near those that a test expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Row = Mapping[str, Any]

_SHOWN = 3


def differences(expected: Row, delivery: Row) -> list[str]:
    """List in words how a delivery differs from what is expected of it."""
    return [
        f"{name}: wanted {wanted!r}, got {delivery[name]!r}"
        for name, wanted in expected.items()
        if delivery[name] != wanted
    ]


def undelivered(expected: Row, every: Sequence[Row], found: int, times: int | None) -> str:
    """Explain why not as many deliveries as expected match; ``times`` of None: at least one."""
    wanted = "at least 1" if times is None else f"exactly {times}"
    head = f"expected {wanted} {expected['event']} with status {expected['status']}, found {found}"
    if not every:
        return f"{head}\nno webhook was delivered: is there a hook that wants these events?"
    too_many = times is not None and found > times
    return "\n".join((head, *(_matched(expected, every) if too_many else _near(expected, every))))


def _matched(expected: Row, every: Sequence[Row]) -> Iterator[str]:
    for each in every:
        if not differences(expected, each):
            yield f"delivered: {delivery_in_words(each)}"


def _near(expected: Row, every: Sequence[Row]) -> Iterator[str]:
    """Show the nearest deliveries; of those that differ in the same way only the newest."""
    alike: dict[tuple[str, ...], list[Row]] = {}
    for each in reversed(every):
        differs = tuple(differences(expected, each))
        if differs:
            alike.setdefault(differs, []).append(each)
    nearest = sorted(alike.items(), key=lambda item: len(item[0]))
    for differs, rows in nearest[:_SHOWN]:
        count = f", the last of {len(rows)}" if len(rows) > 1 else ""
        yield f"near miss: {delivery_in_words(rows[0])}{count}"
        yield from (f"  {difference}" for difference in differs)


def delivery_in_words(delivery: Row) -> str:
    """Write a delivery in one line."""
    job = "" if delivery["job_id"] is None else f", job {delivery['job_id']}"
    fault = "" if delivery["fault"] is None else f", fault {delivery['fault']}"
    answered = delivery["response_status"]
    answer = "" if answered is None else f", answered {answered}"
    return (
        f"{delivery['at']} {delivery['event']} of pipeline {delivery['pipeline_id']}{job}: "
        f"{delivery['status']} ({delivery['state']}{answer}{fault})"
    )
