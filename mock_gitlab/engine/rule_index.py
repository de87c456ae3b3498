"""Find the first rule that matches a trigger, without trying those that obviously do not.

Each rule stands under one thing that a trigger must have: a ref, a project, or a variable. A rule
that asks for none of them stands under ``None``. A trigger tries only the rules under what it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .matching import matches
from .texts import is_literal, split_ref

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .matching import Rule, Trigger, TriggerPattern

    Key = tuple[str, str] | None


class RuleIndex:
    """Rules in the order in which they are tried."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._places: dict[Key, list[int]] = {}
        for place, rule in enumerate(self._rules):
            self._places.setdefault(_key_of(rule.when), []).append(place)

    def choose(self, trigger: Trigger) -> Rule | None:
        """Find the first rule that matches a trigger."""
        found = [place for key in _keys_of(trigger) for place in self._places.get(key, ())]
        for place in sorted(found):
            rule = self._rules[place]
            if matches(rule.when, trigger):
                return rule
        return None


def _key_of(pattern: TriggerPattern) -> Key:
    """Name one thing that every trigger has which the pattern matches."""
    ref = None if pattern.ref is None else split_ref(pattern.ref)[0]
    if ref is not None and is_literal(ref):
        return "ref", ref
    if pattern.project is not None and pattern.project.isdecimal():
        return "project", pattern.project.lstrip("0")
    if pattern.project is not None and "*" not in pattern.project:
        return "project", pattern.project
    for name, wanted in pattern.variables:
        if wanted is not False:
            return "variable", name
    return None


def _keys_of(trigger: Trigger) -> list[Key]:
    """Name everything that a trigger has."""
    return [
        None,
        ("ref", split_ref(trigger.ref)[0]),
        ("project", str(trigger.project_id)),
        ("project", trigger.project_path),
        *(("variable", name) for name in trigger.variables),
    ]
