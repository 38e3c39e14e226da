"""How far this audit can be trusted: how many planted wrong labels it finds."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.ui import text, theme
from tracin_viz.ui.charts import CONFIG
from tracin_viz.ui.evidence import charts
from tracin_viz.ui.evidence.asking import say_if_older
from tracin_viz.ui.language import later, tr

_PLANTS: dict[str, str] = {
    "confused": later("to the class that the model confuses each example with most, which is hard to find"),
    "random": later("to any other class, which is easy to find"),
}
_OTHER = later("to other values of these data")


def show_self_test(found: dict[str, Any], ranking: str = "self-influence") -> None:
    """Draw a self-test: what is found in the top shares, the curve, limits.

    Args:
        found: The document of ``Audit.self_test``.
        ranking: The ranking drawn strong.
    """
    say_if_older(found)
    names = {name: tr(words) for name, words in text.SUSPECT_RANKINGS.items()}
    top = found["at"][-1]
    st.markdown(
        tr(
            "The most suspicious **{percent} %** hold **{share}** of the wrong labels that were "
            "planted. Looking "
            "at random would find {random}.",
            percent=f"{top['percent']:g}",
            share=text.percent(top[ranking]["mean"]),
            random=text.percent(top["random"]),
        )
    )
    how = _PLANTS[found["plant"]] if len(found["curves"]) == 3 else _OTHER
    st.caption(
        tr(
            "In a copy, {planted} of {training} labels ({noise} %) were changed {how}; {seeds} repetitions.",
            planted=f"{found['planted']:,}",
            training=f"{found['training']:,}",
            noise=f"{found['noise']:g}",
            how=tr(how),
            seeds=found["seeds"],
        )
    )
    figure = charts.found_by_looking(
        found,
        chosen=ranking,
        names={**names, "random": tr("at random")},
        colours=(theme.colour("suspect"), theme.colour("neutral")),
        axes=(tr("share of the training set looked at"), tr("planted labels found")),
    )
    alt = tr(
        "Share of planted wrong labels found against the share of the training set looked at: "
        "{share} in the top "
        "{percent} %.",
        share=text.percent(top[ranking]["mean"]),
        percent=f"{top['percent']:g}",
    )
    st.plotly_chart(figure, key="self_test", config=CONFIG, alt=alt)
    _table(found, names)
    _limits(found)


def _table(found: dict[str, Any], names: dict[str, str]) -> None:
    rows = [
        {
            tr("Looked at"): tr("top {percent} %", percent=f"{entry['percent']:g}"),
            **{names[name]: _with_interval(entry[name]) for name in found["curves"]},
            tr("at random"): text.percent(entry["random"]),
        }
        for entry in found["at"]
    ]
    st.dataframe(rows, hide_index=True, width="stretch")


def _with_interval(found: dict[str, Any]) -> str:
    mean = text.percent(found["mean"])
    if found["low"] is None:
        return mean
    low, high = (min(1.0, max(0.0, found[end])) for end in ("low", "high"))
    return f"{mean} ({100 * low:.0f}–{100 * high:.0f})"


def _limits(found: dict[str, Any]) -> None:
    lines = [
        tr(
            "In brackets and shaded: the range over repetitions with other wrong labels (95 % and "
            "all of them)."
        ),
        tr(
            "Labels that were wrong before rank high too and count as misses here, so these figures "
            "are rather "
            "too low. Wrong labels of another kind, such as whole groups labelled alike, may be "
            "harder to find."
        ),
    ]
    if found["how"] == "last-layer":
        lines.append(
            tr(
                "Only the last layer was trained on the copy, on features learned from the labels as "
                "they are."
            )
        )
    st.caption(" ".join(lines))
