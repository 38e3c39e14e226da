"""How many known wrong labels each ranking finds, where the truth is known."""

from __future__ import annotations

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.ui import charts, text, theme
from tracin_viz.ui.language import tr
from tracin_viz.ui.results import document, shared


def show_recovery(audit: Audit, ranking: str) -> None:
    """The recovery curve of every ranking against random; nothing where no wrong label is known."""
    found = document(audit, "recovery", compute=audit.recovery)
    if not found:
        return
    st.subheader(tr("How many of the known wrong labels does this find?"), anchor=False)
    st.markdown(
        tr(
            "The most suspicious **20 %** hold **{share}** of the {planted} labels that "
            "were changed on purpose. Looking at random would find 20 %.",
            share=text.percent(found["at_20"].get(ranking)),
            planted=f"{found['planted']:,}",
        )
    )
    names = {name: tr(words) for name, words in text.SUSPECT_RANKINGS.items()}
    colours = (theme.colour("suspect"), theme.colour("neutral"))
    figure = shared(
        audit,
        "recovery figure",
        ranking,
        colours,
        tuple(names.values()),
        compute=lambda: charts.recovery(
            found["curves"], found["fractions"], chosen=ranking, names=names, colours=colours
        ),
    )
    st.plotly_chart(
        figure,
        key="recovery",
        config=charts.CONFIG,
        alt=tr("Share of planted wrong labels found against the share of the training set looked at."),
    )
    st.dataframe(
        [
            {
                tr("Ranking"): names.get(name, name),
                tr("Found in the top 20 %"): text.percent(value, 1),
                tr("Wrong above right (AUROC)"): f"{found['auroc'][name]:.3f}",
            }
            for name, value in found["at_20"].items()
        ],
        hide_index=True,
        key="recovery_table",
    )
