"""Let web pages of any origin use the API, with the headers that GitLab sends.

Like GitLab, the mock answers a preflight before anything else sees the request. A page of another
origin cannot send cookies, so it must have a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_gitlab.http.asgi import Headers, Scope

_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_EXPOSED = (
    b"Link, X-Total, X-Total-Pages, X-Per-Page, X-Page, X-Next-Page, X-Prev-Page, "
    b"X-Gitlab-Blob-Id, X-Gitlab-Commit-Id, X-Gitlab-Content-Sha256, X-Gitlab-Encoding, "
    b"X-Gitlab-File-Name, X-Gitlab-File-Path, X-Gitlab-Last-Commit-Id, X-Gitlab-Ref, "
    b"X-Gitlab-Size, X-Request-Id, ETag"
)
HEADERS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", _METHODS),
    (b"access-control-expose-headers", _EXPOSED),
    (b"access-control-max-age", b"7200"),
]
"""The headers of every answer to a page."""


def is_from_page(scope: Scope) -> bool:
    """Return whether a browser sends the request for a page, whose origin it names."""
    return b"origin" in dict(scope["headers"])


def is_preflight(scope: Scope) -> bool:
    """Return whether a browser only asks what a page may send."""
    wanted = b"access-control-request-method"
    return scope["method"] == "OPTIONS" and wanted in dict(scope["headers"])


def preflight_headers(scope: Scope) -> Headers:
    """List the headers that answer a preflight; there are none if the method is unknown."""
    sent = dict(scope["headers"])
    if sent[b"access-control-request-method"].upper() not in _METHODS.split(b", "):
        return []
    wanted = sent.get(b"access-control-request-headers")
    return [*HEADERS, *([(b"access-control-allow-headers", wanted)] if wanted else [])]


def missing(headers: Headers, wanted: Headers) -> Headers:
    """List the wanted headers that an answer does not have; a declared answer may have its own."""
    names = {name for name, _ in headers}
    return [(name, value) for name, value in wanted if name not in names]


def is_from_another_site(scope: Scope) -> bool:
    """Return whether a browser sends this for a page of another site.

    Current browsers say so in Sec-Fetch-Site; older ones only send the Origin.
    """
    headers = dict(scope["headers"])
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        return site not in (b"none", b"same-origin")
    return origin is not None and origin.partition(b"://")[2] != headers.get(b"host")
