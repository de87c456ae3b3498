"""Put the files of a configuration together, each with what it includes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_gitlab.engine.texts import matches_path

from .conditions import Situation, first_match
from .document import (
    LARGEST_FILES,
    YamlList,
    YamlMap,
    check_size,
    read,
)
from .inheritance import deep_merge, resolve
from .inputs import interpolate, not_read
from .places import CannotImport, Place, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .variables import Variables

INCLUDES_LIMIT = 150
"""The most files of one pipeline, as in GitLab."""
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
        for at, what in not_read(header):
            self.situation.notes.add(at, what)
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
