"""Look into a run folder in a process of its own, because that needs torch and the app never loads it.

    python -m tracin_viz.jobs.inspect_run '{"path": …, "checkpoints": …, "learning_rates": …}'

prints one JSON document: ``{"found": {…}}`` or ``{"error": {…}}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tracin_viz.errors import TracinVizError


def main(request: str) -> int:
    """Answer one request (see the module's text); returns the exit status."""
    from tracin_viz.models.bundle import inspect_run

    wanted = json.loads(request)
    answer: dict[str, object]
    try:
        found = inspect_run(Path(wanted.pop("path")), **wanted)
        answer = {"found": found}
    except TracinVizError as error:
        answer = {
            "error": {
                "class": type(error).__name__,
                "message": error.message,
                "remedy": error.remedy,
                "problems": [problem.as_dict() for problem in error.problems],
            }
        }
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
