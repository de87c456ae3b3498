"""``/_mock/health`` and ``/_mock/ready``: for whoever starts the mock or sends requests to it."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from typing_extensions import TypedDict

from mock_gitlab.config.live import LiveConfig
from mock_gitlab.engine.instants import timestamp
from mock_gitlab.version import __version__

from .access import AllWorlds

router = APIRouter(prefix="/_mock", tags=["health"])


class Health(TypedDict):
    """The mock answers."""

    status: Literal["ok"]
    version: str


class ConfigurationState(TypedDict):
    """Which configuration is in force: with mistakes in the files, it is the last one without."""

    status: Literal["ok", "mistakes"]
    loaded_at: str
    mistakes: int


class Readiness(TypedDict):
    """Whether requests should be sent to the mock."""

    status: Literal["ready", "not ready"]
    version: str
    database: Literal["ok", "gone", "unavailable"]
    configuration: ConfigurationState


@router.get("/health")
async def get_health() -> Health:
    """Report that the mock answers; needs no token."""
    return {"status": "ok", "version": __version__}


@router.get("/ready", responses={503: {"description": "It cannot serve, or is about to end."}})
async def get_ready(request: Request, response: Response, worlds: AllWorlds) -> Readiness:
    """Report whether the mock can serve, and the state of its files; needs no token."""
    database = worlds.default.state_of_store()
    ready = database == "ok" and not request.app.ending
    response.status_code = 200 if ready else 503
    return {
        "status": "ready" if ready else "not ready",
        "version": __version__,
        "database": database,
        "configuration": _state_of_files(request.app.live),
    }


def _state_of_files(live: LiveConfig) -> ConfigurationState:
    mistakes = () if live.last_failure is None else live.last_failure.mistakes
    return {
        "status": "mistakes" if mistakes else "ok",
        "loaded_at": timestamp(live.loaded_at),
        "mistakes": len(mistakes),
    }
