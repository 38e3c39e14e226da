"""Clusters: groups of training examples that push the model in the same direction."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.errors import NotComputedError
from tracin_viz.ui import charts, text, theme
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.details import open_details, show_details
from tracin_viz.ui.frame import audit_page, go
from tracin_viz.ui.results import document, examples

ALL = "all classes"
ROWS = 12
FIRST = 10
NO_CLUSTER = "no cluster"
REST = "the rest"


def _points(found: dict[str, Any], table: pandas.DataFrame, colour_by: str) -> pandas.DataFrame:
    """One row per point: id, x, y, group, hover."""
    points = pandas.DataFrame(found["examples"]).merge(table[["id", "label", "predicted", "source"]], on="id")
    names = {cluster["id"]: str(cluster["name"]) for cluster in found["clusters"]}
    points["cluster_name"] = [names.get(number, NO_CLUSTER) for number in points["cluster"]]
    points["group"] = points["label"] if colour_by == "class" else points["cluster_name"]
    brief = points["source"].str.slice(0, 80).map(charts.literal)
    points["hover"] = (
        points["label"].map(charts.literal)
        + " → "
        + points["predicted"].map(charts.literal)
        + "<br>"
        + points["cluster_name"].map(charts.literal)
        + "<br>"
        + brief
    )
    return points


def _groups(audit: Audit, points: pandas.DataFrame, colour_by: str) -> list[tuple[str, str]]:
    """Names and colours in drawing order; grey ones first, so that coloured points lie above them.

    Points of groups without a colour of their own are put into one group of ``points``.
    """
    present = points["group"].value_counts().index
    if colour_by == "class":
        names = [name for name in audit.classes if name in present]
    else:
        names = [str(name) for name in present if name != NO_CLUSTER]
    chosen: list[str] = []
    if len(names) > theme.MOST_COLOURS:
        chosen = st.multiselect(
            "In colour",
            names,
            default=names[: theme.MOST_COLOURS],
            max_selections=theme.MOST_COLOURS,
            key=f"coloured_{colour_by}",
            help="More than eight colours cannot be told apart; the rest is grey.",
        )
    grey = theme.colour("neutral")
    coloured = [(name, shade) for name, shade in theme.class_colours(names, chosen).items() if shade != grey]
    # Grey groups are one entry of the legend: forty grey dots with names would say nothing.
    rest = points["group"].isin({name for name, _ in coloured} | {NO_CLUSTER})
    points.loc[~rest, "group"] = REST
    return [(name, grey) for name in (NO_CLUSTER, REST) if (points["group"] == name).any()] + coloured


def _map(audit: Audit, found: dict[str, Any], table: pandas.DataFrame, colour_by: str) -> None:
    points = _points(found, table, colour_by)
    figure = charts.influence_map(points, _groups(audit, points, colour_by))
    chosen = st.plotly_chart(
        figure,
        key="map",
        on_select="rerun",
        selection_mode="points",
        config=charts.CONFIG,
        alt=f"Map of {len(points)} training examples in {len(found['clusters'])} clusters.",
    )
    _open_picked(audit, [point.get("customdata") for point in chosen.selection.points], set(points["id"]))
    st.caption(
        f"{text.count(len(points), 'training example')}; {found['noise']:,} belong to no cluster. "
        "Click a point to see the example."
    )


def _open_picked(audit: Audit, picked: list[Any], known: set[str]) -> None:
    """Show a clicked point, once: Streamlit sends the selection again with every later rerun."""
    ids = [str(value[0] if isinstance(value, list) else value) for value in picked]
    identity = ids[0] if ids and ids[0] in known else ""
    if identity and st.session_state.get("map_picked") != identity:
        open_details(audit, identity)
        show_details(audit)
    st.session_state["map_picked"] = identity


def _cluster(audit: Audit, cluster: dict[str, Any], rows: pandas.DataFrame) -> None:
    suspect_share = cluster.get("suspect_share")
    mix = sorted(cluster["classes"].items(), key=lambda pair: -pair[1])
    words = ", ".join(f"{text.plain(name)} ({count:,})" for name, count in mix[:4])
    more = f" and {text.count(len(mix) - 4, 'other')}" if len(mix) > 4 else ""
    with st.container(key=f"cluster_{cluster['id']}"):
        st.markdown(f"**{text.plain(cluster['name'])}** · {text.count(int(cluster['size']), 'example')}")
        flag = (
            f" · :yellow[{theme.SIGNS['suspect']} {text.percent(suspect_share)} suspects]"
            if suspect_share
            else ""
        )
        st.caption(f"{words}{more}{flag}")
        known = [identity for identity in cluster["exemplars"][:ROWS] if identity in rows.index]
        gallery(
            [example_card(audit, row) for row in rows.loc[known].to_dict("records")],
            key=f"exemplars_{cluster['id']}",
            label=f"Typical examples of cluster {cluster['name']}",
            layout="strip",
            on_pick=lambda identity: open_details(audit, identity),
        )


def _controls(audit: Audit) -> tuple[str | None, str]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        name = st.selectbox(
            "Within class", [ALL, *audit.classes], key="within", bind="query-params", width=200
        )
        colour_by = st.segmented_control(
            "Colour by",
            ["cluster", "class"],
            default="cluster",
            required=True,
            key="colour",
            bind="query-params",
        )
    return None if name in (None, ALL) else name, str(colour_by or "cluster")


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    if not audit.ready().map:
        raise NotComputedError(
            "The map is not built yet; scores and suspects are ready.",
            remedy="It is the last stage of the run. Follow or resume it on the Compute page.",
        )
    show_details(audit)
    within, colour_by = _controls(audit)
    table = examples(audit, "train")
    found = document(audit, "clusters", within, compute=lambda: audit.clusters(within_class=within))
    _map(audit, found, table, colour_by)
    with st.expander("How to read this map"):
        st.write(text.WHAT_CLUSTERS)
    st.subheader("What do the members of each cluster have in common?", anchor=False)
    if not found["clusters"]:
        st.info(
            "No group is dense enough to be called a cluster here. Look at another class, or at all of them."
        )
    rows = table.set_index("id", drop=False)
    clusters = sorted(
        found["clusters"], key=lambda entry: (-(entry.get("suspect_share") or 0), -entry["size"])
    )
    shown = clusters[: int(st.session_state.get("clusters_shown", FIRST))]
    for cluster in shown:
        _cluster(audit, cluster, rows)
    if len(shown) < len(clusters) and st.button(f"Show all {len(clusters)} clusters", key="more_clusters"):
        st.session_state["clusters_shown"] = len(clusters)
        st.rerun()
    if st.button("Review the suspects", key="review", icon=":material/edit:"):
        go("relabel", audit=audit.name)


audit_page("Which groups of examples does the model treat alike?", main)
