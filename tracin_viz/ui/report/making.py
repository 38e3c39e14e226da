"""The report file on its page: options, progress, preview and download."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit, ReportOptions, Words, report_headline, report_page
from tracin_viz.ui import text
from tracin_viz.ui.language import language, later, tr, trn
from tracin_viz.ui.results import state_key
from tracin_viz.ui.translation import said

#: Findings that may be chosen; more makes a file that nobody reads to its end.
NUMBERS = (6, 12, 24, 50, 100)
USUAL = 24
_PARTS = {
    "findings": later("Looking at the most suspicious examples"),
    "clusters": later("Looking at the groups"),
    "influence": later("Asking what taught the model a mistake"),
    "done": later("Done"),
}
_SIZES = (later("Small"), later("Large"))
#: Of the whole bar at which each part begins.
_BEGINS = {"findings": 0.0, "clusters": 0.75, "influence": 0.85, "done": 1.0}
_MADE = "report_made"


def words() -> Words:
    """The report's words: those of this visit."""
    return Words("zh-Hans" if language() == "zh" else language(), tr, trn, said)


def options_form() -> ReportOptions:
    """The choices about the file."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="report_options"):
        number = st.selectbox(
            tr("Findings shown"), NUMBERS, index=NUMBERS.index(USUAL), key="report_findings", width=200
        )
        size = st.segmented_control(
            tr("Pictures"),
            [0, 1],
            default=0,
            required=True,
            key="report_size",
            format_func=lambda place: tr(_SIZES[place]),
        )
        names = st.toggle(
            tr("Name the annotators"),
            value=True,
            key="report_names",
            help=tr("Off: annotators are numbered, and notes are left out."),
        )
    return ReportOptions(findings=int(number), pictures=ReportOptions.SIZES[size or 0], names=bool(names))


def offer_file(audit: Audit, options: ReportOptions) -> None:
    """The button that makes the file; then the way to have it, and a look at it."""
    key = _key(audit, options)
    made = st.session_state.get(_MADE, ("", b""))
    ready = made[0] == key
    with st.container(horizontal=True, vertical_alignment="center", key="report_bar"):
        if ready:
            st.download_button(
                tr("Download the report"),
                data=made[1],
                file_name=f"{audit.name}-report.html",
                mime="text/html",
                key="report_download",
                type="primary",
                icon=":material/download:",
                on_click="ignore",
            )
            st.caption(tr("One file of {size} MB that opens anywhere.", size=f"{len(made[1]) / 1e6:.1f}"))
            pressed = False
        else:
            pressed = st.button(
                tr("Make the report"), key="make", type="primary", icon=":material/description:"
            )
            st.caption(
                tr(
                    "One file for people without this app: opens on a phone, prints, needs no network. Exact "
                    "scores are computed for it, which takes up to a minute for small models."
                )
            )
    if pressed:
        st.session_state[_MADE] = (key, _made(audit, options))
        st.rerun()
    if ready:
        # The file runs no program and loads nothing; the frame keeps its look apart from the page's.
        with st.container(border=True, key="report_preview"):
            st.iframe(made[1].decode("utf-8"), height=640)


def _made(audit: Audit, options: ReportOptions) -> bytes:
    bar = st.progress(0.0, text=tr(_PARTS["findings"]))

    def tell(part: str, done: int, total: int) -> None:
        begins = list(_BEGINS.values())
        place = list(_BEGINS).index(part)
        after = begins[min(place + 1, len(begins) - 1)]
        bar.progress(begins[place] + (after - begins[place]) * done / max(1, total), text=tr(_PARTS[part]))

    page = report_page(audit.report(options, tell), words())
    bar.empty()
    return page.encode("utf-8")


def _key(audit: Audit, options: ReportOptions) -> str:
    """Changes with everything that the file would say."""
    answers = [audit.evidence_status(kind) for kind in ("estimate", "retrain", "self-test")]
    told = [(one["job"], one["state"]) for one in answers if one]
    return repr((state_key(audit), len(audit.history()), told, language(), astuple(options)))


def summary(report: dict[str, Any]) -> None:
    """What the report says first, as it will say it, and whether people have reviewed anything."""
    if report["decisions"]["annotators"]:
        st.badge(tr("Reviewed by people"), color="green", icon=":material/check:")
    else:
        st.badge(
            tr("Not reviewed: nobody has decided about these labels yet"),
            color="orange",
            icon=":material/flag:",
        )
    st.markdown(f"#### {text.plain(report_headline(report, words()), longest=600)}")
