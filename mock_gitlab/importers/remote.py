"""Read what the API of a GitLab answers about a pipeline, with patience."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field, replace
from threading import Event
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from .places import CannotImport, Place, short
from .recording import Pages

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

_TRIES = 5
_LONGEST_WAIT = 600
_TIMEOUT = 60
_MOST_PAGES = 100
_LARGEST = 64 * 1024 * 1024
_AGAIN = frozenset({429, 500, 502, 503, 504})
_WEB = re.compile(r"/(?P<project>[^?#]+?)/-/pipelines/(?P<number>[0-9]{1,18})(?:/.*)?")
_API = re.compile(
    r"(?P<root>.*)/api/v4/projects/(?P<project>[^/]+)/pipelines/(?P<number>[0-9]{1,18})/?"
)
_HIDDEN = (401, 403, 404)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a pipeline is: the address of the API, the project's path or id, and the number."""

    api: str
    project: str
    number: int

    def __str__(self) -> str:
        return f"{self.api}/projects/{quote(self.project, safe='')}/pipelines/{self.number}"


def read_address(url: str) -> Address:
    """Read the address of a pipeline as the browser shows it, or as the API has it.

    Raises:
        CannotImport: it is none.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if "@" in parts.netloc:
        what = "must not hold a name or a password; GITLAB_TOKEN holds the token"
        raise CannotImport(Place(parts.hostname or "URL"), what)
    found = _API.fullmatch(parts.path) or _WEB.fullmatch(parts.path)
    if parts.scheme not in ("http", "https") or not parts.netloc or found is None:
        what = "is no pipeline's address such as https://gitlab.com/group/project/-/pipelines/123"
        raise CannotImport(Place(short(url, 200)), what)
    root = found.groupdict().get("root") or ""
    api = f"{parts.scheme}://{parts.netloc}{root}/api/v4"
    return Address(api, unquote(found["project"]), int(found["number"]))


@dataclass(slots=True)
class Remote:
    """Reads pipelines; ``say`` is told of progress, and ``wait`` waits for some seconds."""

    token: str | None
    say: Callable[[str], None]
    wait: Callable[[float], object] = field(default_factory=lambda: Event().wait)
    _seen: set[str] = field(default_factory=set)

    def read(self, address: Address) -> Pages:
        """Read a pipeline and those that it started.

        Raises:
            CannotImport: GitLab does not answer, or refuses to.
        """
        at = str(address)
        self._seen.add(at)
        self.say(f"reading pipeline {address.number} of {address.project}")
        pages = Pages(
            at=at,
            pipeline=self._json(at),
            jobs=self._listed(f"{at}/jobs?include_retried=true&per_page=100"),
            bridges=self._listed(f"{at}/bridges?per_page=100"),
            variables=self._optional(f"{at}/variables", []),
            report=self._optional(f"{at}/test_report", None),
        )
        return replace(
            pages, traces=self._traces(address, pages), downstream=self._downstream(address, pages)
        )

    def _traces(self, address: Address, pages: Pages) -> dict[int, str]:
        project = f"{address.api}/projects/{quote(address.project, safe='')}"
        numbers = [job["id"] for job in pages.jobs if type(job.get("id")) is int]
        traces = {}
        for place, number in enumerate(numbers, 1):
            self.say(f"reading log {place} of {len(numbers)}")
            try:
                content, _ = self._get(f"{project}/jobs/{number}/trace")
            except _Refused as refused:
                if refused.status not in _HIDDEN:
                    raise
                continue
            traces[number] = content.decode("utf-8", "replace")
        return traces

    def _downstream(self, address: Address, pages: Pages) -> dict[int, Pages]:
        found = {}
        for bridge in pages.bridges:
            child = bridge.get("downstream_pipeline")
            if not isinstance(child, dict) or type(child.get("id")) is not int:
                continue
            below = Address(address.api, str(child.get("project_id")), child["id"])
            if str(below) in self._seen:
                continue
            try:
                found[below.number] = self.read(below)
            except _Refused as refused:
                if refused.status not in _HIDDEN:
                    raise
                self.say(f"pipeline {below.number} of {below.project} cannot be read")
        return found

    # ------------------------------------------------------------------ requests

    def _optional(self, url: str, default: Any) -> Any:
        try:
            return self._json(url)
        except _Refused as refused:
            if refused.status not in _HIDDEN:
                raise
            self.say(f"{url.rpartition('/')[2]} cannot be read: {refused.status}")
            return default

    def _listed(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = "1"
        for _ in range(_MOST_PAGES):
            content, headers = self._get(f"{url}&page={page}")
            listed = _parsed(url, content)
            if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
                raise CannotImport(Place(url), "must be a list of objects")
            found += listed
            page = headers.get("X-Next-Page") or ""
            if not page.isdecimal():
                return found
        raise CannotImport(Place(url), f"has more than {_MOST_PAGES} pages")

    def _json(self, url: str) -> Any:
        return _parsed(url, self._get(url)[0])

    def _get(self, url: str) -> tuple[bytes, Message]:
        """Send a request, again while the server is busy."""
        for number in range(1, _TRIES + 1):
            try:
                return self._sent(url)
            except urllib.error.HTTPError as error:
                with error:
                    status, after = error.code, error.headers.get("Retry-After") or ""
                if status not in _AGAIN or number == _TRIES:
                    raise _Refused(url, status) from None
                what = str(status)
            except (OSError, http.client.HTTPException) as error:
                what, after = str(getattr(error, "reason", error)), ""
                if number == _TRIES:
                    raise CannotImport(Place(url), f"cannot be read: {what}") from None
            seconds = int(after) if after.isascii() and after.isdecimal() else 2 ** (number - 1)
            if seconds > _LONGEST_WAIT:
                raise CannotImport(Place(url), f"{what}: asks to wait for {seconds} seconds")
            self.say(f"{what}: trying again in {seconds}s")
            self.wait(seconds)
        raise AssertionError("unreachable")  # pragma: no cover - the last try returns or raises

    def _sent(self, url: str) -> tuple[bytes, Message]:
        headers = {"Accept": "application/json", "User-Agent": "mock-gitlab"}
        if self.token:
            headers["PRIVATE-TOKEN"] = self.token
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http or https only
        with _OPENER.open(request, timeout=_TIMEOUT) as answer:
            content = answer.read(_LARGEST + 1)
            if len(content) > _LARGEST:
                raise CannotImport(Place(url), f"is larger than {_LARGEST} bytes")
            return content, answer.headers


class _Refused(CannotImport):
    """GitLab has answered with an error."""

    def __init__(self, url: str, status: int) -> None:
        hint = "; set GITLAB_TOKEN to a token with read_api" if status in _HIDDEN else ""
        super().__init__(Place(url), f"GitLab answers {status}{hint}")
        self.status = status


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would hand the token to another host."""

    def redirect_request(
        self,
        req: urllib.request.Request,  # noqa: ARG002
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def _parsed(url: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise CannotImport(Place(url), "is no JSON; is this a GitLab?") from None
