"""A question's answer on the page: estimated at once, exact when it comes, each said in words."""

from __future__ import annotations

from typing import Any

from streamlit.delta_generator import DeltaGenerator

from tracin_viz.audit import Audit
from tracin_viz.ui.influence.lists import show_lists
from tracin_viz.ui.influence.waiting import answered, is_ready
from tracin_viz.ui.language import tr
from tracin_viz.ui.session import visit

#: Training examples up to which exact scores come so soon that estimates before them would only flicker.
SMALL = 5_000


def first_answer(audit: Audit, question: dict[str, Any], status: DeltaGenerator) -> dict[str, Any]:
    """The answer that comes first: estimated, or exact where that is there already or soon.

    Args:
        audit: The audit.
        question: Arguments of ``Audit.influence``.
        status: Where the wait is shown; emptied in the end.
    """
    quick = audit.splits["train"] <= SMALL or is_ready(audit, ("influence", {**question, "exact": True}))
    return ask(audit, {**question, "exact": quick}, status, tr("Asking the training examples …"))


def exact_answer(
    audit: Audit, question: dict[str, Any], first: dict[str, Any], status: DeltaGenerator
) -> dict[str, Any]:
    """The exact answer where there is one; until then how long it has taken is shown at ``status``."""
    if first["exact"] or not first["can_be_exact"]:
        return first
    words = tr("Computing exact scores of the {n} strongest candidates …", n=f"{first['candidates']:,}")
    return ask(audit, {**question, "exact": True}, status, words)


def show_answer(audit: Audit, found: dict[str, Any], place: DeltaGenerator) -> None:
    """Draw the lists at ``place``, instead of what was there."""
    # Two answers in one run of the page need keys of their own.
    with place.container():
        show_lists(audit, found, key="" if found["exact"] or not found["can_be_exact"] else "_estimated")


def ask(
    audit: Audit, question: dict[str, Any], status: DeltaGenerator, words: str, *, session: str = ""
) -> dict[str, Any]:
    """The answer, once per content of the audit and question; read-only.

    Args:
        audit: The audit.
        question: All arguments of ``Audit.influence`` but ``session``.
        status: Where the wait is shown; emptied in the end.
        words: What is waited for.
        session: Whose newer question takes this one back; by default this visit's.
    """
    session = session or visit()

    def waited(seconds: float) -> None:
        status.caption(f":material/hourglass_top: {words} {seconds:.0f} s")

    question_now = ("influence", question)
    found = answered(audit, question_now, lambda: audit.influence(**question, session=session), waited)
    status.empty()
    return found
