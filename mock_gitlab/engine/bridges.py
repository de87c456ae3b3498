"""How far bridges may go in starting pipelines that start pipelines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from .failures import FailureReason

_DEEPEST = 20
_ROUNDS = 2
LARGEST_FAMILY = 1000
"""The most pipelines that may hang together, as in GitLab."""


def out_of_reach(ancestry: Sequence[Hashable]) -> FailureReason | None:
    """Name what keeps the bridges of a pipeline from starting others, as a failure_reason.

    ``ancestry`` says of the pipeline and of those above it where they run and what they follow.
    One that comes round for the third time goes round in a circle.
    """
    if len(ancestry) > _DEEPEST:
        return "reached_max_descendant_pipelines_depth"
    if max(Counter(ancestry).values(), default=0) > _ROUNDS:
        return "pipeline_loop_detected"
    return None
