"""What only the browser knows: a question mark typed anywhere, and whether this is the first visit."""

from __future__ import annotations

from tracin_viz.ui.components.shell.shell import shell

__all__ = ["shell"]
