"""Filters with counts in the browser: one button per property, its values as a list of ticks with numbers.

Names of values come from data: they reach the page through ``textContent`` only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from tracin_viz.ui.components.registering import component

#: Longest search that is listened to.
LONGEST_SEARCH = 200


@dataclass(frozen=True)
class ValueView:
    """One value in the list.

    Attributes:
        key: Comes back when it is ticked.
        word: Its name.
        count: Examples of it that pass the other filters, in words.
        share: The same as a share of the largest, 0–1: the length of its bar.
        on: Whether it is ticked.
    """

    key: str
    word: str
    count: str
    share: float
    on: bool


@dataclass(frozen=True)
class FacetView:
    """One property.

    Attributes:
        name: Comes back with what is ticked.
        title: What it is called.
        values: Those that are listed.
        searchable: Whether there are more values than are listed.
        search: What is searched for now.
        more: What is said about values that are not listed; empty = nothing.
    """

    name: str
    title: str
    values: tuple[ValueView, ...]
    searchable: bool = False
    search: str = ""
    more: str = ""


def facet_bar(
    facets: Sequence[FacetView],
    *,
    key: str,
    words: dict[str, str],
    on_choose: Callable[[str, list[str]], None],
    on_search: Callable[[str, str], None],
    on_clear: Callable[[], None],
) -> None:
    """Draw the filters.

    Args:
        facets: In reading order.
        key: Unique on the page.
        words: "label" (of the whole), "search", "clear" and "none" (of an empty list).
        on_choose: Called with a property's name and the keys ticked among the listed ones.
        on_search: Called with a property's name and the words that were typed.
        on_clear: Called when all filters are taken back.
    """
    known = {facet.name: {value.key for value in facet.values} for facet in facets}

    def sent(event: str) -> dict[str, Any]:
        found = st.session_state[key].get(event)
        # Whatever a browser sends is taken as a wish about what was drawn, and as nothing else.
        return found if isinstance(found, dict) and found.get("name") in known else {}

    def choosing() -> None:
        event = sent("choose")
        ticked = event.get("keys")
        if isinstance(ticked, list):
            name = str(event["name"])
            on_choose(name, [one for one in ticked if isinstance(one, str) and one in known[name]])

    def searching() -> None:
        event = sent("search")
        if isinstance(event.get("words"), str):
            on_search(str(event["name"]), event["words"][:LONGEST_SEARCH])

    component("facets", ("parts/element.js", "facets.js"))(
        key=key,
        data={"facets": [_sent(facet) for facet in facets], "words": words},
        on_choose_change=choosing,
        on_search_change=searching,
        on_clear_change=on_clear,
    )


def _sent(facet: FacetView) -> dict[str, Any]:
    # Not `asdict`, which copies every field of some hundred values in depth.
    return {**vars(facet), "values": [dict(vars(value)) for value in facet.values]}
