"""A group as the query: the confusion matrix whose cells can be chosen, and what is said about a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from tracin_viz.audit import Audit, Group, cell_address
from tracin_viz.ui import charts, text, theme
from tracin_viz.ui.influence.figures import confusion_figure
from tracin_viz.ui.influence.own import leave_own
from tracin_viz.ui.language import language, tr, trn
from tracin_viz.ui.results import document, examples, shared
from tracin_viz.ui.session import remember
from tracin_viz.ui.short import class_word, class_words

#: Classes drawn in the matrix; of more, those that are confused most.
DRAWN = 25
MOST_CONFUSED = 5
_CHART = "confusion"

Counts = npt.NDArray[np.int64]


def choose_group(address: str) -> None:
    """Explain this group from now on."""
    remember("group", address)
    leave_own()


def is_labelled(audit: Audit, group: Group) -> bool:
    """Whether every example of a group has a label."""
    return bool(examples(audit, group.split)["label"].iloc[group.rows].notna().all())


def group_words(audit: Audit, group: Group) -> str:
    """What a group is, in one sentence."""
    number = len(group.rows)
    if group.given is None or group.predicted is None:
        return trn(
            "A selection of {n} training example: the mean influence over it.",
            "A selection of {n} training examples: the mean influence over them.",
            number,
        )
    names = {"given": text.plain(group.given), "predicted": text.plain(group.predicted)}
    if group.given == group.predicted:
        return trn(
            "{n} example labelled “{given}” and predicted right: the mean influence over it.",
            "{n} examples labelled “{given}” and predicted right: the mean influence over them.",
            number,
            **names,
        )
    return trn(
        "{n} example labelled “{given}” that the model calls “{predicted}”: the mean influence over it.",
        "{n} examples labelled “{given}” that the model calls “{predicted}”: the mean influence over them.",
        number,
        **names,
    )


def group_box(audit: Audit) -> None:
    """The confusion matrix of the query split; a cell, by click or by its two classes, becomes the query."""
    if audit.target != "class" or len(audit.classes) < 2:
        return
    with st.expander(
        tr("Ask about a group: what taught the model to call one class another?"), key="group_box"
    ):
        counts = np.array(document(audit, "confusion", compute=audit.confusion)["counts"], dtype=np.int64)
        if not counts.sum():
            st.caption(tr("No example of this split has a label, so there is nothing to confuse."))
            return
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _matrix(audit, counts)
        with right:
            _choice(audit, counts)


def _matrix(audit: Audit, counts: Counts) -> None:
    shown = most_confused_classes(counts, DRAWN)
    names = [audit.classes[index] for index in shown]

    def clicked() -> None:
        event: Any = st.session_state.get(_CHART)
        points = event["selection"]["points"] if event else []
        if not points:
            return
        given, predicted = (round(float(points[0][axis])) for axis in ("y", "x"))
        inside = 0 <= given < len(names) and 0 <= predicted < len(names)
        if inside and counts[shown[given], shown[predicted]]:
            choose_group(cell_address(names[given], names[predicted]))

    def draw() -> Any:
        return confusion_figure(
            counts[np.ix_(shown, shown)],
            class_words(audit, names),
            words={
                "given": tr("label"),
                "predicted": tr("prediction"),
                "cell": tr("label %{customdata[0]}, prediction %{customdata[1]}: %{customdata[2]}"),
            },
            colours=(theme.colour("proponent"), theme.colour("opponent"), theme.ground(), theme.ink()),
        )

    # A figure holds words, so its language is part of its name.
    figure = shared(audit, "confusion figure", theme.mode(), language(), compute=draw)
    st.plotly_chart(
        figure,
        key=_CHART,
        config=charts.CONFIG,
        on_select=clicked,
        selection_mode="points",
        alt=tr(
            "Confusion matrix of {split}: {right} of {total} predicted right. "
            "The boxes beside it choose a cell without the mouse.",
            split=audit.query_split,
            right=f"{int(np.trace(counts)):,}",
            total=f"{int(counts.sum()):,}",
        ),
    )
    if len(shown) < len(audit.classes):
        st.caption(tr("The {n} classes that are confused most.", n=len(shown)))


def _choice(audit: Audit, counts: Counts) -> None:
    st.markdown(tr("**The most frequent mistakes**"))
    mistakes = frequent_mistakes(counts, MOST_CONFUSED)
    if not mistakes:
        st.caption(tr("There are none."))
    for place, (given, predicted) in enumerate(mistakes):
        names = audit.classes[given], audit.classes[predicted]
        shown = " → ".join(text.plain(name) for name in class_words(audit, names))
        st.button(
            f"{shown} ({int(counts[given, predicted]):,})",
            key=f"mistake_{place}",
            on_click=choose_group,
            args=(cell_address(*names),),
        )
    st.markdown(tr("**Any cell**"))

    def named(name: str) -> str:
        return class_word(audit, name)

    label = st.selectbox(tr("Labelled as"), list(audit.classes), format_func=named, key="cell_given")
    answer = st.selectbox(tr("Predicted as"), list(audit.classes), format_func=named, key="cell_predicted")
    places = audit.classes.index(label), audit.classes.index(answer)
    number = int(counts[places])
    st.button(
        trn("Explain this {n} example", "Explain these {n} examples", number),
        key="explain_cell",
        disabled=not number,
        on_click=choose_group,
        args=(cell_address(label, answer),),
    )


def most_confused_classes(counts: Counts, most: int) -> list[int]:
    """At most ``most`` classes, those in most mistakes, in their fixed order."""
    if len(counts) <= most:
        return list(range(len(counts)))
    mistakes = counts - np.diag(np.diag(counts))
    involved = mistakes.sum(axis=0) + mistakes.sum(axis=1)
    return sorted(np.argsort(-involved, kind="stable")[:most].tolist())


def frequent_mistakes(counts: Counts, most: int) -> Sequence[tuple[int, int]]:
    """Cells beside the diagonal by falling count; empty ones never."""
    mistakes = (counts - np.diag(np.diag(counts))).reshape(-1)
    order = np.argsort(-mistakes, kind="stable")[:most]
    width = len(counts)
    return [(int(place) // width, int(place) % width) for place in order if mistakes[place]]
