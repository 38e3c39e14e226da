"""Which example is asked about: filters over a split with their counts, mistakes first, and who comes next.

Everything works on arrays of row numbers: a split of a hundred thousand examples is filtered in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas

from tracin_viz.audit import CONFIDENCE_BANDS

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Confidence in percent that lets everything through.
ANY_CONFIDENCE = (0, 100)
Band = tuple[int, int]


@dataclass(frozen=True)
class Filter:
    """What a query example must fulfil; empty fields ask for nothing.

    Attributes:
        label: Given class.
        predicted: Predicted class.
        wrong: Only wrongly predicted ones.
        words: Words that the text, or the file name, contains (upper and lower case alike).
        sure: Confidence of the prediction from and up to here, in percent (``within``).
    """

    label: str = ""
    predicted: str = ""
    wrong: bool = False
    words: str = ""
    sure: tuple[int, int] = ANY_CONFIDENCE


@dataclass(frozen=True, eq=False)
class Found:
    """The examples that pass a filter, in the order in which they are offered.

    Attributes:
        rows: (n,) rows of the split.
        wrong: How many of them are predicted wrongly.
        place: (N,) place of each row of the split among ``rows``; -1 = not among them.
    """

    rows: Rows
    wrong: int
    place: Rows

    def neighbours(self, present: int) -> tuple[int, int]:
        """The rows before and after ``present``, -1 at the ends; the first one after a row not found."""
        here = int(self.place[present]) if 0 <= present < len(self.place) else -1
        if here < 0:
            return -1, int(self.rows[0]) if len(self.rows) else -1
        before = int(self.rows[here - 1]) if here else -1
        return before, int(self.rows[here + 1]) if here + 1 < len(self.rows) else -1

    def window(self, present: int, size: int) -> Rows:
        """The page of ``size`` rows that holds ``present``; the first page when it is not among them."""
        here = int(self.place[present]) if 0 <= present < len(self.place) else -1
        first = max(here, 0) // size * size
        return self.rows[first : first + size]


@dataclass(frozen=True)
class Counts:
    """How many examples each choice of a filter would leave, the other filters as they are.

    Attributes:
        label: By given class.
        predicted: By predicted class.
        any_label: With no choice of the given class.
        any_predicted: With no choice of the predicted class.
        wrong: Wrongly predicted ones.
        sure: By band of the confidence, and with no choice of it.
    """

    label: dict[str, int]
    predicted: dict[str, int]
    any_label: int
    any_predicted: int
    wrong: int
    sure: dict[Band, int]


def passing(examples: pandas.DataFrame, wanted: Filter) -> Mask:
    """(N,) which examples pass ``wanted``."""
    keep = np.ones(len(examples), dtype=bool)
    if wanted.label:
        keep &= (examples["label"] == wanted.label).to_numpy()
    if wanted.predicted:
        keep &= (examples["predicted"] == wanted.predicted).to_numpy()
    if wanted.wrong:
        keep &= examples["wrong"].to_numpy(dtype=bool)
    if wanted.sure != ANY_CONFIDENCE:
        sure = examples["confidence"].to_numpy(dtype=np.float64) * 100
        keep &= within(sure, wanted.sure)
    if wanted.words.strip():
        # Plain words, not a pattern: a bracket in a search must not be an error.
        found = examples["source"].str.contains(wanted.words.strip(), case=False, regex=False)
        keep &= found.to_numpy(dtype=bool)
    return keep


def within(sure: npt.NDArray[np.float64], band: Band) -> Mask:
    """(n,) which confidences in percent are in a band: its lower end is in it, its upper one only at 100."""
    low, high = band
    return np.asarray((sure >= low) & ((sure < high) | (high == ANY_CONFIDENCE[1])))


def ordered(examples: pandas.DataFrame, wanted: Filter) -> Found:
    """The examples that pass ``wanted``: surest mistakes first, then right ones from unsure to sure.

    Args:
        examples: Table of a split (``Audit.examples``).
        wanted: The filter.
    """
    rows = np.flatnonzero(passing(examples, wanted))
    wrong = examples["wrong"].to_numpy(dtype=bool)[rows]
    confidence = examples["confidence"].to_numpy(dtype=np.float64)[rows]
    loss = examples["loss"].to_numpy(dtype=np.float64)[rows]
    # A predicted number has no confidence: there the largest loss comes first.
    eager = np.where(np.isnan(confidence), loss, np.where(wrong, confidence, -confidence))
    order = np.lexsort((rows, -np.nan_to_num(eager, nan=-np.inf), ~wrong))
    rows = rows[order]
    place = np.full(len(examples), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    return Found(rows, int(wrong.sum()), place)


def counts(examples: pandas.DataFrame, wanted: Filter) -> Counts:
    """How many examples each choice would leave (see ``Counts``)."""
    by_label = examples["label"][passing(examples, replace(wanted, label=""))].value_counts()
    by_predicted = examples["predicted"][passing(examples, replace(wanted, predicted=""))].value_counts()
    sure = examples["confidence"].to_numpy(dtype=np.float64)[
        passing(examples, replace(wanted, sure=ANY_CONFIDENCE))
    ]
    bands = {*CONFIDENCE_BANDS, wanted.sure}
    without = passing(examples, replace(wanted, label="")).sum()
    return Counts(
        label={str(name): int(count) for name, count in by_label.items()},
        predicted={str(name): int(count) for name, count in by_predicted.items()},
        any_label=int(without),
        any_predicted=int(passing(examples, replace(wanted, predicted="")).sum()),
        wrong=int(passing(examples, replace(wanted, wrong=True)).sum()),
        sure={ANY_CONFIDENCE: len(sure)}
        | {band: int(within(sure * 100, band).sum()) for band in bands - {ANY_CONFIDENCE}},
    )
