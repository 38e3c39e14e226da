"""Looking at image files when a data set is opened: broken ones are named then and not hours later."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tracin_viz.data.files import Files
from tracin_viz.data.images import MAX_BYTES, check_header, decode, quiet_pillow
from tracin_viz.data.problems import ProblemList
from tracin_viz.errors import InputError

#: Up to this many files are looked at; of more, only those that a run reads.
FILES_LOOKED_AT = 20_000
#: Up to this many bytes in total are decoded as a whole, which finds truncated files too.
BYTES_DECODED = 1 << 26
THREADS = 4
#: Files handed to a thread at once: with one at a time the handing over costs more than the looking.
_TOGETHER = 128


def readable(files: Files, names: Sequence[str], *, problems: ProblemList) -> set[str]:
    """The names of the images that can be read, as far as can be told in seconds.

    Small sets are decoded, larger ones have their headers read, very large ones are trusted.

    Args:
        files: Where they are.
        names: Which.
        problems: Gets one problem for each that cannot be read.
    """
    if len(names) > FILES_LOOKED_AT:
        return set(names)
    small = sum(files.size(name) for name in names) <= BYTES_DECODED
    look: Callable[[bytes, str], object] = decode if small else check_header

    def trouble(name: str) -> InputError | None:
        try:
            look(files.read(name, MAX_BYTES), name)
        except InputError as error:
            return error
        return None

    def troubles(some: Sequence[str]) -> list[InputError | None]:
        return [trouble(name) for name in some]

    parts = [names[start : start + _TOGETHER] for start in range(0, len(names), _TOGETHER)]
    with quiet_pillow(), ThreadPoolExecutor(THREADS) as pool:
        found = list(itertools.chain.from_iterable(pool.map(troubles, parts)))
    for name, error in zip(names, found, strict=True):
        if error is not None:
            problems.add("unreadable image", where=name, message=error.message, remedy=error.remedy)
    return {name for name, error in zip(names, found, strict=True) if error is None}
