"""Before retraining: what the decisions would have done to the loss, and which of them to look at again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import text, theme
from tracin_viz.ui.cards import decision_words, example_card
from tracin_viz.ui.charts import CONFIG
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.evidence import charts
from tracin_viz.ui.evidence.asking import changes_words, say_if_older
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.results import examples
from tracin_viz.ui.short import short

_VERDICTS: dict[int, str] = {
    1: later("▼ The decisions would **lower** the loss on the test examples."),
    -1: later("▲ The decisions would **raise** the loss on the test examples."),
    0: later(
        "Whether the decisions would lower or raise the loss is **not clear**: zero is within the error bar."
    ),
}
_INK = {"light": "#1F2328", "dark": "#F0F2F5"}
_UNKNOWN: dict[str, str] = {
    "epochs": later("how many examples training saw between checkpoints is not known"),
    "optimizer": later("which optimizer trained the model is not known"),
    "adaptive": later("the optimizer was not plain SGD"),
}


def show_estimate(audit: Audit, found: dict[str, Any]) -> None:
    """Draw an estimate: verdict, classes, decisions that matter most, limits.

    Args:
        audit: The audit.
        found: The document of ``Audit.estimate``.
    """
    say_if_older(found)
    overall = found["overall"]
    st.markdown(tr(_VERDICTS[overall["sign"]]))
    st.caption(
        tr(
            "{changes}; {n} test examples of “{split}”.",
            changes=changes_words(found),
            n=f"{found['examples']:,}",
            split=text.plain(found["split"]),
        )
    )
    sized = _size_means_something(found)
    if found["classes"]:
        _classes(found, sized)
    _limits(found, sized)
    _decisions(audit, found)


def _size_means_something(found: dict[str, Any]) -> bool:
    """Whether the estimate is in units of the loss, and not larger than the loss itself."""
    overall = found["overall"]
    return bool(found["unit"] == "loss" and abs(overall["mean"]) <= overall["loss_now"])


def _classes(found: dict[str, Any], sized: bool) -> None:
    entries = sorted(found["classes"], key=lambda entry: -abs(entry["mean"]))
    colours = {1: theme.colour("proponent"), -1: theme.colour("opponent"), 0: theme.colour("neutral")}
    named = [{**entry, "class": _short(entry["class"])} for entry in entries]
    axis = tr("estimated fall of the loss →") if sized else tr("loss falls more → (no unit)")
    figure = charts.effects(named, colours=colours, axis=axis, ink=_INK[theme.mode()], numbers=sized)
    falls, rises = (sum(entry["sign"] == sign for entry in entries) for sign in (1, -1))
    alt = tr(
        "Estimated effect by class with error bars: the loss falls for {falls} classes, rises for {rises}, "
        "and is not clear for {others}.",
        falls=falls,
        rises=rises,
        others=len(entries) - falls - rises,
    )
    st.plotly_chart(figure, key="estimate_classes", config=CONFIG, alt=alt)
    hidden = len(entries) - charts.MOST_CLASSES
    if hidden > 0:
        st.caption(tr("The {n} classes with the smallest effect are not drawn.", n=f"{hidden:,}"))
    st.caption(
        tr(
            "▼ the loss falls (better) · ▲ it rises (worse) · ? not clear. Bars: 95 % of resampled "
            "test examples."
        )
    )


def _limits(found: dict[str, Any], sized: bool) -> None:
    lines = []
    if found["unit"] != "loss":
        reason = tr(_UNKNOWN[found["unit_unknown"]])
        lines.append(tr("Only direction and order mean something, not the size: {reason}.", reason=reason))
    elif not sized:
        lines.append(
            tr(
                "Only direction and order mean something: the formula gives a change of {mean}, "
                "more than the "
                "whole loss ({now}), because it takes every step of the training to be small.",
                mean=f"{found['overall']['mean']:+.3g}",
                now=f"{found['overall']['loss_now']:.3g}",
            )
        )
    if found["covered"] < 0.999:
        share = text.percent(found["covered"])
        lines.append(tr("Checkpoints in use stand for {share} of the training.", share=share))
    if found["left_out"]:
        lines.append(tr("{n} decisions without a finite gradient are left out.", n=f"{found['left_out']:,}"))
    lines.append(
        tr(
            "The error bars say how much hangs on which test examples there are. They do not cover "
            "the error of "
            "the formula itself, which looks only at single steps. Retraining tells."
        )
    )
    st.caption(" ".join(lines))


def _decisions(audit: Audit, found: dict[str, Any]) -> None:
    titles = {
        "raise": later("Decisions that would raise the loss most"),
        "lower": later("Decisions that would lower the loss most"),
    }
    table, decisions = examples(audit, "train"), audit.decisions()
    for side, title in titles.items():
        entries = found["decisions"][side]
        if not entries:
            continue
        with st.expander(tr(title)):
            rows = table.iloc[[int(entry["id"].rpartition(":")[2]) for entry in entries]].to_dict("records")
            if side == "raise":
                st.caption(tr("A reason to look once more, no verdict: right decisions can be among them."))
            gallery(
                [example_card(audit, row, done=_done(decisions, str(row["id"]))) for row in rows],
                key=f"decisions_{side}",
                label=tr(title),
                layout="strip",
                on_pick=lambda identity: open_details(audit, identity),
            )


def _done(decisions: Mapping[str, Any], identity: str) -> str:
    """What was decided about an example, in words; empty where that does not hold any more."""
    decision = decisions.get(identity)
    return "" if decision is None else decision_words(decision.action, decision.label)


def _short(name: str) -> str:
    # Plotly reads some HTML in labels: a class name must stay text there too.
    return short(name, 24).replace("&", "&amp;").replace("<", "&lt;")
