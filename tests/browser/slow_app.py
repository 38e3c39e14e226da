"""The app on a server that takes a quarter of a second longer for every HTTP request."""

from __future__ import annotations

import asyncio
import os

import streamlit as st
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.serving import ROOT
from tracin_viz.ui.map_routes import map_routes
from tracin_viz.ui.relabel.routes import relabel_routes
from tracin_viz.ui.routes import middleware, routes


class Slow:
    """Waits before it passes a request on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for requests of decisions, pass on everything."""
        if scope["type"] == "http" and scope["path"].startswith("/decisions"):
            await asyncio.sleep(float(os.environ.get("SLOW_SECONDS", "0.25")))
        await self._app(scope, receive, send)


app = st.App(
    ROOT / "pages" / "navigation.py",
    routes=[*routes(), *map_routes(), *relabel_routes()],
    middleware=[Middleware(Slow), *middleware()],
)
