"""The gallery: cards of examples, the same on every page."""

from __future__ import annotations

from tracin_viz.ui.components.gallery.gallery import Card, gallery

__all__ = ["Card", "gallery"]
