"""What is asked on the Influence page: a query or group, and how it shall be answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit, Group
from tracin_viz.ui import text
from tracin_viz.ui.choices import length_choice, ranking_choice
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.session import linked, publish
from tracin_viz.ui.short import class_word

#: Stands for the answer that belongs to the query by nature: its label, or its prediction.
NATURAL = ""
SAME_CLASS_HELP = later(
    "Same class only: compare with training examples of the class that is explained. Use it to see which of "
    "a class's own examples stand behind a prediction, or against it."
)


@dataclass(frozen=True)
class Asked:
    """A query as the page knows it.

    Attributes:
        query: Arguments of ``Audit.influence`` that name it: ``query``, ``text``, ``image`` or ``group``.
        label: Its right answer where known; a group of one class has that.
        has_label: Whether the right answer of it, or of all its members, is known.
        group: The group, where it is one.
    """

    query: dict[str, Any]
    label: str | None = None
    has_label: bool = False
    group: Group | None = None


@dataclass(frozen=True)
class Settings:
    """How a query shall be answered.

    Attributes:
        ranking: Key of ``text.RANKINGS``.
        answer: Class that is explained; empty = the one that belongs to the query.
        same_class: Only training examples of the class that is explained.
        top: Examples per list.
    """

    ranking: str = "dot"
    answer: str = NATURAL
    same_class: bool = False
    top: int = 10

    def arguments(self, audit: Audit, asked: Asked) -> dict[str, Any]:
        """All arguments of ``Audit.influence`` but ``exact`` and ``session``."""
        found: dict[str, Any] = {**asked.query, "ranking": self.ranking, "top": self.top}
        if self.same_class:
            found["same_class"] = True
        if self.answer:
            # Where the right answer is known its loss is explained, else the score of the class.
            found["label" if asked.has_label and audit.target == "class" else "score"] = self.answer
        return found


def settings(audit: Audit, asked: Asked) -> Settings:
    """The row of controls, and a line on when to use the ranking."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        ranking = ranking_choice()
        answer = NATURAL
        if audit.classes:
            choices = [NATURAL, *audit.classes]
            answer = st.selectbox(
                tr("Explain the answer"),
                choices,
                format_func=lambda name: class_word(audit, name) or _natural(asked),
                key=linked("answer", choices, NATURAL, words=_natural(asked)),
                persist_state="session",
                width=200,
            )
        top = length_choice()
        same = _same_class(audit, asked, str(answer or NATURAL))
    publish("answer", answer or NATURAL, NATURAL)
    st.caption(tr(text.RANKING_HELP[ranking]) + (f" {tr(SAME_CLASS_HELP)}" if same else ""))
    return Settings(ranking, str(answer or NATURAL), same, top)


def _same_class(audit: Audit, asked: Asked, answer: str) -> bool:
    """The switch, where a single class is explained."""
    mixed = asked.group is not None and asked.group.predicted is None
    if audit.target != "class" or (mixed and not answer):
        return False
    on = st.toggle(
        tr("Same class only"),
        key=linked("same", [False, True], usual=False),
        persist_state="session",
        help=tr(SAME_CLASS_HELP),
    )
    publish("same", on, usual=False)
    return bool(on)


def _natural(asked: Asked) -> str:
    group = asked.group
    if group is not None and group.predicted is None:
        return tr("their own labels")
    if group is not None or not asked.has_label:
        return tr("the prediction")
    return tr("its own label")
