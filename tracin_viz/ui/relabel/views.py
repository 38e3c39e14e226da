"""A saved view as a queue: the training examples that it shows, all of its filters counted, in its order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracin_viz.audit import Audit, View
from tracin_viz.errors import InputError, NotComputedError
from tracin_viz.ui import text
from tracin_viz.ui.clusters.map import map_facets
from tracin_viz.ui.clusters.settings import settings_of
from tracin_viz.ui.facets import PREFIX, passing_filters
from tracin_viz.ui.relabel.queues import MOST, Origin, most_suspicious, of_selection
from tracin_viz.ui.results import grouping
from tracin_viz.ui.suspects.distribution import SHARES, USUAL_RANKING, USUAL_SHARE, pick, ranked
from tracin_viz.ui.suspects.ends import drawn_range
from tracin_viz.ui.suspects.signs import suspect_facets

Rows = npt.NDArray[np.int64]


def of_view(audit: Audit, name: str) -> Origin:
    """What a saved view shows: its list of suspects, its selection, or the points of its map.

    Raises:
        NotFoundError: There is no such view.
        InputError: The view shows none of these, or no example.
        NotComputedError: What it filters by is not known yet.
    """
    view = audit.views.get(name)
    if view.page == "suspects":
        found = _suspects(audit, view)
    elif view.value("sel"):
        found = of_selection(audit, view.value("sel"))
    elif view.page == "clusters":
        found = _points(audit, view)
    else:
        raise InputError(
            f"The view '{name}' shows neither suspects nor a selection.",
            remedy="Choose a view of the Suspects page or of the Clusters page.",
        )
    if not found.rows:
        raise InputError(
            f"The view '{name}' shows no example.", remedy="Open it and take some of its filters back."
        )
    return Origin(found.rows, f"{found.source} (view '{name}')")


def _suspects(audit: Audit, view: View) -> Origin:
    """The list of the Suspects page."""
    by = view.value("by")
    ranking = by if by in text.SUSPECT_RANKINGS else USUAL_RANKING
    facets = suspect_facets(audit)
    if view.values(f"{PREFIX}signs") and audit.target == "class" and audit.sign_column() is None:
        raise NotComputedError(
            "Suspects are still being compared with their neighbours, which this view filters by.",
            remedy="Try again in a moment.",
        )
    older = [one for one in view.values("class") if one in audit.classes]

    def values(name: str) -> list[str]:
        return older if older and name == f"{PREFIX}label" else view.values(name)

    share = next((one for one in SHARES if str(one) == view.value("share")), USUAL_SHARE)
    picked = pick(
        ranked(audit, ranking),
        passing_filters(facets, values),
        share=share,
        drawn=drawn_range(view.value("range")),
    )
    rows = audit.suspect_entries(picked.rows[:MOST].tolist(), ranking=ranking)
    return Origin(
        rows, f"{_counted(len(rows), len(picked.rows))} by {text.SUSPECT_RANKINGS[ranking].lower()}"
    )


def _points(audit: Audit, view: View) -> Origin:
    """What the map of the Clusters page shows; it has no order, so the most suspicious come first."""
    asked = settings_of(audit, view.value)
    found = grouping(audit, asked.within, asked.smallest, asked.cautious, asked.of)
    passing = passing_filters(map_facets(audit, found), view.values)
    shown: Rows = found.rows[passing & np.isfinite(found.coordinates).all(axis=1)]
    rows = most_suspicious(audit, shown)
    return Origin(rows, f"{_counted(len(rows), len(shown))} on the map")


def _counted(taken: int, shown: int) -> str:
    if taken < shown:
        return f"the first {taken:,} of {text.count(shown, 'example')}"
    return text.count(taken, "example")
