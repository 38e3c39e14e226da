"""Ask one of the questions about evidence: start it, follow it, stop it, and say what went wrong."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.access import managing, may_manage
from tracin_viz.ui.guard import guarded
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.progress import ACTIVE, EVERY, log_tail
from tracin_viz.ui.session import visit
from tracin_viz.ui.translation import all_said

#: What a job is doing, by its stage.
_STAGES: dict[str, str] = {
    "starting": later("Getting ready"),
    "reading": later("Reading the data and the decisions"),
    "estimating": later("Comparing gradients of changed labels with test examples"),
    "training": later("Training with and without the decisions"),
    "testing": later("Planting wrong labels and looking for them"),
}


def ask(audit: Audit, kind: str, label: str, *, primary: bool, ready: bool = True, **asked: Any) -> None:
    """The button that asks a question, or how its answer is getting on.

    Args:
        audit: The audit.
        kind: Of the question.
        label: Of the button, translated.
        primary: Whether this is the filled button of the page.
        ready: Whether it can be asked now.
        asked: Fields of its settings.
    """
    status = audit.evidence_status(kind)
    if status is not None and status["state"] in ("created", *ACTIVE):
        _follow(audit, kind)
        return
    if may_manage() and st.button(
        label,
        key=f"evidence_{kind}",
        type="primary" if primary else "secondary",
        icon=":material/play_arrow:",
        disabled=not ready,
    ):
        _answer(audit, kind, asked)
        return
    if status is not None and status["state"] == "failed":
        message = text.plain(all_said(str(status["message"])), longest=600)
        st.error(tr("That could not be answered: {message}", message=message))
        log_tail(status)
    elif status is not None and status["state"] == "cancelled":
        st.caption(tr("The last attempt was cancelled; nothing of it was kept."))


@guarded
def _answer(audit: Audit, kind: str, asked: dict[str, Any]) -> None:
    managing()
    if kind == "estimate" and audit.estimate_is_quick():
        with st.spinner(tr("Comparing gradients of changed labels with test examples"), show_time=True):
            audit.estimate_now(session=visit(), **asked)
    else:
        audit.start_evidence(kind, **asked)
    st.rerun()


def _follow(audit: Audit, kind: str) -> None:
    @st.fragment(run_every=EVERY)
    @guarded
    def panel() -> None:
        now = audit.evidence_status(kind)
        if now is None or now["state"] not in ("created", *ACTIVE):
            st.rerun()
        share = min(1.0, now["done"] / now["total"]) if now["total"] else 0.0
        left = text.duration(now["seconds_left"])
        stage = tr(_STAGES.get(now["stage"], _STAGES["starting"]))
        with st.container(border=True, key=f"asking_{kind}"):
            st.progress(share, text=f"{stage} · {share:.0%}" + (f" · {left}" if left else ""))
            with st.container(horizontal=True, vertical_alignment="center"):
                if may_manage():
                    st.button(
                        tr("Cancel"),
                        key=f"cancel_evidence_{kind}",
                        icon=":material/stop_circle:",
                        on_click=_cancel,
                        args=(audit, kind),
                    )
                st.caption(tr("You can close this page; the work goes on."))

    panel()


@guarded
def _cancel(audit: Audit, kind: str) -> None:
    managing()
    audit.cancel_evidence(kind)


def say_if_older(found: dict[str, Any]) -> None:
    """Say where decisions or results are not those any more that an answer was computed from."""
    if "decisions" in found["older"]:
        st.warning(
            tr("This answer is of older decisions: labels were decided since. Ask again to renew it."),
            icon=":material/history:",
        )
    elif "results" in found["older"]:
        st.warning(
            tr(
                "This answer is of older results: checkpoints, learning rates or data changed since. "
                "Ask again to renew it."
            ),
            icon=":material/history:",
        )


def changes_words(found: dict[str, Any]) -> str:
    """What the decisions changed, in words."""
    changes = found["changes"]
    relabelled = trn("{n} label changed", "{n} labels changed", changes["relabelled"])
    excluded = trn("{n} example left out", "{n} examples left out", changes["excluded"])
    return f"{relabelled}, {excluded}"
