"""What is hidden of a call before it is shown: values under secret names, and tokens anywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping

MASK = "[MASKED]"
_SHORTEST = 6  # shorter tokens may well be part of words
_SECRET_NAME = re.compile(
    r"token|secret|passw|passphrase|pwd|credential|authorization"
    r"|(api|private|access|ssh|deploy|signing|encryption)[_-]?key",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\bgl[a-z]{2,5}-[\w.-]+")  # as GitLab's tokens begin: glpat-, glptt-, glcbt-


class Masking:
    """Hides the secrets of one world; ``token`` is what it authenticates with."""

    def __init__(self, token: str) -> None:
        self._token = token

    def text(self, text: str) -> str:
        """Hide tokens in a text; a very short one only where it is all of it."""
        if text == self._token:
            return MASK
        if len(self._token) >= _SHORTEST:
            text = text.replace(self._token, MASK)
        return _TOKEN.sub(MASK, text)

    def value(self, name: str, value: Any) -> Any:
        """Hide what stands under a name, or the tokens in it."""
        if _SECRET_NAME.search(name) and not isinstance(value, dict | list) and value is not None:
            return MASK
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self.mapping(value)
        if isinstance(value, list):
            return [self.value(name, item) for item in value]
        return value

    def mapping(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Hide the secrets in a map; of ``{"key": ..., "value": ...}`` the key is the name."""
        key = given.get("key")
        named = {"value": key} if isinstance(key, str) else {}
        return {name: self.value(named.get(name, name), value) for name, value in given.items()}

    def path(self, path: str) -> str:
        """Hide the segments of a path that are tokens."""
        return "/".join(self._sent(segment, unquote(segment)) for segment in path.split("/"))

    def query(self, query: str) -> str:
        """Hide the secrets in a query as it was sent."""
        shown, key = [], ""
        for part in query.split("&"):
            sent_name, equals, sent = part.partition("=")
            name, value = unquote_plus(sent_name), unquote_plus(sent)
            secret = bool(sent) and self.value(_named(name, key), value) != value
            shown.append(f"{sent_name}{equals}{MASK if secret else sent}")
            key = value if name.endswith("[key]") else key
        return "&".join(shown)

    def _sent(self, sent: str, meant: str) -> str:
        return sent if self.text(meant) == meant else self.text(meant)


def _named(name: str, key: str) -> str:
    return key if name.endswith("[value]") else name
