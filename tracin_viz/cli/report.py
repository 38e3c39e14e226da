"""The command that writes the report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tracin_viz.audit import ReportOptions, Words
from tracin_viz.cli.commands import print_json, workspace


def report(options: argparse.Namespace) -> None:
    """Gather, write, and say where it is."""
    audit = workspace(options).open(options.name)
    audit.check_report_place(Path(options.output))
    wanted = ReportOptions(
        findings=options.findings,
        pictures=ReportOptions.SIZES[1 if options.large_pictures else 0],
        names=not options.without_names,
        query=options.query,
    )
    document = audit.report(wanted, None if options.json or not sys.stderr.isatty() else _told)
    written = audit.write_report(document, Path(options.output), words_of(options.language))
    size = written.stat().st_size
    if options.json:
        print_json({"audit": audit.name, "report": str(written), "bytes": size})
    else:
        print(f"{audit.name}: {written} ({size / 1e6:.1f} MB)")


def words_of(language: str) -> Words:
    """The report's words in ``language`` (``en`` or ``zh``)."""
    if language == "en":
        return Words()
    from tracin_viz.ui.language import translators  # the catalogue lies with the pages

    return Words("zh-Hans", *translators(language))


def _told(part: str, done: int, total: int) -> None:
    # One line that overwrites itself: a report takes some ten seconds, most of them for exact scores.
    words = "" if part == "done" else f"{part} {done}/{total}"
    print(f"\r{words:<40}", end="\n" if part == "done" else "", file=sys.stderr, flush=True)
