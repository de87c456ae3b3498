"""Put a configuration together: includes, ``!reference``, ``extends``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.texts import matches_path

from .conditions import Situation, first_match
from .document import (
    LARGEST_FILES,
    VALUES_LIMIT,
    Reference,
    YamlList,
    YamlMap,
    check_size,
    place_of,
    read,
)
from .inputs import interpolate
from .places import CannotImport, Place, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .variables import Variables

INCLUDES_LIMIT = 150
"""The most files of one pipeline, as in GitLab."""
_EXTENDS_LIMIT = 10
_REFERENCES_LIMIT = 10
_ENDINGS = (".yml", ".yaml")
REMOTE = ("remote", "template", "component", "project", "artifact")
"""What cannot be included from here."""


@dataclass(slots=True)
class _Sources:
    """The files that are read, each with what includes it."""

    situation: Situation
    variables: Variables
    open: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0
    size: int = 0

    def merged(self, path: str, inputs: Mapping[str, Any], place: Place) -> YamlMap:
        """Read a file with all that it includes; what it says itself wins."""
        self.count += 1
        if self.count > INCLUDES_LIMIT:
            raise CannotImport(place, f"more than {INCLUDES_LIMIT} files are included")
        key = (path, json.dumps(inputs, sort_keys=True, default=str))
        if key in self.open:
            way = " -> ".join([*(each for each, _ in self.open), path])
            raise CannotImport(place, f"includes form a circle: {short(way, 300)}")
        self.open.append(key)
        raw = self.situation.repository.read(path, place)
        self.size += len(raw)
        if self.size > LARGEST_FILES:
            raise CannotImport(place, "all files together are too large")
        header, content = read(raw, path)
        content = interpolate(header, content, inputs, self.variables, place)
        check_size(content, place)
        merged = self.includes(content.get("include"), content.place_of("include"))
        self.open.pop()
        return deep_merge(merged, _without(content, "include"))

    def includes(self, written: Any, place: Place) -> YamlMap:
        """Read what ``include`` names, one after the other."""
        merged = YamlMap(place)
        for entry, at in _entries(written, place):
            for path, inputs, where in self._files(entry, at):
                merged = deep_merge(merged, self.merged(path, inputs, where))
        return merged

    def _files(self, entry: Any, place: Place) -> Iterator[tuple[str, Mapping[str, Any], Place]]:
        if isinstance(entry, str):
            kind = "remote" if entry.startswith(("http://", "https://")) else "local"
            entry = YamlMap(place, [(kind, entry, place)])
        if not isinstance(entry, YamlMap):
            raise CannotImport(place, "an include must be text or a mapping")
        if entry.get("rules") is not None and not self._wanted(entry):
            return
        if "local" not in entry:
            self._skip(entry)
            return
        at = entry.place_of("local")
        if not isinstance(entry["local"], str):
            raise CannotImport(at, "local must be text")
        inputs = entry.get("inputs")
        if not isinstance(inputs, YamlMap | None):
            raise CannotImport(entry.place_of("inputs"), "inputs must be a mapping")
        for path in self._paths(self.variables.expand(entry["local"]).lstrip("/"), at):
            yield path, inputs or {}, at

    def _paths(self, path: str, place: Place) -> list[str]:
        """List the files that an include names; ``*`` stops at a slash, ``**`` does not."""
        if "*" not in path:
            if not path.lower().endswith(_ENDINGS):
                raise CannotImport(place, f"{short(path)}: an include ends with .yml or .yaml")
            return [path]
        paths = self.situation.repository.paths
        found = [each for each in paths if matches_path(path, each) and each.endswith(_ENDINGS)]
        if not found:
            self.situation.notes.add(place, f"include: no file matches {short(path)}")
        reading = {each for each, _ in self.open}  # a glob may well match the file that has it
        return [each for each in found if each not in reading]

    def _wanted(self, entry: YamlMap) -> bool:
        place = entry.place_of("rules")
        rule = first_match(entry["rules"], self.variables, self.situation, place)
        return rule is not None and rule.get("when") != "never"

    def _skip(self, entry: YamlMap) -> None:
        kind = next((kind for kind in REMOTE if entry.get(kind) is not None), None)
        if kind is None:
            known = ", ".join(("local", *REMOTE))
            raise CannotImport(entry.place, f"an include needs one of: {known}")
        what = f"include: {kind}: {describe(entry)} is not read, since it is not in these files"
        self.situation.notes.add(entry.place_of(kind), what)
        self.situation.incomplete = True


def describe(entry: YamlMap) -> str:
    """Name what an include that is not local leads to."""
    given = (entry.get(key) for key in (*REMOTE, "file", "ref"))
    parts = [
        ", ".join(map(str, each)) if isinstance(each, list) else str(each)
        for each in given
        if each is not None
    ]
    return short(" ".join(parts), 200)


def _entries(written: Any, place: Place) -> list[tuple[Any, Place]]:
    if written is None:
        return []
    if isinstance(written, YamlList):
        return list(zip(written, written.places, strict=True))
    return [(written, place)]


def _without(mapping: YamlMap, key: str) -> YamlMap:
    pairs = ((name, mapping[name], mapping.places[name]) for name in mapping if name != key)
    return YamlMap(mapping.place, pairs)


def deep_merge(below: YamlMap, above: YamlMap) -> YamlMap:
    """Merge mappings: those inside are merged too, all else of ``above`` replaces."""
    made = below.copied()
    for key, value in above.items():
        old = made.get(key)
        if isinstance(old, YamlMap) and isinstance(value, YamlMap):
            value = deep_merge(old, value)
        made.put(key, value, above.places[key])
    return made


def load(
    path: str, inputs: Mapping[str, Any], situation: Situation, variables: Variables, place: Place
) -> YamlMap:
    """Read a configuration with all its files, references and ``extends`` resolved.

    ``variables`` are those that paths of includes and their rules may use.

    Raises:
        CannotImport: a file is missing, or is not what GitLab reads.
    """
    return resolve(_Sources(situation, variables).merged(path, inputs, place), situation)


def load_includes(
    written: Any,
    inputs: Mapping[str, Any],
    situation: Situation,
    variables: Variables,
    place: Place,
) -> YamlMap:
    """Read the files that ``trigger:include`` names as one configuration.

    Raises:
        CannotImport: a file is missing, or is not what GitLab reads.
    """
    sources = _Sources(situation, variables)
    merged = YamlMap(place)
    for entry, at in _entries(written, place):
        for path, own, where in sources._files(entry, at):
            merged = deep_merge(merged, sources.merged(path, {**inputs, **own}, where))
    return resolve(merged, situation)


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
