"""Nested parameters from pairs: ``a[b]=1`` is ``{"a": {"b": "1"}}``, ``a[]=1`` is ``{"a": ["1"]}``.

The rules are those of Rack, the library under GitLab's web server.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import ApiError, Error

if TYPE_CHECKING:
    from collections.abc import Iterable

_Child = TypeVar("_Child", list[Any], dict[str, Any])
_MAX_DEPTH = 32
_KEY = re.compile(r"\A[^\[]+|\[[^\[\]]*\]")
_RUBY: dict[type, str] = {dict: "Hash", list: "Array", str: "String"}


def nest(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Build nested parameters from pairs, in their order.

    Raises:
        ApiError: the keys are nested too deep, or contradict each other.
    """
    nested: dict[str, Any] = {}
    for key, value in pairs:
        if "[" not in key[1:]:
            if key:
                nested[key] = value
            continue
        parts = _KEY.findall(key)
        if "".join(parts) != key:
            nested[key] = value
            continue
        if len(parts) > _MAX_DEPTH:
            raise ApiError(Error.NESTED_TOO_DEEP)
        _insert(nested, [parts[0], *(part[1:-1] for part in parts[1:])], value)
    return nested


def _insert(into: dict[str, Any], keys: list[str], value: Any) -> None:
    """Insert a value below its keys; the key ``""`` stands for ``[]``."""
    key, *rest = keys
    if not rest:
        into[key] = value
        return
    if rest[0] == "":
        _append(_child(into, key, list), rest[1:], value)
    else:
        _insert(_child(into, key, dict), rest, value)


def _child(into: dict[str, Any], key: str, kind: type[_Child]) -> _Child:
    child = into.setdefault(key, kind())
    if isinstance(child, kind):
        return child
    expected, got = _RUBY[kind], _RUBY[type(child)]
    raise ApiError(Error.CONFLICTING_NESTING, expected=expected, got=got, name=key)


def _append(items: list[Any], keys: list[str], value: Any) -> None:
    """Append a value to a list; a key that the last item already has begins a new item."""
    if not keys:
        items.append(value)
        return
    last = items[-1] if items and isinstance(items[-1], dict) else None
    if last is None or _has(last, keys):
        last = {}
        items.append(last)
    _insert(last, keys, value)


def _has(item: Any, keys: list[str]) -> bool:
    for key in keys:
        if key == "" or not isinstance(item, dict) or key not in item:
            return False
        item = item[key]
    return True
