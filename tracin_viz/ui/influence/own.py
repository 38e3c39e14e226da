"""A sentence or picture of the reader's own as the query: kept in the workspace, a digest in the address."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import NotFoundError, TracinVizError
from tracin_viz.fingerprint import from_address, in_address
from tracin_viz.ui.access import deciding, may_decide
from tracin_viz.ui.guard import show_error
from tracin_viz.ui.influence.question import Asked
from tracin_viz.ui.language import tr
from tracin_viz.ui.session import remember, remembered
from tracin_viz.ui.short import class_word

UNKNOWN = ""
KINDS = ["png", "jpg", "jpeg", "webp", "bmp"]
LONGEST = 2_000
#: Before the digest, where the address names an example otherwise: ``query=own:<digest>``.
OWN = "own:"
_PROBLEM = "own_problem"


def is_own(query: str) -> bool:
    """Whether the address's ``query`` is no example of the data."""
    return query.startswith(OWN)


def leave_own() -> None:
    """Ask about the data again."""
    if is_own(remembered("query")):
        remember("query", "")
    remember("own_label", "")


def own_query(audit: Audit) -> Asked | None:
    """What the reader, or a colleague who sent a link, gave; ``None`` where the query is another one.

    Raises:
        NotFoundError: It is not kept any more; the next run of the page is about the data again.
    """
    query = remembered("query")
    if not is_own(query):
        return None
    try:
        asked = audit.own_query(query.removeprefix(OWN))
    except NotFoundError:
        leave_own()
        raise
    label = from_address(remembered("own_label"), audit.classes) or UNKNOWN
    known = {"label": label} if label else {}
    return Asked({**asked, **known}, label=label or None, has_label=bool(label))


def own_box(audit: Audit) -> None:
    """The form that takes a sentence or a picture, with a label where it is known."""
    if not may_decide():
        return
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
        st.form_submit_button(tr("Explain it"), on_click=_take, args=(audit, is_text))
        problem = st.session_state.pop(_PROBLEM, None)
        if isinstance(problem, TracinVizError):
            show_error(problem, key="own_refused", leave=False)
        st.caption(
            tr(
                "It is kept in the workspace for a month after it was last opened, and whoever has the link "
                "of this page and may see this audit sees it."
            )
        )


def _take(audit: Audit, is_text: bool) -> None:
    given: dict[str, Any]
    if is_text:
        given = {"text": str(st.session_state.get("own_text") or "").strip()}
    else:
        picture = st.session_state.get("own_image")
        given = {"image": b"" if picture is None else picture.getvalue()}
    if not any(given.values()):
        st.toast(tr("Give a sentence first.") if is_text else tr("Choose a picture first."))
        return
    try:
        deciding()
        name = audit.keep_query(**given)
    except TracinVizError as error:
        st.session_state[_PROBLEM] = error
        return
    remember("query", f"{OWN}{name}")
    remember("own_label", in_address(str(st.session_state.get("own_label") or UNKNOWN)))
    remember("group", "")
