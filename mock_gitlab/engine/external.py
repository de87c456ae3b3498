"""Statuses of commits: what programs outside say of a commit, and how it counts for its pipeline.

Each call that posts a status is an act. The acts make rows: an act changes the row that it was
posted for, or makes a new one. A row that has ended is never changed again. An act that is not
possible changes nothing: the clock may have been set back since it was recorded.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from .course import visible
from .model import ExternalStatus, PostedState, Scenario, job_id
from .stages import StatusUnion
from .states import OPEN, StatusState
from .statuses import BITS, status_of_bits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .course import Course
    from .model import Action, Instant, PipelineRecord
    from .statuses import PipelineStatus

EXTERNAL = Scenario(scenario_id=-2, name="external")
"""The scenario of a pipeline that only statuses have made: it has no jobs."""
STAGE = "external"
"""The stage of every posted status; it comes after all others."""
STATUSES_LIMIT = 100
"""The most rows of one pipeline, those that its scenario declares and those that were posted."""
DECLARED_LIMIT = 50
"""The most statuses that one scenario declares."""
POSTED_STATES: tuple[PostedState, ...] = get_args(PostedState)
Event = Literal["enqueue", "run", "success", "drop", "cancel", "skip"]
EVENTS: Mapping[PostedState, Event] = {
    "pending": "enqueue",
    "running": "run",
    "success": "success",
    "failed": "drop",
    "canceled": "cancel",
    "skipped": "skip",
}
"""GitLab's name of the step to each state."""
_REFUSED = frozenset(
    (("pending", "pending"), ("running", "pending"), ("running", "running"), ("running", "skipped"))
)
"""The steps that are refused: what a row is, and what is asked for."""


def may_become(state: str, asked: PostedState) -> bool:
    """Return whether an open row can take a step."""
    return (state, asked) not in _REFUSED


class StatusAct(NamedTuple):
    """A status that somebody has posted.

    ``number`` is the row that it was posted for. ``actions_before`` is how many actions on the
    pipeline were recorded before it. What is None stays as the row has it.
    """

    at: Instant
    number: int
    name: str
    state: PostedState
    target_url: str | None = None
    description: str | None = None
    coverage: float | None = None
    actions_before: int = 0


class _Step(NamedTuple):
    """What a row shows from an instant on."""

    at: Instant
    status: PostedState
    target_url: str | None
    description: str | None
    coverage: float | None


class StatusRow:
    """A row and its steps, of which several may be at one instant."""

    __slots__ = ("id", "name", "posted", "retried_at", "steps")

    def __init__(self, number: int, name: str, *, posted: bool, first: _Step) -> None:
        self.id = number
        self.name = name
        self.posted = posted
        self.steps = [first]
        self.retried_at: Instant | None = None

    @property
    def is_open(self) -> bool:
        """Whether its last step leaves it open."""
        return self.steps[-1].status in OPEN

    def instants(self) -> Iterator[Instant]:
        """List the instants of its steps, and that at which a newer row has replaced it."""
        yield from (step.at for step in self.steps)
        if self.retried_at is not None:
            yield self.retried_at

    def at(self, now: Instant) -> StatusState | None:
        """Return its state; None before its creation."""
        past = [step for step in self.steps if step.at <= now]
        if not past:
            return None
        last = past[-1]
        return StatusState(
            self.id,
            self.name,
            last.status,
            past[0].at,
            next((step.at for step in past if step.status == "running"), None),
            last.at if last.status in ("success", "failed", "canceled") else None,
            self.retried_at is not None and self.retried_at <= now,
            last.target_url,
            last.description,
            last.coverage,
            self.posted,
        )


# ---------------------------------------------------------------------------- from acts to rows


class Rows(NamedTuple):
    """The rows of a pipeline in the order of their creation, and the cancels that ended some."""

    rows: tuple[StatusRow, ...] = ()
    ended_by: frozenset[Action] = frozenset()


NO_ROWS = Rows()
"""The rows of most pipelines."""


def rows_of(
    record: PipelineRecord, declared: Iterable[ExternalStatus], posted: Iterable[StatusAct]
) -> Rows:
    """Make the rows of a pipeline.

    A cancel of the pipeline cancels what is open. A new row replaces older ones of its name.
    """
    posted = tuple(posted)
    making = _Making(record, {act.number for act in posted})
    for _, act in _in_order(record, declared, posted):
        making.carry_out(act)
    return Rows(tuple(making.rows), frozenset(making.ended_by))


def _in_order(
    record: PipelineRecord, declared: Iterable[ExternalStatus], posted: Iterable[StatusAct]
) -> list[tuple[tuple[Instant, int], StatusAct | ExternalStatus | Action]]:
    """Put acts and cancels in order, at one instant as they were recorded, declared ones first."""
    found: list[tuple[tuple[Instant, int], StatusAct | ExternalStatus | Action]] = [
        ((record.created_at + each.after, -1), each) for each in declared
    ]
    found += [((act.at, 2 * act.actions_before), act) for act in posted]
    found += [
        ((action.at, 2 * place + 1), action)
        for place, action in enumerate(record.actions)
        if action.name == "cancel" and action.job_id is None
    ]
    return sorted(found, key=lambda each: each[0])


class _Making:
    """The rows of a pipeline while its acts are carried out; ``taken`` are the posted ones."""

    def __init__(self, record: PipelineRecord, taken: set[int]) -> None:
        self._record = record
        # Declared rows are counted from the last number down, since posted ones begin at 0.
        self._free = iter([n for n in reversed(range(STATUSES_LIMIT)) if n not in taken])
        self._by_number: dict[int, StatusRow] = {}
        self._newest: dict[str, StatusRow] = {}  # by name
        self._declared: dict[str, StatusRow] = {}  # the newest of those, by name
        self.rows: list[StatusRow] = []
        self.ended_by: set[Action] = set()

    def carry_out(self, act: StatusAct | ExternalStatus | Action) -> None:
        """Carry out an act, or a cancel of the pipeline."""
        if isinstance(act, StatusAct):
            row = self._by_number.get(act.number)
            self._apply(act, row, act.number, act.at, posted=True)
        elif isinstance(act, ExternalStatus):
            self._declare(act)
        else:
            self._cancel(act)

    def _cancel(self, action: Action) -> None:
        for row in self.rows:
            if row.is_open:
                row.steps.append(row.steps[-1]._replace(at=action.at, status="canceled"))
                self.ended_by.add(action)

    def _declare(self, act: ExternalStatus) -> None:
        row = self._declared.get(act.name)
        if row is not None and not row.is_open:
            row = None
        number = next(self._free, None) if row is None else 0
        if number is not None:  # else the scenario was edited, and declares more than fits in
            self._apply(act, row, number, self._record.created_at + act.after, posted=False)

    def _apply(
        self,
        act: StatusAct | ExternalStatus,
        row: StatusRow | None,
        number: int,
        at: Instant,
        *,
        posted: bool,
    ) -> None:
        step = _Step(at, act.state, act.target_url, act.description, act.coverage)
        if row is None:
            self._add(number, act.name, step, posted=posted)
        elif row.is_open and may_become(row.steps[-1].status, act.state):
            row.steps.append(_over(row.steps[-1], step))

    def _add(self, number: int, name: str, step: _Step, *, posted: bool) -> None:
        if name in self._newest:
            self._newest[name].retried_at = step.at
        row = StatusRow(job_id(self._record.id, 0, number), name, posted=posted, first=step)
        self._by_number[number] = self._newest[name] = row
        self.rows.append(row)
        if not posted:
            self._declared[name] = row


def _over(before: _Step, step: _Step) -> _Step:
    """Keep what a step does not say as it was before."""
    said = {name: value for name, value in step._asdict().items() if value is not None}
    return before._replace(**said)


# ---------------------------------------------------------------------------- the pipeline


def combined(
    course: Course, rows: Sequence[StatusRow], *, alone: bool
) -> tuple[list[Instant], list[PipelineStatus]]:
    """Combine the statuses of a pipeline's jobs with its rows, as GitLab does with a last stage.

    ``alone``: the pipeline has no jobs, so the rows decide.
    """
    steps = list(chain.from_iterable(map(_bits_of, rows)))
    own = [] if alone else zip(course.instants, course.statuses, strict=True)
    steps += _changes((at, BITS[status]) for at, status in own)
    steps.sort(key=lambda step: step[0])
    union = StatusUnion()
    instants, statuses = [course.instants[0]], [course.statuses[0]]
    for at, before, after in steps:
        union.change(before, after)
        instants.append(at)
        statuses.append(status_of_bits(union.bits) or "created")
    return visible(instants, statuses)


def _bits_of(row: StatusRow) -> Iterator[tuple[Instant, int, int]]:
    """List the changes of a row's bit: its instant, the bit before and the bit after."""
    retired = row.retried_at
    bits = [(step.at, BITS[step.status]) for step in row.steps]
    if retired is not None:
        bits = [*bits[: bisect_right(bits, (retired, 0))], (retired, 0)]
    return _changes(bits)


def _changes(bits: Iterable[tuple[Instant, int]]) -> Iterator[tuple[Instant, int, int]]:
    before = 0
    for at, after in bits:
        yield at, before, after
        before = after
