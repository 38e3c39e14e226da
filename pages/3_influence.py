"""Influence: choose a prediction; see the training examples for and against it."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import NotFoundError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui import text
from tracin_viz.ui.cards import example_card, influence_cards, similar_cards
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.frame import audit_page
from tracin_viz.ui.queries import Filter, neighbours, ordered, window
from tracin_viz.ui.session import document, examples, remember, remembered, visit

STRIP = 12
ANY = "any"


def _choose(identity: str) -> None:
    remember("query", identity)
    st.session_state.pop("own_query", None)


def _filters(audit: Audit, table: pandas.DataFrame) -> pandas.DataFrame:
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        choices = [ANY, *audit.classes]
        label = st.selectbox("Labelled", choices, key="f_label", persist_state="session", width=160)
        predicted = st.selectbox("Predicted", choices, key="f_predicted", persist_state="session", width=160)
        words = st.text_input(
            "Text contains" if audit.task == "text" else "File name contains",
            key="f_words",
            persist_state="session",
            width=200,
        )
        wrong = st.toggle("Wrong predictions only", key="f_wrong", persist_state="session")
    return ordered(
        table,
        Filter(
            "" if label == ANY else label or "",
            "" if predicted == ANY else predicted or "",
            wrong,
            words or "",
        ),
    )


def _picker(audit: Audit, table: pandas.DataFrame) -> str:
    """The filters and a strip of candidates; returns the chosen id."""
    found = _filters(audit, table)
    ids = found["id"].tolist()
    asked = remembered("query")
    if asked and asked not in set(table["id"]):
        raise NotFoundError(
            f"Audit '{audit.name}' has no query example '{asked}'.",
            remedy=f"Examples are called {audit.query_split}:0 to {audit.query_split}:{len(table) - 1}.",
        )
    if not ids:
        st.info("No example passes these filters. Take one of them back.")
        return asked
    present = asked or ids[0]
    remember("query", present)
    before, after = neighbours(ids, present)
    with st.container(horizontal=True, vertical_alignment="center", key="steps"):
        st.button(
            "Previous",
            key="previous",
            icon=":material/chevron_left:",
            disabled=not before,
            on_click=_choose,
            args=(before,),
        )
        st.button(
            "Next",
            key="next",
            icon=":material/chevron_right:",
            disabled=not after,
            on_click=_choose,
            args=(after,),
        )
        wrong = int(found["wrong"].sum())
        place = f"{ids.index(present) + 1:,} of " if present in ids else ""
        st.caption(
            f"{place}{text.count(len(ids), 'example')}, {wrong:,} predicted wrongly; those come first."
        )
    rows = found.set_index("id", drop=False).loc[window(ids, present, STRIP)].to_dict("records")
    gallery(
        [example_card(audit, row) for row in rows],
        key="candidates",
        label="Query examples to choose from",
        layout="strip",
        on_pick=_choose,
        selected=present,
    )
    return present


def _own_query(audit: Audit) -> dict[str, Any] | None:
    """A typed sentence or an uploaded picture, instead of an example of the data."""
    title = "Or type your own sentence" if audit.task == "text" else "Or upload your own picture"
    with st.expander(title, key="own_query_box"), st.form("own_form", border=False):
        sentence, picture = "", None
        if audit.task == "text":
            sentence = st.text_area("Sentence", max_chars=2_000, height=80, key="own_text") or ""
        else:
            picture = st.file_uploader(
                "Picture", type=["png", "jpg", "jpeg", "webp", "bmp"], max_upload_size=20
            )
        unknown = "not known"
        label = st.selectbox("Its label", [unknown, *audit.classes], key="own_label")
        if st.form_submit_button("Explain it"):
            given = None if label == unknown else label
            if sentence.strip():
                st.session_state["own_query"] = {"text": sentence.strip(), "label": given}
            elif picture is not None:
                st.session_state["own_query"] = {"image": picture.getvalue(), "label": given}
            else:
                st.warning("Give a sentence first." if audit.task == "text" else "Choose a picture first.")
    own = st.session_state.get("own_query")
    if own and ("text" in own) == (audit.task == "text"):
        st.button(
            "Back to the examples of the data",
            key="own_back",
            icon=":material/undo:",
            on_click=lambda: st.session_state.pop("own_query", None),
        )
        return dict(own)
    return None


def _ask(audit: Audit, question: dict[str, Any], ranking: str, top: int) -> dict[str, Any]:
    known = {key: value for key, value in question.items() if value is not None}
    return dict(
        document(
            audit,
            "influence",
            fingerprint(known),
            ranking,
            top,
            compute=lambda: audit.influence(**known, ranking=ranking, top=top, session=visit()),
        )
    )


def _controls(audit: Audit, given: str | None, predicted: str) -> tuple[str, str | None, int]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        ranking = (
            st.segmented_control(
                "Ranking",
                list(text.RANKINGS),
                format_func=text.RANKINGS.__getitem__,
                default="dot",
                required=True,
                key="ranking",
                bind="query-params",
            )
            or "dot"
        )
        own = "its own label" if given else "the prediction"
        choices = [own, *audit.classes]
        label = st.selectbox(
            "Explain the answer",
            choices,
            key="answer",
            width=200,
            help=f"Given label: {text.plain(given or 'none')} · predicted: {text.plain(predicted)}",
        )
        top = st.select_slider(
            "Examples per list", [5, 10, 20, 50], value=10, key="top", bind="query-params", width=160
        )
    st.caption(text.RANKING_HELP[ranking])
    return ranking, None if label == own else label, int(top)


def _lists(audit: Audit, found: dict[str, Any]) -> None:
    strongest = max(
        (abs(float(entry["score"])) for side in ("proponents", "opponents") for entry in found[side]),
        default=0.0,
    )
    target = text.plain(found["target"]["class"])
    left, right = st.columns(2, gap="medium")
    for column, side, title, meaning in (
        (left, "proponents", f":blue[{text.FOR}] “{target}”", text.PROPONENTS),
        (right, "opponents", f":orange[{text.AGAINST}] “{target}”", text.OPPONENTS),
    ):
        with column, st.container(key=side):
            st.subheader(title, anchor=False)
            st.caption(meaning)
            cards = influence_cards(audit, found[side], strongest)
            _shown(audit, cards, key=f"list_{side}", label=title)
    st.caption("Exact scores." if found["exact"] else "Scores estimated from gradient sketches.")
    with st.expander("What do these numbers mean?"):
        st.write(text.WHAT_INFLUENCE)


def _similar(audit: Audit, found: dict[str, Any]) -> None:
    st.subheader("Which training examples merely look alike to the model?", anchor=False)
    st.caption(
        "Likeness of the last layer's inputs (cosine, 1 = same direction). Looking alike is not the "
        "same as having pushed the prediction."
    )
    for side, title in (("most_similar", "Most alike"), ("least_similar", "Least alike")):
        st.markdown(f"**{title}**")
        _shown(audit, similar_cards(audit, found[side]), key=f"list_{side}", label=title, strip=True)


def _shown(audit: Audit, cards: list[Card], *, key: str, label: str, strip: bool = False) -> None:
    if cards:
        gallery(
            cards,
            key=key,
            label=label,
            layout="strip" if strip else "grid",
            on_pick=lambda identity: open_details(audit, identity),
        )
    else:
        st.caption("None.")


def _query_card(audit: Audit, found: dict[str, Any], own: dict[str, Any] | None) -> None:
    query = found["query"]
    with st.container(key="query_card"):
        if own and "image" in own:
            st.image(own["image"], width=200, alt="your picture")
            st.markdown(f"Predicted: **{text.plain(query['predicted'])}**")
        else:
            row = {**query, "id": query.get("id") or "query:0"}
            fields: dict[str, Any] = {"src": ""} if own else {}
            sure = f"{float(query['confidence']):.0%} sure of {query['predicted']}"
            gallery(
                [example_card(audit, row, size=384, why=sure, **fields)],
                key="query_large",
                label="The example asked about",
                layout="large",
            )


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    table = examples(audit, audit.query_split)
    present = _picker(audit, table)
    own = _own_query(audit)
    if not present and not own:
        return
    if own:
        given, predicted = own.get("label"), ""
    else:
        row = table.set_index("id").loc[present]
        given, predicted = str(row["label"]), str(row["predicted"])
    left, right = st.columns([1, 3], gap="medium")
    with right:
        ranking, label, top = _controls(audit, given, predicted)
    question = own or {"query": present}
    question = {**question, "label": label or question.get("label")}
    with st.spinner("Asking the training examples …", show_time=True):
        found = _ask(audit, question, ranking, top)
    with left:
        _query_card(audit, found, own)
    with st.container(key="answers"):
        _lists(audit, found)
        _similar(audit, found)


audit_page("Which training examples pushed this prediction?", main)
