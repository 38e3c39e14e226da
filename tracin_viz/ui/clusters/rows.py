"""The clusters one by one: name, size, class mix, suspects, and a row of typical examples."""

from __future__ import annotations

import pandas
import streamlit as st

from tracin_viz.audit import Audit, Grouping
from tracin_viz.ui import text, theme
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.clusters.names import cluster_words
from tracin_viz.ui.components.gallery import gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.language import tr, trn
from tracin_viz.ui.selection import choose

EXEMPLARS = 12
FIRST = 10


def show_clusters(audit: Audit, found: Grouping, table: pandas.DataFrame) -> None:
    """A row for each cluster, those with most suspects first.

    Args:
        audit: The audit.
        found: Its clusters.
        table: All training examples.
    """
    st.subheader(tr("What do the members of each cluster have in common?"), anchor=False)
    if not found.summaries:
        st.info(
            tr(
                "No group is dense enough to be called a cluster here. "
                "Look at another class, or at all of them."
            )
        )
    shown = found.summaries[: int(st.session_state.get("clusters_shown", FIRST))]
    for cluster in shown:
        _row(audit, found, cluster.id, table)
    if len(shown) < len(found.summaries) and st.button(
        tr("Show all {n} clusters", n=f"{len(found.summaries):,}"), key="more_clusters"
    ):
        st.session_state["clusters_shown"] = len(found.summaries)
        st.rerun()


def _row(audit: Audit, found: Grouping, number: int, table: pandas.DataFrame) -> None:
    cluster = next(one for one in found.summaries if one.id == number)
    name = cluster_words(cluster)
    size = trn("{n} example", "{n} examples", cluster.size)
    with st.container(key=f"cluster_{cluster.id}"):
        with st.container(horizontal=True, vertical_alignment="center", key=f"cluster_bar_{cluster.id}"):
            st.markdown(f"**{text.plain(name)}** · {size}", width="content")
            st.button(
                tr("Select"),
                key=f"select_{cluster.id}",
                type="tertiary",
                icon=":material/select_all:",
                on_click=choose,
                args=(audit, found.rows[found.clusters == cluster.id]),
                help=tr("Select the examples of this cluster on the map."),
            )
        st.caption(_facts(cluster.classes, cluster.suspect_share))
        gallery(
            [
                example_card(audit, row)
                for row in table.iloc[cluster.exemplars[:EXEMPLARS]].to_dict("records")
            ],
            key=f"exemplars_{cluster.id}",
            label=tr("Typical examples of cluster {name}", name=name),
            layout="strip",
            on_pick=lambda identity: open_details(audit, identity),
        )


def _facts(classes: dict[str, int], share: float) -> str:
    mix = list(classes.items())
    words = ", ".join(f"{text.plain(name)} ({count:,})" for name, count in mix[:4])
    if len(mix) > 4:
        words = tr("{classes} and {n} more", classes=words, n=f"{len(mix) - 4:,}")
    if not share:
        return words
    flag = tr("{share} suspects", share=text.percent(share))
    return f"{words} · :yellow[{theme.SIGNS['suspect']} {flag}]"
