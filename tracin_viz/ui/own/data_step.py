"""Step 1: which data, what was found in them, and how their files are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from tracin_viz.audit import Draft
from tracin_viz.errors import Problem
from tracin_viz.ui import text
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.own.class_form import class_form
from tracin_viz.ui.own.drafting import go_to
from tracin_viz.ui.own.mapping_form import mapping_form
from tracin_viz.ui.own.places import choose_place
from tracin_viz.ui.own.waiting import awaited, look_again
from tracin_viz.ui.session import workspace

#: Rows of a table that are shown without scrolling.
_ROWS = 10


def data_step(draft: Draft) -> None:
    """Draw the step."""
    st.subheader("Which data was the model trained on?", anchor=False)
    if choose_place(draft, "data") is None:
        return
    found = awaited(draft, "data", "Looking at the data")
    if found is None:
        if workspace().look_for(draft, "data").error is not None:
            mapping_form(draft, None)  # perhaps the files only need to be read in another way
        return
    st.subheader("Is this what you expect?", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_sentence(found))
        look_again(draft, "data")
    gallery(example_cards(found), key="own_examples", label="Ten of the examples")
    mapping_form(draft, found)
    class_form(draft, found)
    class_table(found)
    problem_list(found["problems"], key="data_problems")
    st.button(
        "Next: the model",
        key="next_model",
        type="primary",
        icon=":material/arrow_forward:",
        on_click=go_to,
        args=("model",),
    )


def _sentence(found: Mapping[str, Any]) -> str:
    sizes = ", ".join(
        f"**{number:,}** {'for training' if name == 'train' else 'in ' + text.plain(name)}"
        for name, number in text.train_first(found["splits"])
    )
    classes = len(found["classes"])
    kinds = {
        "class": text.count(classes, "class", "classes"),
        "multi-label": f"{text.count(classes, 'class', 'classes')}, several may hold at once",
        "number": "a number to predict",
    }
    kind = text.plain(str(found["format"])[:1].upper() + str(found["format"])[1:], longest=200)
    return f"{kind}: {sizes}; {kinds.get(found['target'], '')}."


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
                alt=f"example {identity}, label {given or 'unknown'}",
                src=picture,
                text="" if picture else str(example["source"]),
                given=given or "no label",
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
    with st.expander(f"Examples of each class ({len(names)})", icon=":material/bar_chart:"):
        rows = [
            {"Class": name or "no label", **{s: counts[s].get(name, 0) for s in counts}} for name in names
        ]
        height: Any = 36 * (_ROWS + 1) if len(rows) > _ROWS else "auto"
        st.dataframe(rows, hide_index=True, width="stretch", height=height, key="class_counts")
    if found["duplicates"]:
        across = sum(len(set(group["splits"])) > 1 for group in found["duplicates"])
        words = f"{text.count(found['duplicate_groups'], 'group')} of equal examples"
        note = f"; at least {across:,} of them lie in training and query data at once" if across else ""
        with st.expander(words, icon=":material/content_copy:"):
            st.caption(f"Equal content under several names{note}. Influence counts each of them.")
            st.dataframe(
                [
                    {
                        "Where": ", ".join(map(str, group["places"])),
                        "Labels": ", ".join(map(str, group["labels"])),
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
    title = f"{text.count(len(entries), 'thing')} to know: {', '.join(kinds)}"
    with st.expander(text.plain(title), icon=":material/info:", key=key):
        for kind in kinds:
            same = [entry for entry in entries if entry.kind == kind]
            st.markdown(f"**{text.plain(kind.capitalize())}** ({len(same)})")
            st.dataframe(
                [{"Where": p.where, "What is wrong": p.message, "What to do": p.remedy} for p in same],
                hide_index=True,
                width="stretch",
            )
