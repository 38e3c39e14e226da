"""Where an influence comes from: by checkpoint and layer, and for texts by word."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.fingerprint import fingerprint
from tracin_viz.ui import charts, text, theme
from tracin_viz.ui.cards import signed
from tracin_viz.ui.frame import guarded
from tracin_viz.ui.influence.figures import origin_figure, strongest_layers
from tracin_viz.ui.influence.waiting import answered, named_bytes
from tracin_viz.ui.influence.words_shaded import show_words
from tracin_viz.ui.language import language, tr
from tracin_viz.ui.results import shared
from tracin_viz.ui.session import linked, publish, visit
from tracin_viz.ui.short import short

PROPONENTS, OPPONENTS = "proponents", "opponents"

Floats = npt.NDArray[np.float64]


@st.fragment
@guarded
def show_origins(audit: Audit, found: dict[str, Any], question: dict[str, Any]) -> None:
    """A choice of training example, its heat map and, for texts, its shaded words.

    Args:
        audit: The audit.
        found: The answer that is shown.
        question: Arguments of ``Audit.influence`` that it is the answer to.
    """
    sides = [side for side in (PROPONENTS, OPPONENTS) if found[side]]
    if not sides:
        return
    st.subheader(tr("Where does the influence come from?"), anchor=False)
    single = {entry["id"]: entry for side in sides for entry in found[side]}
    choices = [*sides, *single]
    chosen = st.selectbox(
        tr("Of"),
        choices,
        format_func=lambda name: _named(name, single),
        key=linked("part", choices, choices[0]),
        persist_state="session",
        width=360,
    )
    publish("part", chosen, choices[0])
    rows = [int(entry["row"]) for entry in found[chosen]] if chosen in sides else [int(single[chosen]["row"])]
    named = {name: value for name, value in question.items() if name not in ("top", "same_class", "exact")}
    place = st.empty()
    session = f"{visit()} parts"
    parts = answered(
        audit,
        ("parts", {**named, "rows": rows}),
        lambda: audit.influence_parts(rows, session=session, **named),
        lambda seconds: _waiting(place, seconds),
    )
    place.empty()
    _heat_map(audit, parts, fingerprint([named_bytes(named), rows]))
    if audit.task == "text":
        show_words(audit, named, rows)


def _waiting(place: Any, seconds: float) -> None:
    place.caption(f":material/hourglass_top: {tr('Dividing it by checkpoint and layer …')} {seconds:.0f} s")


def _named(name: str, single: dict[str, dict[str, Any]]) -> str:
    if name == PROPONENTS:
        return tr("all proponents shown")
    if name == OPPONENTS:
        return tr("all opponents shown")
    entry = single[name]
    label = "" if entry["label"] is None else f" · {short(entry['label'], 40)}"
    return f"{name}{label} · {signed(float(entry['score']))}"


def _heat_map(audit: Audit, parts: dict[str, Any], question: str) -> None:
    whole: Floats = np.asarray(parts["scores"]).sum(axis=0)  # (K, L)
    layers: list[str] = parts["layers"]
    steps = parts["checkpoints"]

    def draw() -> Any:
        shown, names = strongest_layers(whole, layers, tr("all other layers"))
        return origin_figure(
            shown,
            steps,
            names,
            words={"step": tr("step"), "influence": tr("influence")},
            colours=(theme.colour("opponent"), theme.ground(), theme.colour("proponent")),
        )

    # A figure holds words, so its language is part of its name.
    figure = shared(audit, "origins", question, theme.mode(), language(), compute=draw)
    alt = tr("Heat map of influence by checkpoint and layer.")
    alt += f" {_strongest(whole, layers, steps, escaped=False)}"
    st.plotly_chart(figure, key="origin_map", config=charts.CONFIG, alt=alt)
    st.caption(
        _strongest(whole, layers, steps, escaped=True)
        + " "
        + tr(
            "{towards} Blue and + is for, {against} orange and − is against; the parts of an example sum to "
            "its score. A part that comes from one checkpoint or one layer alone deserves a second look.",
            towards=theme.SIGNS["proponent"],
            against=theme.SIGNS["opponent"],
        )
    )
    with st.expander(tr("The same as a table")):
        table = pandas.DataFrame(whole.T, index=pandas.Index(layers, name=tr("layer")))
        table.columns = pandas.Index([tr("step {step}", step=step) for step in steps])
        table[tr("sum")] = whole.sum(axis=0)
        st.dataframe(table, width="stretch", key="origin_table")


def _strongest(whole: Floats, layers: list[str], steps: list[int], *, escaped: bool) -> str:
    place = np.unravel_index(int(np.abs(whole).argmax()), whole.shape)
    layer = layers[place[1]]
    return tr(
        "The largest part, {part} of {total}, is of layer {layer} at step {step}.",
        part=signed(float(whole[place])),
        total=signed(float(whole.sum())),
        layer=text.plain(layer) if escaped else layer,
        step=steps[place[0]],
    )
