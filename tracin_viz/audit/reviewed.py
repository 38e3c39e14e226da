"""What the decisions say about the labels: shares with intervals, where examples came from, who decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.audit.relabelling import Relabelling
from tracin_viz.audit.reviewing import control_sessions
from tracin_viz.explore.noise import wilson
from tracin_viz.relabel.events import Decision, holding

#: From this percentile of suspicion on, an example that was decided counts as one that was suspected.
SUSPECTED = 90.0


def reviewed_document(audit: Relabelling, percentiles: npt.NDArray[np.floating]) -> dict[str, Any] | None:
    """How many of the reviewed labels were wrong; ``None`` where nobody has decided anything.

    An excluded example, or one marked for another look, says nothing about its label and counts as undecided.

    Args:
        audit: Whose decisions.
        percentiles: (n,) suspicion percentile of the training rows, 0–100.

    Returns:
        ``{suspects: S, control: S, all: S}`` with ``S = {reviewed, wrong, undecided, share, low, high}``;
        suspects = at or above ``SUSPECTED``, control = drawn at random into a queue of its own.
    """
    decided = audit.decisions()
    if not decided:
        return None
    random = control_sessions(audit.database, audit.record.name)
    control = [one for one in decided.values() if one.event.session in random]
    suspected = [
        one
        for one in decided.values()
        if one.event.session not in random
        and percentiles[int(one.example_id.rpartition(":")[2])] >= SUSPECTED
    ]
    return {"suspects": share(suspected), "control": share(control), "all": share(decided.values())}


def share(decisions: Iterable[Decision]) -> dict[str, Any]:
    """Wrong labels among decided examples, with Wilson's 95 % interval."""
    actions = Counter(
        "relabel"
        if one.action == "relabel" and one.label != one.event.old_label
        else one.action
        if one.action != "relabel"
        else "keep"
        for one in decisions
    )
    wrong, reviewed = actions["relabel"], actions["relabel"] + actions["keep"]
    low, high = wilson(wrong, reviewed) if reviewed else (None, None)
    return {
        "reviewed": reviewed,
        "wrong": wrong,
        "undecided": actions["exclude"] + actions["review"],
        "share": wrong / reviewed if reviewed else None,
        "low": low,
        "high": high,
    }


def annotators_document(audit: Relabelling) -> dict[str, Any]:
    """What each annotator decided, undone decisions left out, and how often two of them agree.

    Returns:
        ``{annotators: [{name, keep, relabel, exclude, review, total}], events, undone, both, agree, pairs:
        [{names, shared, same, kappa}], fleiss}``: both = examples that several annotators decided, agree =
        those where all their last decisions are the same; Cohen's kappa of two, Fleiss' of three and more.
    """
    events = audit.history()
    valid = [event for event in holding(events) if event.action not in ("undo", "skip")]
    counts: dict[str, Counter[str]] = {}
    last: dict[tuple[str, str], str] = {}
    for event in valid:
        last[event.example_id, event.annotator] = event.action
    for (_, name), action in last.items():
        counts.setdefault(name, Counter())[action] += 1
    agreement = audit.agreement()
    return {
        "annotators": [
            {
                "name": name,
                **{action: found[action] for action in ("keep", "relabel", "exclude", "review")},
                "total": found.total(),
            }
            for name, found in sorted(counts.items(), key=lambda pair: (-pair[1].total(), pair[0]))
        ],
        "events": len(events),
        "undone": len({event.undo_of for event in holding(events) if event.undo_of is not None}),
        "both": agreement.shared,
        "agree": agreement.same,
        "pairs": [
            {"names": list(one.annotators), "shared": one.shared, "same": one.same, "kappa": one.kappa}
            for one in agreement.pairs
        ],
        "fleiss": agreement.fleiss,
    }
