"""Choosing what to explain: an example of the data, or a sentence or picture of one's own."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import NotFoundError
from tracin_viz.ui import text
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.queries import Filter, neighbours, ordered, window
from tracin_viz.ui.session import OWN_QUERY, remember, remembered

STRIP = 12
ANY = "any"
UNKNOWN = "not known"


def choose(identity: str) -> None:
    """Explain this example from now on."""
    remember("query", identity)
    st.session_state.pop(OWN_QUERY, None)


def pick(audit: Audit, table: pandas.DataFrame) -> dict[str, Any] | None:
    """Filters, a strip of candidates, and the way to ask about something of one's own.

    Args:
        audit: The audit.
        table: Examples of its query split.

    Returns:
        Arguments for ``Audit.influence``: ``query``, or ``text`` or ``image`` with ``label`` where known;
        ``None`` when the filters leave nothing and nothing was chosen before.

    Raises:
        NotFoundError: The address names an example that does not exist.
    """
    found = _filtered(audit, table)
    ids = found["id"].tolist()
    asked = remembered("query")
    if asked and asked not in set(table["id"]):
        remember("query", "")
        raise NotFoundError(
            f"Audit '{audit.name}' has no query example '{asked}'.",
            remedy=f"Examples are called {audit.query_split}:0 to {audit.query_split}:{len(table) - 1}.",
        )
    present = asked or (ids[0] if ids else "")
    remember("query", present)
    own = st.session_state.get(OWN_QUERY)
    _steps(audit, found, present, own is not None)
    if ids:
        rows = found.set_index("id", drop=False).loc[window(ids, present, STRIP)].to_dict("records")
        cards = [example_card(audit, row) for row in rows]
        label = "Query examples to choose from"
        selected = "" if own else present
        gallery(cards, key="candidates", label=label, layout="strip", on_pick=choose, selected=selected)
    else:
        st.info("No example passes these filters. Take one of them back.")
    if own:
        return dict(own)
    return {"query": present} if present else None


def _filtered(audit: Audit, table: pandas.DataFrame) -> pandas.DataFrame:
    choices = [ANY, *audit.classes]
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        label = predicted = None
        if audit.target == "class":
            label = st.selectbox(
                "Labelled", choices, key=f"f_label_{audit.name}", persist_state="session", width=160
            )
            predicted = st.selectbox(
                "Predicted", choices, key=f"f_predicted_{audit.name}", persist_state="session", width=160
            )
        searched = "File name contains" if audit.task == "image" else "Text contains"
        words = st.text_input(searched, key=f"f_words_{audit.name}", persist_state="session", width=200)
        wrong = False
        if audit.target != "number":
            wrong = st.toggle("Wrong predictions only", key=f"f_wrong_{audit.name}", persist_state="session")
    wanted = Filter(
        label="" if label in (ANY, None) else str(label),
        predicted="" if predicted in (ANY, None) else str(predicted),
        wrong=wrong,
        words=words or "",
    )
    return ordered(table, wanted)


def _steps(audit: Audit, found: pandas.DataFrame, present: str, is_own: bool) -> None:
    ids = found["id"].tolist()
    before, after = neighbours(ids, present)
    with st.container(horizontal=True, vertical_alignment="center", key="steps"):
        for key, word, icon, target in (
            ("previous", "Previous", ":material/chevron_left:", before),
            ("next", "Next", ":material/chevron_right:", after),
        ):
            st.button(word, key=key, icon=icon, disabled=not target, on_click=choose, args=(target,))
        if audit.task != "tabular":
            _own_box(audit)
        if is_own:
            back = "Back to the examples of the data"
            st.button(back, key="own_back", icon=":material/undo:", on_click=choose, args=(present,))
        place = f"{ids.index(present) + 1:,} of " if present in ids else ""
        wrong = int(found["wrong"].sum())
        first = (
            f"{wrong:,} predicted wrongly; those come first"
            if audit.target != "number"
            else "largest loss first"
        )
        st.caption(f"{place}{text.count(len(ids), 'example')}, {first}.")


def _own_box(audit: Audit) -> None:
    is_text = audit.task == "text"
    title = "Your own sentence" if is_text else "Your own picture"
    with st.popover(title, icon=":material/add:", key="own_box"), st.form("own_form", border=False):
        if is_text:
            st.text_area("Sentence", max_chars=2_000, height=80, key="own_text")
        else:
            kinds = ["png", "jpg", "jpeg", "webp", "bmp"]
            st.file_uploader("Picture", type=kinds, max_upload_size=20, key="own_image")
        if audit.target == "class":
            st.selectbox("Its label", [UNKNOWN, *audit.classes], key="own_label")
        st.form_submit_button("Explain it", on_click=_take_own, args=(is_text,))


def _take_own(is_text: bool) -> None:
    label = st.session_state.get("own_label")
    given = None if label in (UNKNOWN, None) else label
    sentence = str(st.session_state.get("own_text") or "").strip()
    picture = st.session_state.get("own_image")
    if is_text and sentence:
        st.session_state[OWN_QUERY] = {"text": sentence, "label": given}
    elif not is_text and picture is not None:
        st.session_state[OWN_QUERY] = {"image": picture.getvalue(), "label": given}
    else:
        st.toast("Give a sentence first." if is_text else "Choose a picture first.")
