"""The map: up to a million points in the browser."""

from __future__ import annotations

from tracin_viz.ui.components.scatter.points import Category, Colouring, Points, frame_of
from tracin_viz.ui.components.scatter.scatter import Label, scatter

__all__ = ["Category", "Colouring", "Label", "Points", "frame_of", "scatter"]
