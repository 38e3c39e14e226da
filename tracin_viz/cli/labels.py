"""``export`` and ``import``: decided labels as files, and back."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tracin_viz.audit.exporting import EXPORT_FORMATS, EXPORT_LINKS, EXPORT_ROWS
from tracin_viz.cli.commands import print_json, short, workspace
from tracin_viz.errors import InputError

#: Bad rows that are printed singly; ``--json`` has all that were noted.
_PRINTED = 20
#: Seconds that pass before progress is worth a word.
_QUIET = 1.0


def export_options(sub: argparse.ArgumentParser) -> None:
    """The options of ``export``."""
    sub.add_argument("name")
    sub.add_argument("--format", default="csv", choices=EXPORT_FORMATS)
    sub.add_argument("--output", required=True, metavar="PATH", help="file, or new folder")
    sub.add_argument(
        "--rows",
        default="all",
        choices=tuple(EXPORT_ROWS),
        help="; ".join(f"{name}: {words}" for name, words in EXPORT_ROWS.items()),
    )
    sub.add_argument(
        "--changes-only",
        dest="rows",
        action="store_const",
        const="changes",
        help="as --rows changes",
    )
    sub.add_argument(
        "--links",
        default="copy",
        choices=EXPORT_LINKS,
        help="folders of pictures: copies, or hard links, which are the source files under a second name",
    )


def export(options: argparse.Namespace) -> None:
    """Write the labels and say where."""
    audit = workspace(options).open(options.name)
    path = audit.export(
        options.format, Path(options.output), rows=options.rows, links=options.links, told=_told("writing")
    )
    decided = len(audit.decisions())
    if options.json:
        told = {"audit": audit.name, "format": options.format, "rows": options.rows}
        print_json({**told, "output": str(path), "decisions": decided})
    else:
        print(f"wrote {path} ({decided} decisions)")


def import_options(sub: argparse.ArgumentParser) -> None:
    """The options of ``import``."""
    sub.add_argument("name")
    sub.add_argument("--labels", required=True, metavar="PATH", help="file or folder in any export format")
    sub.add_argument("--annotator", default="", metavar="WHO", help="who decided where no name is given")
    sub.add_argument("--check", action="store_true", help="say what would be imported, and import nothing")


def import_labels(options: argparse.Namespace) -> None:
    """Take over the decisions in a file, or say why none of them."""
    audit = workspace(options).open(options.name)
    try:
        found = audit.import_labels(
            Path(options.labels),
            annotator=options.annotator,
            store=not options.check,
            told=_told("reading"),
        )
    except InputError as error:
        if not options.json:
            for problem in error.problems[:_PRINTED]:
                print(f"{problem.where}: {short(problem.message, 200)} {problem.remedy}", file=sys.stderr)
        raise
    if options.json:
        print_json({**found, "stored": not options.check})
        return
    verb = "would import" if options.check else "imported"
    people = f" by {', '.join(map(short, found['annotators'][:5]))}" if found["annotators"] else ""
    print(f"{verb} {found['new']:,} decisions{people} from {found['rows']:,} rows of {found['format']}")
    for name, words in _LEFT.items():
        if found[name]:
            print(f"  {found[name]:,} {words}")


def _told(what: str) -> Callable[[int, int], None]:
    """Says how far it is in one line of a terminal that overwrites itself; elsewhere nothing."""
    began = time.monotonic()

    def say(done: int, total: int) -> None:
        passed = time.monotonic() - began
        if sys.stderr.isatty() and passed > _QUIET and 0 < done <= total:
            left = passed / done * (total - done)
            words = f"{what} {done / total:.0%}, about {left:.0f} s left" if done < total else ""
            print(f"\r{words:<40}\r", end="", file=sys.stderr, flush=True)

    return say


_LEFT = {
    "already": "were here already",
    "older": "are older than what the same person decided here, and were left out",
    "replaces": "examples had another decision before",
}
