"""Filters with counts: which values a set of examples has, and how many of each pass the other filters.

Everything works on codes, small integers that name a value, so that a hundred thousand examples are counted
in a few milliseconds whatever the values are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError

Codes = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]

#: Values of one column that are listed without a search.
MOST = 50


@dataclass(frozen=True, eq=False)
class Column:
    """One property of N examples with a limited number of values.

    Attributes:
        name: Names it in addresses.
        keys: The values, as addresses and questions name them.
        codes: (N,) place of each example's value among ``keys``; -1 = it has none.
    """

    name: str
    keys: tuple[str, ...]
    codes: Codes

    def __post_init__(self) -> None:
        if len(self.codes) and not (self.codes.min() >= -1 and self.codes.max() < len(self.keys)):
            raise InputError(
                f"Codes {self.codes.min()} to {self.codes.max()} of column '{self.name}' do not fit its "
                f"{len(self.keys)} values."
            )


#: Chosen values by column name; a column without an entry, or with an empty one, filters nothing.
Chosen = Mapping[str, Collection[str]]


def passing(columns: Sequence[Column], chosen: Chosen, count: int) -> Mask:
    """(N,) which examples have, in every filtered column, one of the chosen values.

    Args:
        columns: Of N examples.
        chosen: Values that may be; a value that a column does not have is passed by none.
        count: N, for the case of no columns.
    """
    return np.asarray(_failures(columns, chosen, count)[0] == 0)


def counts(columns: Sequence[Column], chosen: Chosen, count: int) -> dict[str, npt.NDArray[np.int64]]:
    """How many examples each value has among those that pass the filters of all *other* columns.

    A column's own filter does not count: otherwise choosing one value would show zero for all others.

    Returns:
        By column name, one number per key.
    """
    failed, own = _failures(columns, chosen, count)
    found = {}
    for column in columns:
        mine = own.get(column.name)
        others_pass = failed == (0 if mine is None else mine.astype(failed.dtype))
        # Shifted by one, so that "none" (-1) has a place of its own, which is then left out.
        shifted = column.codes[others_pass].astype(np.int64) + 1
        found[column.name] = np.bincount(shifted, minlength=len(column.keys) + 1)[1:]
    return found


def listed(
    keys: Sequence[str],
    words: Sequence[str],
    numbers: npt.NDArray[np.int64],
    *,
    chosen: Collection[str] = (),
    search: str = "",
    most: int = MOST,
) -> list[int]:
    """Which values of a column to list: all if they are few, else the largest, or those that are searched.

    Args:
        keys: The values.
        words: What they are called, which is what a search looks through (upper and lower case alike).
        numbers: Examples of each.
        chosen: Values that are always listed, so that they can be taken back.
        search: Part of a name; empty = no search.
        most: Longest list, not counting chosen values.

    Returns:
        Places among ``keys``, ascending.
    """
    wanted = search.strip().casefold()
    fitting = [place for place, word in enumerate(words) if wanted in str(word).casefold()]
    if len(fitting) > most:
        order = np.argsort(-numbers[fitting], kind="stable")[:most]
        fitting = [fitting[place] for place in order]
    taken = set(chosen)
    return sorted({*fitting, *(place for place, key in enumerate(keys) if key in taken)})


def _failures(
    columns: Sequence[Column], chosen: Chosen, count: int
) -> tuple[npt.NDArray[np.int16], dict[str, Mask]]:
    """How many filters each example fails, and by filtered column which examples fail that one."""
    failed = np.zeros(count, dtype=np.int16)
    own: dict[str, Mask] = {}
    for column in columns:
        wanted = set(chosen.get(column.name, ()))
        if wanted:
            allowed = np.array([*(key in wanted for key in column.keys), False])  # the last serves -1
            own[column.name] = ~allowed[column.codes]
            failed += own[column.name]
    return failed, own
