"""Looking at images when a data set is opened: broken ones are named then and not hours later."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracin_viz.data.files import Files
from tracin_viz.data.images import MAX_BYTES, check_header, decode, is_animated, quiet_pillow
from tracin_viz.data.problems import ProblemList
from tracin_viz.errors import InputError

#: Up to this many images are all looked at; of more, some from all over, since each costs about 0.1 ms.
LOOKED_AT = 20_000
#: Of larger sets, this many runs of this many neighbours: neighbours lie in one row group of a table.
RUNS, RUN = 32, 16
#: Up to this many bytes in total, or images where their sizes are not known, are decoded as a whole.
BYTES_DECODED = 1 << 26
IMAGES_DECODED = 2000
THREADS = 4
#: Images handed to a thread at once: with one at a time the handing over costs more than the looking.
_TOGETHER = 128

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Look:
    """Where findings about rows go.

    Attributes:
        place: Where a row is, in words.
        problems: What was found so far.
    """

    place: Callable[[int], str]
    problems: ProblemList

    def note(self, kind: str, rows: Rows, message: str | Callable[[int], str]) -> None:
        """Note that ``rows`` were left out, with one message or one for each row."""
        told = message if callable(message) else lambda _: message

        def left_out(place: int) -> str:
            why = told(int(rows[place]))
            return f"{why} The row was left out."

        self.problems.add_many(
            kind,
            where=lambda place: self.place(int(rows[place])),
            count=len(rows),
            message=left_out,
            remedy="Correct that line.",
        )


def broken(
    rows: Rows,
    read: Callable[[int], bytes],
    name: Callable[[int], str],
    *,
    problems: ProblemList,
    whole: bool,
    threads: int = THREADS,
) -> Rows:
    """Those of ``rows`` whose image cannot be read, as far as can be told in seconds.

    Of very large sets some are looked at: a broken one among the others is named when it is read. What is
    found depends on the files alone, since the rows of a registered data set are counted by it.

    Args:
        rows: Which images.
        read: The bytes of one.
        name: Its name.
        problems: Gets one problem for each that cannot be read, and for each that has several frames.
        whole: Decode them, which finds truncated ones too; else read headers.
        threads: How many to look with.
    """
    looked_at = rows if len(rows) <= LOOKED_AT else _some(rows)
    look: Callable[[bytes, str], object] = decode if whole else check_header

    def trouble(row: int) -> InputError | str | None:
        try:
            content = read(row)
            look(content, name(row))
        except InputError as error:
            return error
        return "animated" if is_animated(content) else None

    def troubles(some: Sequence[int]) -> list[InputError | str | None]:
        return [trouble(row) for row in some]

    listed = looked_at.tolist()
    parts = [listed[start : start + _TOGETHER] for start in range(0, len(listed), _TOGETHER)]
    with quiet_pillow(), ThreadPoolExecutor(threads) as pool:
        found = list(itertools.chain.from_iterable(pool.map(troubles, parts)))
    bad = []
    for row, result in zip(listed, found, strict=True):
        if isinstance(result, InputError):
            bad.append(row)
            problems.add("unreadable image", where=name(row), message=result.message, remedy=result.remedy)
        elif result is not None:
            problems.add(
                "animated image",
                where=name(row),
                message="It has several frames; the first one is used.",
                remedy="Nothing has to be done, if the model was trained on the first frame too.",
            )
    return np.array(bad, dtype=np.int64)


def broken_files(rows: Rows, files: Files, name: Callable[[int], str], problems: ProblemList) -> Rows:
    """``broken`` for images in files."""
    few = len(rows) <= LOOKED_AT
    whole = few and sum(files.size(name(row)) for row in rows.tolist()) <= BYTES_DECODED
    return broken(rows, lambda row: files.read(name(row), MAX_BYTES), name, problems=problems, whole=whole)


def _some(rows: Rows) -> Rows:
    starts = np.linspace(0, len(rows) - RUN, RUNS).astype(np.int64)
    return np.asarray(rows[(starts[:, None] + np.arange(RUN)).ravel()])
