"""What is compared: an audit and a set of its checkpoints on each side, kept in the address."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.session import open_audit, parameter, set_parameter, workspace


@dataclass(frozen=True)
class Side:
    """One side.

    Attributes:
        name: ``"left"`` or ``"right"``.
        audit: The audit with only the chosen checkpoints in use.
        title: What it is, for Markdown.
        opens: Whether its examples open in the page's dialog, which is about the page's audit.
    """

    name: str
    audit: Audit
    title: str
    opens: bool


def choose_sides(audit: Audit) -> tuple[Side, Side]:
    """Draw the choices of both sides.

    Args:
        audit: The page's audit, which is always the left one.
    """
    left, right = st.columns(2, gap="medium", vertical_alignment="center")
    left.markdown(f"**{text.plain(audit.title)}**")
    with right:
        other = _other(audit)
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="left_side"):
        first = _side("left", audit, _in_use(audit))
    with right, st.container(key="right_side"):
        usual = _in_use(other) if other.name != audit.name else _in_use(other)[-1:]
        second = _side("right", other, usual, opens=other.name == audit.name)
    return first, second


def _other(audit: Audit) -> Audit:
    """The audit on the right: by default the same, with other checkpoints."""
    names = [audit.name]
    for summary in workspace().summaries():
        if summary.name != audit.name and open_audit(summary.name).ready().scores:
            names.append(summary.name)
    if len(names) == 1:
        st.markdown(f"**{text.plain(audit.title)}**")
        return audit
    key = "compare_with"
    if st.session_state.get(key) not in names:
        asked = parameter("with")
        st.session_state[key] = asked if asked in names else audit.name
    titles = {name: open_audit(name).title for name in names}
    chosen = st.selectbox(
        tr("Compared with"),
        names,
        key=key,
        format_func=lambda name: titles[name],
        label_visibility="collapsed",
        persist_state="session",
    )
    set_parameter("with", "" if chosen == audit.name else str(chosen))
    return open_audit(str(chosen))


def _side(name: str, audit: Audit, usual: list[int], *, opens: bool = True) -> Side:
    steps = audit.computed()
    key = f"compare_{name}_{audit.name}"
    kept = st.session_state.get(key)
    if not kept or not set(kept) <= set(steps):
        asked = _steps(parameter(name))
        st.session_state[key] = [step for step in steps if step in asked] or usual
    label = tr("Checkpoints on the left") if name == "left" else tr("Checkpoints on the right")
    chosen = st.multiselect(
        label,
        steps,
        key=key,
        format_func=lambda step: tr("step {step}", step=f"{step:,}"),
        persist_state="session",
    )
    counted = sorted(chosen) or usual
    set_parameter(name, "" if counted == usual else "-".join(map(str, counted)))
    if not chosen:
        st.caption(tr("At least one checkpoint counts; the usual ones do now."))
    number = trn("{n} checkpoint", "{n} checkpoints", len(counted))
    return Side(name, audit.limited(counted), f"{text.plain(audit.title)} · {number}", opens)


def _in_use(audit: Audit) -> list[int]:
    """Steps of the checkpoints that count elsewhere."""
    return [step for step in audit.computed() if step not in set(audit.record.unused)]


def _steps(written: str) -> set[int]:
    return {int(part) for part in written.split("-") if part.isascii() and part.isdecimal()}
