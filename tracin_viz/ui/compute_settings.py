"""What a run computes and on what, behind one expander; the usual answer is right for most."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from tracin_viz.audit import Audit, readable, size_of_run
from tracin_viz.config import ResultSettings, SpeedSettings
from tracin_viz.errors import TracinVizError
from tracin_viz.ui import text
from tracin_viz.ui.frame import show_error
from tracin_viz.ui.language import later, tr, trn

CHECKPOINTS = {"all": later("those in the table"), "steep:5": later("the five steepest of them")}
LAYERS = {
    "all": later("all layers"),
    "last": later("the last layer only"),
    "some": later("chosen by name"),
}
SIZES = (256, 512, 1024, 2048, 4096, 8192)
MAPS = {"pca": later("fitted to these data first"), "random": later("at random, nothing to fit")}
MAPS_HELP = later(
    "Gradients are shortened so that all examples can be searched at once. Fitted: 72 training examples are "
    "measured at the start, and the search then agrees better with exact scores. At random: without that "
    "start. Listed scores are computed exactly either way. A change computes everything again."
)
DEVICES = {
    "auto": later("the fastest there is"),
    "cpu": later("processor (CPU)"),
    "cuda": later("NVIDIA graphics card (CUDA)"),
    "mps": later("Apple graphics (MPS)"),
}
USUAL = ResultSettings()


@dataclass(frozen=True)
class Asked:
    """What the visitor asks of a run.

    Attributes:
        settings: What changes the answer.
        speed: What changes the time only.
        checkpoints: Which checkpoints, as ``Audit.start`` takes it.
    """

    settings: ResultSettings
    speed: SpeedSettings
    checkpoints: str


def asked_settings(audit: Audit) -> Asked:
    """The settings as they stand in the box, the last run's or the usual ones where it was never opened.

    Raises:
        InputError: The names of layers are no regular expression.
    """
    state = st.session_state
    last = audit.last_settings() or USUAL
    layers = str(state.get(_key(audit, "layers"), last.layers if last.layers in LAYERS else "some"))
    written = str(state.get(_key(audit, "pattern"), "" if last.layers in LAYERS else last.layers))
    settings = ResultSettings(
        layers=(written.strip() or "all") if layers == "some" else layers,
        sketch_dim=int(state.get(_key(audit, "sketch"), last.sketch_dim)),
        sketch=str(state.get(_key(audit, "maps"), last.sketch)),
    )
    device = str(state.get(_key(audit, "device"), "auto"))
    return Asked(settings, SpeedSettings(device=device), str(state.get(_key(audit, "checkpoints"), "all")))


def settings_box(audit: Audit, *, with_costs: bool) -> None:
    """Draw the box, with what the choice costs where the page does not say it anyway."""
    last = audit.last_settings() or USUAL
    layers = last.layers if last.layers in LAYERS else "some"
    with st.expander(tr("Settings"), icon=":material/tune:", key="settings"):
        left, right = st.columns(2)
        with left:
            known = all(one.train_loss is not None for one in audit.checkpoints)
            choices = list(CHECKPOINTS) if known and len(audit.checkpoints) > 5 else ["all"]
            st.selectbox(
                tr("Checkpoints"),
                choices,
                format_func=lambda one: tr(CHECKPOINTS[one]),
                key=_key(audit, "checkpoints"),
            )
            chosen = st.selectbox(
                tr("Layers"),
                list(LAYERS),
                index=list(LAYERS).index(layers),
                format_func=lambda one: tr(LAYERS[one]),
                key=_key(audit, "layers"),
                help=tr("All layers tell most. The last one alone is faster for large models."),
            )
            if chosen == "some":
                st.text_input(
                    tr("Names of parameters (a regular expression)"),
                    value="" if last.layers in LAYERS else last.layers,
                    placeholder="classifier|layer4",
                    key=_key(audit, "pattern"),
                )
        with right:
            sizes = sorted({*SIZES, last.sketch_dim})
            st.select_slider(
                tr("Numbers kept per example and checkpoint"),
                sizes,
                value=last.sketch_dim,
                key=_key(audit, "sketch"),
                help=tr(
                    "More find proponents more surely and need more disk. Listed scores are exact anyway."
                ),
            )
            st.selectbox(
                tr("Gradients are shortened"),
                list(MAPS),
                index=list(MAPS).index(last.sketch),
                format_func=lambda one: tr(MAPS[one]),
                key=_key(audit, "maps"),
                help=tr(MAPS_HELP),
            )
            st.selectbox(
                tr("Computed on"),
                list(DEVICES),
                format_func=lambda one: tr(DEVICES[one]),
                key=_key(audit, "device"),
            )
        if with_costs:
            st.caption(estimate_words(audit))


def estimate_words(audit: Audit) -> str:
    """How long the asked run takes and what it stores, in words."""
    try:
        asked = asked_settings(audit)
    except TracinVizError as error:
        show_error(error, key="settings_error", leave=False)
        return ""
    count = len(audit.checkpoints) - len(audit.record.unused)
    if asked.checkpoints.startswith("steep"):
        count = min(count, 5)
    measured = audit.notes.get("seconds_per_example")
    seconds, size = size_of_run(
        audit.splits,
        count,
        asked.settings.sketch_dim,
        float(measured) if isinstance(measured, int | float) else None,
    )
    speed = audit.measured_speed(asked.speed.device, asked.settings.layers)
    examples = trn("{n} example", "{n} examples", sum(audit.splits.values()))
    if speed is not None:
        left = sum(audit.splits.values()) * count / speed
        time = tr("{time} at the speed of the last run, plus the map", time=text.takes(left))
    elif seconds is None:
        time = tr("about as long as one to two training epochs per checkpoint")
    else:
        time = tr("{time} on one processor, plus the map", time=text.takes(seconds))
    return tr(
        "Gradients of {examples} at {checkpoints}, then the map: {time}; about {size} on disk. "
        "It runs in the background.",
        examples=examples,
        checkpoints=trn("{n} checkpoint", "{n} checkpoints", count),
        time=time,
        size=readable(size),
    )


def _key(audit: Audit, name: str) -> str:
    return f"set_{name}_{audit.name}"
