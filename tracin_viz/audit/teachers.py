"""Which training examples taught the model a training example, by sketches; asked of the query process.

Sketched scores are enough here: the labels of the five strongest are wanted, not the scores themselves.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracin_viz.audit.results import Results
from tracin_viz.audit.wording import given_words
from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.jobs.query_client import QueryClient
from tracin_viz.store.registry import AuditRecord

#: Examples asked about at once: a page of them.
MOST_ROWS = 100
#: Answers kept, about 500 bytes each.
KEPT = 5_000

_lock = threading.Lock()
_kept: OrderedDict[tuple[str, int, int], Teachers] = OrderedDict()


@dataclass(frozen=True)
class Teacher:
    """A training example that pushed the model on another.

    Attributes:
        row: Of the training split.
        label: Its given label.
        score: Sketched TracInCP score; positive = proponent.
    """

    row: int
    label: str
    score: float


@dataclass(frozen=True)
class Teachers:
    """Strongest proponents and opponents of one training example, strongest first."""

    proponents: tuple[Teacher, ...]
    opponents: tuple[Teacher, ...]


def teachers(
    record: AuditRecord, results: Results, rows: Sequence[int], *, top: int, session: str
) -> dict[int, Teachers]:
    """Strongest proponents and opponents of training rows (see ``Audit.teachers``)."""
    size = record.splits["train"]
    if not 1 <= top <= 50 or len(rows) > MOST_ROWS:
        raise InputError(
            f"The {top} strongest of {len(rows)} examples cannot be looked up at once.",
            remedy=f"Ask for 1 to 50 of at most {MOST_ROWS} examples.",
        )
    if any(not 0 <= row < size for row in rows):
        raise NotFoundError(
            f"Audit '{record.name}' has no training row among {list(rows)[:5]} …",
            remedy=f"Rows are 0 to {size - 1}.",
        )
    state = fingerprint([str(results.home.root), record.name, record.version(), results.plan().units])
    with _lock:
        found = {row: _kept[state, row, top] for row in rows if (state, row, top) in _kept}
    missing = [row for row in dict.fromkeys(rows) if row not in found]
    if missing:
        fresh = _asked(record, results, missing, top, session)
        with _lock:
            for row, one in fresh.items():
                _kept[state, row, top] = one
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
        found.update(fresh)
    return found


def _asked(
    record: AuditRecord, results: Results, rows: list[int], top: int, session: str
) -> dict[int, Teachers]:
    finite = np.asarray(results.measured("train")["finite"], dtype=np.bool_).min(axis=0)  # (n,)
    known = [row for row in rows if finite[row]]
    found = {row: Teachers((), ()) for row in rows}
    if not known:
        return found
    _, arrays = QueryClient(results.home).ask(
        "taught",
        {"audit": record.name, "top": top},
        [np.asarray(known, dtype=np.int64)],
        session=f"{session} teachers",
    )
    dataset = results.dataset()
    for place, row in enumerate(known):
        sides = []
        for others, scores in ((arrays[0], arrays[1]), (arrays[2], arrays[3])):
            kept = others[place] >= 0
            theirs = others[place][kept].tolist()
            labels = given_words(dataset, "train", theirs).tolist() if theirs else []
            sides.append(
                tuple(
                    Teacher(int(other), str(label), float(score))
                    for other, label, score in zip(theirs, labels, scores[place][kept], strict=True)
                )
            )
        found[row] = Teachers(sides[0], sides[1])
    return found
