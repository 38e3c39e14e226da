"""Queues: where their examples come from, frozen in that order when a session starts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tracin_viz.audit import Audit, QueueEntry
from tracin_viz.errors import InputError, NotFoundError, Problem
from tracin_viz.ui import text
from tracin_viz.ui.access import deciding
from tracin_viz.ui.results import grouping, suspect_row
from tracin_viz.ui.short import short

#: Examples of one queue.
MOST = 1_000
#: Characters of a pasted list.
LONGEST_LIST = 200_000
_NAMED = 5


@dataclass(frozen=True)
class Origin:
    """Examples for a queue.

    Attributes:
        rows: Rows of the suspects document, or ``{"id": …}``, in the queue's order.
        source: Where they come from, in plain words.
        mode: A key of ``MODES``, where the origin decides it; empty = as the annotator likes.
    """

    rows: Sequence[Mapping[str, Any]]
    source: str
    mode: str = ""


def freeze(audit: Audit, origin: Origin, *, annotator: str, mode: str = "each") -> str:
    """Store a queue in this order for good; returns the session's id.

    Raises:
        InputError: There is no example in it.
    """
    deciding()
    return audit.sessions.create(
        entries(origin.rows), name=origin.source, source=origin.source, annotator=annotator, mode=mode
    ).id


def entries(rows: Iterable[Mapping[str, Any]]) -> list[QueueEntry]:
    """The rows as entries of a queue, numbered from 1."""
    return [
        QueueEntry(
            row["id"], place, row.get("percentile"), row.get("suggested") or None, row.get("confidence")
        )
        for place, row in enumerate(rows, start=1)
    ]


def by_suspicion(audit: Audit, ranking: str, class_name: str, top: int) -> Origin:
    """The most suspicious examples by a ranking, of one given class or of all."""
    found = audit.suspects(ranking=ranking, class_name=class_name or None, top=top)["suspects"]
    where = f" labelled {short(class_name)}" if class_name else ""
    return Origin(found, f"top {len(found)} by {text.SUSPECT_RANKINGS[ranking].lower()}{where}")


def of_selection(audit: Audit, name: str, ranking: str = "") -> Origin:
    """A selection, the most suspicious first: by a ranking, else by self-influence."""
    ranking = ranking if ranking in text.SUSPECT_RANKINGS else "self-influence"
    found = most_suspicious(audit, audit.selections.get(name), ranking)
    return Origin(found, f"{text.count(len(found), 'example')} selected on the map")


def of_cluster(audit: Audit, identity: int) -> Origin:
    """A cluster of the map, the most suspicious first.

    Raises:
        NotFoundError: There is no such cluster.
    """
    found = grouping(audit, None, None)
    name = next((one.name for one in found.summaries if one.id == identity), None)
    if name is None:
        raise NotFoundError(f"There is no cluster {identity}.", remedy="Choose one of the list.")
    rows = most_suspicious(audit, found.rows[found.clusters == identity])
    return Origin(rows, f"{text.count(len(rows), 'example')} of cluster '{name}'")


def of_list(audit: Audit, typed: str) -> Origin:
    """Examples named in a typed or pasted list: ``train:17``, or only ``17``, in that order.

    Raises:
        InputError: The list is empty or too long, or names what is no training example.
    """
    if len(typed) > LONGEST_LIST:
        raise InputError("The list is too long.", remedy=f"Name at most {MOST:,} examples at once.")
    words = [word for word in re.split(r"[\s,;]+", typed) if word]
    size = audit.splits["train"]
    chosen: dict[int, None] = {}
    wrong: list[Problem] = []
    for place, word in enumerate(words, start=1):
        row = word.removeprefix("train:")
        if row.isascii() and row.isdecimal() and len(row) < 10 and int(row) < size:
            chosen[int(row)] = None
        else:
            wrong.append(
                Problem(
                    "no example",
                    f"place {place}",
                    f"'{word[:40]}' is no training example.",
                    "Write train:17 or 17.",
                )
            )
    if wrong:
        raise InputError(
            f"{text.count(len(wrong), 'name')} of the list {'is' if len(wrong) == 1 else 'are'} unknown.",
            remedy=f"Training examples are train:0 to train:{size - 1}.",
            problems=wrong[:_NAMED],
        )
    if not chosen or len(chosen) > MOST:
        raise InputError(
            f"The list names {len(chosen):,} examples.", remedy=f"Name between 1 and {MOST:,} of them."
        )
    rows = audit.suspect_entries(list(chosen))
    return Origin(rows, f"{text.count(len(rows), 'example')} of a list")


def by_hand(audit: Audit, identity: str) -> Origin:
    """One example that somebody asked for."""
    return Origin([suspect_row(audit, identity)], f"{identity} chosen by hand")


def by_chance(audit: Audit, number: int, seed: int | None = None) -> Origin:
    """A random control: how many wrong labels there are where nothing is suspected."""
    seed = secrets.randbelow(2**31) if seed is None else seed
    size = audit.splits["train"]
    drawn = np.random.default_rng(seed).choice(size, size=min(number, size, MOST), replace=False)
    rows = audit.suspect_entries([int(row) for row in drawn])
    return Origin(rows, f"random control of {len(rows)} (seed {seed})")


def of_conflicts(audit: Audit, annotator: str) -> Origin:
    """What others disagree about, for a third person to settle.

    Raises:
        InputError: There is nothing that this person could settle.
    """
    found = [
        one.example_id for one in audit.conflicts() if annotator not in {vote.annotator for vote in one.votes}
    ][:MOST]
    if not found:
        raise InputError(
            f"There is no disagreement that {annotator} could settle.",
            remedy="Somebody who has not decided about these examples settles them.",
        )
    rows = audit.suspect_entries([int(one.rpartition(":")[2]) for one in found])
    return Origin(rows, f"{text.count(len(rows), 'disagreement')} to settle", "settle")


def to_review(audit: Audit) -> Origin:
    """What was marked as needing review, the newest mark first.

    Raises:
        InputError: There is nothing.
    """
    marked = [one for one in audit.decisions().values() if one.action == "review"]
    marked.sort(key=lambda one: -one.event.seq)
    if not marked:
        raise InputError("Nothing is marked for review.", remedy="Choose other examples.")
    rows = audit.suspect_entries([int(one.example_id.rpartition(":")[2]) for one in marked[:MOST]])
    return Origin(rows, f"{text.count(len(rows), 'example')} marked for review")


def most_suspicious(
    audit: Audit, rows: npt.NDArray[np.int64], ranking: str = "self-influence"
) -> list[dict[str, Any]]:
    """The lines of these training rows, the most suspicious first; as many as a queue may have."""
    found: list[dict[str, Any]] = audit.suspects(ranking=ranking, top=MOST, among=rows)["suspects"]
    return found
