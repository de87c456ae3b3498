"""``/openapi.json``, and ``/docs`` and ``/redoc`` for people, without any other host.

The scripts come from the package fastapi-offline. A policy in the header forbids the browser to ask
other hosts, as the scripts do for a logo.
"""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html

router = APIRouter(include_in_schema=False)

_POLICY = (
    "default-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:; "
    "frame-ancestors 'self'"
)
_TYPES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "redoc.standalone.js": "text/javascript",
    "favicon.png": "image/png",
}
Asset = Literal["swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"]


def _under_policy(page: Response) -> Response:
    page.headers["content-security-policy"] = _POLICY
    return page


@router.get("/openapi.json")
async def get_document(request: Request) -> Response:
    """Show the OpenAPI document."""
    content = await asyncio.to_thread(request.app.document)  # other requests go on meanwhile
    return Response(content, media_type="application/json")


@router.get("/docs")
async def get_docs(request: Request) -> Response:
    """Show the document with Swagger UI, which can send requests."""
    root = request.scope["root_path"]
    page = get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="mock_gitlab",
        swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/docs/swagger-ui.css",
        swagger_favicon_url=f"{root}/docs/favicon.png",
        swagger_ui_parameters={"validatorUrl": None},
    )
    return _under_policy(page)


@router.get("/redoc")
async def get_redoc(request: Request) -> Response:
    """Show the document with ReDoc."""
    root = request.scope["root_path"]
    page = get_redoc_html(
        openapi_url=f"{root}/openapi.json",
        title="mock_gitlab",
        redoc_js_url=f"{root}/docs/redoc.standalone.js",
        redoc_favicon_url=f"{root}/docs/favicon.png",
        with_google_fonts=False,
    )
    return _under_policy(page)


@router.get("/docs/{name}")
async def get_asset(name: Asset) -> Response:
    """Serve what the two pages load."""
    content = (files("fastapi_offline") / "static" / name).read_bytes()
    headers = {"cache-control": "max-age=86400"}
    return Response(content, media_type=_TYPES[name], headers=headers)
