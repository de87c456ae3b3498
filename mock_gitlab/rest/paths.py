"""Read the segments of a path: text, and numbers."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from .errors import ApiError, Error

_NUMBER = re.compile(r"(-?)([0-9]+)")
_MAX_DIGITS = 40


def decode_segment(raw: str) -> str:
    """Decode a segment of a path as it was sent, exactly once.

    Raises:
        ApiError: the decoded segment is not UTF-8, or has a null byte.
    """
    if "%" not in raw and raw.isascii() and "\0" not in raw:
        return raw
    try:
        decoded = unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise ApiError(Error.NOT_UTF8) from None
    if "\0" in decoded:
        raise ApiError(Error.NULL_BYTE_IN_PATH)
    return decoded


def path_integer(raw: str) -> int | None:
    """Read a segment of a path as a number; None if it is not one.

    Only the first 40 digits are read: no object has a number as long as that, so the answer is
    404 all the same.
    """
    if raw.isdecimal() and raw.isascii() and len(raw) <= _MAX_DIGITS:
        return int(raw)
    number = _NUMBER.fullmatch(decode_segment(raw))
    if number is None:
        return None
    sign, digits = number.groups()
    return int(sign + (digits.lstrip("0")[:_MAX_DIGITS] or "0"))
