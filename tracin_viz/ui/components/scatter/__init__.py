"""The map: up to a million points in the browser."""

from __future__ import annotations

from tracin_viz.ui.components.scatter.points import Category, Colouring, Points
from tracin_viz.ui.components.scatter.scatter import Label, scatter

__all__ = ["Category", "Colouring", "Label", "Points", "scatter"]
