"""The validation report as one web page that needs nothing else; all text from files is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from tracin_viz.audit.validation import grouped

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 960px; margin: 32px auto; padding: 0 16px }
table { border-collapse: collapse; width: 100% }
td, th { border: 1px solid #bbb; padding: 4px 8px; text-align: left; vertical-align: top }
td { overflow-wrap: anywhere }
.verdict { font-weight: 600 }
"""


def report_html(report: Mapping[str, Any]) -> str:
    """The page.

    Args:
        report: The document of ``validation.validation_report``.
    """
    title = "Validation report"
    parts = [
        f"<h1>{title}</h1><p class=verdict>{_text(report['verdict'])}</p>",
        _facts(report),
        *(_group(kind, entries) for kind, entries in grouped(report["problems"]).items()),
        "<h2>Checkpoints</h2>",
        _checkpoints(report["checkpoints"]),
        "<h2>Examples of each class</h2>",
        _classes(report["data"]["class_counts"] or {}),
    ]
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>"
    return (
        f"<!doctype html><html lang=en><head>{head}<style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _facts(report: Mapping[str, Any]) -> str:
    data, model = report["data"], report["model"]
    pairs = [
        ("Data", data["path"]),
        ("What they are", data["format"]),
        ("Model", model["path"]),
        ("What it is", model["format"] or model["architecture"]),
        ("Why it is read that way", model["reason"]),
    ]
    return _table(("", ""), [pair for pair in pairs if pair[1]])


def _group(kind: str, entries: Sequence[Mapping[str, Any]]) -> str:
    rows = [(one["where"], one["message"], one["remedy"]) for one in entries]
    title = f"<h2>{_text(kind.capitalize())} ({len(entries)})</h2>"
    return title + _table(("Where", "What is wrong", "What to do"), rows)


def _checkpoints(found: Sequence[Mapping[str, Any]]) -> str:
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
    return _table(("Step", "Learning rate", "Where from", "Training loss", "Right on a sample"), rows)


def _classes(counts: Mapping[str, Mapping[str, int]]) -> str:
    names = list(dict.fromkeys(name for split in counts.values() for name in split))
    rows = [(name or "no label", *(split.get(name, 0) for split in counts.values())) for name in names]
    return _table(("Class", *counts), rows)


def _text(value: object) -> str:
    return "" if value is None else html.escape(str(value))


def _table(titles: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{_text(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
