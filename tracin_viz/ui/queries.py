"""Which example is asked about: filters over a split, wrong predictions first, and who comes next."""

from __future__ import annotations

from dataclasses import dataclass

import pandas


@dataclass(frozen=True)
class Filter:
    """What a query example must fulfil; empty fields ask for nothing.

    Attributes:
        label: Given class.
        predicted: Predicted class.
        wrong: Only wrongly predicted ones.
        words: Words that the text, or the file name, contains (upper and lower case alike).
    """

    label: str = ""
    predicted: str = ""
    wrong: bool = False
    words: str = ""


def ordered(examples: pandas.DataFrame, wanted: Filter) -> pandas.DataFrame:
    """The examples that pass ``wanted``: surest mistakes first, then right ones from unsure to sure.

    Args:
        examples: Table of a split (``Audit.examples``).
        wanted: The filter.
    """
    keep = pandas.Series(True, index=examples.index)
    if wanted.label:
        keep &= examples["label"] == wanted.label
    if wanted.predicted:
        keep &= examples["predicted"] == wanted.predicted
    if wanted.wrong:
        keep &= examples["wrong"]
    if wanted.words.strip():
        # Plain words, not a pattern: a bracket in a search must not be an error.
        keep &= examples["source"].str.contains(wanted.words.strip(), case=False, regex=False)
    found = examples[keep]
    # A predicted number has no confidence: there the largest loss comes first.
    eagerness = found["confidence"].where(found["wrong"], -found["confidence"]).fillna(found["loss"])
    order = pandas.DataFrame({"right": ~found["wrong"], "by": -eagerness}, index=found.index)
    return found.loc[order.sort_values(["right", "by"], kind="stable").index]


def neighbours(ids: list[str], present: str) -> tuple[str, str]:
    """The ids before and after ``present``; empty at the ends, and the first one after an unknown id."""
    if present not in ids:
        return "", ids[0] if ids else ""
    place = ids.index(present)
    return ids[place - 1] if place else "", ids[place + 1] if place + 1 < len(ids) else ""


def window(ids: list[str], present: str, size: int) -> list[str]:
    """The page of ``size`` ids that holds ``present``; the first page when it is not among them."""
    place = ids.index(present) if present in ids else 0
    first = place // size * size
    return ids[first : first + size]
