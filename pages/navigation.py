"""What Streamlit runs at every visit and rerun: the navigation, then the page that the address names."""

from __future__ import annotations

from tracin_viz.ui.frame import navigate

navigate()
