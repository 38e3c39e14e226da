"""Unpack the archive of a run folder in a process of its own: gigabytes must not hold the app's threads.

python -m tracin_viz.jobs.unpacking '{"path": archive, "uploads": folder of the workspace's uploads}'
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tracin_viz.jobs.looking import answer
from tracin_viz.store.unpacking import unpacked
from tracin_viz.store.uploads import Uploads


def unpack(request: dict[str, Any]) -> dict[str, Any]:
    """``{"folder": the run folder}``; see ``store.unpacking.unpacked``."""
    return {"folder": str(unpacked(Path(request["path"]), Uploads(Path(request["uploads"]))))}


if __name__ == "__main__":
    sys.exit(answer(unpack, sys.argv[1]))
