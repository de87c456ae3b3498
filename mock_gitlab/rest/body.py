"""Query, form and JSON as one set of nested parameters.

::

    text -> ordered pairs -> nested values
            (_pairs)         (_nest)

The rules are those of Rack, which nests ``a[b]`` and ``a[]``.
"""

from __future__ import annotations

import json
import re
from binascii import unhexlify
from math import isinf
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_PAIRS = 4096
_DEEPEST = 32
_DEEPEST_JSON = 100
_KEY = re.compile(r"\A[^\[]+|\[[^\[\]]*\]")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
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


def bad(what: str) -> BadParameters:
    """Make the usual refusal."""
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
        raise bad(
            "message body does not match declared format: "
            "The JSON object in the body cannot be read"
        ) from None
    return _json_object(value, body)


def _json_object(value: Any, body: bytes) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad("message body does not match declared format: A JSON object is expected")
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


def finite(digits: str | float) -> float:
    """Read a number that is not too large to be one; raises ValueError."""
    number = float(digits)
    if isinf(number):
        raise ValueError(digits)
    return number


_JSON_TEXT = json.JSONDecoder(parse_constant=_no_constant, parse_float=finite)


def _inspect(value: Any, name: str, depth: int) -> None:
    """Refuse what is nested too deep, and text that no GitLab could store."""
    if isinstance(value, str):
        _refuse_unstorable(value, name)
    elif isinstance(value, dict | list):
        if depth > _DEEPEST_JSON:
            raise bad("the parameters are nested too deep")
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            inner = f"{name}[{key}]"
            _refuse_unstorable(str(key), inner)
            _inspect(item, inner, depth + 1)


def _refuse_unstorable(text: str, name: str) -> None:
    if _UNSTORABLE.search(text):
        raise bad(f"{name.encode(errors='replace').decode()} is invalid")


def _form_pairs(text: bytes) -> list[tuple[str, str]]:
    if text.count(b"&") >= _MOST_PAIRS:
        raise bad(f"there are more than {_MOST_PAIRS} parameters")
    if b"%" not in text and b"+" not in text:
        plain = (part.partition("=") for part in _text(text).split("&") if part)
        return _storable([(key, value) for key, _, value in plain])
    split = (part.partition(b"=") for part in text.split(b"&") if part)
    return _storable([(_unescape(key), _unescape(value)) for key, _, value in split])


def _unescape(content: bytes) -> str:
    # What urllib has for it takes seconds over a megabyte of percent signs.
    return _text(_ESCAPE.sub(_byte, content.replace(b"+", b" ")))


def _byte(escape: re.Match[bytes]) -> bytes:
    return unhexlify(escape[1])


def _storable(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    for key, value in pairs:
        if "\0" in key or "\0" in value:
            raise bad(f"{key} is invalid")
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
        raise bad("message body does not match declared format") from None
    if not ends:
        raise bad("message body does not match declared format: it breaks off")
    if len(pairs) > _MOST_PAIRS:
        raise bad(f"there are more than {_MOST_PAIRS} parameters")
    return _storable(pairs)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise bad("the parameters are not valid UTF-8") from None


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
            raise bad("the parameters are nested too deep")
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
            raise bad(f"expected Array (got {_kind(items)}) for param `{key}'")
        _append(items, rest[1:], value)
        return
    inner = into.setdefault(key, {})
    if not isinstance(inner, dict):
        raise bad(f"expected Hash (got {_kind(inner)}) for param `{key}'")
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


# ---------------------------------------------------------------------------- paths


def decode_segment(raw: str) -> str:
    """Decode a segment of a path as it was sent, exactly once.

    Raises:
        BadParameters: what is encoded is not UTF-8, or a null byte.
    """
    if "%" not in raw and raw.isascii() and "\0" not in raw:
        return raw
    decoded = _text(unquote_to_bytes(raw.encode("latin-1")))
    if "\0" in decoded:
        raise bad("the path contains a null byte")
    return decoded
