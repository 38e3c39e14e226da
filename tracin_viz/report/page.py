"""The report as one HTML file: no script, no font, nothing from a network; light, dark and on paper."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracin_viz.report import closing, effect, evidence, findings, opening
from tracin_viz.report.markup import Html, clean, joined, raw, tag
from tracin_viz.report.words import ENGLISH, Words, later

_STYLE = Path(__file__).with_name("style.css")
_Part = Callable[[Mapping[str, Any], Words], Sequence[Html | None]]

#: Anchor, heading, body: the sections in their order.
SECTIONS: tuple[tuple[str, str, _Part], ...] = (
    ("findings", later("Which training labels look wrong or rare?"), findings.top),
    ("trust", later("How far can this list be trusted?"), evidence.trust),
    ("suspicion", later("How unusual are these examples?"), evidence.suspicion),
    ("clusters", later("Which groups does the model treat alike?"), findings.clusters),
    ("influence", later("What taught the model a mistake?"), findings.explained),
    ("effect", later("Did the decisions help?"), effect.effect),
    ("decisions", later("Who decided what?"), evidence.decisions),
    ("facts", later("What was audited?"), opening.facts),
    ("method", later("How was this found, and what can it not say?"), closing.method),
    ("reproduce", later("How can it be made again?"), closing.reproduce),
)


def report_page(report: Mapping[str, Any], words: Words = ENGLISH) -> str:
    """The file's text.

    Args:
        report: The façade's report document.
        words: The reader's language.

    Returns:
        HTML that loads nothing: pictures are data addresses, charts are drawings in the text. Its
        Content-Security-Policy forbids scripts, requests, and every style but its own.
    """
    tr = words.tr
    sections = [
        tag(
            "section",
            tag("h2", tr(heading), id=f"{anchor}-heading"),
            *body(report, words),
            id=anchor,
            aria_labelledby=f"{anchor}-heading",
        )
        for anchor, heading, body in SECTIONS
    ]
    contents = tag(
        "nav",
        tag(
            "details",
            tag("summary", tr("Contents")),
            tag(
                "ol",
                *(tag("li", tag("a", tr(heading), href=f"#{anchor}")) for anchor, heading, _ in SECTIONS),
            ),
        ),
        aria_label=tr("Contents"),
    )
    head = opening.header(report, words)
    title = tr("Training-data audit: {title}", title=clean(report["title"], longest=120))
    body = joined([head, tag("main", contents, *sections), _footer(report, words)])
    return framed(title, body, language=words.language)


def report_headline(report: Mapping[str, Any], words: Words = ENGLISH) -> str:
    """The report's first sentence as plain text, for a page or a presentation."""
    # Elements are taken away and references turned back: what is left is text again, and treated as such.
    return html.unescape(re.sub(r"<[^>]*>", "", opening.headline(report, words)))


def framed(title: str, body: Html, *, language: str = "en") -> str:
    """A whole page in the report's look, under a policy that lets nothing run and nothing be loaded.

    Args:
        title: Of the window.
        body: What is in it; its elements come from ``markup``.
        language: Code of the words' language.
    """
    page = tag("html", _head(title), tag("body", body), lang=language)
    return f"<!doctype html>\n{page}\n"


def _head(title: str) -> Html:
    style = style_sheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", raw(style)),
    )


def _footer(report: Mapping[str, Any], words: Words) -> Html:
    tr = words.tr
    made = tr(
        "Made with TracIn-Viz {version}. This file needs no network and runs no program.",
        version=report["version"],
    )
    return tag("footer", tag("p", joined([made]), class_="quiet"))


@functools.cache
def style_sheet() -> str:
    """The style sheet inside the file."""
    return _STYLE.read_text("utf-8")
