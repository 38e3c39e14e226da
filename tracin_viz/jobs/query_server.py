"""The query process: keeps models warm and answers questions that need torch (DESIGN §4).

    python -m tracin_viz.jobs.query_server --home DIR

is started on demand by ``query_client`` and ends by itself when nobody has asked for a while.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tracin_viz.config import Home
from tracin_viz.jobs.messages import Array
from tracin_viz.jobs.transport import Answer, Handler, address_of, serve
from tracin_viz.portable import lower_thread_priority

IDLE_SECONDS = 900.0
#: Requests that nobody waits for: pages that are opened meanwhile come first.
UNASKED = ("warm", "neighbours")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve one workspace until it is idle; returns the exit status."""
    parser = argparse.ArgumentParser(prog="query_server")
    parser.add_argument("--home", required=True)
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    options = parser.parse_args(arguments)
    home = Home.resolve(options.home)
    with ThreadPoolExecutor(1, "loading", lower_thread_priority) as thread:
        handler = thread.submit(_handler, home).result()
    serve(address_of(home), handler, options.idle_seconds)
    return 0


def _handler(home: Home) -> Handler:
    from tracin_viz.jobs.answers import Answers  # after the arguments: torch takes seconds to load

    answers = Answers(home)

    def answer(
        kind: str, header: dict[str, Any], arrays: list[Array], cancelled: Callable[[], bool]
    ) -> Answer:
        if kind in UNASKED:
            lower_thread_priority()  # the transport makes a thread for each request
        return answers(kind, header, arrays, cancelled)

    return answer


if __name__ == "__main__":
    sys.exit(main())
