"""Read query, form and JSON as one set of nested parameters.

::

    text -> ordered pairs -> nested parameters
            (_form_pairs)    (nesting.nest)
"""

from __future__ import annotations

import json
import re
from binascii import unhexlify
from math import isinf
from typing import Any

from mock_gitlab.http.asgi import has_more_values

from .errors import ApiError, Error, Problem, invalid
from .nesting import nest

_MAX_PARAMETERS = 4096
_MAX_JSON_DEPTH = 100
MAX_JSON_VALUES = 100_000  # GitLab's own limit
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_FORM, _MULTIPART, _JSON = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json",
)


def parse(query_string: bytes, content_type: str | None, body: bytes) -> dict[str, Any]:
    """Read query and body as one set of nested parameters; the body beats the query.

    Raises:
        ApiError: 400 if they cannot be read, 415 if the content type is not supported.
    """
    given = nest(_form_pairs(query_string)) if query_string else {}
    return {**given, **_read_body(content_type, body)} if body else given


def _read_body(content_type: str | None, body: bytes) -> dict[str, Any]:
    kind, _, options = (content_type or "").partition(";")
    kind = kind.strip().lower()
    if not kind:
        return _read_json(body, Error.UNSUPPORTED_CONTENT_TYPE)  # unless it is JSON
    if kind == _JSON or kind.endswith("+json"):
        return _read_json(body, Error.UNREADABLE_JSON)
    if kind == _FORM:
        return nest(_form_pairs(body))
    if kind == _MULTIPART:
        return nest(_multipart_pairs(options, body))
    raise ApiError(Error.UNSUPPORTED_CONTENT_TYPE, kind=kind)


# ---------------------------------------------------------------------------- JSON


def _read_json(body: bytes, unreadable: Error) -> dict[str, Any]:
    if has_more_values(body, MAX_JSON_VALUES):
        raise ApiError(Error.TOO_MANY_JSON_VALUES)
    try:
        value = _DECODER.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ApiError(unreadable, kind="") from None
    if not isinstance(value, dict):
        raise ApiError(Error.NOT_A_JSON_OBJECT)
    # Without escapes a body in UTF-8 holds nothing unstorable, so most bodies need no walk.
    if b"\\u" in body or body.count(b"{") + body.count(b"[") > _MAX_JSON_DEPTH:
        for key, item in value.items():
            _check_storable(key, key)
            _check_json(item, key, 2)
    return value


def _reject_constant(name: str) -> None:
    raise ValueError(name)


def finite(digits: str | float) -> float:
    """Convert to a float; raises ValueError if the number is too large for one."""
    number = float(digits)
    if isinf(number):
        raise ValueError(digits)
    return number


_DECODER = json.JSONDecoder(parse_constant=_reject_constant, parse_float=finite)


def _check_json(value: Any, name: str, depth: int) -> None:
    """Reject values that are nested too deep, and text that GitLab could not store."""
    if isinstance(value, str):
        _check_storable(value, name)
    elif isinstance(value, dict | list):
        if depth > _MAX_JSON_DEPTH:
            raise ApiError(Error.NESTED_TOO_DEEP)
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            inner = f"{name}[{key}]"
            _check_storable(str(key), inner)
            _check_json(item, inner, depth + 1)


def _check_storable(text: str, name: str) -> None:
    if _UNSTORABLE.search(text):
        raise invalid(f"{name.encode(errors='replace').decode()} {Problem.INVALID}")


# ---------------------------------------------------------------------------- forms


def _form_pairs(text: bytes) -> list[tuple[str, str]]:
    if text.count(b"&") >= _MAX_PARAMETERS:
        raise ApiError(Error.TOO_MANY_PARAMETERS, limit=_MAX_PARAMETERS)
    if b"%" not in text and b"+" not in text:
        plain = (part.partition("=") for part in _decode(text).split("&") if part)
        return _storable([(key, value) for key, _, value in plain])
    split = (part.partition(b"=") for part in text.split(b"&") if part)
    return _storable([(_unescape(key), _unescape(value)) for key, _, value in split])


def _unescape(content: bytes) -> str:
    # urllib's function takes seconds for a megabyte of percent signs.
    return _decode(_ESCAPE.sub(_byte, content.replace(b"+", b" ")))


def _byte(escape: re.Match[bytes]) -> bytes:
    return unhexlify(escape[1])


def _storable(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    for key, value in pairs:
        if "\0" in key or "\0" in value:
            raise invalid(f"{key} {Problem.INVALID}")
    return pairs


def _multipart_pairs(options: str, body: bytes) -> list[tuple[str, str]]:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import FormParser, parse_options_header

    boundary = parse_options_header(f"{_MULTIPART};{options}")[1].get(b"boundary")
    pairs: list[tuple[str, str]] = []
    ends: list[bool] = []

    def add(name: str, value: str) -> None:
        if len(pairs) == _MAX_PARAMETERS:
            raise ApiError(Error.TOO_MANY_PARAMETERS, limit=_MAX_PARAMETERS)
        pairs.append((name, value))

    def on_field(field: Any) -> None:
        add(_decode(field.field_name), _decode(field.value or b""))

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        content = file.file_object.read().decode(errors="replace")
        file.close()
        add(_decode(file.field_name), content)

    try:
        parser = FormParser(
            _MULTIPART,
            on_field,
            on_file,
            on_end=lambda: ends.append(True),
            boundary=boundary,
            config={"MAX_MEMORY_FILE_SIZE": len(body)},  # the parser then writes no file to disk
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError):
        raise ApiError(Error.UNREADABLE_BODY) from None
    if not ends:
        raise ApiError(Error.INCOMPLETE_FORM)
    return _storable(pairs)


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ApiError(Error.NOT_UTF8) from None
