"""Match the typed inputs of a pipeline with the values that a rule wants.

A form sends every value as text. So text also matches the number or boolean that it writes.
"""

from __future__ import annotations

import re
from typing import Any

from .texts import matches_text

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


def presence(wanted: Any) -> bool | None:
    """Return what ``{present: ...}`` says, or None for a value that the input must have."""
    present = wanted.get("present") if isinstance(wanted, dict) else None
    return present if isinstance(present, bool) else None


def matches_input(wanted: Any, got: Any) -> bool:
    """Match an input with the value that is wanted; text is a glob or a regular expression."""
    if isinstance(wanted, str) and isinstance(got, str):
        return matches_text(wanted, got)
    return _equal(wanted, got)


def _equal(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, bool):
        return got is wanted or got == str(wanted).lower()
    if isinstance(wanted, int | float):
        return _number(got) == wanted
    if isinstance(wanted, list):
        return isinstance(got, list) and len(got) == len(wanted) and all(map(_equal, wanted, got))
    if isinstance(wanted, dict):
        return (
            isinstance(got, dict)
            and got.keys() == wanted.keys()
            and all(_equal(wanted[name], got[name]) for name in wanted)
        )
    return bool(wanted == got)


def _number(got: Any) -> float | None:
    if isinstance(got, str) and _NUMBER.fullmatch(got):
        return float(got)
    return got if isinstance(got, int | float) and not isinstance(got, bool) else None
