"""The presentation: the headline, then one finding per step, then what it rests on."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Audit, report_headline
from tracin_viz.ui.cards import decision_words
from tracin_viz.ui.components.stage import Slide, stage
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.report.making import words
from tracin_viz.ui.results import document
from tracin_viz.ui.routes import thumbnail_url
from tracin_viz.ui.session import parameter, set_parameter
from tracin_viz.ui.short import class_word

#: Address parameter with the step, from 1; absent = no presentation.
STEP = "present"
FINDINGS = 12


def offer_presentation() -> None:
    """The button that begins it."""
    st.button(
        tr("Present"),
        key="present",
        icon=":material/slideshow:",
        on_click=set_parameter,
        args=(STEP, "1"),
        help=tr("One finding per step over the whole window. Arrow keys turn the pages, Esc leaves."),
    )


def presenting() -> bool:
    """Whether the address asks for the presentation."""
    return bool(parameter(STEP))


def present(audit: Audit, report: dict[str, Any]) -> None:
    """Draw it over the page.

    Args:
        audit: The audit.
        report: A report document; its headline is said first.
    """
    slides = [_opening(audit, report), *_findings(audit), _closing(report)]
    stage(
        slides,
        min(_asked(), len(slides)) - 1,
        words={
            "label": tr("Presentation"),
            "step": tr("Step {n} of {total}", n="{n}", total="{total}"),
            "missing": tr("picture not readable"),
            "keys": tr("← → turn the pages · Esc leaves"),
        },
        on_place=lambda place: set_parameter(STEP, str(place + 1)),
        on_leave=lambda: set_parameter(STEP, ""),
    )


def _asked() -> int:
    given = parameter(STEP)
    return max(1, int(given)) if given.isascii() and given.isdecimal() and len(given) < 6 else 1


def _opening(audit: Audit, report: dict[str, Any]) -> Slide:
    headline = report_headline(report, words())
    reviewed = bool(report["decisions"]["annotators"])
    state = tr("Reviewed by people") if reviewed else tr("Nobody has decided about these labels yet.")
    return Slide(audit.title, (headline,), small=state, sign="decided" if reviewed else "")


def _findings(audit: Audit) -> list[Slide]:
    found = document(audit, "presented", FINDINGS, compute=lambda: audit.suspects(top=FINDINGS)["suspects"])
    decided = audit.decisions()
    slides = []
    for row in found:
        now = decided.get(row["id"])
        lines = []
        if row["percentile"] is not None:
            share = f"{min(row['percentile'], 99.9):.1f}"
            lines.append(tr("More suspicious than {share} % of the training examples.", share=share))
        if row["suggested"] and audit.target == "class":
            sure = f"{row['confidence']:.0%}"
            lines.append(
                tr(
                    "The model leans to {label} ({sure}).",
                    label=class_word(audit, row["suggested"]),
                    sure=sure,
                )
            )
        title = class_word(audit, row["label"])
        if row["suggested"] and audit.target == "class":
            title = f"{title} → {class_word(audit, row['suggested'])}?"
        decision = f" · ✓ {decision_words(now.action, now.label)}" if now else ""
        picture = thumbnail_url(audit, row["id"], size=384) if audit.task == "image" else ""
        slides.append(
            Slide(
                title,
                tuple(lines),
                picture=picture,
                alt=tr(
                    "Training example {id}, labelled {label}",
                    id=row["id"],
                    label=class_word(audit, row["label"]),
                ),
                text="" if picture else str(row["source"])[:600],
                small=f"{row['id']}{decision}",
                sign="suspect",
            )
        )
    return slides


def _closing(report: dict[str, Any]) -> Slide:
    used = sum(one["used"] for one in report["checkpoints"])
    lines = (
        trn(
            "TracIn adds up, over {n} checkpoint, how training on one example changes the loss of another.",
            "TracIn adds up, over {n} checkpoints, how training on one example changes the loss of another.",
            used,
        ),
        tr("High self-influence is a reason to look, no proof: rare but right examples have it too."),
        tr("People decide, and source files stay untouched."),
    )
    return Slide(tr("What this rests on"), lines)
