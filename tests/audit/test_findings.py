"""Documents about suspects: a few of them at once say what the whole document says."""

from __future__ import annotations

import numpy as np

from tracin_viz.audit import Workspace


def test_entries_of_some_rows_are_those_of_the_whole_document(workspace: Workspace):
    tiny_audit = workspace.open("tiny")
    whole = tiny_audit.suspects(top=tiny_audit.splits["train"], ranking="aum")["suspects"]
    by_row = {entry["row"]: entry for entry in whole}
    rows = [5, 0, 7]
    assert tiny_audit.suspect_entries(rows, ranking="aum") == [by_row[row] for row in rows]


def test_suspects_among_some_rows_keep_their_order_and_percentile(workspace: Workspace):
    tiny_audit = workspace.open("tiny")
    whole = tiny_audit.suspects(top=tiny_audit.splits["train"])["suspects"]
    chosen = np.array([3, 1, 8, 6])
    expected = [entry for entry in whole if entry["row"] in chosen.tolist()]
    assert tiny_audit.suspects(among=chosen)["suspects"] == expected
    assert tiny_audit.suspects(among=chosen, top=2)["suspects"] == expected[:2]
