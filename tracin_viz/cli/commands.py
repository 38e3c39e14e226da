"""One function per command: read the options, ask the façade, print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tracin_viz.audit import Workspace
from tracin_viz.cli.progress import ProgressLine
from tracin_viz.config import Home, ResultSettings, SpeedSettings
from tracin_viz.errors import InputError


def workspace(options: argparse.Namespace) -> Workspace:
    """The workspace that ``--home`` (or the environment) names."""
    return Workspace(Home.resolve(options.home))


def compute(options: argparse.Namespace) -> None:
    """Compute influence here, or in a process of its own with ``--detach``."""
    space = workspace(options)
    audit = space.open(options.name)
    asked = _asked(options, audit.sketch_choice())
    if options.detach:
        job = audit.start(settings=asked[0], speed=asked[1], checkpoints=asked[2])
        if options.json:
            print_json({"audit": audit.name, "job": job, "state": "queued"})
        else:
            print(f"started; watch it with: tracin-viz status {audit.name}")
        return
    job, asked = _job(space, options, asked)
    from tracin_viz.jobs.worker import compute as run  # the run needs what other commands do without
    from tracin_viz.jobs.worker import working

    with (
        ProgressLine(lambda: space.status(audit.name), quiet=options.job is not None),
        working(space.jobs, job, finished="Influence and map are ready.") as reporter,
    ):
        run(space.home, audit.name, reporter, settings=asked[0], speed=asked[1], checkpoints=asked[2])
    status_ = space.status(audit.name)
    if options.json:
        print_json(status_)
    else:
        print(f"{audit.name}: {status_['message']} {status_['units']['total']} units.")


def status(options: argparse.Namespace) -> None:
    """Print how the newest run is doing."""
    _print_status(workspace(options).status(options.name), options)


def cancel(options: argparse.Namespace) -> None:
    """Stop the running computation."""
    _print_status(workspace(options).cancel(options.name), options)


def influence(options: argparse.Namespace) -> None:
    """Print proponents, opponents and the examples most and least alike."""
    audit = workspace(options).open(options.name)
    found = audit.influence(
        query=options.query,
        text=options.text,
        image=None if options.image is None else _read_file(options.image),
        group=options.group,
        label=options.label,
        score=options.score,
        top=options.top,
        ranking=options.ranking,
        same_class=options.same_class,
        exact=not options.estimate,
    )
    if options.json:
        print_json(found)
        return
    asked, target = found["query"], found["target"]
    print(f"query {asked['id'] or ''} {short(asked['source'])}")
    if "group" in asked:
        print(f"  the mean over {asked['examples']} examples of {asked['split']}")
    sure = "" if asked["confidence"] is None else f" ({asked['confidence']:.0%})"
    print(f"  label {asked['label']}, predicted {asked['predicted']}{sure}")
    scores = "exact" if found["exact"] else "estimated"
    what = f"{target['kind']} of class {target['class']}"
    print(f"  explained: {what}; ranking {found['ranking']}; {scores} scores")
    titles = {
        "proponents": "▲ for: training on these pushed the model towards it",
        "opponents": "▼ against: training on these pushed it away",
        "most_similar": "most similar by embedding",
        "least_similar": "least similar by embedding",
    }
    for name, title in titles.items():
        print(title)
        print_table(
            ("score", "id", "label", "predicted", "source"),
            (
                (f"{e['score']:+.4g}", e["id"], e["label"], e["predicted"], short(e["source"]))
                for e in found[name]
            ),
        )


def opposing(options: argparse.Namespace) -> None:
    """Print the training examples that push against many query examples."""
    found = (
        workspace(options)
        .open(options.name)
        .opposing(among=options.among, each=options.each, ranking=options.ranking, top=options.top)
    )
    if options.json:
        print_json(found)
        return
    which = "wrongly predicted" if found["among"] == "wrong" else "all"
    print(
        f"{options.name}: among the top {found['each']} opponents of how many of {found['looked_at']} "
        f"({which}, of {found['of']}) examples of {found['split']}"
    )
    print_table(
        ("count", "id", "label", "predicted", "source"),
        ((e["count"], e["id"], e["label"], e["predicted"], short(e["source"])) for e in found["opponents"]),
    )


def suspects(options: argparse.Namespace) -> None:
    """Print the most suspicious training examples."""
    audit = workspace(options).open(options.name)
    found = audit.suspects(ranking=options.ranking, class_name=options.class_name, top=options.top)
    if options.json:
        print_json(found)
        return
    print(f"{audit.name}: suspects by {found['ranking']} (higher = {found['higher']})")
    print_table(
        ("percentile", "id", "given", "suggested", "confidence", "source"),
        (
            (
                "–" if s["percentile"] is None else f"{s['percentile']:.1f}",
                s["id"],
                s["label"],
                s["suggested"],
                f"{s['confidence']:.0%}",
                short(s["source"]),
            )
            for s in found["suspects"]
        ),
    )
    if "recovery" in found:
        print_recovery(found["recovery"])


def print_recovery(found: dict[str, Any]) -> None:
    """Print how many of the labels that are known to be wrong each ranking finds."""
    print(f"of {found['planted']} labels known to be wrong, found in the most suspicious 20 %:")
    for name, share in sorted(found["at_20"].items(), key=lambda pair: -pair[1]):
        print(f"  {name:<15} {share:6.1%}   (AUROC {found['auroc'][name]:.3f})")
    print(f"  {'random order':<15} {0.2:6.1%}")


def clusters(options: argparse.Namespace) -> None:
    """Print the clusters of the training split."""
    audit = workspace(options).open(options.name)
    found = audit.clusters(within_class=options.within_class, smallest=options.smallest)
    if options.json:
        print_json(found)
        return
    print(f"{audit.name}: {len(found['clusters'])} clusters, {found['noise']} examples in none")
    print_table(
        ("cluster", "size", "suspects", "exemplars"),
        (
            (c["name"], c["size"], f"{c['suspect_share']:.0%}", " ".join(c["exemplars"][:5]))
            for c in found["clusters"]
        ),
    )


def _asked(options: argparse.Namespace, sketch: str) -> tuple[ResultSettings, SpeedSettings, str]:
    settings = ResultSettings(
        layers=options.layers, sketch_dim=options.sketch_dim, sketch=options.sketch or sketch
    )
    speed = SpeedSettings(device=options.device, batch_size=options.batch_size, workers=options.workers)
    return settings, speed, options.checkpoints


def _job(
    space: Workspace, options: argparse.Namespace, asked: tuple[ResultSettings, SpeedSettings, str]
) -> tuple[str, tuple[ResultSettings, SpeedSettings, str]]:
    """The job this process works for, and what is asked: from its row where the app started it."""
    if options.job is not None:
        row = space.jobs.get(options.job).settings
        settings = ResultSettings.from_dict(row["settings"]), SpeedSettings.from_dict(row["speed"])
        return options.job, (*settings, row["checkpoints"])
    record = {"settings": asked[0].as_dict(), "speed": asked[1].as_dict(), "checkpoints": asked[2]}
    return space.begin(options.name, "compute", record), asked


def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"The image {path} cannot be read: {error.strerror}.", remedy="Check the path."
        ) from error


def _print_status(found: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        print_json(found)
        return
    done, total = found["units"]["done"], found["units"]["total"]
    left = "" if found["seconds_left"] is None else f", about {found['seconds_left']:.0f} s left"
    print(f"{found['audit']}: {found['state']}, {done} of {total} units{left}. {found['message']}")


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document on standard output."""
    json.dump(document, sys.stdout, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def print_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table with its columns aligned."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[place]) for line in [list(titles), *cells]) for place in range(len(titles))]
    for line in [list(titles), *cells]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if not cells:
        print("  none")


def short(text: str, length: int = 70) -> str:
    """Text from data for one line of a terminal."""
    # Data-set text goes to a terminal: no line breaks and no escape codes.
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= length else plain[: length - 1] + "…"
