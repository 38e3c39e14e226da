"""How many labels of each class are wrong, as far as people have looked: never more than they have seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tracin_viz.explore.noise import Reviewed
from tracin_viz.relabel.decisions import Decision
from tracin_viz.store.database import Database

#: How the source of a queue begins that was drawn at random, whatever the scores say.
CONTROL = ("random control", "control sample")


@dataclass(frozen=True)
class ClassNoise:
    """What people found in one class.

    Attributes:
        suspects: Among examples looked at because they were suspicious, or chosen by hand: more wrong labels
            than the class has on average.
        control: Among examples drawn at random: an estimate for the whole class.
    """

    suspects: Reviewed
    control: Reviewed


def control_sessions(database: Database, audit: str) -> set[str]:
    """Ids of the queues that were drawn at random."""
    rows = database.read("SELECT id, source FROM sessions WHERE audit = ?", (audit,))
    return {str(row["id"]) for row in rows if str(row["source"]).casefold().startswith(CONTROL)}


def noise_by_class(
    decisions: Mapping[str, Decision],
    labels: np.ndarray,
    classes: tuple[str, ...],
    control: set[str],
) -> list[ClassNoise]:
    """What was found in each class.

    Args:
        decisions: The decision that holds, by example.
        labels: (n,) given class of each training example; -1 = none.
        classes: Names by index.
        control: Ids of queues that were drawn at random.
    """
    found: Counter[tuple[int, bool, str]] = Counter()
    for identity, now in decisions.items():
        split, _, row = identity.rpartition(":")
        if split != "train" or not row.isdecimal() or int(row) >= len(labels):
            continue
        given = int(labels[int(row)])
        verdict = now.action
        if verdict == "relabel":
            # A "new" label that is the given one says that it was right.
            verdict = "keep" if 0 <= given < len(classes) and now.label == classes[given] else "wrong"
        found[given, now.event.session in control, verdict] += 1
    sizes = np.bincount(labels[labels >= 0], minlength=len(classes))

    def reviewed(place: int, drawn: bool) -> Reviewed:
        wrong = found[place, drawn, "wrong"]
        undecided = found[place, drawn, "exclude"] + found[place, drawn, "review"]
        seen = wrong + found[place, drawn, "keep"]
        return Reviewed(classes[place], int(sizes[place]), seen, wrong, undecided)

    return [ClassNoise(reviewed(place, False), reviewed(place, True)) for place in range(len(classes))]
