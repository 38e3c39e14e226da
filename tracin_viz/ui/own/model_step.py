"""Step 2: which model, how its files are read, what it sees, and which checkpoints count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from tracin_viz.audit import Draft, code_is_trusted, inside_roots
from tracin_viz.config import CheckpointInfo
from tracin_viz.errors import InputError, TracinVizError
from tracin_viz.ui import text
from tracin_viz.ui.frame import guarded, show_error
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.optimizer import optimizer_words
from tracin_viz.ui.own.checkpoint_table import checkpoint_table, suggestion
from tracin_viz.ui.own.drafting import change, current_draft, go_to
from tracin_viz.ui.own.places import choose_place
from tracin_viz.ui.own.preprocessing import preprocessing_form
from tracin_viz.ui.own.waiting import awaited, look_again
from tracin_viz.ui.session import workspace
from tracin_viz.ui.translation import all_said, said


def model_step(draft: Draft) -> None:
    """Draw the step."""
    st.subheader(tr("Where are the checkpoints of the model?"), anchor=False)
    if choose_place(draft, "model") is None:
        return
    if draft.architecture:
        try:
            inside_roots(draft.architecture)
        except TracinVizError as error:
            show_error(error, key="architecture_error", leave=False)
            _more(draft)
            return
    found = awaited(draft, "model", tr("Looking at the model: every checkpoint is loaded once"))
    if found is None:
        _more(draft)
        return
    st.subheader(tr("Is this your model?"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_sentence(found))
        look_again(draft, "model")
    trained = optimizer_words(found.get("optimizer"))
    if trained:
        st.caption(trained)
    if found.get("reason"):
        st.caption(text.plain(all_said(found["reason"]), longest=400))
    _averaged(draft, found)
    _classes(draft, found)
    if found["task"] == "image":
        preprocessing_form(draft, found)
    _more(draft)
    st.subheader(tr("Which checkpoints count, and how much?"), anchor=False)
    _checkpoints(draft, found)
    st.button(
        tr("Next: check that they fit"),
        key="next_check",
        type="primary",
        icon=":material/arrow_forward:",
        on_click=go_to,
        args=("check",),
    )


def draft_checkpoints(draft: Draft, found: Mapping[str, Any]) -> tuple[list[CheckpointInfo], list[int]]:
    """The checkpoints that the look found with the draft's rates, and the steps that are switched off."""
    names = {"step", "path", "learning_rate", "provenance", "epoch", "train_loss"}
    checkpoints, unused = [], []
    for entry in found["checkpoints"]:
        row = draft.rows.get(str(entry["step"]), {})
        values = {name: value for name, value in entry.items() if name in names}
        if "learning_rate" in row and row["learning_rate"] != values["learning_rate"]:
            values["learning_rate"] = row["learning_rate"]
            values["provenance"] = f"{values['provenance']}; set by hand"
        checkpoints.append(CheckpointInfo.from_dict(values))
        if not row.get("use", True):
            unused.append(int(entry["step"]))
    return checkpoints, unused


def keep_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Add changed rows of the table to the draft."""
    kept = dict(current_draft().rows)
    for row in rows:
        values = {name: value for name, value in row.items() if name != "step"}
        kept[str(row["step"])] = {**kept.get(str(row["step"]), {}), **values}
    change(rows=kept)


def _sentence(found: Mapping[str, Any]) -> str:
    read_as = f"{text.plain(said(found['format']), longest=200)}: " if found.get("format") else ""
    return read_as + tr(
        "**{model}** with {parameters} parameters, {checkpoints}, {classes}.",
        model=text.plain(found["architecture"]),
        parameters=f"{found['parameters']:,}",
        checkpoints=trn("{n} checkpoint", "{n} checkpoints", len(found["checkpoints"])),
        classes=trn("{n} class", "{n} classes", len(found["classes"])),
    )


def _averaged(draft: Draft, found: Mapping[str, Any]) -> None:
    """The choice between the weights as trained and averaged ones, where a checkpoint holds both."""
    if len(found.get("weights") or ()) < 2:
        return
    names = {bool(one["ema"]): text.plain(said(one["name"])) for one in found["weights"]}
    st.radio(
        tr("Which weights shall count?"),
        list(names),
        index=list(names).index(bool(draft.options.get("ema"))),
        format_func=names.__getitem__,
        key="averaged",
        horizontal=True,
        on_change=lambda: _take_averaged(bool(st.session_state["averaged"])),
    )


def _take_averaged(wanted: bool) -> None:
    options = {name: value for name, value in current_draft().options.items() if name != "ema"}
    change(options={**options, "ema": True} if wanted else options)


def _classes(draft: Draft, found: Mapping[str, Any]) -> None:
    data = workspace().look_for(draft, "data").found
    if data is None or data["target"] != "class":
        return
    own, given = list(map(str, found["classes"])), list(map(str, data["classes"]))
    if sorted(own) == sorted(given):
        st.caption(
            tr("The model names the same classes as the data. Whether its order is right is tried next.")
        )
    elif len(own) == len(given):
        pairs = ", ".join(
            f"{text.plain(a)} = {text.plain(b)}" for a, b in list(zip(own, given, strict=True))[:4]
        )
        st.warning(
            tr(
                "Model and data name their classes differently; they are matched by position ({pairs} …). "
                "The next step tries whether that is right.",
                pairs=pairs,
            )
        )


def _checkpoints(draft: Draft, found: Mapping[str, Any]) -> None:
    checkpoints, unused = draft_checkpoints(draft, found)
    classes = len(found["classes"])
    suggested = suggestion(checkpoints, classes)
    if suggested:
        with st.container(horizontal=True):
            st.button(
                tr("Use the steep ones"),
                key="use_suggested",
                on_click=keep_rows,
                args=(suggested,),
                help=tr("Those up to which the training loss fell most: they tell most about wrong labels."),
            )
            everything = [{"step": one.step, "use": True} for one in checkpoints]
            st.button(tr("Use all"), key="use_all", on_click=keep_rows, args=(everything,))
    changed = checkpoint_table(checkpoints, unused, classes=classes, key=f"checkpoints_{draft.id}")
    if changed:
        keep_rows(changed)
        st.rerun()


def _more(draft: Draft) -> None:
    """Choices that only unusual files need."""
    with (
        st.expander(tr("My files need more explanation"), icon=":material/tune:"),
        st.form("more", border=False),
    ):
        st.text_input(
            tr("Learning rates, if the files do not say: one per checkpoint"),
            value=", ".join(f"{rate:g}" for rate in draft.learning_rates),
            placeholder="0.1, 0.1, 0.01",
            key="more_rates",
        )
        st.text_input(
            tr("Which files or folders are checkpoints"),
            value=draft.checkpoints,
            placeholder="checkpoint-*",
            key="more_pattern",
        )
        st.text_input(
            tr("File that describes the network (config.json), or Python file with build_model()")
            if code_is_trusted()
            else tr("File that describes the network (config.json)"),
            value=draft.architecture,
            key="more_architecture",
        )
        st.text_input(
            tr("What stands before each name of the weights"),
            value=str(draft.options.get("prefix") or ""),
            placeholder="model.",
            key="more_prefix",
        )
        if code_is_trusted():
            st.checkbox(
                tr("Run the Python file: I trust it"),
                value=draft.trust_code,
                key="more_trust",
                help=tr(
                    "Allowed by whoever started this server. The file may do anything that the server may."
                ),
            )
        st.form_submit_button(tr("Read them this way"), on_click=_take_more)


@guarded
def _take_more() -> None:
    state = st.session_state
    draft = current_draft()
    options = {name: value for name, value in draft.options.items() if name != "prefix"}
    if str(state["more_prefix"]).strip():
        options["prefix"] = str(state["more_prefix"]).strip()
    change(
        learning_rates=_rates(str(state["more_rates"])),
        checkpoints=str(state["more_pattern"]).strip(),
        architecture=str(Path(str(state["more_architecture"]).strip())) if state["more_architecture"] else "",
        options=options,
        trust_code=code_is_trusted() and bool(state.get("more_trust", False)),
    )


def _rates(written: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in written.replace(";", ",").split(",") if part.strip())
    except ValueError as error:
        raise InputError(
            f"'{written[:80]}' are no learning rates.", remedy="Give numbers with commas: 0.1, 0.1, 0.01."
        ) from error
