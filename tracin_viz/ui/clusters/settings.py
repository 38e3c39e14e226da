"""What the map shows and how clusters are found; all of it is in the address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from tracin_viz.audit import Audit
from tracin_viz.fingerprint import from_address
from tracin_viz.ui import map_colours
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.session import linked, publish
from tracin_viz.ui.short import class_word

ALL = "all classes"
AS_COMPUTED = 0
SIZES = (5, 10, 15, 25, 50, 100, 250, 500, 1000)
CAUTIOUS = (1, 2, 5, 10, 15, 25, 50, 100)
MAPS: dict[str, str] = {"influence": later("Influence"), "embedding": later("Embedding")}


@dataclass(frozen=True)
class Settings:
    """What is looked at.

    Attributes:
        of: A key of ``MAPS``.
        within: Only this given class; ``None`` = all.
        colour: A key of ``map_colours.options``.
        smallest: Smallest cluster; ``None`` = as computed.
        cautious: HDBSCAN's ``min_samples``; ``None`` = as the smallest cluster.
    """

    of: str
    within: str | None
    colour: str
    smallest: int | None
    cautious: int | None

    @property
    def clusters(self) -> tuple[str, str | None, int | None, int | None]:
        """What the clusters depend on, beside the audit's results."""
        return self.of, self.within, self.smallest, self.cautious


def settings_of(audit: Audit, value: Callable[[str], str]) -> Settings:
    """The settings that an address names; what it does not name, or names wrongly, is as usual.

    Args:
        audit: The audit.
        value: The address's value under a name.
    """
    of, within = value("of"), from_address(value("within"), audit.classes)
    sizes, levels = _sizes(audit)

    def number(name: str, options: list[int]) -> int | None:
        return next((one for one in options if one and str(one) == value(name)), None)

    colour = value("colour")
    return Settings(
        of if of in MAPS else "influence",
        within,
        colour if colour in map_colours.options(audit) else "cluster",
        number("smallest", sizes),
        number("cautious", levels),
    )


def _sizes(audit: Audit) -> tuple[list[int], list[int]]:
    """Smallest clusters and levels of caution that may be chosen."""
    size = audit.splits["train"]
    smallest = [AS_COMPUTED, *(one for one in SIZES if one * 4 <= size)]
    # A handful of examples leaves nothing to choose.
    if len(smallest) == 1:
        return smallest, [AS_COMPUTED]
    return smallest, [AS_COMPUTED, *(one for one in CAUTIOUS if one * 4 <= size)]


def choose_settings(audit: Audit) -> Settings:
    """Draw the controls of the map."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        of = st.segmented_control(
            tr("Map of"),
            list(MAPS),
            format_func=lambda name: tr(MAPS[name]),
            key=linked("of", list(MAPS), "influence"),
            persist_state="session",
            required=True,
            help=tr(
                "Influence: who pushes the model in the same direction. Embedding: who looks alike to the "
                "last layer. Comparing both shows what influence adds."
            ),
        )
        within = st.selectbox(
            tr("Within class"),
            [ALL, *audit.classes],
            format_func=lambda name: tr("all classes") if name == ALL else class_word(audit, name),
            key=linked("within", [ALL, *audit.classes], ALL),
            persist_state="session",
            width=180,
        )
        options = map_colours.options(audit)
        colour = st.selectbox(
            tr("Colour by"),
            list(options),
            format_func=lambda name: tr(options[name]),
            key=linked("colour", list(options), "cluster"),
            persist_state="session",
            width=180,
        )
        smallest, cautious = _of_hdbscan(audit)
    for name, value, usual in (
        ("of", of, "influence"),
        ("within", within, ALL),
        ("colour", colour, "cluster"),
        ("smallest", smallest, AS_COMPUTED),
        ("cautious", cautious, AS_COMPUTED),
    ):
        publish(name, value, usual)
    return Settings(
        str(of), None if within == ALL else str(within), str(colour), smallest or None, cautious or None
    )


def _of_hdbscan(audit: Audit) -> tuple[int, int]:
    """Smallest cluster, and how cautious; ``AS_COMPUTED`` = as the run found them."""
    sizes, levels = _sizes(audit)
    if len(sizes) == 1:
        return AS_COMPUTED, AS_COMPUTED
    smallest = st.select_slider(
        tr("Smallest cluster"),
        sizes,
        format_func=lambda one: tr("as computed") if one == AS_COMPUTED else f"{one:,}",
        key=linked("smallest", sizes, AS_COMPUTED),
        persist_state="session",
        width=200,
        help=tr("Examples that make a cluster. The map stays; clusters are found anew."),
    )
    cautious = st.select_slider(
        tr("How cautious"),
        levels,
        format_func=lambda one: tr("as computed") if one == AS_COMPUTED else f"{one:,}",
        key=linked("cautious", levels, AS_COMPUTED),
        persist_state="session",
        width=200,
        help=tr(
            "Neighbours that must be near for an example to count as dense (min_samples). Higher leaves more "
            "examples outside of all clusters."
        ),
    )
    return int(smallest), int(cautious)
