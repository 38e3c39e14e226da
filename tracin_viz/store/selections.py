"""Selections of training examples, kept under a short name, so that an address can show one to a colleague.

A selection is a set: the same examples have the same name, however they were picked. It is a view and no
decision, so the oldest are dropped when there are very many.
"""

from __future__ import annotations

import re
import time
import zlib

import numpy as np
import numpy.typing as npt

from tracin_viz.errors import InputError, NotFoundError
from tracin_viz.fingerprint import fingerprint
from tracin_viz.store.database import Database

#: Selections kept per audit; a million examples take at most 125 kB each.
KEPT = 1_000
_NAME = re.compile(r"[0-9a-f]{12}")


class Selections:
    """The kept selections of one audit.

    Args:
        database: The workspace's.
        audit: Name of the audit.
        count: Training examples of the audit; a selection made when it had another number is not found.
    """

    def __init__(self, database: Database, audit: str, count: int) -> None:
        self._database = database
        self._audit = audit
        self._count = count

    def keep(self, rows: npt.NDArray[np.int64]) -> str:
        """Keep these training rows; returns the name of the set.

        Raises:
            InputError: There are none, or one is not a training row.
        """
        if not len(rows):
            raise InputError("The selection is empty.", remedy="Draw around some points of the map.")
        if rows.min() < 0 or rows.max() >= self._count:
            raise InputError(
                f"The selection names rows {int(rows.min())} to {int(rows.max())}.",
                remedy=f"Training rows are 0 to {self._count - 1}.",
            )
        mask = np.zeros(self._count, dtype=bool)
        mask[rows] = True
        bits = np.packbits(mask, bitorder="little").tobytes()
        name = fingerprint(["selection", self._count, bits])[:12]
        with self._database.write(passing=True) as connection:
            connection.execute(
                "INSERT INTO selections (audit, name, examples, bits, used) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (audit, name) DO UPDATE SET used = excluded.used",
                (self._audit, name, self._count, zlib.compress(bits), time.time()),
            )
            connection.execute(
                "DELETE FROM selections WHERE audit = ? AND name NOT IN "
                "(SELECT name FROM selections WHERE audit = ? ORDER BY used DESC LIMIT ?)",
                (self._audit, self._audit, KEPT),
            )
        return name

    def get(self, name: str) -> npt.NDArray[np.int64]:
        """Training rows of the selection ``name``, ascending.

        Raises:
            NotFoundError: This audit keeps none of that name.
        """
        found = []
        if _NAME.fullmatch(name):
            found = self._database.read(
                "SELECT bits FROM selections WHERE audit = ? AND name = ? AND examples = ?",
                (self._audit, name, self._count),
            )
        if not found:
            raise NotFoundError(
                f"Audit '{self._audit}' keeps no selection '{name}'.",
                remedy="Draw around some points of the map to make a new one.",
            )
        bits = np.frombuffer(zlib.decompress(found[0]["bits"]), dtype=np.uint8)
        return np.flatnonzero(np.unpackbits(bits, count=self._count, bitorder="little"))
