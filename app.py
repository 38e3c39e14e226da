"""TracIn-Viz in the browser: ``streamlit run app.py``.

This file only starts the server, with our HTTP routes beside the pages; ``pages/navigation.py`` runs at
every visit. That script lies among the pages on purpose: Streamlit takes a folder ``pages`` *beside* the
script for its old automatic pages, and on a fresh server a link to one would run without our navigation.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from tracin_viz.ui.map_routes import map_routes
from tracin_viz.ui.relabel.routes import relabel_routes
from tracin_viz.ui.routes import middleware, routes
from tracin_viz.ui.suspects.teachers import teacher_routes

app = st.App(
    Path(__file__).resolve().parent / "pages" / "navigation.py",
    routes=[*routes(), *map_routes(), *teacher_routes(), *relabel_routes()],
    middleware=middleware(),
)
