"""How a run is doing: a panel that follows it, for the Start and the Compute page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Workspace
from tracin_viz.errors import NotFoundError
from tracin_viz.ui import text
from tracin_viz.ui.access import managing, may_manage
from tracin_viz.ui.frame import go, guarded
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.session import workspace
from tracin_viz.ui.translation import all_said, said

#: Seconds between looks; each costs the server some 50 ms per open page.
EVERY = 1.5
ACTIVE = ("queued", "running")
LOG_LINES = 40


def status_of(space: Workspace, name: str) -> dict[str, Any] | None:
    """The status document of ``name``; ``None`` when neither an audit nor a run has that name."""
    try:
        return space.status(name)
    except NotFoundError:
        return None


def scores_ready(space: Workspace, name: str) -> bool:
    """Whether ``name`` is an audit whose scores can be explored, even if its map is still being drawn."""
    return any(summary.name == name for summary in space.summaries()) and space.open(name).ready().scores


def follow(name: str) -> None:
    """A panel with stage, bar, time left and a cancel button, renewed by itself until the run has ended."""
    space = workspace()
    status = status_of(space, name)
    if status is None:
        return
    running = status["state"] in ACTIVE
    seen = (status["state"], scores_ready(space, name))

    @st.fragment(run_every=EVERY if running else None)
    @guarded
    def panel() -> None:
        now = status_of(space, name)
        if now is None or (now["state"], scores_ready(space, name)) != seen:
            st.rerun()
        draw(name, now)

    panel()


def draw(name: str, status: dict[str, Any]) -> None:
    """One status document as a panel."""
    state = status["state"]
    with st.container(border=state in ACTIVE, key=f"run_{state}"):
        if state in ACTIVE:
            _running(name, status)
        elif state == "failed":
            message = text.plain(all_said(str(status["message"])), longest=600)
            st.error(tr("The run of {audit} failed: {message}", audit=text.plain(name), message=message))
            st.markdown(
                tr("**What to do:** correct the cause, then resume; what was finished is not computed twice.")
            )
            log_tail(status)
        elif state == "cancelled":
            st.warning(
                tr("This run was cancelled. What was finished is kept; resuming continues from there.")
            )
        elif state == "done":
            st.success(tr("Everything is computed."))


def _running(name: str, status: dict[str, Any]) -> None:
    counted = status.get("stage_progress") or status["units"]
    done, total = int(counted["done"] or 0), int(counted["total"] or 0)
    share = min(1.0, done / total) if total else 0.0
    left = text.duration(status["seconds_left"])
    stage = str(status.get("stage") or "")
    what = _said(stage) if stage else tr(text.STATES[status["state"]])
    st.progress(share, text=f"{what} · {share:.0%}" + (f" · {left}" if left else ""))
    if status["message"]:
        st.caption(_said(str(status["message"])))
    units = status["units"]
    with st.container(horizontal=True, vertical_alignment="center"):
        if may_manage():
            st.button(
                tr("Cancel"),
                key=f"cancel_{name}",
                icon=":material/stop_circle:",
                on_click=_cancel,
                args=(name,),
            )
        # Before there is an audit (a demo in training) these are the stage's steps instead of units.
        if units["total"] and any(summary.name == name for summary in workspace().summaries()):
            stored = trn(
                "{done} of {n} work unit stored.",
                "{done} of {n} work units stored.",
                units["total"],
                done=f"{units['done']:,}",
            )
            st.caption(f"{stored} {tr('You can close this page; the run goes on.')}")
        else:
            st.caption(tr("You can close this page; the run goes on."))


def _said(phrase: str) -> str:
    """What a run says about itself: translated where it is a fixed phrase."""
    return tr(text.STAGES[phrase]) if phrase in text.STAGES else text.plain(said(phrase))


@guarded
def _cancel(name: str) -> None:
    managing()
    workspace().cancel(name)
    st.toast(tr("Stopping after the present batch."))


def log_tail(status: dict[str, Any]) -> None:
    """The last lines of a run's log, as text."""
    lines = _tail(status.get("log"))
    if lines:
        with st.expander(tr("End of the log"), expanded=True):
            st.code(lines, language=None, wrap_lines=True)


def _tail(log: str | None) -> str:
    # The log's place comes from our own jobs table, never from the browser.
    from pathlib import Path

    if not log:
        return ""
    path = Path(log)
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 16_384))
        return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-LOG_LINES:])


def explore_buttons(name: str, *, primary: bool = True) -> None:
    """Where to go with finished scores."""
    with st.container(horizontal=True):
        if st.button(
            tr("Explore"),
            key=f"explore_{name}",
            type="primary" if primary else "secondary",
            icon=":material/compare_arrows:",
        ):
            go("influence", audit=name)
        if st.button(tr("See the suspects"), key=f"suspects_{name}", icon=":material/flag:"):
            go("suspects", audit=name)
