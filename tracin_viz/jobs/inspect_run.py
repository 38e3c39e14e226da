"""Look into a run folder in a process of its own, because that needs torch and the app never loads it.

python -m tracin_viz.jobs.inspect_run '{"path": …, "checkpoints": …, "learning_rates": …}'
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tracin_viz.jobs.looking import answer


def inspected(request: dict[str, Any]) -> dict[str, Any]:
    """What is in the run folder ``path``; see ``models.bundle.inspect_run``.

    Args:
        request: ``path`` and the arguments of ``open_run_folder``.
    """
    from tracin_viz.models.bundle import inspect_run  # after the arguments: torch takes seconds to load

    choices = dict(request)
    return inspect_run(Path(choices.pop("path")), **choices)


if __name__ == "__main__":
    sys.exit(answer(inspected, sys.argv[1]))
