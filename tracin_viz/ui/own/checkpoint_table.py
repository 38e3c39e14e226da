"""The table of checkpoints: which count, how much, and where that number comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas
import streamlit as st

from tracin_viz.audit import CheckpointAdvice, advice
from tracin_viz.config import CheckpointInfo
from tracin_viz.ui import charts, text
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.theme import colour
from tracin_viz.ui.translation import said

_HELP = later(
    "Each checkpoint is weighted by the mean of the learning rates used since the one before. Those where "
    "the training loss fell steeply tell most; converged ones tell least. Changes need no recomputation."
)

_NOT_KNOWN = later(
    "No file says how the training loss fell, so none is suggested: tracin_viz.record notes it the next time."
)


def checkpoint_table(
    checkpoints: Sequence[CheckpointInfo],
    unused: Sequence[int],
    *,
    classes: int,
    key: str,
    accuracy: Mapping[int, float] | None = None,
    editable: bool = True,
) -> list[dict[str, Any]]:
    """Draw the table.

    Args:
        checkpoints: By rising step, with their rates as they are now.
        unused: Steps that are switched off.
        classes: Number of classes, for the advice.
        key: Unique on the page; changes when the table shall start anew.
        accuracy: Share of right predictions on some examples, by step, where it was tried.
        editable: Whether this visit may change it; otherwise nothing ever counts as changed.

    Returns:
        ``{"step", "use", "learning_rate"}`` of the rows that the visitor changed just now.
    """
    found = advice(checkpoints, classes)
    off = set(unused)
    rows = [
        {
            "use": one.step not in off,
            "step": one.step,
            "epoch": one.epoch,
            "loss": one.train_loss,
            **({"right": accuracy.get(one.step)} if accuracy else {}),
            "rate": one.learning_rate,
            "origin": said(one.provenance),
            "advice": _advice(one.step, found),
        }
        for one in checkpoints
    ]
    told = {name for row in rows for name, value in row.items() if value not in (None, "")}
    table = pandas.DataFrame(rows)[[name for name in rows[0] if name in told]]
    changeable = ("use", "rate") if editable else ()
    edited = st.data_editor(
        table,
        hide_index=True,
        width="stretch",
        disabled=[name for name in table.columns if name not in changeable],
        key=key,
        column_config={
            "use": st.column_config.CheckboxColumn(tr("Use"), width="small"),
            "step": tr("Step"),
            "epoch": st.column_config.NumberColumn(tr("Epoch"), format="%.1f"),
            "loss": st.column_config.NumberColumn(tr("Training loss"), format="%.3f"),
            "right": st.column_config.NumberColumn(tr("Right on some examples"), format="percent"),
            "rate": st.column_config.NumberColumn(tr("Learning rate"), format="%.3g", min_value=0.0),
            "origin": tr("Where the rate comes from"),
            "advice": tr("Advice"),
        },
    )
    _curves(checkpoints, off)
    for warning in found.warnings.values():
        st.caption(f":material/warning: {text.plain(said(warning), longest=400)}")
    st.caption(tr(_HELP) if found.known else f"{tr(_HELP)} {tr(_NOT_KNOWN)}")
    return _changed(rows, edited.to_dict("records")) if editable else []


def suggestion(checkpoints: Sequence[CheckpointInfo], classes: int) -> list[dict[str, Any]]:
    """The rows that switch the suggested checkpoints on and the others off; empty where nothing is known."""
    found = advice(checkpoints, classes)
    if not found.known or len(found.suggested) == len(checkpoints):
        return []
    return [{"step": one.step, "use": one.step in found.suggested} for one in checkpoints]


def _advice(step: int, found: CheckpointAdvice) -> str:
    if step in found.warnings:
        return tr("tells little")
    return tr("steep: tells much") if found.known and step in found.suggested else ""


def _curves(checkpoints: Sequence[CheckpointInfo], off: set[int]) -> None:
    """Training loss, where it is known, and learning rate: side by side where there is room."""
    losses = {one.step: one.train_loss for one in checkpoints if one.train_loss is not None}
    rates = {one.step: one.learning_rate for one in checkpoints}
    drawn = [("training_loss", tr("training loss"), losses), ("learning_rate", tr("learning rate"), rates)]
    drawn = [one for one in drawn if len(one[2]) > 1]
    for (name, what, values), column in zip(drawn, st.columns(len(drawn) or 1), strict=False):
        figure = charts.checkpoint_curve(
            list(values),
            list(values.values()),
            [step not in off for step in values],
            what=what,
            colours=(colour("accent"), colour("neutral")),
        )
        column.plotly_chart(figure, width="stretch", config=charts.CONFIG, key=f"curve_{name}")


def _changed(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    changed = []
    for old, new in zip(before, after, strict=True):
        rate = new["rate"]
        same_rate = rate is None or rate != rate or float(rate) == float(old["rate"])
        if bool(new["use"]) != bool(old["use"]) or not same_rate:
            row: dict[str, Any] = {"step": int(old["step"]), "use": bool(new["use"])}
            if not same_rate:
                row["learning_rate"] = float(rate)
            changed.append(row)
    return changed
