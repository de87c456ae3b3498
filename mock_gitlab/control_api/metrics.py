"""``/_mock/metrics``: figures for Prometheus."""

from __future__ import annotations

from fastapi import Request, Response

from mock_gitlab.engine.model import NotFound

from .access import AllWorlds, control_router

router = control_router("health")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def get_metrics(request: Request, worlds: AllWorlds) -> Response:
    """Show figures in the format of Prometheus; 404 unless ``metrics: true`` counts them."""
    counted = request.app.metrics
    if counted is None:
        raise NotFound("metrics", "metrics: true in mock.yaml counts them")
    from .figures import write_figures

    accepted = request.headers.get("accept", "")
    text, content_type = write_figures(counted, worlds, request.app.live, accepted)
    return Response(text, headers={"content-type": content_type})
