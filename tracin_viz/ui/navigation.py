"""The pages of the app, and the ways to them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from tracin_viz.ui.language import later, tr

_ROOT = Path(__file__).parents[2]
_PRESENT = "present_page"

#: name: (file, title, icon, what it is for)
PAGES: dict[str, tuple[str, str, str, str]] = {
    "start": (
        "1_start.py",
        later("Start"),
        "home",
        later("Choose what to audit, or look at a finished example."),
    ),
    "own": ("own.py", later("Your own data"), "add", later("Bring a model and data of your own.")),
    "compute": ("2_compute.py", later("Compute"), "memory", later("Turn checkpoints into influence scores.")),
    "influence": (
        "3_influence.py",
        later("Influence"),
        "compare_arrows",
        later("Training examples for and against a prediction."),
    ),
    "suspects": (
        "4_suspects.py",
        later("Suspects"),
        "flag",
        later("Training labels that look wrong or rare."),
    ),
    "clusters": (
        "5_clusters.py",
        later("Clusters"),
        "bubble_chart",
        later("Examples that the model treats alike."),
    ),
    "compare": (
        "compare.py",
        later("Compare"),
        "difference",
        later("Two sets of checkpoints, or two audits, side by side."),
    ),
    "relabel": ("6_relabel.py", later("Relabel"), "edit", later("Decide about suspects one by one.")),
    "evidence": (
        "8_evidence.py",
        later("Does it help?"),
        "query_stats",
        later("What decisions change, and how far the audit can be trusted."),
    ),
    "report": (
        "7_report.py",
        later("Report"),
        "description",
        later("What others shall see: a file, a presentation, tables of labels."),
    ),
}
#: Reached by a button or a link, and not shown in the navigation.
HIDDEN = ("own",)


def page(name: str) -> st.Page:
    """The page ``name`` as Streamlit's navigation knows it."""
    file, title, icon, purpose = PAGES[name]
    return st.Page(
        _ROOT / "pages" / file,
        title=tr(title),
        icon=f":material/{icon}:",
        url_path=None if name == "start" else name,
        default=name == "start",
        visibility="hidden" if name in HIDDEN else "visible",
        help=tr(purpose),
    )


def go(name: str, **parameters: str) -> None:
    """Switch to page ``name`` with these address parameters."""
    st.switch_page(page(name), query_params=parameters)


def choose_page() -> st.Page:
    """Draw the navigation; returns the page that the address names, ready to run."""
    chosen = st.navigation([page(name) for name in PAGES], position="top")
    st.session_state[_PRESENT] = chosen.url_path or "start"
    return chosen


def present_page() -> str:
    """Name of the page that this run draws."""
    return str(st.session_state.get(_PRESENT, "start"))
