"""Compute: what will be computed, how far it is, and where to go next."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import Problem
from tracin_viz.ui import text
from tracin_viz.ui.frame import audit_page, guarded
from tracin_viz.ui.progress import ACTIVE, explore_buttons, follow


def _checkpoints(audit: Audit) -> None:
    st.subheader("Which checkpoints count, and how much?", anchor=False)
    st.dataframe(
        [
            {
                "Step": checkpoint.step,
                "Epoch": checkpoint.epoch,
                "Training loss": checkpoint.train_loss,
                "Learning rate": checkpoint.learning_rate,
                "Where the learning rate comes from": checkpoint.provenance,
            }
            for checkpoint in audit.checkpoints
        ],
        hide_index=True,
        width="stretch",
        column_config={
            "Learning rate": st.column_config.NumberColumn(format="%.3g"),
            "Training loss": st.column_config.NumberColumn(format="%.3f"),
            "Epoch": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    st.caption(
        "Each checkpoint is weighted by the mean of the learning rates used since the one before. "
        "Checkpoints where the loss fell steeply tell most; converged ones tell least."
    )


@guarded
def _start(audit: Audit) -> None:
    audit.start()


def _run(audit: Audit) -> None:
    status = audit.status()
    state = status["state"]
    ready = audit.ready()
    if state not in ACTIVE and not (ready.scores and ready.map):
        resumes = state in ("cancelled", "failed") or status["units"]["done"] > 0
        st.button(
            "Resume" if resumes else "Start computing",
            type="primary",
            key="start",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(audit,),
        )
    if state == "created":
        examples = text.count(sum(audit.splits.values()), "example")
        checkpoints = text.count(len(audit.checkpoints), "checkpoint")
        st.write(
            f"To be computed: gradients of {examples} at {checkpoints}, then the map. "
            "It runs in the background, about as long as one to two training epochs per checkpoint."
        )
    else:
        follow(audit.name)
    if ready.scores:
        st.subheader("What next?", anchor=False)
        explore_buttons(audit.name, primary=state not in ("failed", "cancelled"))
        if state == "done":
            st.button(
                "Check again",
                key="again",
                type="tertiary",
                on_click=_start,
                args=(audit,),
                help="Computes only what changed since the last run.",
            )


def _problems(audit: Audit) -> None:
    found = st.session_state.get("create_problems", {}).get(audit.name, [])
    if found:
        st.warning(f"{text.count(len(found), 'row or file', 'rows or files')} could not be used:")
        problems = [Problem(**problem) for problem in found]
        st.dataframe(
            [{"Where": p.where, "What is wrong": p.message, "What to do": p.remedy} for p in problems],
            hide_index=True,
            width="stretch",
        )


def _origin(audit: Audit) -> None:
    """Where a demo's data come from, under which licence, and how well its model does."""
    origin, licence, accuracy = (audit.notes.get(key) for key in ("origin", "licence", "test_accuracy"))
    if not origin:
        return
    st.subheader("Where do these data come from?", anchor=False)
    st.write(text.plain(origin, longest=600) + ".")
    if licence:
        st.caption(f"Licence: {text.plain(licence, longest=600)}.")
    if isinstance(accuracy, float):
        st.caption(f"The model is right on {text.percent(accuracy, 1)} of the test examples.")


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    _problems(audit)
    _run(audit)
    _checkpoints(audit)
    _origin(audit)


audit_page("What is computed, and how far is it?", main, needs_scores=False)
