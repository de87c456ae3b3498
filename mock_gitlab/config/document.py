"""Read YAML as plain values that know their file, line and column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from .diagnostics import (
    MISTAKES_LIMIT,
    ConfigurationError,
    Document,
    Entry,
    Mistake,
    Node,
    short,
    where,
)
from .scalars import (
    BadScalar,
    interpolate,
    is_reference,
    longest_first,
    resolve,
    resolve_reference,
)
from .syntax import DEEPEST, decode, syntax_mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .diagnostics import Steps

VALUES_LIMIT = 500_000
"""The most values in one file."""
ALIASED_LIMIT = 100_000
"""The most values that aliases may add to the written ones, and that ``<<`` may merge."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(raw: bytes, file: str, environ: Mapping[str, str]) -> Document:
    """Read YAML. Every mistake is in the document; nothing is raised."""
    try:
        text = decode(raw, file)
        return _Composer(text, file, environ).compose()
    except ConfigurationError as error:
        return Document(file, None, error.mistakes)


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read; ``key`` is the key of the next value."""

    node: Node
    mapping: bool
    key: Node | None = None
    pairs: list[Entry] = field(default_factory=list)

    def steps(self) -> Steps:
        if not self.mapping:
            return (len(self.node.items),)
        return (self.key.text,) if self.key and self.key.text else ()


class _Composer:
    """Turns the parser's events into nodes, without recursion, and enforces all limits."""

    def __init__(self, text: str, file: str, environ: Mapping[str, str]) -> None:
        self._text = text
        self._file = file
        self._environ = environ
        self._mistakes: list[Mistake] = []
        self._anchors: dict[str, Node] = {}
        self._stack: list[_Open] = []
        self._root: Node | None = None
        self._written = 0
        self._merged = 0
        self._used: dict[str, str] = {}

    def compose(self) -> Document:
        try:
            for event in self._events():
                self._take(event)
        except ConfigurationError as error:
            return Document(self._file, None, (*self._mistakes, *error.mistakes))
        used = longest_first(self._used.items())
        return Document(self._file, self._root, tuple(self._mistakes), used)

    def _events(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self._text, Loader=_LOADER)
        except yaml.YAMLError as error:
            mistake = syntax_mistake(self._text, self._file, error)
            raise ConfigurationError([mistake]) from None

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._add(self._anchored(event, self._scalar(event)))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._alias(event))
        elif isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            self._stop(_node(event), "a second document begins here; a file holds one")

    # ------------------------------------------------------------------ values

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        node = _node(event)
        node.text = event.value
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            return self._broken(node, _tag(event))
        if self._is_key():
            return node
        try:
            plain = event.implicit[0] and event.tag is None
            text = self._interpolated(node, event.value) if "$" in event.value else event.value
            if plain and text == event.value:
                node.value = resolve(text)
            else:
                whole = plain and is_reference(event.value)
                node.value = resolve_reference(text) if whole else text
        except BadScalar as error:
            return self._broken(node, str(error))
        return node

    def _interpolated(self, node: Node, text: str) -> str:
        used: dict[str, str] = {}
        inserted = interpolate(text, self._environ, used)
        node.secret = bool(used)
        self._used |= used
        return inserted

    def _alias(self, event: yaml.AliasEvent) -> Node:
        name = str(event.anchor)
        node = self._anchors.get(name)
        if node is None:
            return self._broken(
                _node(event),
                f"there is no anchor &{short(name)} above; text that begins with * must be quoted",
            )
        if not node.done:
            return self._broken(_node(event), f"&{short(str(event.anchor))} contains itself")
        return node

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        node = _node(event)
        if len(self._stack) >= DEEPEST:
            self._stop(node, f"more than {DEEPEST} levels of nesting")
        if event.tag is not None and event.tag != "!":
            self._broken(node, _tag(event))
        node.done = False
        self._anchored(event, node)
        self._stack.append(_Open(node, isinstance(event, yaml.MappingStartEvent)))

    def _end(self) -> None:
        level = self._stack.pop()
        node = level.node
        if level.mapping:
            self._fill_mapping(node, level.pairs)
        else:
            node.value = [item.value for item in node.items]
        below = node.items or [entry.node for entry in node.entries.values()]
        node.size += sum(child.size for child in below)
        node.depth = 1 + max((child.depth for child in below), default=0)
        node.done = True
        self._check_limits(node)
        self._add(node)

    def _check_limits(self, node: Node) -> None:
        if node.size > self._written + ALIASED_LIMIT:
            self._stop(node, f"aliases expand this to more than {ALIASED_LIMIT:,} values")
        if node.depth + len(self._stack) > DEEPEST:
            self._stop(node, f"more than {DEEPEST} levels of nesting")

    def _add(self, node: Node) -> None:
        self._written += 1
        if self._written > VALUES_LIMIT:
            self._stop(node, f"more than {VALUES_LIMIT:,} values in one file")
        self._check_mistakes(node)
        if not self._stack:
            self._root = node
            return
        level = self._stack[-1]
        if not level.mapping:
            level.node.items.append(node)
        elif level.key is None:
            level.key = self._checked_key(node)
        else:
            level.pairs.append(Entry(level.key, node))
            level.key = None

    def _check_mistakes(self, node: Node) -> None:
        if len(self._mistakes) >= MISTAKES_LIMIT:
            self._stop(node, f"{MISTAKES_LIMIT:,} mistakes found; the rest was not read")

    def _anchored(self, event: yaml.NodeEvent, node: Node) -> Node:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    # ------------------------------------------------------------------ mappings

    def _is_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].mapping and self._stack[-1].key is None

    def _checked_key(self, node: Node) -> Node:
        if node.text is None and not node.broken:
            self._note(node, "a key must be text")
        elif node.text == "":
            self._note(node, "a key must not be empty")
        return node

    def _fill_mapping(self, node: Node, pairs: list[Entry]) -> None:
        merged: list[Entry] = []
        for entry in pairs:
            name = entry.key.text
            if not name:
                continue
            first = node.entries.get(name)
            if first is not None or (name == "<<" and merged):
                line = merged[0].key.line if first is None else first.key.line
                self._duplicate(entry, line)
            elif name == "<<":
                merged.append(entry)
            else:
                node.entries[name] = entry
        for entry in merged:
            self._merge(node, entry)
        node.value = {name: entry.node.value for name, entry in node.entries.items()}

    def _duplicate(self, entry: Entry, line: int) -> None:
        self._check_mistakes(entry.key)
        name = entry.key.text or ""
        what = f'the key "{short(name)}" is repeated; it is first in line {line}'
        path = (*self._path(), name)
        self._mistakes.append(
            Mistake(self._file, entry.key.line, entry.key.column, where(path), what)
        )

    def _merge(self, node: Node, entry: Entry) -> None:
        sources = entry.node.items or [entry.node]
        for source in sources:
            if not isinstance(source.value, dict):
                if not source.broken:
                    self._note(entry.node, '"<<" needs a mapping or a list of mappings')
                node.broken = True
                return
            self._merged += len(source.entries)
            if self._merged > ALIASED_LIMIT:
                self._stop(entry.node, f'"<<" merges more than {ALIASED_LIMIT:,} values')
            for name, merged in source.entries.items():
                node.entries.setdefault(name, merged)

    # ------------------------------------------------------------------ mistakes

    def _path(self) -> Steps:
        return tuple(step for level in self._stack for step in level.steps())

    def _note(self, node: Node, what: str) -> None:
        node.broken = True
        self._mistakes.append(
            Mistake(self._file, node.line, node.column, where(self._path()), what)
        )

    def _broken(self, node: Node, what: str) -> Node:
        self._note(node, what)
        return node

    def _stop(self, node: Node, what: str) -> None:
        raise ConfigurationError(
            [Mistake(self._file, node.line, node.column, where(self._path()), what)]
        )


def _node(event: yaml.Event) -> Node:
    assert event.start_mark is not None
    return Node(event.start_mark.line + 1, event.start_mark.column + 1)


def _tag(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> str:
    tag = short(str(event.tag).replace("tag:yaml.org,2002:", "!!"))
    return f"the tag {tag} is not supported; remove it"
