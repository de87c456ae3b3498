"""Many tests on one server at once: nothing of one world is ever seen in another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

from mock_gitlab.app import create_app

if TYPE_CHECKING:
    from pathlib import Path

WORLDS = 20
ROUNDS = 12


async def one_test(client: httpx.AsyncClient, name: str, number: int) -> list[Any]:
    """Use a world as a test would, with things in it that only this test has."""
    base = f"/sandbox/{name}"
    await client.post(f"{base}/_mock/clock/freeze")
    scenario = {"scenario_id": 1000, "terminal_after_seconds": number + 1}
    await client.post(f"{base}/_mock/scenarios", json=scenario)
    fault = {"when": {"path": f"/projects/{number}"}, "respond": {"status": 599}}
    await client.post(f"{base}/_mock/faults", json=fault)
    for _ in range(ROUNDS):
        order = {"ref": f"ref-{number}", "scenario_id": 1000, "variables": {"N": str(number)}}
        answer = await client.post(f"{base}/api/v4/projects/{number}/trigger/pipeline", json=order)
        assert answer.status_code == 201, answer.text
        await asyncio.sleep(0)
    await client.post(f"{base}/_mock/clock/advance", json={"seconds": number + 1})
    listed = (await client.get(f"{base}/projects/{number}/pipelines?per_page=100")).json()
    journal = (await client.get(f"{base}/_mock/requests")).json()
    faulty = (await client.get(f"{base}/projects/{number}")).status_code
    projects = (await client.get(f"{base}/projects")).json()
    return [
        [row["id"] for row in listed],
        {row["ref"] for row in listed},
        {row["status"] for row in listed},
        {call["variables"].get("N") for call in journal if call["method"] == "POST"},
        faulty,
        [project["id"] for project in projects],
    ]


def test_parallel_tests_see_their_own_world_alone(tmp_path: Path):
    path = tmp_path / "mock.yaml"
    path.write_text("version: 1\ndatabase: ':memory:'\n", encoding="utf-8")
    app = create_app(path, environ={}, watch=False)

    async def main() -> list[list[Any]]:
        headers = {"PRIVATE-TOKEN": "MOCK_SUPER_SECRET"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://mock", headers=headers
        ) as client:
            tests = (one_test(client, f"test-{n}", n) for n in range(1, WORLDS + 1))
            found = await asyncio.gather(*tests)
            outside = (await client.get("/projects")).json()
            assert outside == []
            return list(found)

    seen = asyncio.run(main())
    app.close()

    for number, found in enumerate(seen, start=1):
        assert found == [
            list(range(ROUNDS, 0, -1)),
            {f"ref-{number}"},
            {"success"},
            {str(number)},
            599,
            [number],
        ]
