"""Start: try the demo, open own data, or continue a recent audit."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import AuditSummary
from tracin_viz.ui import text
from tracin_viz.ui.access import managing, may_manage, say_read_only
from tracin_viz.ui.cards import spread_cards
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.frame import go, guarded, heading
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.progress import ACTIVE, explore_buttons, follow, scores_ready, status_of
from tracin_viz.ui.session import open_audit, workspace

PICTURES = 7


def _demo(kind: str, *, primary: bool) -> None:
    title, purpose = map(tr, text.DEMOS[kind])
    space = workspace()
    status = status_of(space, kind)
    ready = scores_ready(space, kind)
    active = status is not None and status["state"] in ACTIVE
    with st.container(border=True, key=f"demo_{kind}"):
        st.subheader(title, anchor=False)
        st.write(purpose)
        if ready and not active:
            if st.button(tr("Try the demo"), key=f"try_{kind}", type="primary" if primary else "secondary"):
                go("influence", audit=kind)
        elif (
            not active
            and may_manage()
            and st.button(
                tr("Try the demo"),
                key=f"try_{kind}",
                type="primary" if primary else "secondary",
                help=tr("Trains a small model on this computer; about a minute."),
            )
        ):
            managing()
            space.start_demo(kind)
            st.rerun()
        if active or (status is not None and status["state"] in ("failed", "cancelled")):
            if ready:
                st.markdown(tr("**The scores are ready.** The map is still being drawn."))
                explore_buttons(kind, primary=primary)
            follow(kind)


def _own_data() -> None:
    with st.container(border=True, key="own"):
        st.subheader(tr("Your own model and data"), anchor=False)
        st.write(tr("Images, texts or tables, and the checkpoints that your training left. Three steps."))
        if st.button(tr("Begin"), key="begin_own", icon=":material/arrow_forward:"):
            go("own")
        st.caption(tr("Files stay where they are and are only read. Or upload them."))


def _recent(summaries: list[AuditSummary]) -> None:
    st.subheader(tr("Recent audits"), anchor=False)
    with st.container(key="recent"):
        columns = st.columns(3)
        for place, summary in enumerate(summaries[:12]):
            with columns[place % 3], st.container(border=True, key=f"audit_{summary.name}"):
                st.markdown(f"**{text.plain(summary.title)}**")
                made, sizes = text.date(summary.created), text.sizes(summary.splits)
                pictures = spread_cards(open_audit(summary.name), PICTURES)
                if pictures:
                    gallery(
                        pictures, key=f"pictures_{summary.name}", label=tr("Some pictures"), layout="thumbs"
                    )
                classes = trn("{n} class", "{n} classes", len(summary.classes))
                classes = classes if summary.classes else tr("numbers to predict")
                st.caption(f"{tr(text.TASKS.get(summary.task, summary.task))} · {sizes} · {classes}")
                st.caption(f"{tr(text.STATES.get(summary.state, summary.state))} · {made}")
                ready = scores_ready(workspace(), summary.name)
                if st.button(tr("Open"), key=f"open_{summary.name}"):
                    go("influence" if ready else "compute", audit=summary.name)


@guarded
def main() -> None:
    """Draw the page."""
    summaries = workspace().summaries()
    st.write(
        tr("See which training examples made a model decide as it does, find wrong labels, and fix them.")
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _demo("digits", primary=True)
        _demo("commands", primary=False)
    with right:
        if may_manage():
            _own_data()
        else:
            say_read_only()
    if summaries:
        _recent(summaries)


heading(tr("What do you want to audit?"))
main()
