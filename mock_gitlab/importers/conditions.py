"""Decide whether a rule holds: ``if``, ``changes`` and ``exists``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .document import YamlList, YamlMap, place_of
from .expressions import BadExpression, holds, parse, variables_of
from .globs import matches
from .places import CannotImport, NoPipeline, Notes, Place, short
from .variables import UNKNOWN, Request, Variables, predefined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .repository import Repository

_NESTED_LIMIT = 10
"""The most lists inside one another in rules, as in GitLab."""
_WITHOUT_DIFF = frozenset({"api", "chat", "pipeline", "schedule", "trigger", "web"})
"""Sources whose pipelines have nothing to compare with, so all counts as changed."""


@dataclass(slots=True)
class Situation:
    """What rules are decided by: the pipeline asked for, the files, and where notes go.

    ``incomplete`` is set once an include is not read. What is missing then is noted, not refused.
    """

    request: Request
    repository: Repository
    notes: Notes
    changes_asked: bool = False
    incomplete: bool = False
    _asked: set[str] = field(default_factory=set)

    def variables(self) -> Variables:
        """Give the predefined variables."""
        return predefined(self.request)

    def missing(self, place: Place, what: str) -> None:
        """Note what may stand in a file that is not read.

        Raises:
            CannotImport: all files are read, so it stands nowhere.
        """
        if not self.incomplete:
            raise CannotImport(place, what)
        self.notes.add(place, f"{what}: it may be in a file that is not read")

    def evaluate(self, text: Any, variables: Variables, place: Place) -> bool:
        """Evaluate an expression, and note the variables that nothing sets.

        Raises:
            CannotImport: GitLab refuses it.
        """
        if not isinstance(text, str):
            raise CannotImport(place, "if must be text")
        try:
            for name in variables_of(parse(text)):
                self._ask(name, variables, place)
            return holds(text, variables.values)
        except BadExpression as error:
            raise CannotImport(place, f"{short(text)}: {error}") from None

    def _ask(self, name: str, variables: Variables, place: Place) -> None:
        if name in variables.values or name in self._asked or self._absent(name):
            return
        self._asked.add(name)
        why = "GitLab sets it, but it is not known here" if name in UNKNOWN else "nothing sets it"
        self.notes.add(place, f"${name} counts as null: {why}; say --var {name}=...")

    def _absent(self, name: str) -> bool:
        """Return whether the kind of pipeline is why there is no such variable."""
        if name in ("CI_COMMIT_TAG", "CI_COMMIT_BRANCH"):
            return True
        of_merge_request = name.startswith("CI_MERGE_REQUEST_") or name == "CI_OPEN_MERGE_REQUESTS"
        return of_merge_request and not self.request.merge_request

    def changed(self, globs: list[str], variables: Variables, *, compared: bool = False) -> bool:
        """Return whether a changed path matches; what is not known counts as changed."""
        request = self.request
        source = request.origin or request.source
        no_diff = not compared and (request.tag or source in _WITHOUT_DIFF)
        if request.changed is None:
            self.changes_asked = self.changes_asked or not no_diff
            return True
        if no_diff:
            return True
        wanted = [variables.expand(glob) for glob in globs]
        return any(matches(glob, path) for path in request.changed for glob in wanted)

    def exists(self, globs: list[str], variables: Variables, place: Place) -> bool:
        """Return whether there is a file that matches."""
        if any(self.repository.find(variables.expand(glob)) for glob in globs):
            return True
        if self.repository.whole:
            return False
        self.notes.add(place, "exists: too many files to look at all of them; counts as true")
        return True


def first_match(rules: Any, variables: Variables, situation: Situation, place: Place) -> Any:
    """Give the first rule that holds, or None.

    Raises:
        CannotImport: a rule is not as GitLab wants it.
    """
    for rule in rules_in(rules, place):
        if rule_holds(rule, variables, situation):
            return rule
    return None


def rules_in(rules: Any, place: Place, depth: int = 0) -> Iterator[YamlMap]:
    """List rules, also those of lists inside the list.

    Raises:
        CannotImport: they are not a list of mappings, or too deep.
    """
    if not isinstance(rules, YamlList):
        raise CannotImport(place_of(rules, place), "rules must be a list")
    if depth > _NESTED_LIMIT:
        raise CannotImport(rules.place, f"rules are nested more than {_NESTED_LIMIT} times")
    for rule, at in zip(rules, rules.places, strict=True):
        if isinstance(rule, YamlList):
            yield from rules_in(rule, at, depth + 1)
        elif isinstance(rule, YamlMap):
            yield rule
        else:
            raise CannotImport(at, "a rule must be a mapping with if, changes, exists or when")


def rule_holds(rule: YamlMap, variables: Variables, situation: Situation) -> bool:
    """Return whether all conditions of a rule are met."""
    if rule.get("if") is not None and not situation.evaluate(
        rule["if"], variables, rule.place_of("if")
    ):
        return False
    if rule.get("changes") is not None and not _changes(rule, variables, situation):
        return False
    return rule.get("exists") is None or _exists(rule, variables, situation)


def _changes(rule: YamlMap, variables: Variables, situation: Situation) -> bool:
    written, place = rule["changes"], rule.place_of("changes")
    if isinstance(written, YamlMap):
        paths = texts(written.get("paths"), "changes:paths", place)
        return situation.changed(paths, variables, compared="compare_to" in written)
    return situation.changed(texts(written, "changes", place), variables)


def _exists(rule: YamlMap, variables: Variables, situation: Situation) -> bool:
    written, place = rule["exists"], rule.place_of("exists")
    if isinstance(written, YamlMap):
        if written.get("project") is not None:
            situation.notes.add(place, "exists: the files of another project; counts as true")
            return True
        written = written.get("paths")
    return situation.exists(texts(written, "exists", place), variables, place)


def texts(written: Any, what: str, place: Place) -> list[str]:
    """Read a text, or a list of texts that may hold lists.

    Raises:
        CannotImport: it is something else.
    """
    if isinstance(written, str):
        return [written]
    if isinstance(written, YamlList):
        pairs = zip(written, written.places, strict=True)
        return [text for each, at in pairs for text in texts(each, what, at)]
    raise CannotImport(place, f"{what} must be text or a list of texts")


def workflow_variables(
    workflow: Any, variables: Variables, situation: Situation, place: Place
) -> Any:
    """Decide ``workflow:rules``; give the ``variables`` of the rule that holds.

    Raises:
        NoPipeline: the rules let no pipeline be.
        CannotImport: the workflow is not as GitLab wants it.
    """
    if workflow is None:
        return None
    if not isinstance(workflow, YamlMap):
        raise CannotImport(place, "workflow must be a mapping")
    if workflow.get("rules") is None:
        return None
    at = workflow.place_of("rules")
    rule = first_match(workflow["rules"], variables, situation, at)
    if rule is None:
        raise NoPipeline(at, "no pipeline: no rule of the workflow holds")
    when = rule.get("when")
    if when == "never":
        raise NoPipeline(rule.place, "no pipeline: this rule of the workflow says never")
    if when not in (None, "always"):
        raise CannotImport(rule.place_of("when"), "when of the workflow must be always or never")
    return rule.get("variables")
