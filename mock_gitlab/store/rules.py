"""The rules that were in force when pipelines were created, each set of them once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mock_gitlab.engine.codec import decode, encode
from mock_gitlab.engine.matching import Rule

from .errors import reading

if TYPE_CHECKING:
    from .database import Database


class _LastWritten:
    """The JSON of the rules that were written last: the worlds of a server share their rules."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[Rule, ...], str] = ((), "[]")

    def text_of(self, rules: tuple[Rule, ...]) -> str:
        kept, text = self._kept
        if kept is not rules:
            text = json.dumps(encode(rules), separators=(",", ":"))
            self._kept = rules, text  # at once: the servers of a process run in several threads
        return text


_last_written = _LastWritten()


class RuleSetTable:
    """Sets of rules by number."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._last: tuple[tuple[Rule, ...], int] | None = None
        self._read: tuple[int, list[Rule]] | None = None
        database.after_every_rollback(self.forget)

    def forget(self) -> None:
        """Forget which sets were used last; their rows may be gone."""
        self._last = self._read = None

    def number_of(self, rules: tuple[Rule, ...]) -> int:
        """Return the number of a set of rules; store the set if it is new."""
        if self._last is None or self._last[0] is not rules:
            self._last = rules, self._find(rules) or self._add(rules)
        return self._last[1]

    def _find(self, rules: tuple[Rule, ...]) -> int | None:
        text = _last_written.text_of(rules)
        row = self._db.one("SELECT id FROM rule_sets WHERE rules_json = ?", (text,))
        return None if row is None else int(row[0])

    def _add(self, rules: tuple[Rule, ...]) -> int:
        text = _last_written.text_of(rules)
        return self._db.insert("INSERT INTO rule_sets (rules_json) VALUES (?)", (text,))

    def rules(self, number: int) -> list[Rule]:
        """List the rules of a set; none for an unknown number."""
        if self._read is None or self._read[0] != number:
            row = self._db.one("SELECT rules_json FROM rule_sets WHERE id = ?", (number,))
            with reading(f"the set of rules {number}"):
                written = [] if row is None else json.loads(row[0])
                self._read = number, [decode(Rule, rule) for rule in written]
        return self._read[1]
