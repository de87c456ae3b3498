"""Hides the secrets of a request: values with secret names, and tokens anywhere."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

MASK = "[MASKED]"
_SHORTEST = 6  # a shorter token may be part of a word
_SECRET_NAME = re.compile(
    r"token|secret|passw|passphrase|pwd|credential|authorization"
    r"|(api|private|access|ssh|deploy|signing|encryption)[_-]?key",
    re.IGNORECASE,
)
_TEXT_OF_SECRET = re.compile(
    rf'("[^"]*(?:{_SECRET_NAME.pattern})[^"]*"\s*:\s*")[^"]*', re.IGNORECASE
)
"""A text of JSON under a secret name; the text may be cut off."""
_PASSWORD = re.compile(r"(://[^/@\s:]*:)[^/@\s]+@")
_OF_HOOKS = frozenset(("custom_headers", "url_variables"))
"""What a webhook keeps secret, whatever the names inside are."""
_TOKEN = re.compile(r"\bgl[a-z]{2,5}-[\w.-]+")  # GitLab's tokens begin with glpat-, glptt-, glcbt-


class Masking:
    """Hides the secrets of one world; ``token`` is the token of the mock."""

    def __init__(self, token: str) -> None:
        self._token = token

    def text(self, text: str) -> str:
        """Hide tokens in a text; a short token of the mock only if it is the whole text."""
        if text == self._token:
            return MASK
        if len(self._token) >= _SHORTEST:
            text = text.replace(self._token, MASK)
        if "://" in text:
            text = _PASSWORD.sub(rf"\1{MASK}@", text)
        return _TOKEN.sub(MASK, text)

    def value(self, name: str, value: Any) -> Any:
        """Hide a value if its name is a secret one, else the tokens in it."""
        if name.partition("[")[0] in _OF_HOOKS:
            return _hidden(value)
        return self._value(bool(_SECRET_NAME.search(name)), value)

    def _value(self, secret: bool, value: Any) -> Any:
        if isinstance(value, dict):
            return self.mapping(value)
        if isinstance(value, list):
            return [self._value(secret, item) for item in value]
        if secret and value is not None:
            return MASK
        return self.text(value) if isinstance(value, str) else value

    def any(self, value: Any) -> Any:
        """Hide the secrets of a JSON value that has no name."""
        return self._value(False, value)

    def beginning(self, text: str) -> str:
        """Hide the secrets of a text that may be cut off, or the beginning of JSON."""
        masked = self.text(text)
        if not _SECRET_NAME.search(masked):  # most texts name no secret, and this is quicker
            return masked
        return _TEXT_OF_SECRET.sub(rf"\1{MASK}", masked)

    def mapping(self, mapping: Mapping[str, Any]) -> dict[str, Any]:
        """Hide the secrets in a map; in ``{"key": ..., "value": ...}`` the key is the name."""
        key = mapping.get("key")
        names = {"value": key} if isinstance(key, str) else {}
        shown: dict[str, Any] = {}
        for name, value in mapping.items():
            shown[self._name(name, shown)] = self.value(names.get(name, name), value)
        return shown

    def _name(self, name: str, taken: Container[str]) -> str:
        """Hide tokens in a key; numbers keep hidden keys apart."""
        masked = self.text(name)
        if masked == name or masked not in taken:
            return masked
        return next(each for n in count(2) if (each := f"{masked} {n}") not in taken)

    def path(self, path: str) -> str:
        """Hide the tokens in a path as it was sent."""
        return "/".join(map(self._segment, path.split("/")))

    def _segment(self, segment: str) -> str:
        decoded = unquote(segment)
        masked = self.text(decoded)
        return segment if masked == decoded else masked

    def query(self, query: str, path: str = "") -> str:
        """Hide the secrets in a query as it was sent to a path."""
        shown, key = [], ""
        to_secret = not _OF_HOOKS.isdisjoint(path.split("/"))
        for part in query.split("&"):
            sent_name, equals, sent = part.partition("=")
            name, value = unquote_plus(sent_name), unquote_plus(sent)
            of_hook = name.partition("[")[0] in _OF_HOOKS
            named = key if name.endswith("[value]") and not of_hook else name
            secret = bool(sent) and (
                (to_secret and name == "value") or self.value(named, value) != value
            )
            shown.append(f"{self._segment(sent_name)}{equals}{MASK if secret else sent}")
            key = value if name.endswith("[key]") else key
        return "&".join(shown)


def _hidden(value: Any) -> Any:
    """Hide every value, but not the names beside or above it."""
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if isinstance(value, dict):
        return {name: each if name == "key" else MASK for name, each in value.items()}
    return MASK
