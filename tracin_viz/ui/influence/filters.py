"""The filters of the query picker, in the address: each choice says how many examples it would leave."""

from __future__ import annotations

from collections.abc import Mapping

import pandas
import streamlit as st

from tracin_viz.audit import CONFIDENCE_BANDS, Audit
from tracin_viz.ui.facets import WORDS as WORDS_OF
from tracin_viz.ui.influence.queries import ANY_CONFIDENCE, Band, Counts, Filter, Found, counts, ordered
from tracin_viz.ui.language import tr
from tracin_viz.ui.results import shared
from tracin_viz.ui.session import linked, parameter, publish
from tracin_viz.ui.short import class_word

ANY = ""
#: Parameters of the address that filters use.
LABEL, PREDICTED, WRONG, WORDS, SURE = "given", "said", "wrong", "words", "sure"


def filtered(audit: Audit, table: pandas.DataFrame) -> Found:
    """Draw the filters; returns the examples that pass.

    Args:
        audit: The audit.
        table: Examples of its query split.
    """
    before = _present(audit)
    split = audit.query_split
    left: Counts = shared(audit, "query counts", split, before, compute=lambda: counts(table, before))
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        if audit.target == "class":
            _class_choice(audit, LABEL, tr("Labelled"), left.label, left.any_label)
            _class_choice(audit, PREDICTED, tr("Predicted"), left.predicted, left.any_predicted)
            _confidence(left.sure)
        _words(audit)
        if audit.target != "number":
            st.toggle(
                tr("Wrong predictions only ({n})", n=f"{left.wrong:,}"),
                key=linked(WRONG, [False, True], usual=False),
                persist_state="session",
            )
    wanted = _present(audit)
    publish(LABEL, wanted.label, ANY)
    publish(PREDICTED, wanted.predicted, ANY)
    publish(WRONG, wanted.wrong, usual=False)
    publish(WORDS, wanted.words, "")
    publish(SURE, "{}-{}".format(*wanted.sure), "{}-{}".format(*ANY_CONFIDENCE))
    found: Found = shared(audit, "query order", split, wanted, compute=lambda: ordered(table, wanted))
    if wanted != Filter():
        number, everything = f"{len(found.rows):,}", f"{len(table):,}"
        st.caption(tr("The filters leave {n} of {all} examples.", n=number, all=everything))
    return found


def clear_filters() -> None:
    """Take every filter back."""
    for name, usual in ((LABEL, ANY), (PREDICTED, ANY), (WRONG, False), (WORDS, ""), (SURE, ANY_CONFIDENCE)):
        st.session_state[f"linked_{name}"] = usual
        publish(name, "", "")


def _present(audit: Audit) -> Filter:
    """What is chosen now, before the widgets are drawn: they are numbered by it."""
    state = st.session_state
    classes = [ANY, *audit.classes] if audit.target == "class" else [ANY]
    flags = [False, True]
    _begin_words()
    _begin_confidence()
    return Filter(
        label=str(state[linked(LABEL, classes, ANY)] or ANY),
        predicted=str(state[linked(PREDICTED, classes, ANY)] or ANY),
        wrong=bool(state[linked(WRONG, flags, usual=False)]) and audit.target != "number",
        words=str(state[f"linked_{WORDS}"] or ""),
        sure=tuple(state[f"linked_{SURE}"]) if audit.target == "class" else ANY_CONFIDENCE,
    )


def _class_choice(audit: Audit, name: str, title: str, left: Mapping[str, int], total: int) -> None:
    def shown(choice: str) -> str:
        number = left.get(choice, 0) if choice else total
        return f"{class_word(audit, choice) or tr('any')} ({number:,})"

    choices = [ANY, *audit.classes]
    key = linked(name, choices, ANY)
    st.selectbox(title, choices, format_func=shown, key=key, persist_state="session", width=176)


def _confidence(left: Mapping[Band, int]) -> None:
    key = f"linked_{SURE}"
    choices = [ANY_CONFIDENCE, *CONFIDENCE_BANDS]
    if st.session_state[key] not in choices:
        choices.append(st.session_state[key])  # of a link: any range can be asked for

    def shown(band: Band) -> str:
        words = tr("any") if band == ANY_CONFIDENCE else _band_words(band)
        return f"{words} ({left.get(band, 0):,})"

    st.selectbox(
        tr("Confidence of the prediction"),
        choices,
        format_func=shown,
        key=key,
        persist_state="session",
        width=192,
    )


def _band_words(band: Band) -> str:
    known = WORDS_OF["confidence"].get("{}-{}".format(*band))
    return tr(known) if known else f"{band[0]}–{band[1]} %"


def _begin_confidence() -> None:
    key = f"linked_{SURE}"
    if key in st.session_state:
        return
    low, _, high = parameter(SURE).partition("-")
    usual = ANY_CONFIDENCE
    if low.isdecimal() and high.isdecimal() and usual[0] <= int(low) <= int(high) <= usual[1]:
        usual = (int(low), int(high))
    st.session_state[key] = usual


def _words(audit: Audit) -> None:
    title = tr("File name contains") if audit.task == "image" else tr("Text contains")
    st.text_input(title, key=f"linked_{WORDS}", persist_state="session", width=200, max_chars=200)


def _begin_words() -> None:
    st.session_state.setdefault(f"linked_{WORDS}", parameter(WORDS)[:200])
