"""Draw the map of embeddings, for comparison with that of influence vectors; a run of its own.

python -m tracin_viz.jobs.embedding_map --home DIR --audit NAME --job ID
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tracin_viz.config import Home
from tracin_viz.errors import TracinVizError
from tracin_viz.jobs.records import JobBook
from tracin_viz.jobs.reporter import Reporter
from tracin_viz.jobs.worker import working
from tracin_viz.store import embedding_map, registry
from tracin_viz.store import plan as plans
from tracin_viz.store.artifacts import ArtifactStore
from tracin_viz.store.checkpoint_choice import in_use
from tracin_viz.store.database import Database


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the work of one job; returns the exit status."""
    parser = argparse.ArgumentParser(prog="embedding_map")
    for name in ("--home", "--audit", "--job"):
        parser.add_argument(name, required=True)
    options = parser.parse_args(arguments)
    home = Home.resolve(options.home)
    database = Database(home.database)
    try:
        with working(JobBook(database), options.job, finished="The map of embeddings is ready.") as reporter:
            draw(home, options.audit, reporter)
    except TracinVizError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        database.close()
    return 0


def draw(home: Home, name: str, reporter: Reporter) -> None:
    """Place the training examples of audit ``name`` by their embeddings; at once where that is done.

    Raises:
        NotComputedError: No finished run.
    """
    from tracin_viz.jobs.mapping import write_embedding_map  # UMAP takes seconds to load

    record = registry.read(home, name)
    plan = in_use(record, plans.require(home, name))
    store = ArtifactStore(home.artifacts)
    if not store.is_whole(embedding_map.key(plan)):
        reporter.update("map", 0, 1, "Placing the training examples by their embeddings")
        write_embedding_map(store, plan)
    reporter.update("finished", 1, 1, "The map of embeddings is ready.")


if __name__ == "__main__":
    sys.exit(main())
