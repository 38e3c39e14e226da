"""``python -m tracin_viz …`` is the same as ``tracin-viz …``."""

import sys

from tracin_viz.cli import main

if __name__ == "__main__":
    sys.exit(main())
