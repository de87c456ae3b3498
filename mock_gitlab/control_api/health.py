"""``/_mock/health``: whether the mock is ready."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from typing_extensions import TypedDict

from mock_gitlab.version import __version__

router = APIRouter(prefix="/_mock", tags=["health"])


class Health(TypedDict):
    """The mock is ready."""

    status: Literal["ok"]
    version: str


@router.get("/health")
async def get_health() -> Health:
    """Report that the mock is ready; needs no token."""
    return {"status": "ok", "version": __version__}
