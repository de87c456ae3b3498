"""Convert dataclasses, such as scenarios, to JSON values and back.

Only fields that differ from their defaults are written. Durations stay in milliseconds. A value
that an older version wrote is read with today's defaults. Each value is read as the type of its
field says, so that one of another type is refused where it is read, not where it is used.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[Any], Any]

Kind = TypeVar("Kind")

_FIELDS: dict[type, tuple[tuple[str, Any], ...]] = {}
"""The fields of each class that was written: asking ``dataclasses`` takes longer than writing."""


def encode(value: Any) -> Any:
    """Convert a dataclass, or a tuple or set of JSON values and dataclasses, to a JSON value."""
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return _encode_fields(value) if _fields_of(type(value)) else value


def decode(kind: type[Kind], written: Any) -> Kind:
    """Convert what ``encode`` made of a dataclass of this kind back to it.

    Raises:
        TypeError: a field is unknown, is missing and has no default, or has a value of a type that
            is not that of the field.
    """
    found = read_as(kind, written)
    assert isinstance(found, kind)
    return found


def read_as(hint: Any, written: Any) -> Any:
    """Read a JSON value as a type: a dataclass, a plain type, or a union, tuple or Literal of them.

    Raises:
        TypeError: the value is of another type.
    """
    return _reader_of(hint)(written)


def _encode_fields(part: Any) -> dict[str, Any]:
    written = {}
    for name, default in _fields_of(type(part)):
        value = getattr(part, name)
        if default is MISSING or value != default:
            written[name] = encode(value)
    return written


def _fields_of(kind: type) -> tuple[tuple[str, Any], ...]:
    """List the fields of a dataclass and their defaults; none of any other class."""
    if kind not in _FIELDS:
        found = fields(kind) if is_dataclass(kind) else ()
        _FIELDS[kind] = tuple((each.name, each.default) for each in found)
    return _FIELDS[kind]


# ---------------------------------------------------------------------------- readers


@cache
def _reader_of(hint: Any) -> Reader:
    """Return what reads a value of a type, or raises TypeError."""
    if hint is Any:
        return _as_it_is
    if is_dataclass(hint):
        return partial(_read_dataclass, hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        return partial(_read_union, tuple(map(_reader_of, arguments)))
    if origin is tuple:
        return _reader_of_tuple(arguments)
    if origin is frozenset:
        return partial(_read_set, _reader_of(arguments[0]))
    return partial(_read_one_of, arguments) if origin is Literal else partial(_read_plain, hint)


@cache
def _readers_of_fields(kind: Any) -> dict[str, Reader]:
    """Return what reads each field of a dataclass; it is made when a value first needs it."""
    return {name: _reader_of(hint) for name, hint in get_type_hints(kind).items()}


def _reader_of_tuple(arguments: tuple[Any, ...]) -> Reader:
    if arguments[-1:] == (Ellipsis,):
        return partial(_read_list, _reader_of(arguments[0]))
    return partial(_read_pair, tuple(map(_reader_of, arguments)))


def _as_it_is(value: Any) -> Any:
    return value


def _read_dataclass(kind: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"{_shown(value)} is no {kind.__name__}")
    readers = _readers_of_fields(kind)
    unknown = [name for name in value if name not in readers]
    if unknown:
        raise TypeError(f"{kind.__name__} has no {_shown(unknown[0])}")
    return kind(**{name: _read_field(name, readers[name], each) for name, each in value.items()})


def _read_field(name: str, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None


def _read_union(readers: tuple[Reader, ...], value: Any) -> Any:
    errors = []
    for reader in readers:
        try:
            return reader(value)
        except TypeError as error:
            errors.append(error)
    raise errors[0]


def _read_list(reader: Reader, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{_shown(value)} is no list")
    return tuple(map(reader, value))


def _read_set(reader: Reader, value: Any) -> frozenset[Any]:
    return frozenset(_read_list(reader, value))


def _read_pair(readers: tuple[Reader, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) != len(readers):
        raise TypeError(f"{_shown(value)} is no list of {len(readers)}")
    return tuple(reader(item) for reader, item in zip(readers, value, strict=True))


def _read_one_of(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise TypeError(f"{_shown(value)} is none of its values")
    return value


def _read_plain(kind: type, value: Any) -> Any:
    allowed = (int, float) if kind is float else kind
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{_shown(value)} is no {'null' if kind is NoneType else kind.__name__}")
    return value


def _shown(value: Any) -> str:
    """Show the beginning of a value."""
    return repr(value)[:50]
