"""Texts with shaded words: which of them carry an influence."""

from __future__ import annotations

from tracin_viz.ui.components.words.words import Piece, ShadedText, words

__all__ = ["Piece", "ShadedText", "words"]
