"""Filters with counts, as a component."""

from __future__ import annotations

from tracin_viz.ui.components.facets.facets import FacetView, ValueView, facet_bar

__all__ = ["FacetView", "ValueView", "facet_bar"]
