"""Read ``.gitlab-ci.yml``: YAML 1.1 as GitLab's Ruby reads it, with ``!reference`` and places.

It is not the YAML of this mock's own files, which is 1.2, has no tags and inserts variables. Here
``yes`` is true and ``010`` is 8, ``<<`` overwrites the keys above it, the last of equal keys wins,
and a header may stand above ``---``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from yaml.constructor import SafeConstructor

from .places import CannotImport, Place, short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LARGEST_FILES = 8 * 1024 * 1024
"""The most bytes of all files of a pipeline together."""
DEEPEST = 60
"""The most mappings and lists inside one another."""
VALUES_LIMIT = 200_000
"""The most values in one file, each alias counted as what it stands for."""
_LONGEST_NUMBER = 100
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"


class YamlMap(dict[str, Any]):
    """A mapping that knows its place and those of its keys. It is never changed once it is read."""

    def __init__(self, place: Place, pairs: Iterable[tuple[str, Any, Place]] = ()) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, Place] = {}
        for key, value, at in pairs:
            self.put(key, value, at)

    def put(self, key: str, value: Any, place: Place) -> None:
        """Set a key, which moves to the end as little as in any dict."""
        self[key] = value
        self.places[key] = place

    def put_all(self, other: YamlMap) -> None:
        """Set all keys of another mapping."""
        for key, value in other.items():
            self.put(key, value, other.places[key])

    def place_of(self, key: str) -> Place:
        """Return the place of a key, or of the mapping."""
        return self.places.get(key, self.place)

    def copied(self) -> YamlMap:
        """Make a mapping with the same keys and values."""
        made = YamlMap(self.place)
        made.put_all(self)
        return made


class YamlList(list[Any]):
    """A list that knows its place and those of its items."""

    def __init__(self, place: Place, items: Iterable[tuple[Any, Place]] = ()) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []
        for value, at in items:
            self.append(value)
            self.places.append(at)


@dataclass(frozen=True, slots=True)
class Reference:
    """``!reference [job, key, ...]``."""

    path: tuple[str, ...]
    place: Place


def place_of(value: Any, default: Place) -> Place:
    """Return the place of a mapping, a list or a reference, or else the default."""
    return getattr(value, "place", default)


def check_size(value: Any, place: Place) -> None:
    """Refuse what has grown too large or too deep, with all that is shared counted each time.

    Raises:
        CannotImport: it has.
    """
    sizes: dict[int, tuple[int, int]] = {}

    def measure(each: Any) -> tuple[int, int]:
        if not isinstance(each, dict | list):
            return 1, 0
        if id(each) not in sizes:
            below = each.values() if isinstance(each, dict) else each
            size, depth = 1, 0
            for more, deep in map(measure, below):
                size, depth = size + more, max(depth, deep + 1)
            sizes[id(each)] = size, depth
        if sizes[id(each)][0] > VALUES_LIMIT or sizes[id(each)][1] > 2 * DEEPEST:
            what = f"inputs and references make more than {VALUES_LIMIT:,} values, or too deep ones"
            raise CannotImport(place_of(each, place), what)
        return sizes[id(each)]

    measure(value)


def read(raw: bytes, file: str) -> tuple[YamlMap | None, YamlMap]:
    """Read a file: its header, if there is one, and its content.

    Raises:
        CannotImport: it is not what GitLab reads.
    """
    text = _decode(raw, file)
    try:
        _check_depth(text, file)
        loader = _LOADER(text)
        nodes = []
        while loader.check_node():
            nodes.append(loader.get_node())
    except yaml.YAMLError as error:
        raise _syntax(error, file) from None
    values = [_content(node, file) for node in nodes]
    if len(values) > 1 and "spec" not in values[0]:
        where = f"{file} has a second document, but the first has no spec"
        raise CannotImport(values[1].place, where)
    if len(values) > 2:
        raise CannotImport(values[2].place, "a third document begins here; a file holds two")
    if len(values) == 2:
        return values[0], values[1]
    if values and set(values[0]) == {"spec"}:
        return values[0], YamlMap(values[0].place)
    return None, values[0] if values else YamlMap(Place(file))


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise CannotImport(place, f"the byte 0x{raw[error.start]:02x} is not UTF-8") from None


def _check_depth(text: str, file: str) -> None:
    """Refuse deep nesting before the recursion of the composer meets it."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise CannotImport(_place(event, file), f"more than {DEEPEST} levels of nesting")


def _syntax(error: yaml.YAMLError, file: str) -> CannotImport:
    mark = getattr(error, "problem_mark", None)
    if mark is None:  # a character that YAML forbids
        return CannotImport(Place(file), f"this is not YAML: {error}".partition("\n")[0])
    what = f"this is not YAML: {getattr(error, 'problem', error)}"
    return CannotImport(Place(file, mark.line + 1, mark.column + 1), what)


def _place(marked: Any, file: str) -> Place:
    return Place(file, marked.start_mark.line + 1, marked.start_mark.column + 1)


def _content(node: yaml.Node, file: str) -> YamlMap:
    value = _Converter(file).value(node)
    if value is None:
        return YamlMap(_place(node, file))
    if not isinstance(value, YamlMap):
        raise CannotImport(_place(node, file), "the file must be a mapping of keys and jobs")
    return value


class _Converter:
    """Turns the nodes of a file into values; an alias gives the value that it stands for."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._made: dict[int, tuple[Any, int]] = {}
        self._open: set[int] = set()
        self._constructor = SafeConstructor()

    def value(self, node: yaml.Node) -> Any:
        """Convert a node."""
        return self._sized(node)[0]

    def _sized(self, node: yaml.Node) -> tuple[Any, int]:
        known = self._made.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open:
            raise CannotImport(_place(node, self._file), "this contains itself")
        self._open.add(id(node))
        made = self._convert(node)
        self._open.discard(id(node))
        if made[1] > VALUES_LIMIT:
            what = f"this has more than {VALUES_LIMIT:,} values, with all that aliases stand for"
            raise CannotImport(_place(node, self._file), what)
        self._made[id(node)] = made
        return made

    def _convert(self, node: yaml.Node) -> tuple[Any, int]:
        if isinstance(node, yaml.MappingNode):
            self._refuse_tag(node, "map")
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            if node.tag == "!reference":
                return self._reference(node), 1
            self._refuse_tag(node, "seq")
            return self._list(node)
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node), 1

    def _refuse_tag(self, node: yaml.Node, expected: str) -> None:
        if node.tag not in (f"{_TAG}{expected}", "!"):
            tag = short(str(node.tag).replace(_TAG, "!!"))
            raise CannotImport(_place(node, self._file), f"GitLab does not know the tag {tag}")

    def _list(self, node: yaml.SequenceNode) -> tuple[YamlList, int]:
        made, size = YamlList(_place(node, self._file)), 1
        for item in node.value:
            value, more = self._sized(item)
            made.append(value)
            made.places.append(_place(item, self._file))
            size += more
        return made, size

    def _reference(self, node: yaml.SequenceNode) -> Reference:
        steps = [self.value(item) for item in node.value]
        place = _place(node, self._file)
        if not steps or not all(isinstance(step, str) for step in steps):
            raise CannotImport(place, "!reference needs a list of names, such as [.job, script]")
        return Reference(tuple(steps), place)

    def _mapping(self, node: yaml.MappingNode) -> tuple[YamlMap, int]:
        made, size = YamlMap(_place(node, self._file)), 1
        for key, below in node.value:
            place = _place(key, self._file)
            if not isinstance(key, yaml.ScalarNode):
                raise CannotImport(place, "a key must be text")
            value, more = self._sized(below)
            size += more
            if key.tag == f"{_TAG}merge":
                self._merge(made, value, _place(below, self._file))
            else:
                made.put(key.value, value, place)
        return made, size

    def _merge(self, made: YamlMap, value: Any, place: Place) -> None:
        """Merge where ``<<`` stands; of a list of mappings the first wins."""
        sources = value[::-1] if isinstance(value, YamlList) else [value]
        for source in sources:
            if not isinstance(source, YamlMap):
                raise CannotImport(place, '"<<" needs a mapping or a list of mappings')
            made.put_all(source)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        kind = str(node.tag).removeprefix(_TAG)
        if kind in ("str", "value", "merge", "!"):
            return node.value
        if kind == "null":
            return None
        convert = _SCALARS.get(kind)
        if convert is None or len(node.value) > _LONGEST_NUMBER:
            self._refuse_scalar(node, kind)
        assert convert is not None
        try:
            return convert(self._constructor, node)
        except (ValueError, KeyError):
            return node.value

    def _refuse_scalar(self, node: yaml.ScalarNode, kind: str) -> None:
        place, text = _place(node, self._file), short(node.value)
        if kind == "timestamp":
            raise CannotImport(place, f'GitLab refuses a date; quote it: "{text}"')
        if kind in _SCALARS:
            raise CannotImport(place, f"the number {text} is too long; quote it if it is text")
        raise CannotImport(place, f"GitLab does not know the tag {short(str(node.tag))}")


_SCALARS: Mapping[str, Callable[[SafeConstructor, yaml.ScalarNode], Any]] = {
    "bool": SafeConstructor.construct_yaml_bool,
    "int": SafeConstructor.construct_yaml_int,
    "float": SafeConstructor.construct_yaml_float,
}
