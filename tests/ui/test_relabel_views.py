"""A saved view as a queue holds exactly what the view shows, whatever it filters by, in the same order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ui.influence.test_page import cards
from tests.ui.test_selection_pages import visit
from tracin_viz.audit import CONFIDENCE_BANDS, Audit, Workspace
from tracin_viz.errors import InputError, NotComputedError, NotFoundError
from tracin_viz.ui.relabel import views
from tracin_viz.ui.relabel.queues import Origin


@pytest.fixture
def audit(workspace: Workspace) -> Audit:
    return workspace.open("tiny")


def queue(audit: Audit, page: str, **parameters: str | list[str]) -> Origin:
    name = json.dumps([page, parameters])[:80]
    audit.views.save(name, page, {"audit": "tiny", **parameters})
    try:
        return views.of_view(audit, name)
    finally:
        audit.views.remove(name)


def ids(origin: Origin) -> list[str]:
    return [row["id"] for row in origin.rows]


def by(audit: Audit, ranking: str, mask: Any) -> list[str]:
    """Of the examples in a mask, the most suspicious first: sorted one by one, without the page's code."""
    scores = audit.suspect_scores(ranking)
    rows = sorted(np.flatnonzero(mask & np.isfinite(scores)), key=lambda row: (-scores[row], row))
    return [f"train:{row}" for row in rows]


def test_suspects_of_a_view_pass_all_of_its_filters(audit: Audit):
    table = audit.examples("train")
    given, wrong = table["label"].to_numpy(), table["wrong"].to_numpy()
    everything = by(audit, "loss", np.ones(48, dtype=bool))
    assert ids(queue(audit, "suspects", by="loss")) == everything[:5], "a tenth, as the page shows"
    assert ids(queue(audit, "suspects", by="loss", share="100", f_label=["bar", "no such"])) == by(
        audit, "loss", given == "bar"
    )
    sure = table["confidence"].to_numpy() * 100
    for low, high in CONFIDENCE_BANDS:
        inside = (sure >= low) & ((sure < high) | (high == 100))
        if inside.any():
            asked = {"share": "100", "f_confidence": f"{low}-{high}"}
            assert ids(queue(audit, "suspects", **asked)) == by(audit, "self-influence", inside)
    two = ids(queue(audit, "suspects", share="50", f_label=["bar", "ring"], f_agrees="yes"))
    expected = by(audit, "self-influence", np.isin(given, ["bar", "ring"]) & ~wrong)
    assert two == expected[: max(1, round(len(expected) * 0.5))]
    assert ids(queue(audit, "suspects", share="100", **{"class": "ring"})) == by(
        audit, "self-influence", given == "ring"
    )


def test_suspects_of_a_view_are_those_in_its_range(audit: Audit):
    scores = audit.suspect_scores("aum")
    low, high = (float(end) for end in np.quantile(scores, (0.3, 0.7)))
    found = queue(audit, "suspects", by="aum", share="1", range=f"{low!r}~{high!r}")
    assert ids(found) == by(audit, "aum", (scores >= low) & (scores <= high))
    assert ids(queue(audit, "suspects", by="aum", range=f"~{low!r}")) == by(audit, "aum", scores <= low)


def test_the_queue_of_a_view_is_what_its_page_draws(
    audit: Audit, tiny_home: Path, monkeypatch: pytest.MonkeyPatch
):
    shown = {"by": "agreement", "share": "50", "f_agrees": "yes"}
    app = visit(tiny_home, "4_suspects", monkeypatch, **shown)
    drawn = [card["id"] for card in cards(app, "suspects")]
    assert drawn == ids(queue(audit, "suspects", **shown))
    assert len(drawn) > 3


def test_a_view_of_the_map_becomes_a_queue_of_the_points_that_it_shows(audit: Audit):
    table = audit.examples("train")
    everything = by(audit, "self-influence", np.ones(48, dtype=bool))
    assert ids(queue(audit, "clusters")) == everything
    wrong = table["wrong"].to_numpy()
    assert ids(queue(audit, "clusters", f_agrees="no", colour="loss")) == by(audit, "self-influence", wrong)
    found = audit.grouping()
    outside = by(audit, "self-influence", found.clusters < 0)
    if outside:
        assert ids(queue(audit, "clusters", f_cluster="none")) == outside
    name = audit.selections.keep(np.array([5, 6]))
    assert set(ids(queue(audit, "clusters", sel=name, f_agrees="no"))) == {"train:5", "train:6"}


def test_what_is_no_list_of_examples_is_refused(audit: Audit, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match="neither suspects nor a selection"):
        queue(audit, "compute")
    with pytest.raises(NotFoundError):
        views.of_view(audit, "' OR 1=1")
    with pytest.raises(InputError, match="shows no example"):
        queue(audit, "suspects", range="1e300~")
    monkeypatch.setattr(Audit, "sign_column", lambda _: None)
    with pytest.raises(NotComputedError, match="still being compared"):
        queue(audit, "suspects", f_signs="rare")
    monkeypatch.setattr(views, "MOST", 3)
    assert queue(audit, "suspects", share="100").source.startswith("the first 3 of 48 examples by self-inf")
