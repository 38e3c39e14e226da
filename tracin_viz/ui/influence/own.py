"""A sentence or picture of the reader's own as the query. A sentence is in the address; a picture is not."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui.influence.question import Asked
from tracin_viz.ui.language import tr
from tracin_viz.ui.session import OWN_QUERY, remember, remembered
from tracin_viz.ui.short import class_word

UNKNOWN = ""
KINDS = ["png", "jpg", "jpeg", "webp", "bmp"]
LONGEST = 2_000


def own_query(audit: Audit) -> Asked | None:
    """What the reader gave, where that is what is asked about."""
    label = remembered("own_label")
    label = label if label in audit.classes else ""
    known = {"label": label} if label else {}
    sentence = remembered("own")[:LONGEST]
    if audit.task == "text" and sentence.strip():
        return Asked({"text": sentence, **known}, label=label or None, has_label=bool(label))
    picture = st.session_state.get(OWN_QUERY)
    if audit.task == "image" and isinstance(picture, bytes):
        return Asked({"image": picture, **known}, label=label or None, has_label=bool(label))
    return None


def own_box(audit: Audit) -> None:
    """The form that takes a sentence or a picture, with a label where it is known."""
    is_text = audit.task == "text"
    title = tr("Your own sentence") if is_text else tr("Your own picture")
    with st.popover(title, icon=":material/add:", key="own_box"), st.form("own_form", border=False):
        if is_text:
            st.text_area(tr("Sentence"), max_chars=LONGEST, height=80, key="own_text")
        else:
            st.file_uploader(tr("Picture"), type=KINDS, max_upload_size=20, key="own_image")
        if audit.target == "class":
            st.selectbox(
                tr("Its label"),
                [UNKNOWN, *audit.classes],
                format_func=lambda name: class_word(audit, name) or tr("not known"),
                key="own_label",
                help=tr("Without a label, the model's score for its prediction is explained."),
            )
        st.form_submit_button(tr("Explain it"), on_click=_take, args=(is_text,))


def _take(is_text: bool) -> None:
    sentence = str(st.session_state.get("own_text") or "").strip()
    picture = st.session_state.get("own_image")
    if is_text and sentence:
        remember("own", sentence)
    elif not is_text and picture is not None:
        st.session_state[OWN_QUERY] = picture.getvalue()
    else:
        st.toast(tr("Give a sentence first.") if is_text else tr("Choose a picture first."))
        return
    remember("own_label", str(st.session_state.get("own_label") or UNKNOWN))
    remember("group", "")
