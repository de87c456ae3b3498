"""Query, form and JSON as one set of parameters, checked and refused in GitLab's words.

::

    text -> ordered pairs -> nested values -> typed values
            (_pairs)         (_nest)          (Params.check)

The rules are those of Rack, which nests ``a[b]`` and ``a[]``, and of Grape, which checks.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from math import isinf
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MOST_PAIRS = 4096
_DEEPEST = 32
_DEEPEST_JSON = 100
_LARGEST = 2**63 - 1
_KEY = re.compile(r"\A[^\[]+|\[[^\[\]]*\]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_INDEX = re.compile(r"[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].+)?")
_PATH_NUMBER = re.compile(r"(-?)([0-9]+)")
_LONGEST_PATH_NUMBER = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_TRUE = frozenset(("true", "1", "t", "on", True, 1))
_FALSE = frozenset(("false", "0", "f", "off", False, 0))
_FORM, _MULTIPART, _JSON = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json",
)


class BadParameters(Exception):
    """Parameters that cannot be taken: the status and the body of GitLab's answer."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body)
        self.status = status
        self.body = body


def _bad(what: str) -> BadParameters:
    return BadParameters(400, {"error": what})


# ---------------------------------------------------------------------------- reading


def parse(query_string: bytes, content_type: str | None, body: bytes) -> dict[str, Any]:
    """Read query and body as one set of nested parameters; the body beats the query.

    Raises:
        BadParameters: 400 for what cannot be read, 415 for another content type.
    """
    given = _nest(_form_pairs(query_string)) if query_string else {}
    return {**given, **_read_body(content_type, body)} if body else given


def _read_body(content_type: str | None, body: bytes) -> dict[str, Any]:
    kind, _, rest = (content_type or "").partition(";")
    kind = kind.strip().lower()
    if not kind:
        return _read_untyped(body)
    if kind == _JSON or kind.endswith("+json"):
        return _read_json(body)
    if kind == _FORM:
        return _nest(_form_pairs(body))
    if kind == _MULTIPART:
        return _nest(_multipart_pairs(rest, body))
    raise _unsupported(kind)


def _unsupported(kind: str) -> BadParameters:
    return BadParameters(415, {"error": f"The provided content-type '{kind}' is not supported."})


def _read_untyped(body: bytes) -> dict[str, Any]:
    """Take a body of no declared type for JSON if it is that."""
    try:
        value = _decode_json(body)
    except (ValueError, RecursionError):
        raise _unsupported("") from None
    return _json_object(value, body)


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        value = _decode_json(body)
    except (ValueError, RecursionError):
        raise _bad(
            "message body does not match declared format: "
            "The JSON object in the body cannot be read"
        ) from None
    return _json_object(value, body)


def _json_object(value: Any, body: bytes) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _bad("message body does not match declared format: A JSON object is expected")
    # Only escapes can bring in what raw UTF-8 cannot; without them most bodies need no walk.
    if b"\\u" in body or body.count(b"{") + body.count(b"[") > _DEEPEST_JSON:
        for key, item in value.items():
            _refuse_unstorable(key, key)
            _inspect(item, key, 2)
    return value


def _decode_json(body: bytes) -> Any:
    return _JSON_TEXT.decode(body.decode("utf-8-sig"))


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _finite(digits: str | float) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError(digits)
    return number


_JSON_TEXT = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _inspect(value: Any, name: str, depth: int) -> None:
    """Refuse what is nested too deep, and text that no GitLab could store."""
    if isinstance(value, str):
        _refuse_unstorable(value, name)
    elif isinstance(value, dict | list):
        if depth > _DEEPEST_JSON:
            raise _bad("the parameters are nested too deep")
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            inner = f"{name}[{key}]"
            _refuse_unstorable(str(key), inner)
            _inspect(item, inner, depth + 1)


def _refuse_unstorable(text: str, name: str) -> None:
    if _UNSTORABLE.search(text):
        raise _bad(f"{name.encode(errors='replace').decode()} is invalid")


def _form_pairs(text: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            text.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PAIRS,
        )
    except UnicodeDecodeError:
        raise _bad("the parameters are not valid UTF-8") from None
    except ValueError:
        raise _bad(f"there are more than {_MOST_PAIRS} parameters") from None
    return _storable(pairs)


def _storable(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    for key, value in pairs:
        if "\0" in key or "\0" in value:
            raise _bad(f"{key} is invalid")
    return pairs


def _multipart_pairs(parameters: str, body: bytes) -> list[tuple[str, str]]:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import FormParser, parse_options_header

    options = parse_options_header(f"multipart/form-data;{parameters}")[1]
    pairs: list[tuple[str, str]] = []
    ends: list[bool] = []

    def on_field(field: Any) -> None:
        pairs.append((_text(field.field_name), _text(field.value or b"")))

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        content = file.file_object.read().decode(errors="replace")
        pairs.append((_text(file.field_name), content))
        file.close()

    try:
        parser = FormParser(
            "multipart/form-data",
            on_field,
            on_file,
            on_end=lambda: ends.append(True),
            boundary=options.get(b"boundary"),
            config={"MAX_MEMORY_FILE_SIZE": len(body)},  # what is in memory needs no file
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError):
        raise _bad("message body does not match declared format") from None
    if not ends:
        raise _bad("message body does not match declared format: it breaks off")
    if len(pairs) > _MOST_PAIRS:
        raise _bad(f"there are more than {_MOST_PAIRS} parameters")
    return _storable(pairs)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _bad("the parameters are not valid UTF-8") from None


# ---------------------------------------------------------------------------- nesting


def _nest(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
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
        if len(parts) > _DEEPEST:
            raise _bad("the parameters are nested too deep")
        _place(nested, [parts[0], *(part[1:-1] for part in parts[1:])], value)
    return nested


def _place(into: dict[str, Any], keys: list[str], value: Any) -> None:
    """Put a value at its place, as Rack would: ``[]`` appends, a repeated key begins a new item."""
    key, *rest = keys
    if not rest:
        into[key] = value
        return
    if rest[0] == "":
        items = into.setdefault(key, [])
        if not isinstance(items, list):
            raise _bad(f"expected Array (got {_kind(items)}) for param `{key}'")
        _append(items, rest[1:], value)
        return
    inner = into.setdefault(key, {})
    if not isinstance(inner, dict):
        raise _bad(f"expected Hash (got {_kind(inner)}) for param `{key}'")
    _place(inner, rest, value)


def _append(items: list[Any], keys: list[str], value: Any) -> None:
    if not keys:
        items.append(value)
        return
    last = items[-1] if items and isinstance(items[-1], dict) else None
    if last is None or _holds(last, keys):
        last = {}
        items.append(last)
    _place(last, keys, value)


def _holds(item: Any, keys: list[str]) -> bool:
    for key in keys:
        if key == "":
            return False
        if not isinstance(item, dict) or key not in item:
            return False
        item = item[key]
    return True


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "Hash"
    return "Array" if isinstance(value, list) else "String"


# ---------------------------------------------------------------------------- checking


class Kind(Enum):
    """What a parameter is."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    HASH = "hash"
    STRINGS = "array of strings"
    ARRAY_OF_HASHES = "array of hashes"


_SCHEMAS: dict[Kind, dict[str, Any]] = {
    Kind.STRING: {"type": "string"},
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
    Kind.HASH: {"type": "object"},
    Kind.STRINGS: {"type": "array"},
    Kind.ARRAY_OF_HASHES: {"type": "array"},
}


class _Invalid(Exception):
    """A value of another type than the declared one."""


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter as an endpoint declares it.

    ``allow_blank`` of False refuses a blank text; ``values`` are all that is allowed; ``items``
    are the fields of each hash in an array. A DATETIME becomes milliseconds since the epoch.
    """

    name: str
    kind: Kind
    required: bool = False
    allow_blank: bool = True
    values: tuple[str, ...] | None = None
    default: Any = None
    description: str = ""
    items: tuple[Param, ...] = ()
    example: Any = None
    minimum: float | None = None
    maximum: float | None = None

    def schema(self) -> dict[str, Any]:
        """Describe the value as a JSON Schema."""
        schema = dict(_SCHEMAS[self.kind])
        if self.kind is Kind.STRINGS:
            schema["items"] = {"type": "string", **self._enum()}
        elif self.kind is Kind.ARRAY_OF_HASHES:
            schema["items"] = {
                "type": "object",
                "properties": {item.name: item.schema() for item in self.items},
                "required": [item.name for item in self.items if item.required],
            }
        else:
            schema.update(self._enum())
        known = {
            "description": self.description or None,
            "default": self.default,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "minLength": None if self.allow_blank or self.kind is not Kind.STRING else 1,
            "examples": None if self.example is None else [self.example],
        }
        return {**schema, **{key: value for key, value in known.items() if value is not None}}

    def _enum(self) -> dict[str, Any]:
        return {"enum": list(self.values)} if self.values else {}

    def read(self, value: Any, name: str) -> tuple[Any, list[str]]:
        """Make a value of the declared type, or say what is wrong with it."""
        if value is None or (value == "" and self.kind not in (Kind.STRING, Kind.STRINGS)):
            return self.default, []
        if self.kind is Kind.ARRAY_OF_HASHES:
            return self._read_hashes(value, name)
        try:
            found = _READERS[self.kind](value)
        except _Invalid:
            return None, [f"{name} is invalid"]
        return found, self._refusals(found, name)

    def _refusals(self, found: Any, name: str) -> list[str]:
        if self.values is not None:
            wanted = found if isinstance(found, list) else [found]
            if not all(each in self.values for each in wanted):
                return [f"{name} does not have a valid value"]
        if isinstance(found, int | float) and not (
            (self.minimum is None or found >= self.minimum)
            and (self.maximum is None or found <= self.maximum)
        ):
            return [f"{name} does not have a valid value"]
        return []

    def _read_hashes(self, value: Any, name: str) -> tuple[Any, list[str]]:
        if isinstance(value, dict) and value and all(_INDEX.fullmatch(key) for key in value):
            value = [value[key] for key in sorted(value, key=int)]
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            return None, [f"{name} is invalid"]
        found, refusals = [], []
        for index, item in enumerate(value):
            read, refused = _check(self.items, item, lambda key, at=index: f"{name}[{at}][{key}]")
            found.append(read)
            refusals += refused
        return found, refusals


class Params:
    """The parameters of an endpoint, in their order."""

    def __init__(self, *params: Param) -> None:
        self._params = params
        self._of_nothing: tuple[dict[str, Any], list[str]] = _check(params, {}, str)

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give every declared parameter its value, or its default; others are left aside.

        Raises:
            BadParameters: 400 with everything that is wrong, in the order of declaration.
        """
        values, refusals = self._of_nothing if not given else _check(self._params, given, str)
        if refusals:
            raise _bad(", ".join(dict.fromkeys(refusals)))
        return dict(values)


def _check(params: Iterable[Param], given: Mapping[str, Any], named: Any) -> tuple[Any, list[str]]:
    values, refusals = {}, []
    for param in params:
        name = named(param.name)
        value = given.get(param.name)
        if param.required and param.name not in given:
            refusals.append(f"{name} is missing")
        blank = value is None or (isinstance(value, str) and not value.strip())
        if blank and not param.allow_blank and (param.required or param.name in given):
            refusals.append(f"{name} is empty")
        values[param.name], refused = param.read(value, name)
        refusals += refused
    return values, refusals


def _read_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise _Invalid


def _read_integer(value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Invalid
    if not -_LARGEST - 1 <= value <= _LARGEST:
        raise _Invalid
    return value


def _read_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Invalid
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise _Invalid
    try:
        return _finite(value)
    except (ValueError, OverflowError):
        raise _Invalid from None


def _read_boolean(value: Any) -> bool:
    if isinstance(value, str | bool | int):
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
    raise _Invalid


def _read_moment(value: Any) -> int:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _Invalid
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        # In UTC first: what lies outside the years that can be written overflows here.
        return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        raise _Invalid from None


def _read_hash(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Invalid
    return value


def _read_texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    return [_read_text(item) for item in (value if isinstance(value, list) else [value])]


_READERS = {
    Kind.STRING: _read_text,
    Kind.INTEGER: _read_integer,
    Kind.NUMBER: _read_number,
    Kind.BOOLEAN: _read_boolean,
    Kind.DATETIME: _read_moment,
    Kind.HASH: _read_hash,
    Kind.STRINGS: _read_texts,
}


# ---------------------------------------------------------------------------- pages, paths


class _PageNumber(Param):
    """``page``: what is below 1 counts as 1."""

    __slots__ = ()

    def read(self, value: Any, name: str) -> tuple[Any, list[str]]:
        found, refusals = Param.read(self, value, name)
        return (found if refusals else max(1, found)), refusals


class _PageSize(Param):
    """``per_page``: 100 at most, and what is below 0 counts as the default."""

    __slots__ = ()

    def read(self, value: Any, name: str) -> tuple[Any, list[str]]:
        found, refusals = Param.read(self, value, name)
        if refusals:
            return found, refusals
        if found == 0:
            return None, [f"{name} has a value not allowed"]
        return (self.default if found < 0 else min(found, 100)), []


PAGE = (
    _PageNumber("page", Kind.INTEGER, default=1, description="Which page, from 1."),
    _PageSize("per_page", Kind.INTEGER, default=20, description="Rows of a page, at most 100."),
)
"""The parameters of every list."""


def path_integer(name: str, text: str) -> int:
    """Read the number of something in a path; ``text`` is the segment as it was sent.

    Of a number with more than 40 digits only the first 40 are read: nothing has such a number,
    and so none is found under either.

    Raises:
        BadParameters: it is no number.
    """
    number = _PATH_NUMBER.fullmatch(decode_segment(text))
    if number is None:
        raise _bad(f"{name} is invalid")
    sign, digits = number.groups()
    return int(sign + (digits.lstrip("0")[:_LONGEST_PATH_NUMBER] or "0"))


def decode_segment(raw: str) -> str:
    """Decode a segment of a path as it was sent, exactly once.

    Raises:
        BadParameters: what is encoded is not UTF-8, or a null byte.
    """
    if "%" not in raw and raw.isascii() and "\0" not in raw:
        return raw
    decoded = _text(unquote_to_bytes(raw.encode("latin-1")))
    if "\0" in decoded:
        raise _bad("the path contains a null byte")
    return decoded
