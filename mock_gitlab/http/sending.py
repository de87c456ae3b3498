"""Send the request of a webhook, as GitLab's WebHookService does.

The client is httpx, which only whoever has hooks needs.
"""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from mock_gitlab.engine.hooks import SENT, is_loopback, signature, without_password
from mock_gitlab.version import GITLAB_VERSION
from mock_gitlab.world.clock import stopwatch, wall_clock

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import httpx

    from mock_gitlab.store.hooks import Delivery, Hook

TIMEOUT = 10.0
"""How many seconds of real time a receiver may take."""
_KEPT = 20_000
_WRONG = "wrong-token"
_WRONG_KEY = f"whsec_{b64encode(bytes(32)).decode()}"
"""What is sent, and signed with, in place of a hook's secrets, if a fault says so."""
_INTERNAL_ERROR = "internal error"


class NotSent(Exception):
    """The request was not sent; the message says why."""


class Reach(NamedTuple):
    """Where webhooks may go: ``hosts`` may have any address, others only loopback ones.

    ``apps`` are the transports of applications in this process, by the hosts in their place.
    """

    hosts: Collection[str]
    apps: Mapping[str, httpx.AsyncBaseTransport]


async def send(hook: Hook, delivery: Delivery, site: str, reach: Reach) -> dict[str, Any]:
    """Send a delivery, and return what was sent and answered.

    ``ok`` is whether GitLab would call it a success: 2xx or 3xx.
    """
    body = delivery.body.encode()
    headers = headers_of(hook, delivery, site, body)
    started = stopwatch()
    try:
        _check_json(delivery.body)
        async with asyncio.timeout(TIMEOUT):
            answered = await _request(hook, headers, body, reach)
    except TimeoutError:
        answered = _failed(f"no answer within {TIMEOUT:g} seconds")
    except NotSent as error:
        answered = _failed(str(error))
    masked = {"X-Gitlab-Token": "[REDACTED]"} if "X-Gitlab-Token" in headers else {}
    return {
        "url": without_password(hook.spec.url),
        "request_headers": {**_shown(hook, headers), **masked},
        "duration": round(stopwatch() - started, 3),
        **answered,
    }


def _check_json(body: str) -> None:
    """Raise NotSent for what a template has made that is no JSON, as GitLab does."""
    try:
        json.loads(body)
    except ValueError:
        raise NotSent("Error while parsing rendered custom webhook template") from None


def _shown(hook: Hook, headers: dict[str, str]) -> dict[str, str]:
    hidden = dict(hook.spec.custom_headers)
    return {
        name: "[REDACTED]" if hidden.get(name) == value else value
        for name, value in headers.items()
    }


def headers_of(hook: Hook, delivery: Delivery, site: str, body: bytes) -> dict[str, str]:
    """Write the headers; custom ones cannot replace those of GitLab."""
    spec = hook.spec
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"GitLab/{GITLAB_VERSION}",
        "Idempotency-Key": delivery.key,
        "X-Gitlab-Event": SENT[delivery.event.event],
        "X-Gitlab-Webhook-UUID": str(uuid4()),
        "X-Gitlab-Instance": site,
        "X-Gitlab-Event-UUID": delivery.event_uuid,
    }
    is_forged = delivery.fault == "wrong_token"
    if spec.token:
        headers["X-Gitlab-Token"] = _WRONG if is_forged else spec.token
    if spec.signing_token:
        seconds = wall_clock() // 1000  # real time, since receivers compare it with theirs
        token = _WRONG_KEY if is_forged else spec.signing_token
        headers["webhook-id"] = delivery.key
        headers["webhook-timestamp"] = str(seconds)
        headers["webhook-signature"] = signature(token, delivery.key, seconds, body)
    taken = {name.lower() for name in headers}
    custom = {name: value for name, value in spec.custom_headers if name.lower() not in taken}
    return {**custom, **headers}


async def _request(
    hook: Hook, headers: dict[str, str], body: bytes, reach: Reach
) -> dict[str, Any]:
    try:
        import httpx
    except ImportError:
        raise NotSent("webhooks need httpx: pip install mock-gitlab[hooks]") from None
    try:
        url = httpx.URL(hook.spec.target)
        app = reach.apps.get(url.host)
        if app is None:
            port = url.port or (443 if url.scheme == "https" else 80)
            address = await _address(url.host, port, reach.hosts)
        else:
            address = url.host
        verify = url.scheme == "https" and hook.spec.enable_ssl_verification
        async with httpx.AsyncClient(
            verify=verify, timeout=TIMEOUT, trust_env=False, transport=app
        ) as client:
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                content=body,
                headers={"Host": url.netloc.decode("ascii"), **headers},
                extensions={"sni_hostname": url.host},
            )
            response = await client.send(request, stream=True)
            return await _read(response)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NotSent(f"{type(error).__name__}: {error}") from None


async def _read(response: httpx.Response) -> dict[str, Any]:
    """Read the beginning of an answer."""
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) >= _KEPT:
            break
    await response.aclose()
    return {
        "ok": 200 <= response.status_code < 400,
        "status": response.status_code,
        "headers": dict(response.headers),
        "body": content[:_KEPT].decode("utf-8", "replace"),
    }


async def _address(host: str, port: int, hosts: Collection[str]) -> str:
    """Resolve a host to the address to connect to; raises NotSent if it may not be reached."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotSent(f"{host} cannot be resolved: {error.strerror}") from None
    addresses = [str(each[4][0]) for each in found]
    if host not in hosts and not all(map(is_loopback, addresses)):
        raise NotSent(f"{host} is no loopback address; webhook_hosts may allow it")
    return addresses[0]


def _failed(why: str) -> dict[str, Any]:
    return {"ok": False, "status": _INTERNAL_ERROR, "headers": {}, "body": why}
