"""Clusters: groups of training examples that push the model in the same direction."""

from __future__ import annotations

import pandas
import streamlit as st

from tracin_viz.audit import Audit, Grouping
from tracin_viz.errors import NotComputedError
from tracin_viz.ui import map_colours, text, theme
from tracin_viz.ui.access import managing, may_decide, may_manage
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.components.scatter import Points, scatter
from tracin_viz.ui.details import open_details, show_details
from tracin_viz.ui.frame import audit_page, go, guarded
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.map_colours import Painted
from tracin_viz.ui.map_routes import bytes_url, card_url
from tracin_viz.ui.progress import ACTIVE, follow
from tracin_viz.ui.results import examples, grouping, shared
from tracin_viz.ui.selection import Rows, choose, mask_of, selected_rows, show_selection
from tracin_viz.ui.session import linked, publish

ALL = "all classes"
ROWS = 12
FIRST = 10
AS_COMPUTED = 0
SIZES = (5, 10, 15, 25, 50, 100, 250, 500, 1000)


def _controls(audit: Audit) -> tuple[str | None, str, int | None]:
    """The class looked at, what colours mean, and the smallest cluster; ``None`` = all, as computed."""
    by = map_colours.options(audit)
    sizes = [AS_COMPUTED, *(size for size in SIZES if size * 4 <= audit.splits["train"])]
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        name = st.selectbox(
            "Within class", [ALL, *audit.classes], key="within", bind="query-params", width=200
        )
        colour = st.selectbox(
            "Colour by",
            list(by),
            format_func=by.__getitem__,
            key=linked("colour", list(by), "cluster"),
            persist_state="session",
            width=200,
        )
        # A handful of examples leaves nothing to choose.
        smallest = (
            AS_COMPUTED
            if len(sizes) == 1
            else st.select_slider(
                "Smallest cluster",
                sizes,
                format_func=lambda size: "as computed" if size == AS_COMPUTED else f"{size:,}",
                key=linked("smallest", sizes, AS_COMPUTED),
                persist_state="session",
                width=240,
                help="Examples that make a cluster. The map stays; clusters are found anew.",
            )
        )
    publish("colour", colour, "cluster")
    publish("smallest", smallest, AS_COMPUTED)
    return None if name in (None, ALL) else name, str(colour), int(smallest) or None


@st.fragment
@guarded
def _explore(
    audit: Audit, found: Grouping, points: Points, painted: Painted, table: pandas.DataFrame
) -> None:
    """Map and selection; a new selection runs this part of the page only."""
    show_details(audit)
    rows = selected_rows(audit)
    _map(audit, found, points, painted, rows)
    with st.expander("How to read this map"):
        st.write(tr(text.WHAT_CLUSTERS))
    show_selection(audit, rows, table)


def _map(audit: Audit, found: Grouping, points: Points, painted: Painted, rows: Rows) -> None:
    scatter(
        points,
        painted.colouring,
        key="map",
        label=f"Map of {points.count} training examples in {len(found.summaries)} clusters",
        bytes_url=bytes_url(),
        card_url=card_url(audit),
        labels=painted.labels,
        selected=mask_of(found, rows),
        on_select=lambda mask: choose(audit, found.rows[mask]),
        on_pick=lambda place: open_details(audit, f"train:{found.rows[place]}"),
    )
    outside = int((found.clusters < 0).sum())
    st.caption(f"{text.count(outside, 'example belongs', 'examples belong')} to no cluster.")


def _cluster(audit: Audit, found: Grouping, number: int, table: pandas.DataFrame) -> None:
    cluster = next(one for one in found.summaries if one.id == number)
    mix = list(cluster.classes.items())
    words = ", ".join(f"{text.plain(name)} ({count:,})" for name, count in mix[:4])
    more = f" and {text.count(len(mix) - 4, 'other')}" if len(mix) > 4 else ""
    with st.container(key=f"cluster_{cluster.id}"):
        with st.container(horizontal=True, vertical_alignment="center", key=f"cluster_bar_{cluster.id}"):
            st.markdown(
                f"**{text.plain(cluster.name)}** · {text.count(cluster.size, 'example')}", width="content"
            )
            st.button(
                "Select",
                key=f"select_{cluster.id}",
                type="tertiary",
                icon=":material/select_all:",
                on_click=choose,
                args=(audit, found.rows[found.clusters == cluster.id]),
                help="Select the examples of this cluster on the map.",
            )
        share = cluster.suspect_share
        flag = f" · :yellow[{theme.SIGNS['suspect']} {text.percent(share)} suspects]" if share else ""
        st.caption(f"{words}{more}{flag}")
        gallery(
            [example_card(audit, row) for row in table.iloc[cluster.exemplars[:ROWS]].to_dict("records")],
            key=f"exemplars_{cluster.id}",
            label=f"Typical examples of cluster {cluster.name}",
            layout="strip",
            on_pick=lambda identity: open_details(audit, identity),
        )


def _clusters(audit: Audit, found: Grouping, table: pandas.DataFrame) -> None:
    st.subheader("What do the members of each cluster have in common?", anchor=False)
    if not found.summaries:
        st.info(
            "No group is dense enough to be called a cluster here. Look at another class, or at all of them."
        )
    shown = found.summaries[: int(st.session_state.get("clusters_shown", FIRST))]
    for cluster in shown:
        _cluster(audit, found, cluster.id, table)
    if len(shown) < len(found.summaries) and st.button(
        f"Show all {len(found.summaries)} clusters", key="more_clusters"
    ):
        st.session_state["clusters_shown"] = len(found.summaries)
        st.rerun()


@guarded
def _redraw(audit: Audit) -> None:
    managing()
    audit.redraw_map()


def _say_if_old(audit: Audit) -> None:
    """Say where checkpoints or learning rates were changed after the map was drawn, and offer a new one."""
    if not may_manage() or audit.map_current() or audit.status()["state"] in ACTIVE:
        return
    st.info(
        "This map and its clusters are of other weights: since it was drawn, checkpoints were switched or "
        "learning rates changed. Scores and suspects follow at once, the map only when it is drawn again; "
        "no gradient is computed for that."
    )
    st.button("Draw the map again", key="redraw", icon=":material/refresh:", on_click=_redraw, args=(audit,))


def main(audit: Audit) -> None:
    """Draw the page for one audit."""
    if audit.status()["state"] in ACTIVE:
        follow(audit.name)
        if not audit.ready().map:
            return
    if not audit.ready().map:
        raise NotComputedError(
            "The map is not built yet; scores and suspects are ready.",
            remedy="It is the last stage of the run. Follow or resume it on the Compute page.",
        )
    show_details(audit)
    _say_if_old(audit)
    within, colour, smallest = _controls(audit)
    table = examples(audit, "train")
    with st.spinner("Looking for clusters …", show_time=True):
        found = grouping(audit, within, smallest)
    points = shared(
        audit, "points", within, compute=lambda: Points(found.coordinates, found.rows if within else None)
    )
    painted = shared(
        audit,
        "painted",
        within,
        smallest,
        colour,
        theme.mode(),
        compute=lambda: map_colours.paint(audit, found, table, colour),
    )
    _explore(audit, found, points, painted, table)
    _clusters(audit, found, table)
    if may_decide() and st.button("Review the suspects", key="review", icon=":material/edit:"):
        go("relabel", audit=audit.name)


audit_page(later("Which groups of examples does the model treat alike?"), main)
