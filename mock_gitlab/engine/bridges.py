"""GitLab's limits for pipelines that start pipelines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from .failures import FailureReason

_DEEPEST = 20
_ROUNDS = 2
DEEPEST_CHILD = 2
"""How many levels of child pipelines there may be below their topmost parent."""
LARGEST_FAMILY = 1000
"""The most pipelines in one hierarchy."""


def out_of_reach(ancestry: Sequence[Hashable]) -> FailureReason | None:
    """Return why the bridges of a pipeline cannot start others; None if they can.

    ``ancestry`` identifies the pipeline and those above it by project, ref and scenario. A pipeline
    that appears there for the third time is in a loop.
    """
    if len(ancestry) > _DEEPEST:
        return "reached_max_descendant_pipelines_depth"
    if max(Counter(ancestry).values(), default=0) > _ROUNDS:
        return "pipeline_loop_detected"
    return None
