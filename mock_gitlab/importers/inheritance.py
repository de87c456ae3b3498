"""Resolve ``!reference`` and ``extends`` in a configuration whose files are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .document import VALUES_LIMIT, Reference, YamlList, YamlMap, check_size, place_of
from .places import CannotImport, short

if TYPE_CHECKING:
    from .conditions import Situation

_EXTENDS_LIMIT = 10
_REFERENCES_LIMIT = 10


def deep_merge(below: YamlMap, above: YamlMap) -> YamlMap:
    """Merge mappings: those inside are merged too, all else of ``above`` replaces."""
    made = below.copied()
    for key, value in above.items():
        old = made.get(key)
        if isinstance(old, YamlMap) and isinstance(value, YamlMap):
            value = deep_merge(old, value)
        made.put(key, value, above.places[key])
    return made


def resolve(configuration: YamlMap, situation: Situation) -> YamlMap:
    """Resolve references, then ``extends``."""
    resolved = _Resolver(configuration, situation).mapping(configuration)
    check_size(resolved, configuration.place)
    return _Extending(resolved, situation).all()


# ---------------------------------------------------------------------------- !reference


class _Missing:
    """What a reference to a file that is not read leads to; it is left out."""


class _Resolver:
    """Puts what a reference leads to where it stands."""

    def __init__(self, root: YamlMap, situation: Situation) -> None:
        self._root = root
        self._situation = situation
        self._made: dict[int, Any] = {}
        self._open: list[Reference] = []

    def mapping(self, written: YamlMap) -> YamlMap:
        """Resolve the values of a mapping."""
        pairs = ((key, self._any(value), written.places[key]) for key, value in written.items())
        return YamlMap(written.place, (pair for pair in pairs if pair[1] is not _Missing))

    def _any(self, value: Any) -> Any:
        if isinstance(value, Reference):
            return self._reference(value)
        if not isinstance(value, YamlMap | YamlList):
            return value
        if id(value) not in self._made:
            made = self.mapping(value) if isinstance(value, YamlMap) else self._list(value)
            self._made[id(value)] = made
        return self._made[id(value)]

    def _list(self, written: YamlList) -> Any:
        pairs = zip(written, written.places, strict=True)
        items = ((self._any(each), at) for each, at in pairs)
        made = YamlList(written.place, (item for item in items if item[0] is not _Missing))
        return made if made or not written else _Missing

    def _reference(self, reference: Reference) -> Any:
        shown = f"!reference [{', '.join(map(short, reference.path))}]"
        if reference in self._open:
            raise CannotImport(reference.place, f"{shown} leads back to itself")
        if len(self._open) >= _REFERENCES_LIMIT:
            what = f"{shown}: more than {_REFERENCES_LIMIT} references one after the other"
            raise CannotImport(reference.place, what)
        self._open.append(reference)
        value: Any = self._root
        for step in reference.path:
            value = value.get(step) if isinstance(value, YamlMap) else None
            value = self._reference(value) if isinstance(value, Reference) else value
        if value is None or value is _Missing:
            self._situation.missing(reference.place, f"{shown} leads to nothing")
            value = _Missing
        resolved = self._any(value)
        self._open.pop()
        return resolved


# ---------------------------------------------------------------------------- extends


class _Extending:
    """Merges jobs over those that they extend."""

    def __init__(self, root: YamlMap, situation: Situation) -> None:
        self._root = root
        self._situation = situation
        self._made: dict[str, YamlMap] = {}
        self._open: list[str] = []
        self._merged = 0

    def all(self) -> YamlMap:
        """Extend every job."""
        made = YamlMap(self._root.place)
        for name, value in self._root.items():
            extended = self._extended(name) if _extends(value) else value
            made.put(name, extended, self._root.places[name])
        return made

    def _extended(self, name: str) -> YamlMap:
        if name in self._made:
            return self._made[name]
        job: YamlMap = self._root[name]
        place = job.place_of("extends")
        if name in self._open:
            raise CannotImport(place, f"{short(name)}: extends form a circle")
        if len(self._open) >= _EXTENDS_LIMIT:
            raise CannotImport(place, f"{short(name)}: more than {_EXTENDS_LIMIT} extends")
        self._open.append(name)
        merged = YamlMap(job.place)
        for base in self._bases(name, job):
            below = self._root[base]
            merged = deep_merge(merged, self._extended(base) if _extends(below) else below)
        self._open.pop()
        self._made[name] = made = deep_merge(merged, job)
        made.place = self._root.places[name]
        self._merged += len(made)
        if self._merged > VALUES_LIMIT:
            raise CannotImport(place, f"extends merge more than {VALUES_LIMIT:,} values")
        return made

    def _bases(self, name: str, job: YamlMap) -> list[str]:
        written, place = job["extends"], job.place_of("extends")
        bases = [written] if isinstance(written, str) else written
        if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
            raise CannotImport(
                place_of(written, place), "extends must be a name or a list of names"
            )
        found = [base for base in bases if isinstance(self._root.get(base), YamlMap)]
        for base in bases:
            if base not in found:
                what = f"{short(name)} extends {short(base)}, which is no job"
                self._situation.missing(place, what)
        return found


def _extends(value: Any) -> bool:
    return isinstance(value, YamlMap) and value.get("extends") is not None
