"""The query process: keeps models warm and answers questions that need torch (DESIGN §4).

    python -m tracin_viz.jobs.query_server --home DIR

is started on demand by ``query_client`` and ends by itself when nobody has asked for a while.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tracin_viz.config import Home
from tracin_viz.jobs.transport import address_of, serve

IDLE_SECONDS = 900.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve one workspace until it is idle; returns the exit status."""
    parser = argparse.ArgumentParser(prog="query_server")
    parser.add_argument("--home", required=True)
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    options = parser.parse_args(arguments)
    home = Home.resolve(options.home)
    from tracin_viz.jobs.answers import Answers  # after the arguments: torch takes seconds to load

    serve(address_of(home), Answers(home), options.idle_seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
