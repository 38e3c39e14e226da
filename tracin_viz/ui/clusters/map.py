"""The map of the examples that pass the filters, and what is selected on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas
import streamlit as st

from tracin_viz.audit import Audit, Column, Grouping
from tracin_viz.ui import map_colours, text, theme
from tracin_viz.ui.clusters.names import cluster_words
from tracin_viz.ui.clusters.settings import Settings
from tracin_viz.ui.components.scatter import Points, frame_of, scatter
from tracin_viz.ui.details import open_details, show_details
from tracin_viz.ui.facets import Facet, chosen_filters, cluster_facet, show_facets, training_facets
from tracin_viz.ui.guard import guarded
from tracin_viz.ui.language import language, tr, trn
from tracin_viz.ui.map_colours import Painted
from tracin_viz.ui.map_routes import bytes_url, card_url
from tracin_viz.ui.results import shared
from tracin_viz.ui.selection import choose, mask_of, selected_rows, show_selection

PAGE = "clusters"


@st.fragment
@guarded
def explore(audit: Audit, found: Grouping, settings: Settings, table: pandas.DataFrame) -> None:
    """Filters, map and selection; a new filter or selection runs this part of the page only.

    Args:
        audit: The audit.
        found: All points and their clusters.
        settings: What is looked at.
        table: All training examples.
    """
    show_details(audit)
    passing = show_facets(audit, map_facets(audit, found), page=PAGE)
    shown = found if passing.all() else _part(found, passing)
    rows = selected_rows(audit)
    if len(shown.rows):
        _draw(audit, found, shown, settings, table)
    else:
        st.info(tr("No example passes these filters. Take one of them back."))
    with st.expander(tr("How to read this map")):
        st.write(tr(text.WHAT_CLUSTERS))
    show_selection(audit, rows, table)


def map_facets(audit: Audit, found: Grouping) -> list[Facet]:
    """The properties of the points of this map, with its own clusters."""
    names = {one.id: cluster_words(one) for one in found.summaries}
    whole = training_facets(audit, clusters=False)
    part = [Facet(_of_rows(facet.column, found.rows), facet.names) for facet in whole]
    return [*part, cluster_facet(found.clusters, names)]


def _of_rows(column: Column, rows: npt.NDArray[np.int64]) -> Column:
    if len(rows) == len(column.codes):
        return column
    return Column(column.name, column.keys, column.codes[rows])


def _part(found: Grouping, passing: npt.NDArray[np.bool_]) -> Grouping:
    return replace(
        found,
        rows=found.rows[passing],
        coordinates=found.coordinates[passing],
        clusters=found.clusters[passing],
    )


def _draw(
    audit: Audit, found: Grouping, shown: Grouping, settings: Settings, table: pandas.DataFrame
) -> None:
    whole = len(shown.rows) == audit.splits["train"]
    # What is drawn follows from these; decisions are among the filters, and the log only grows.
    filters = str(sorted(chosen_filters(PAGE).items()))
    every = len(shown.rows) == len(found.rows)
    named = (*settings.clusters, "" if every else filters, 0 if every else len(audit.history()))
    points: Points = shared(
        audit,
        "points",
        *named,
        compute=lambda: Points(shown.coordinates, None if whole else shown.rows, frame_of(found.coordinates)),
    )
    painted: Painted = shared(
        audit,
        "painted",
        *named,
        settings.colour,
        theme.mode(),
        language(),
        compute=lambda: map_colours.paint(audit, shown, table, settings.colour),
    )
    scatter(
        points,
        painted.colouring,
        key="map",
        label=tr(
            "Map of {examples} training examples in {clusters} clusters",
            examples=points.count,
            clusters=len(found.summaries),
        ),
        bytes_url=bytes_url(),
        card_url=card_url(audit),
        labels=painted.labels,
        selected=mask_of(shown, selected_rows(audit)),
        on_select=lambda mask: choose(audit, shown.rows[mask]),
        on_pick=lambda place: open_details(audit, f"train:{shown.rows[place]}"),
    )
    outside = int((shown.clusters < 0).sum())
    st.caption(trn("{n} example belongs to no cluster.", "{n} examples belong to no cluster.", outside))
