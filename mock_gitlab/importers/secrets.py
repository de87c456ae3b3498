"""Take secrets out of texts, and count what was taken out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REMOVED = "[removed]"
_SHORTEST = 6
"""Shorter values of variables, such as ``main`` or ``1``, are words like others in a trace."""
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private keys",
        re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)"),
    ),
    (
        "tokens",
        re.compile(
            r"\bgl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rtr?|soat)-[\w.-]{8,}"
            r"|\bGR1348941[\w-]{8,}|\b(?:gh[opsu]_|xox[abp]-)[\w-]{8,}"
        ),
    ),
    ("tokens", re.compile(r"\bgithub_pat_\w{8,}|\bA[KS]IA[0-9A-Z]{16}\b")),
    ("tokens", re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?")),
    (
        "tokens",
        re.compile(
            r"(?i)(?<=bearer )[\w.~+/=-]{6,}"
            r"|(?<=private-token: )[^\s\"']+|(?<=job-token: )[^\s\"']+"
        ),
    ),
    (
        "passwords",
        re.compile(r"(?<=://)[^\s/:@]{0,100}:[^\s/@]{1,200}(?=@)"),
    ),
    (
        "passwords",
        re.compile(
            r"(?i)(?:(?<=password=)|(?<=passwd=)|(?<=secret=)|(?<=token=)|(?<=api_key=)"
            r"|(?<=password: )|(?<=secret: )|(?<=token: ))(?!\[removed\])[^\s\"'&]+"
        ),
    ),
    (
        "e-mail addresses",
        re.compile(r"[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"),
    ),
)


@dataclass(slots=True)
class Cleaner:
    """Takes secrets out of texts; ``keep`` leaves all as it is."""

    keep: bool = False
    _values: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)

    def learn(self, values: Iterable[str]) -> None:
        """Take these values of variables out of every text, too."""
        long = {value for value in values if len(value) >= _SHORTEST}
        self._values = tuple(sorted({*self._values, *long}, key=len, reverse=True))

    def value(self, text: str) -> str:
        """Replace the value of a variable."""
        if self.keep:
            return text
        self.counts["values of variables"] += 1
        return REMOVED

    def text(self, text: str) -> str:
        """Replace what looks like a secret."""
        if self.keep:
            return text
        for value in self._values:
            self._count("values of variables", text.count(value))
            text = text.replace(value, REMOVED)
        for kind, pattern in _PATTERNS:
            text = pattern.sub(self._replacing(kind), text)
        return text

    def report(self) -> list[str]:
        """Say what was taken out."""
        if self.keep:
            return ["secrets were left in"]
        found = [f"{kind} ({count})" for kind, count in sorted(self.counts.items())]
        return [f"taken out: {', '.join(found)}"] if found else []

    def _count(self, kind: str, number: int) -> None:
        if number:
            self.counts[kind] += number

    def _replacing(self, kind: str) -> Callable[[re.Match[str]], str]:
        def replace(_: re.Match[str]) -> str:
            self.counts[kind] += 1
            return REMOVED

        return replace
