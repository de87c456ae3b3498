"""Write a file of scenarios: YAML that 1.1 and 1.2 read alike, with notes at the top."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from .places import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_WIDTH = 100
_PLAIN = re.compile(
    r"[A-Za-z_][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+-]+)*|\.pre|\.post"
    r"|(?:[0-9]+[dhms])+",
    re.ASCII,
)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def write_scenarios(head: Iterable[str], scenarios: list[dict[str, Any]]) -> str:
    """Write scenarios below lines of comments."""
    comments = [f"# {one_line(line)}" for line in head]
    return "\n".join([*comments, "scenarios:", *_block_list(scenarios, 1)]) + "\n"


def _block_list(items: list[Any], indent: int) -> Iterator[str]:
    space = "  " * indent
    for item in items:
        short = _flow(item)
        if len(space) + 2 + len(short) <= _WIDTH or not isinstance(item, dict):
            yield f"{space}- {short}"
            continue
        first, *rest = _block_mapping(item, indent + 1)
        yield f"{space}- {first.lstrip()}"
        yield from rest


def _block_mapping(mapping: Mapping[str, Any], indent: int) -> Iterator[str]:
    space = "  " * indent
    for key, value in mapping.items():
        name, short = _key(key), _flow(value)
        if key == "jobs" or (len(space) + len(name) + 2 + len(short) > _WIDTH and _inner(value)):
            yield f"{space}{name}:"
            inner = _block_mapping if isinstance(value, dict) else _block_list
            yield from inner(value, indent + 1)
        else:
            yield f"{space}{name}: {short}"


def _inner(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{_key(key)}: {_flow(each)}" for key, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return _text(value.replace("$", "$$"))
    return json.dumps(value)


def _key(key: str) -> str:
    """Write a key, in which no variable is inserted."""
    return _text(key)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in quoted)


def _escaped(sign: str) -> str:
    number = ord(sign)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
