"""Compute: what will be computed, how far it is, and where to go next."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import Problem
from tracin_viz.ui import text
from tracin_viz.ui.access import managing, may_manage
from tracin_viz.ui.compute_settings import asked_settings, estimate_words, settings_box
from tracin_viz.ui.frame import audit_page, guarded
from tracin_viz.ui.guard import problem_table
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.optimizer import optimizer_words
from tracin_viz.ui.own.checkpoint_table import checkpoint_table, suggestion
from tracin_viz.ui.progress import ACTIVE, explore_buttons, follow
from tracin_viz.ui.translation import said


def _checkpoints(audit: Audit) -> None:
    st.subheader(tr("Which checkpoints count, and how much?"), anchor=False)
    suggested = suggestion(audit.checkpoints, len(audit.classes))
    if may_manage() and (suggested or audit.record.unused):
        with st.container(horizontal=True):
            if suggested:
                st.button(
                    tr("Use the steep ones"), key="use_suggested", on_click=_weigh, args=(audit, suggested)
                )
            everything = [{"step": one.step, "use": True} for one in audit.checkpoints]
            st.button(tr("Use all"), key="use_all", on_click=_weigh, args=(audit, everything))
    changed = checkpoint_table(
        audit.checkpoints,
        audit.record.unused,
        classes=len(audit.classes),
        key=f"checkpoints_{audit.name}_{audit.record.version()[:8]}",
        editable=may_manage(),
    )
    if changed:
        _weigh(audit, changed)
        st.rerun()
    _not_computed(audit)


@guarded
def _weigh(audit: Audit, rows: list[dict[str, Any]]) -> None:
    managing()
    audit.set_checkpoints(rows)


def _not_computed(audit: Audit) -> None:
    """Say where the table asks for more than the last run computed, or its map is of other weights."""
    if not (may_manage() and audit.ready().scores):
        return
    missing = audit.uncomputed()
    if missing:
        steps = ", ".join(map(str, missing))
        st.info(
            tr(
                "Not computed yet: step {steps}. Press “Check again” above to add what is missing.",
                steps=steps,
            )
        )
    elif audit.ready().map and not audit.map_current():
        st.info(
            tr("The map is of other weights than this table. Press “Check again” above to draw it again.")
        )


@guarded
def _start(audit: Audit) -> None:
    managing()
    asked = asked_settings(audit)
    audit.start(settings=asked.settings, speed=asked.speed, checkpoints=asked.checkpoints)


def _run(audit: Audit) -> None:
    status = audit.status()
    state = status["state"]
    ready = audit.ready()
    if state != "created":  # what happened comes before the button that goes on from there
        follow(audit.name)
    if may_manage() and state not in ACTIVE and not (ready.scores and ready.map):
        resumes = state in ("cancelled", "failed") or status["units"]["done"] > 0
        st.button(
            tr("Resume") if resumes else tr("Start computing"),
            type="primary",
            key="start",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(audit,),
        )
    if may_manage() and state not in ACTIVE:
        settings_box(audit, with_costs=state != "created")
    if state == "created":
        st.write(estimate_words(audit))
    if ready.scores:
        st.subheader(tr("What next?"), anchor=False)
        explore_buttons(audit.name, primary=state not in ("failed", "cancelled"))
        if may_manage() and state == "done":
            st.button(
                tr("Check again"),
                key="again",
                type="tertiary",
                on_click=_start,
                args=(audit,),
                help=tr("Computes only what changed since the last run."),
            )


def _problems(audit: Audit) -> None:
    found = st.session_state.get("create_problems", {}).get(audit.name, [])
    if found:
        st.warning(
            trn("{n} row or file could not be used:", "{n} rows or files could not be used:", len(found))
        )
        problem_table([Problem(**problem) for problem in found])


def _optimizer(audit: Audit) -> None:
    words = optimizer_words(audit.notes.get("optimizer"))
    if words:
        st.subheader(tr("Which optimizer trained the model?"), anchor=False)
        st.write(words)


def _origin(audit: Audit) -> None:
    """Where a demo's data come from, under which licence, and how well its model does."""
    origin, licence, accuracy = (audit.notes.get(key) for key in ("origin", "licence", "test_accuracy"))
    if not origin:
        return
    st.subheader(tr("Where do these data come from?"), anchor=False)
    st.write(text.plain(said(origin), longest=600) + tr("."))
    if licence:
        st.caption(tr("Licence: {licence}.", licence=text.plain(said(licence), longest=600)))
    if isinstance(accuracy, float):
        st.caption(tr("The model is right on {share} of the test examples.", share=text.percent(accuracy, 1)))


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    _problems(audit)
    _run(audit)
    _checkpoints(audit)
    _optimizer(audit)
    _origin(audit)


audit_page(later("What is computed, and how far is it?"), main, needs_scores=False)
