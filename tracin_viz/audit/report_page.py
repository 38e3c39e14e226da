"""The validation report as one web page that needs nothing else; all text from files is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracin_viz.audit.validation import grouped
from tracin_viz.report.markup import Html, joined, tag
from tracin_viz.report.page import framed


def report_html(report: Mapping[str, Any]) -> str:
    """The page, in the look of the audit's report.

    Args:
        report: The document of ``validation.validation_report``.
    """
    title = "Validation report"
    sections = [
        _section("What was looked at", _facts(report)),
        *(_group(kind, entries) for kind, entries in grouped(report["problems"]).items()),
        _section("Checkpoints", _checkpoints(report["checkpoints"])),
        _section("Examples of each class", _classes(report["data"]["class_counts"] or {})),
    ]
    head = tag("header", tag("h1", title), tag("p", report["verdict"], class_="lead"))
    return framed(title, joined([head, tag("main", *sections)]))


def _section(title: str, body: Html) -> Html:
    return tag("section", tag("h2", title), body)


def _facts(report: Mapping[str, Any]) -> Html:
    data, model = report["data"], report["model"]
    pairs = [
        ("Data", data["path"]),
        ("What they are", data["format"]),
        ("Model", model["path"]),
        ("What it is", model["format"] or model["architecture"]),
        ("Why it is read that way", model["reason"]),
    ]
    written = [part for name, value in pairs if value for part in (tag("dt", name), tag("dd", value))]
    return tag("dl", *written, class_="facts")


def _group(kind: str, entries: Sequence[Mapping[str, Any]]) -> Html:
    rows = [(one["where"], one["message"], one["remedy"]) for one in entries]
    title = f"{kind.capitalize()} ({len(entries)})"
    return _section(title, _table(title, ("Where", "What is wrong", "What to do"), rows))


def _checkpoints(found: Sequence[Mapping[str, Any]]) -> Html:
    rows = [
        (
            one["step"],
            one["learning_rate"],
            one["provenance"],
            one["train_loss"],
            "" if one["accuracy"] is None else f"{one['accuracy']:.1%}",
        )
        for one in found
    ]
    titles = ("Step", "Learning rate", "Where from", "Training loss", "Right on a sample")
    return _table("Checkpoints", titles, rows)


def _classes(counts: Mapping[str, Mapping[str, int]]) -> Html:
    names = list(dict.fromkeys(name for split in counts.values() for name in split))
    rows = [(name or "no label", *(split.get(name, 0) for split in counts.values())) for name in names]
    return _table("Examples of each class", ("Class", *counts), rows)


def _table(name: str, titles: Sequence[object], rows: Sequence[Sequence[object]]) -> Html:
    head = tag("tr", *(tag("th", title, scope="col") for title in titles))
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    table = tag("table", tag("thead", head), tag("tbody", *body))
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=name)
