"""The gallery: cards of examples, the same on every page."""

from __future__ import annotations

from tracin_viz.ui.components.gallery.gallery import LONGEST_TEXT, Card, LaterLines, gallery

__all__ = ["LONGEST_TEXT", "Card", "LaterLines", "gallery"]
