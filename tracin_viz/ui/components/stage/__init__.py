"""A presentation over the whole window: one finding per step, big type, the keyboard instead of buttons."""

from __future__ import annotations

from tracin_viz.ui.components.stage.stage import Slide, stage

__all__ = ["Slide", "stage"]
