"""After retraining: with and without the decisions, each training a point."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tracin_viz.ui import text, theme
from tracin_viz.ui.charts import CONFIG
from tracin_viz.ui.evidence import charts
from tracin_viz.ui.evidence.asking import changes_words, say_if_older
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.short import short

_VERDICTS: dict[int, str] = {
    1: later("✓ **The decisions help**: both intervals below are above zero."),
    -1: later("▲ **The decisions do harm**: both intervals below are under zero."),
    0: later("Whether the decisions help is **not clear**: an interval below holds zero."),
}
_ARMS: dict[str, str] = {
    "given": later("labels as given"),
    "decided": later("with the decisions"),
    "true": later("all labels right"),
}
_MEASURES: dict[str, str] = {
    "accuracy": later("accuracy (higher = better)"),
    "labels right": later("share of labels right (higher = better)"),
    "mean error": later("mean error in the unit of the numbers (lower = better)"),
}
_LIMITS: dict[str, str] = {
    "last-layer": later(
        "Only the last layer was trained again, on features of the network that learned from the old labels. "
        "A full training can help more, or less. Each seed draws other training examples, first weights and "
        "another order; both sides share them."
    ),
    "full": later(
        "The whole network was trained again. Each seed has other first weights and another order of the "
        "examples; both sides share them."
    ),
}


def show_retraining(found: dict[str, Any]) -> None:
    """Draw a retraining: verdict, figures, every seed as a point, classes, limits.

    Args:
        found: The document of ``Audit.retraining``.
    """
    say_if_older(found)
    arms = {arm["name"]: arm for arm in found["arms"]}
    st.markdown(tr(_VERDICTS[found["verdict"]]))
    _figures(found, arms)
    shown = [arms[name] for name in ("given", "decided", "true") if name in arms]
    colours = [theme.colour("neutral"), theme.colour("decided"), theme.colour("accent")]
    figure = charts.seeds(
        shown,
        names={name: tr(words) for name, words in _ARMS.items()},
        colours=colours,
        axis=tr(_MEASURES[found["measure"]]),
        shares=found["measure"] != "mean error",
    )
    st.plotly_chart(
        figure,
        key=f"seeds_{found['how']}",
        config=CONFIG,
        alt=tr(
            "{measure} of {seeds} trainings of each kind: {given} on average with the labels as "
            "given, {decided} "
            "with the decisions.",
            measure=tr(_MEASURES[found["measure"]]),
            seeds=found["seeds"],
            given=value(found, arms["given"]["mean"]),
            decided=value(found, arms["decided"]["mean"]),
        ),
    )
    _intervals(found)
    if found["classes"]:
        _classes(found)


def value(found: dict[str, Any], number: float | None, *, signed: bool = False) -> str:
    """A figure of the measure: a percentage, or a number where labels are numbers."""
    if number is None:
        return "–"
    if found["measure"] == "mean error":
        words = f"{number:+.4g}" if signed else f"{number:.4g}"
    else:
        words = f"{100 * number:+.2f}" if signed else f"{100 * number:.2f} %"
    return words.replace("-", "−")


def _figures(found: dict[str, Any], arms: dict[str, Any]) -> None:
    unit = "" if found["measure"] == "mean error" else tr(" points")
    left, middle, right = st.columns(3)
    left.metric(tr("Labels as given"), value(found, arms["given"]["mean"]))
    middle.metric(tr("With the decisions"), value(found, arms["decided"]["mean"]))
    right.metric(tr("Improvement"), value(found, found["gain"]["mean"], signed=True) + unit)
    st.caption(
        tr(
            "{changes}; mean of {seeds} trainings of each kind, on {n} held-out examples of “{split}” that "
            "nobody decided about.",
            changes=changes_words(found),
            seeds=found["seeds"],
            n=f"{found['examples']:,}",
            split=text.plain(found["split"]),
        )
    )


def _intervals(found: dict[str, Any]) -> None:
    gain, examples = found["gain"], found["gain_over_examples"]
    lines = [
        tr(
            "Improvement, 95 % over seeds (pairs of equal seeds): {low} to {high}. Which training runs there "
            "happened to be.",
            low=value(found, gain["low"], signed=True),
            high=value(found, gain["high"], signed=True),
        ),
        tr(
            "Improvement, 95 % over held-out examples (bootstrap): {low} to {high}. Which examples the model "
            "happened to be tested on.",
            low=value(found, examples["low"], signed=True),
            high=value(found, examples["high"], signed=True),
        ),
    ]
    st.markdown("\n".join(f"- {line}" for line in lines))
    st.caption(tr(_LIMITS[found["how"]]))


def _classes(found: dict[str, Any]) -> None:
    with st.expander(tr("Class by class")):
        st.dataframe(
            [
                {
                    tr("Class"): short(entry["class"]),
                    tr("Held-out examples"): entry["examples"],
                    tr("Labels as given"): value(found, entry["given"]),
                    tr("With the decisions"): value(found, entry["decided"]),
                    tr("Improvement"): value(found, entry["decided"] - entry["given"], signed=True),
                }
                for entry in found["classes"]
            ],
            hide_index=True,
            width="stretch",
        )
