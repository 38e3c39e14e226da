"""Filters with counts for pages about training examples; what is chosen is in the address.

    facets = training_facets(audit)
    mask = show_facets(audit, facets, page="suspects")     # (n,) which examples pass

Counts of a property show what passes the filters of the others, so that a choice says what it would leave.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from tracin_viz.audit import Audit, Column, cluster_column, counts, decided_column, listed, passing
from tracin_viz.fingerprint import from_address, in_address
from tracin_viz.ui.components.facets import FacetView, ValueView, facet_bar
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.results import shared
from tracin_viz.ui.short import short_names

Mask = npt.NDArray[np.bool_]

#: Before the name of a property in the address: ``f_label=cat&f_label=dog``.
PREFIX = "f_"

TITLES: dict[str, str] = {
    "label": later("Given label"),
    "predicted": later("Predicted label"),
    "suggested": later("Suggested label"),
    "agrees": later("Model agrees"),
    "confidence": later("Confidence"),
    "decided": later("Decided"),
    "cluster": later("Cluster"),
    "signs": later("What it looks like"),
}
#: Words of values that do not come from data.
WORDS: dict[str, dict[str, str]] = {
    "confidence": {
        "0-50": later("under 50 %"),
        "50-80": later("50–80 %"),
        "80-95": later("80–95 %"),
        "95-99": later("95–99 %"),
        "99-100": later("99 % and over"),
    },
    "agrees": {"yes": later("agrees"), "no": later("disagrees")},
    "decided": {
        "none": later("not yet"),
        "keep": later("kept"),
        "relabel": later("relabelled"),
        "exclude": later("excluded"),
        "review": later("needs review"),
        "skip": later("skipped"),
    },
    "cluster": {"none": later("no cluster")},
    "signs": {
        "wrong": later("label looks wrong"),
        "rare": later("rare but probably right"),
        "unclear": later("unclear"),
        "usual": later("not suspicious"),
    },
}


@dataclass(frozen=True, eq=False)
class Facet:
    """A property with the names of its values.

    Attributes:
        column: The property.
        names: What its values are called where that is not their key: names of clusters.
    """

    column: Column
    names: tuple[str, ...] = ()

    def words(self) -> tuple[str, ...]:
        """What the values are called, in the language of the visit."""
        ours = WORDS.get(self.column.name, {})
        names = self.names or self.column.keys
        return tuple(
            tr(ours[key]) if key in ours else name for key, name in zip(self.column.keys, names, strict=False)
        )


def training_facets(audit: Audit, *, clusters: bool = True) -> list[Facet]:
    """What all training examples can be filtered by.

    Args:
        audit: An audit with scores.
        clusters: Also by the clusters of the run, where there are some.
    """
    facets = [Facet(column) for column in shared(audit, "columns", compute=audit.columns)]
    facets.append(Facet(decided(audit)))
    if clusters and audit.ready().map:
        facets.append(shared(audit, "cluster facet", compute=lambda: _clusters_of_run(audit)))
    return facets


def decided(audit: Audit) -> Column:
    """What was decided about each training example."""
    # The log only grows: its length names its state.
    state = len(audit.history())
    found: Column = shared(
        audit,
        "decided",
        state,
        compute=lambda: decided_column(audit.decisions(), audit.splits["train"]),
    )
    return found


def cluster_facet(clusters: npt.NDArray[np.int64], names: dict[int, str]) -> Facet:
    """The cluster of each example.

    Args:
        clusters: (n,) number of its cluster; -1 = none.
        names: By number.
    """
    column = cluster_column(clusters)
    return Facet(column, tuple(names.get(int(key), key) if key.isdecimal() else key for key in column.keys))


def _clusters_of_run(audit: Audit) -> Facet:
    found = audit.grouping()
    return cluster_facet(found.clusters, {one.id: one.name for one in found.summaries})


def show_facets(audit: Audit, facets: Sequence[Facet], *, page: str) -> Mask:
    """Draw the filters; returns which examples pass.

    Args:
        audit: The audit.
        facets: Of n examples, at least one facet.
        page: Keeps the filters of one page apart from those of others.

    Returns:
        (n,) True for the examples that pass.
    """
    columns = [facet.column for facet in facets]
    chosen = _chosen(audit, columns, page)
    size = len(columns[0].codes)
    numbers = counts(columns, chosen, size)
    views = [
        _view(facet, numbers[facet.column.name], chosen.get(facet.column.name, ()), page) for facet in facets
    ]

    def choose(name: str, keys: list[str]) -> None:
        _keep(audit, page, {**chosen, name: tuple(keys)})

    facet_bar(
        views,
        key=f"facets_{page}",
        words={
            "label": tr("Filters"),
            "search": tr("Search for a value"),
            "clear": tr("Clear filters"),
            "none": tr("No value has this in its name."),
        },
        on_choose=choose,
        on_search=lambda name, words: _search(page, name, words),
        on_clear=lambda: _keep(audit, page, {}),
    )
    return passing(columns, chosen, size)


def passing_filters(facets: Sequence[Facet], values: Callable[[str], Sequence[str]]) -> Mask:
    """(n,) which examples pass the filters of an address: what ``show_facets`` shows for it.

    Args:
        facets: Of n examples, at least one facet.
        values: All values of the address under a name.
    """
    columns = [facet.column for facet in facets]
    asked = {column.name: values(PREFIX + column.name) for column in columns}
    return passing(columns, _known(columns, asked), len(columns[0].codes))


def chosen_filters(page: str) -> dict[str, tuple[str, ...]]:
    """What is chosen on a page whose filters were drawn, by property."""
    return dict(st.session_state.get(_state_key(page), ("", {}))[1])


def clear_filters(audit: Audit, page: str) -> None:
    """Take all filters of a page back; for a button beside "nothing passes"."""
    _keep(audit, page, {})


def _view(facet: Facet, numbers: npt.NDArray[np.int64], chosen: Collection[str], page: str) -> FacetView:
    column, words = facet.column, facet.words()
    search = str(st.session_state.get(_search_key(page, column.name), ""))
    shown = listed(column.keys, words, numbers, chosen=chosen, search=search)
    brief = short_names(words)
    largest = max(1, int(numbers.max(initial=0)))
    return FacetView(
        column.name,
        tr(TITLES.get(column.name, column.name)),
        tuple(
            ValueView(
                column.keys[place],
                brief[words[place]],
                f"{int(numbers[place]):,}",
                float(numbers[place]) / largest,
                column.keys[place] in chosen,
            )
            for place in shown
        ),
        searchable=len(column.keys) > len(listed(column.keys, words, numbers)) or bool(search),
        search=search,
        more=_more(len(column.keys) - len(shown)) if not search else "",
    )


def _more(left_out: int) -> str:
    return tr("{n} more values; search for them by name.", n=f"{left_out:,}") if left_out > 0 else ""


def _chosen(audit: Audit, columns: Sequence[Column], page: str) -> dict[str, tuple[str, ...]]:
    """The filters that the address names, else those this visit last had on this page."""
    asked = {column.name: st.query_params.get_all(PREFIX + column.name) for column in columns}
    if not any(asked.values()):
        owner, kept = st.session_state.get(_state_key(page), ("", {}))
        asked = dict(kept) if owner == audit.name else {}
    found = _known(columns, asked)
    _keep(audit, page, found, {column.name for column in columns})
    return found


def _known(columns: Sequence[Column], asked: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Of the values asked for, those that exist: others filter nothing, instead of leaving an empty page."""
    found = {}
    for column in columns:
        known = {from_address(word, column.keys) for word in asked.get(column.name, ())}
        if keys := tuple(key for key in column.keys if key in known):
            found[column.name] = keys
    return found


def _keep(
    audit: Audit, page: str, chosen: dict[str, tuple[str, ...]], known: Collection[str] | None = None
) -> None:
    """Put the filters into the address and into this visit; those of other than the ``known`` ones stay."""
    st.session_state[_state_key(page)] = (audit.name, chosen)
    for name in [key for key in st.query_params if key.startswith(PREFIX)]:
        column = name.removeprefix(PREFIX)
        if not chosen.get(column) and (known is None or column in known):
            del st.query_params[name]
    for name, keys in chosen.items():
        written = [in_address(key) for key in keys]
        if keys and st.query_params.get_all(PREFIX + name) != written:
            st.query_params[PREFIX + name] = written


def _search(page: str, name: str, words: str) -> None:
    st.session_state[_search_key(page, name)] = words


def _state_key(page: str) -> str:
    return f"chosen_facets_{page}"


def _search_key(page: str, name: str) -> str:
    return f"facet_search_{page}_{name}"
