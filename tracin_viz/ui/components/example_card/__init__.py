"""The example card: one example large, with everything that is known about it."""

from __future__ import annotations

from tracin_viz.ui.components.example_card.example_card import Fact, LargeCard, Link, Piece, example_cards

__all__ = ["Fact", "LargeCard", "Link", "Piece", "example_cards"]
