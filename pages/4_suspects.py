"""Suspects: training examples whose label looks wrong or rare."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import charts, text, theme
from tracin_viz.ui.access import may_decide
from tracin_viz.ui.cards import decision_words, suspect_cards
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.details import open_details, show_details
from tracin_viz.ui.frame import audit_page, go
from tracin_viz.ui.inline import inlined
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.marks import Marks
from tracin_viz.ui.results import document
from tracin_viz.ui.session import linked, publish

ALL = "all classes"
PAGE = 48
USUAL = "self-influence"
SHARES = [1, 2, 5, 10, 20, 30, 50]


def _controls(audit: Audit) -> tuple[str, str | None, int]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        ranking = st.selectbox(
            "Ranked by",
            list(text.SUSPECT_RANKINGS),
            format_func=lambda name: tr(text.SUSPECT_RANKINGS[name]),
            key=linked("by", list(text.SUSPECT_RANKINGS), USUAL),
            persist_state="session",
            width=200,
        )
        name = st.selectbox("Labelled", [ALL, *audit.classes], key="class", bind="query-params", width=160)
        share = st.select_slider(
            "Most suspicious",
            SHARES,
            format_func=lambda value: f"{value} %",
            key=linked("share", SHARES, 10),
            persist_state="session",
            width=240,
        )
    publish("by", ranking, USUAL)
    publish("share", share, 10)
    st.caption(f"{tr(text.SUSPECT_HELP[ranking])} Higher = more suspicious.")
    return ranking, None if name in (None, ALL) else name, int(share)


def _histogram(audit: Audit, ranking: str, share: int) -> int:
    """Draws the distribution; returns how many examples are above the threshold."""
    scores: np.ndarray = np.asarray(
        document(audit, "scores", ranking, compute=lambda: audit.suspect_scores(ranking))
    )
    finite = scores[np.isfinite(scores)]
    if not finite.size or finite.min() == finite.max():
        st.warning(
            "All scores are equal or not finite: there is nothing to rank. "
            "Check that the learning rates are not zero and the checkpoints differ."
        )
        return 0
    number = max(1, round(finite.size * share / 100))
    threshold = float(np.partition(finite, finite.size - number)[finite.size - number])
    figure = charts.histogram(
        scores,
        threshold,
        marked=theme.colour("suspect"),
        rest=theme.colour("neutral"),
        direction=f"{tr(text.SUSPECT_RANKINGS[ranking])}: more suspicious →",
    )
    st.plotly_chart(
        figure,
        key="histogram",
        config=charts.CONFIG,
        alt=f"Histogram of {finite.size} scores; {number} examples are above the threshold.",
    )
    left_out = scores.size - finite.size
    note = f" {text.count(left_out, 'example')} without a finite score left out." if left_out else ""
    st.caption(
        f"{theme.SIGNS['suspect']} {text.count(number, 'example')} of {finite.size:,} above the line.{note}"
    )
    return int(number)


def _recovery(audit: Audit, ranking: str) -> None:
    found = document(audit, "recovery", compute=audit.recovery)
    if not found:
        return
    st.subheader("How many of the known wrong labels does this find?", anchor=False)
    share = text.percent(found["at_20"].get(ranking))
    st.markdown(
        f"The most suspicious **20 %** hold **{share}** of the {found['planted']:,} labels that "
        "were changed on purpose. Looking at random would find 20 %."
    )
    figure = charts.recovery(
        found["curves"],
        found["fractions"],
        chosen=ranking,
        names={name: tr(words) for name, words in text.SUSPECT_RANKINGS.items()},
        colours=(theme.colour("suspect"), theme.colour("neutral")),
    )
    st.plotly_chart(
        figure,
        key="recovery",
        config=charts.CONFIG,
        alt="Share of planted wrong labels found against the share of the training set looked at.",
    )
    st.caption(
        " · ".join(
            f"{tr(text.SUSPECT_RANKINGS.get(name, name))} {text.percent(value)}"
            for name, value in found["at_20"].items()
        )
        + " within the top 20 %."
    )


def _top(audit: Audit, found: dict[str, Any], ranking: str, name: str | None) -> None:
    rows = found["suspects"]
    if not rows:
        st.info("No example of this class is above the line. Lower it, or choose another class.")
        return
    pages = (len(rows) + PAGE - 1) // PAGE
    shown, truth = 1, False
    marks = Marks(audit, "suspects", ranking, name)
    number = len(marks.ids)
    with st.container(horizontal=True, vertical_alignment="center", key="top_bar"):
        review = may_decide() and st.button(
            f"Review the {number:,} marked" if number else f"Review these {len(rows):,}",
            type="primary",
            key="review",
            icon=":material/edit:",
            help=tr(text.MARK_HELP),
        )
        if pages > 1:
            shown = min(st.pagination(pages, key="suspects_page"), pages)
        if any("planted" in row for row in rows):
            truth = st.toggle("Show which were changed on purpose", key="truth")
    if review and number:
        marks.relabel()
    elif review:
        go("relabel", audit=audit.name, by=ranking, of=name or "", top=str(len(rows)))
    decided = {key: decision_words(now.action, now.label) for key, now in audit.decisions().items()}
    begin = (shown - 1) * PAGE
    cards = suspect_cards(audit, rows[begin : begin + 2 * PAGE], decided, truth=truth)
    here = [card.id for card in cards[:PAGE]]
    gallery(
        inlined(audit, cards[:PAGE]),
        key="suspects",
        label="The most suspicious training examples: given label, suggested label",
        on_pick=lambda identity: open_details(audit, identity),
        marked=marks.ids,
        on_mark=lambda marked: marks.replace(here, marked),
        ahead=cards[PAGE:],
    )


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    show_details(audit)
    ranking, name, share = _controls(audit)
    number = _histogram(audit, ranking, share)
    if not number:
        return
    found = document(
        audit,
        "suspects",
        ranking,
        name,
        number,
        compute=lambda: audit.suspects(ranking=ranking, class_name=name, top=number),
    )
    _top(audit, found, ranking, name)
    with st.expander("What is self-influence?"):
        st.write(tr(text.WHAT_SELF_INFLUENCE))
    _recovery(audit, ranking)


audit_page(later("Which training labels look wrong or rare?"), main)
