"""``tracin-viz demo``: train a real model on real data, register it, compute it, print what it recovers."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from tracin_viz.audit import Workspace
from tracin_viz.cli.commands import print_recovery, workspace
from tracin_viz.cli.progress import ProgressLine
from tracin_viz.config import ResultSettings, SpeedSettings


def demo(options: argparse.Namespace) -> None:
    """Make the demo audit; every step that is done already is skipped."""
    began = time.monotonic()
    space = workspace(options)
    if options.if_missing and _finished(space, options.kind):
        return
    job = options.job
    if job is None:
        if not options.json:
            print(f"preparing the '{options.kind}' demo (about a minute)", flush=True)
        job = space.begin(options.kind, "demo", {})
    with ProgressLine(lambda: space.status(options.kind), quiet=options.job is not None):
        run(space, job, options.kind)
    audit = space.open(options.kind)
    found = audit.recovery()
    if options.json:
        print(json.dumps({"audit": options.kind, "notes": audit.notes, "recovery": found}))
        return
    print(f"audit '{options.kind}' is ready after {time.monotonic() - began:.0f} s")
    accuracy = audit.notes.get("test_accuracy")
    if accuracy is not None:
        print(f"test accuracy {accuracy:.1%}")
    if found is not None:
        print_recovery(found)


def run(space: Workspace, job: str, kind: str) -> None:
    """Do the work as job ``job`` and record how it ended."""
    from tracin_viz.jobs.team import in_advance
    from tracin_viz.jobs.worker import compute, working  # the run needs torch, listing commands does not

    # Training takes one core; on the others the processes that will measure get ready.
    with in_advance() as ready, working(space.jobs, job, finished="The demo is ready.") as reporter:

        def on_progress(message: str, share: float) -> None:
            reporter.update("training", round(100 * share), 100, message)

        on_progress("Preparing the data", 0.0)
        if not space.has(kind):
            _train_and_create(space, kind, on_progress)
        settings = ResultSettings(sketch=space.open(kind).sketch_choice())
        compute(space.home, kind, reporter, settings=settings, speed=SpeedSettings(), ready=ready)


def _train_and_create(space: Workspace, kind: str, on_progress: Callable[[str, float], None]) -> None:
    import tracin_viz.demo.commands as commands
    import tracin_viz.demo.digits as digits
    from tracin_viz.jobs.worker import inspect  # training has loaded torch already

    build = {"digits": digits.build, "commands": commands.build}[kind]
    files = build(space.home.root / "demo" / kind, on_progress=on_progress)
    on_progress("Registering the audit", 1.0)
    space.create(
        kind, data=files.data, model=files.model, notes=files.notes, truth=files.truth, look_into=inspect
    )


def _finished(space: Workspace, kind: str) -> bool:
    if not space.has(kind):
        return False
    ready = space.open(kind).ready()
    return ready.scores and ready.map
