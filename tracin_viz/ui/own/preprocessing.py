"""What the model sees: size, colours and scaling of its pictures, changeable, with pictures to compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from tracin_viz.audit import Draft
from tracin_viz.errors import InputError
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.frame import guarded
from tracin_viz.ui.language import later, tr, trn
from tracin_viz.ui.own.drafting import change, current_draft
from tracin_viz.ui.own.waiting import awaited
from tracin_viz.ui.session import workspace

COLOURS = {
    "": later("as the files say"),
    "rgb": later("colour (red, green, blue)"),
    "bgr": later("colour (blue, green, red)"),
    "grey": later("grey"),
}
#: Number fields: words, and an example.
FIELDS = {
    "size": (later("Size in pixels"), later("224, or 224, 192 (height, width)")),
    "mean": (later("Mean of each colour"), "0.485, 0.456, 0.406"),
    "std": (later("Deviation of each colour"), "0.229, 0.224, 0.225"),
}


def preprocessing_form(draft: Draft, found: Mapping[str, Any]) -> None:
    """The form, with a few examples as they are and as the model sees them.

    Args:
        draft: Whose model it is.
        found: What the look at the model found.
    """
    present: Mapping[str, Any] = draft.options.get("preprocessing") or {}
    with st.expander(tr("What does the model see?"), icon=":material/visibility:", expanded=bool(present)):
        _pictures(draft)
        with st.form("preprocessing", border=False):
            left, right = st.columns(2)
            with left:
                _field("size", present)
                st.selectbox(
                    tr("Colours"),
                    list(COLOURS),
                    index=list(COLOURS).index(str(present.get("channels") or "")),
                    format_func=lambda one: tr(COLOURS[one]),
                    key="pre_channels",
                )
            with right:
                _field("mean", present)
                _field("std", present)
            st.caption(tr("Leave a field empty to take what the files of the model say."))
            st.form_submit_button(tr("Show it this way"), on_click=_take)


def _field(name: str, present: Mapping[str, Any]) -> None:
    words, example = FIELDS[name]
    st.text_input(tr(words), value=_written(present.get(name)), placeholder=tr(example), key=f"pre_{name}")


def _pictures(draft: Draft) -> None:
    data = workspace().look_for(draft, "data")
    if data.found is None:
        return
    look = workspace().look_for(draft, "fit")
    if look.running:
        awaited(draft, "fit", tr("Letting the model look at some examples"))
        return
    seen = (look.found or {}).get("seen") or []
    if not seen:
        return
    cards = []
    for number, one in enumerate(seen):
        width, height = one["size"]
        low, high = one["range"]
        several = trn("{n} colour", "{n} colours", one["channels"])
        colours = tr("grey") if one["channels"] == 1 else several
        values = tr("values {low} to {high}", low=f"{low:.2g}", high=f"{high:.2g}").replace("-", "−")
        cards.append(
            Card(
                id=f"given:{number}",
                alt=tr("the picture as it is"),
                src=one["given"],
                given=tr("as it is"),
            )
        )
        cards.append(
            Card(
                id=f"seen:{number}",
                alt=tr("the picture as the model sees it"),
                src=one["seen"],
                given=tr("as the model sees it"),
                why=f"{width} × {height}, {colours}, {values}",
            )
        )
    gallery(cards, key="seen", label=tr("Examples as they are and as the model sees them"))


@guarded
def _take() -> None:
    state = st.session_state
    wanted: dict[str, Any] = {}
    for name in ("size", "mean", "std"):
        numbers = _numbers(str(state[f"pre_{name}"]), name)
        if numbers:
            whole = [int(number) for number in numbers] if name == "size" else numbers
            wanted[name] = whole[0] if len(whole) == 1 else whole
    if state["pre_channels"]:
        wanted["channels"] = state["pre_channels"]
    options = {name: value for name, value in current_draft().options.items() if name != "preprocessing"}
    change(options={**options, "preprocessing": wanted} if wanted else options)


def _numbers(written: str, name: str) -> list[float]:
    try:
        return [
            float(part) for part in written.replace("×", ",").replace(";", ",").split(",") if part.strip()
        ]
    except ValueError as error:
        raise InputError(
            f"'{written[:80]}' is no {name}.", remedy="Give one number, or several with commas."
        ) from error


def _written(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(f"{one:g}" for one in value) if isinstance(value, list) else f"{value:g}"
