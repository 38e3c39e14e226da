"""TracIn-Viz in the browser: ``streamlit run app.py``.

Streamlit reads this file twice: once as the server's launcher, which adds our HTTP routes, and once per
visit as the page script.
"""

from __future__ import annotations

import streamlit as st
from streamlit import runtime

from tracin_viz.ui.frame import navigate

if runtime.exists():
    navigate()
else:
    from tracin_viz.ui.routes import middleware, routes

    app = st.App(__file__, routes=routes(), middleware=middleware())
