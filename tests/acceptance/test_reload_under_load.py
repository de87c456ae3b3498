"""Reloads while requests run: each sees one configuration whole, and none fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from mock_gitlab.app import create_app

if TYPE_CHECKING:
    from pathlib import Path

RELOADS = 100


def declared(version: int) -> str:
    """Write a configuration whose parts all say the same version."""
    return (
        f"version: 1\ndatabase: ':memory:'\ndefault_scenario: {version}\n"
        f"projects: [{{id: 1, path: group/app-{version}}}]\n"
        f"rules: [{{when: {{ref: named}}, scenario: {version}, name: v{version}}}]\n"
    )


def test_no_request_fails_or_sees_a_mixture(tmp_path: Path):
    path = tmp_path / "mock.yaml"
    path.write_text(declared(1), encoding="utf-8")
    app = create_app(path, environ={}, watch=False)
    headers = {"PRIVATE-TOKEN": "MOCK_SUPER_SECRET"}
    seen: list[tuple[str, str]] = []
    done = asyncio.Event()

    async def reloading(client: httpx.AsyncClient) -> None:
        for number in range(RELOADS):
            broken = number % 5 == 4
            text = "version: [" if broken else declared(number % 90 + 1)
            path.write_text(text, encoding="utf-8")
            answer = await client.post("/_mock/config/reload")
            assert answer.status_code == (422 if broken else 200), answer.text
        done.set()

    async def triggering(client: httpx.AsyncClient) -> None:
        while not done.is_set():
            await asyncio.sleep(0)  # in process nothing else lets the others run
            answer = await client.post("/projects/1/pipeline", json={"ref": "named"})
            assert answer.status_code == 201, answer.text
            pipeline = answer.json()
            single = await client.get(f"/projects/1/pipelines/{pipeline['id']}")
            at = pipeline["web_url"].split("/")[4].removeprefix("app-")
            seen.append((at, single.json()["name"].removeprefix("v")))

    async def main() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://mock", headers=headers
        ) as client:
            await asyncio.gather(reloading(client), *(triggering(client) for _ in range(4)))

    asyncio.run(main())
    app.close()

    assert len(seen) > 50
    assert [pair for pair in seen if pair[0] != pair[1]] == []
    assert len(set(seen)) > 3
