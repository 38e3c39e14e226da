"""The relabel card: one example at a time at the keyboard, decisions kept in the browser until stored."""

from tracin_viz.ui.components.relabel_card.relabel_card import relabel_card

__all__ = ["relabel_card"]
