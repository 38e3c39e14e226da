"""The command line: ``tracin-viz COMMAND`` (DESIGN §9)."""

from tracin_viz.cli.main import main

__all__ = ["main"]
