"""How files become examples: guessed, shown, and changeable in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from tracin_viz.audit import Draft
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.own.drafting import change

KINDS = {"image": later("images"), "text": later("texts"), "tabular": later("rows of numbers")}
TARGETS = {
    "class": later("one class"),
    "multi-label": later("several classes at once"),
    "number": later("a number"),
}
NOTHING = "–"
#: Where no column says which examples are for queries.
USUAL_FRACTION = 0.2


def mapping_form(draft: Draft, found: Mapping[str, Any] | None) -> None:
    """The form; what is guessed stands in it.

    Args:
        draft: Whose data are read.
        found: The preview; ``None`` where there is none yet, so that names of columns must be typed.
    """
    table = found is None or bool(found["columns"])
    if (
        found is not None
        and not table
        and found["mapping"].get("query_fraction") is None
        and not draft.mapping
    ):
        return  # the folders say everything there is to say
    changed = bool(draft.mapping)
    with (
        st.expander(tr("How are the files read?"), icon=":material/tune:", expanded=changed),
        st.form("mapping", border=False),
    ):
        guessed: Mapping[str, Any] = {**(found["mapping"] if found else {}), **draft.mapping}
        # A field keeps what it shows under its key: without new keys, old guesses would stay.
        stamp = fingerprint([draft.data, guessed])[:8]
        chosen = _columns(guessed, found, stamp) if table else {}
        chosen |= _split(guessed, found, stamp)
        with st.container(horizontal=True):
            if st.form_submit_button(tr("Read them this way")):
                read_as = {name: value for name, value in chosen.items() if value not in (None, "", ())}
                change(mapping={**_names(draft.mapping, chosen, guessed), **read_as})
                st.rerun()
            if changed and st.form_submit_button(tr("Back to the guess"), type="tertiary"):
                change(mapping={})
                st.rerun()


def _names(
    before: Mapping[str, Any], chosen: Mapping[str, Any], guessed: Mapping[str, Any]
) -> dict[str, Any]:
    """What was said about the names of classes, as long as the label stands in the same column."""
    if "label" in chosen and chosen["label"] != guessed.get("label"):
        return {}
    return {name: before[name] for name in ("class_names", "unlabelled") if name in before}


def _columns(guessed: Mapping[str, Any], found: Mapping[str, Any] | None, stamp: str) -> dict[str, Any]:
    names = [str(column["name"]) for column in found["columns"]] if found else []
    left, right = st.columns(2)
    with left:
        task = st.selectbox(
            tr("What are they?"),
            list(KINDS),
            index=_place(list(KINDS), guessed.get("task")),
            format_func=lambda one: tr(KINDS[one]),
            key=f"map_task_{stamp}",
        )
        content = _column(
            "content",
            tr("Column of the text or image"),
            names,
            guessed.get("content"),
            several=task == "tabular",
            stamp=stamp,
        )
    with right:
        target = st.selectbox(
            tr("What is a label?"),
            list(TARGETS),
            index=_place(list(TARGETS), guessed.get("target")),
            format_func=lambda one: tr(TARGETS[one]),
            key=f"map_target_{stamp}",
        )
        label = _column(
            "label",
            tr("Column of the label"),
            names,
            guessed.get("label"),
            several=target == "multi-label",
            stamp=stamp,
        )
    if found:
        heads = (tr("Column"), tr("Kind"), tr("Read as"), tr("Begins with"))
        st.dataframe(
            [
                dict(zip(heads, (c["name"], c["kind"], c["role"] or NOTHING, _few(c)), strict=True))
                for c in found["columns"]
            ],
            hide_index=True,
            width="stretch",
        )
    return {"task": task, "target": target, "content": content, "label": label}


def _column(what: str, words: str, names: list[str], present: object, *, several: bool, stamp: str) -> Any:
    """A column, several, or its typed name where the columns are not known."""
    chosen = [str(one) for one in present] if isinstance(present, (list, tuple)) else [str(present or "")]
    key = f"map_{what}_{stamp}"
    if not names:
        return st.text_input(words, value=", ".join(one for one in chosen if one), key=key)
    if several:
        kept = [one for one in chosen if one in names]
        picked = st.multiselect(words, names, default=kept, key=key)
        return [str(one) for one in picked] if len(picked) != 1 else str(picked[0])
    picked_one = st.selectbox(words, [NOTHING, *names], index=_place([NOTHING, *names], chosen[0]), key=key)
    return None if picked_one == NOTHING else picked_one


def _split(guessed: Mapping[str, Any], found: Mapping[str, Any] | None, stamp: str) -> dict[str, Any]:
    """The column that names splits, or the share of examples held out for questions."""
    names = [str(column["name"]) for column in found["columns"]] if found else []
    split = None
    if names:
        choices = [NOTHING, *names]
        split = st.selectbox(
            tr("Column that says which are for training"),
            choices,
            index=_place(choices, guessed.get("split")),
            key=f"map_split_{stamp}",
        )
    share = st.slider(
        tr("Share of the examples kept for questions, where the files do not say"),
        min_value=5,
        max_value=50,
        value=round(100 * float(guessed.get("query_fraction") or USUAL_FRACTION)),
        step=5,
        format="%d %%",
        key=f"map_fraction_{stamp}",
    )
    chosen: dict[str, Any] = {"split": None if split == NOTHING else split}
    own = round(100 * float(guessed.get("query_fraction") or USUAL_FRACTION))
    if chosen["split"] is None and (share != own or guessed.get("query_fraction")):
        chosen["query_fraction"] = share / 100
    return chosen


def _place(options: list[str], present: object) -> int:
    return options.index(str(present)) if str(present) in options else 0


def _few(column: Mapping[str, Any]) -> str:
    return " · ".join(str(value) for value in column["values"][:3])
