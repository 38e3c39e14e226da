"""Step 1: which data, what was found in them, and how their files are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from tracin_viz.audit import Draft
from tracin_viz.errors import Problem
from tracin_viz.ui import text
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.guard import problem_table
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.own.class_form import class_form
from tracin_viz.ui.own.drafting import go_to
from tracin_viz.ui.own.facts import split_sizes
from tracin_viz.ui.own.mapping_form import mapping_form
from tracin_viz.ui.own.places import choose_place
from tracin_viz.ui.own.waiting import awaited, look_again
from tracin_viz.ui.session import workspace
from tracin_viz.ui.translation import said

#: Rows of a table that are shown without scrolling.
_ROWS = 10


def data_step(draft: Draft) -> None:
    """Draw the step."""
    st.subheader(tr("Which data was the model trained on?"), anchor=False)
    if choose_place(draft, "data") is None:
        return
    found = awaited(draft, "data", tr("Looking at the data"))
    if found is None:
        if workspace().look_for(draft, "data").error is not None:
            mapping_form(draft, None)  # perhaps the files only need to be read in another way
        return
    st.subheader(tr("Is this what you expect?"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_sentence(found))
        look_again(draft, "data")
    gallery(example_cards(found), key="own_examples", label=tr("Ten of the examples"))
    mapping_form(draft, found)
    class_form(draft, found)
    class_table(found)
    problem_list(found["problems"], key="data_problems")
    st.button(
        tr("Next: the model"),
        key="next_model",
        type="primary",
        icon=":material/arrow_forward:",
        on_click=go_to,
        args=("model",),
    )


def _sentence(found: Mapping[str, Any]) -> str:
    classes = trn("{n} class", "{n} classes", len(found["classes"]))
    kinds = {
        "class": classes,
        "multi-label": tr("{classes}, several may hold at once", classes=classes),
        "number": tr("a number to predict"),
    }
    name = said(str(found["format"]))
    kind = text.plain(name[:1].upper() + name[1:], longest=200)
    return f"{kind}: {split_sizes(found['splits'], strong=True)}; {kinds.get(found['target'], '')}."


def example_cards(found: Mapping[str, Any]) -> list[Card]:
    """The previewed examples as cards."""
    cards = []
    for example in found["examples"]:
        label = example["label"]
        given = ", ".join(map(str, label)) if isinstance(label, list) else "" if label is None else str(label)
        identity = f"{example['split']}:{example['row']}"
        picture = str(example.get("picture", ""))
        cards.append(
            Card(
                id=identity,
                alt=tr("example {id}, label {label}", id=identity, label=given or tr("unknown")),
                src=picture,
                text="" if picture else str(example["source"]),
                given=given or tr("no label"),
                why=example["split"],
            )
        )
    return cards


def class_table(found: Mapping[str, Any]) -> None:
    """How many examples of each class each split has."""
    counts: Mapping[str, Mapping[str, int]] = found["class_counts"]
    names = list(dict.fromkeys(name for split in counts.values() for name in split))
    if not names:
        return
    title = tr("Examples of each class ({number})", number=len(names))
    with st.expander(title, icon=":material/bar_chart:"):
        head, none = tr("Class"), tr("no label")
        rows = [{head: name or none, **{s: counts[s].get(name, 0) for s in counts}} for name in names]
        height: Any = 36 * (_ROWS + 1) if len(rows) > _ROWS else "auto"
        st.dataframe(rows, hide_index=True, width="stretch", height=height, key="class_counts")
    if found["duplicates"]:
        across = sum(len(set(group["splits"])) > 1 for group in found["duplicates"])
        words = trn("{n} group of equal examples", "{n} groups of equal examples", found["duplicate_groups"])
        note = tr("At least {number} of them lie in training and query data at once.", number=f"{across:,}")
        with st.expander(words, icon=":material/content_copy:"):
            words = tr("Equal content under several names. Influence counts each of them.")
            st.caption(f"{words} {note}" if across else words)
            where, labels = tr("Where"), tr("Labels")
            st.dataframe(
                [
                    {
                        where: ", ".join(map(str, group["places"])),
                        labels: ", ".join(map(str, group["labels"])),
                    }
                    for group in found["duplicates"]
                ],
                hide_index=True,
                width="stretch",
            )


def problem_list(problems: Sequence[Mapping[str, str]], *, key: str) -> None:
    """Problems grouped by kind, each with its place and remedy."""
    if not problems:
        return
    fields = ("kind", "where", "message", "remedy")
    entries = [Problem(**{name: str(one[name]) for name in fields}) for one in problems]
    kinds = list(dict.fromkeys(entry.kind for entry in entries))
    listed = text.plain(", ".join(map(said, kinds)))
    title = trn("{n} thing to know: {kinds}", "{n} things to know: {kinds}", len(entries), kinds=listed)
    with st.expander(title, icon=":material/info:", key=key):
        for kind in kinds:
            same = [entry for entry in entries if entry.kind == kind]
            st.markdown(f"**{text.plain(said(kind).capitalize())}** ({len(same)})")
            problem_table(same)
