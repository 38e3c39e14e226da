"""The clusters one by one: name, size, class mix, suspects, and a row of typical examples."""

from __future__ import annotations

import pandas
import streamlit as st

from tracin_viz.audit import Audit, ClusterSummary, Grouping
from tracin_viz.ui import text, theme
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.clusters.names import cluster_words
from tracin_viz.ui.clusters.settings import Settings
from tracin_viz.ui.components.gallery import Card, gallery
from tracin_viz.ui.details import open_details
from tracin_viz.ui.language import language, tr, trn
from tracin_viz.ui.results import shared
from tracin_viz.ui.selection import choose

EXEMPLARS = 12
FIRST = 10


def show_clusters(audit: Audit, found: Grouping, settings: Settings, table: pandas.DataFrame) -> None:
    """A row for each cluster, those with most suspects first.

    Args:
        audit: The audit.
        found: Its clusters.
        settings: How they were found.
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
    cards = _exemplars(audit, found, settings, table)
    for cluster in shown:
        _row(audit, found, cluster, cards)
    if len(shown) < len(found.summaries) and st.button(
        tr("Show all {n} clusters", n=f"{len(found.summaries):,}"), key="more_clusters"
    ):
        st.session_state["clusters_shown"] = len(found.summaries)
        st.rerun()


def _exemplars(
    audit: Audit, found: Grouping, settings: Settings, table: pandas.DataFrame
) -> dict[int, list[Card]]:
    """The cards of each cluster's row, made once for the same clusters: they are most of what a row costs."""

    def compute() -> dict[int, list[Card]]:
        rows = [one.exemplars[:EXEMPLARS] for one in found.summaries]
        entries = iter(table.iloc[[row for part in rows for row in part]].to_dict("records"))
        return {
            one.id: [example_card(audit, next(entries)) for _ in part]
            for one, part in zip(found.summaries, rows, strict=True)
        }

    made: dict[int, list[Card]] = shared(audit, "exemplars", *settings.clusters, language(), compute=compute)
    return made


def _select(audit: Audit, found: Grouping, number: int) -> None:
    choose(audit, found.rows[found.clusters == number])


def _row(audit: Audit, found: Grouping, cluster: ClusterSummary, cards: dict[int, list[Card]]) -> None:
    name = cluster_words(cluster)
    size = trn("{n} example", "{n} examples", cluster.size)
    with st.container(key=f"cluster_{cluster.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", key=f"cluster_bar_{cluster.id}"):
            # Two lines of one text: each element more is one more in every row, at every rerun.
            facts = _facts(cluster.classes, cluster.suspect_share)
            st.markdown(f"**{text.plain(name)}** · {size}  \n{facts}", width="content")
            st.button(
                tr("Select"),
                key=f"select_{cluster.id}",
                type="tertiary",
                icon=":material/select_all:",
                on_click=_select,
                args=(audit, found, cluster.id),
                help=tr("Select the examples of this cluster on the map."),
            )
        gallery(
            cards[cluster.id],
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
