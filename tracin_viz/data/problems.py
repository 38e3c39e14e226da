"""Collecting what is wrong with an input, so that a million bad rows stay a readable list."""

from __future__ import annotations

from collections.abc import Callable

from tracin_viz.errors import Problem

#: Problems of one kind that are listed singly; the rest are counted.
LISTED = 100
_JOINERS = "\u200c\u200d"


def shown(value: object, *, limit: int = 80) -> str:
    """Text from a user's file for one line of a message: no line breaks or controls, cut to ``limit``.

    Joiners stay, because words and emoji are made with them; signs that turn the direction do not.
    """
    words = " ".join(str(value)[: 4 * limit].split())
    text = "".join(sign if sign.isprintable() or sign in _JOINERS else "�" for sign in words)
    return text if len(text) <= limit else text[: limit - 1] + "…"


class ProblemList:
    """Problems by kind in the order found; beyond ``LISTED`` of a kind only their number is kept."""

    def __init__(self) -> None:
        self._listed: dict[str, list[Problem]] = {}
        self._more: dict[str, int] = {}

    def add(self, kind: str, *, where: str, message: str, remedy: str) -> None:
        """Note one problem; the arguments are the fields of ``errors.Problem``."""
        found = self._listed.setdefault(kind, [])
        if len(found) < LISTED:
            found.append(Problem(kind, shown(where, limit=200), message, remedy))
        else:
            self._more[kind] = self._more.get(kind, 0) + 1

    def add_many(
        self,
        kind: str,
        *,
        where: Callable[[int], str],
        count: int,
        message: str | Callable[[int], str],
        remedy: str,
    ) -> None:
        """Note ``count`` problems of one kind; places and messages of the first few only are asked for."""
        listed = min(count, LISTED - min(LISTED, len(self._listed.get(kind, ()))))
        for place in range(listed):
            said = message if isinstance(message, str) else message(place)
            self.add(kind, where=where(place), message=said, remedy=remedy)
        if count > listed:
            self._more[kind] = self._more.get(kind, 0) + count - listed

    def count(self, kind: str) -> int:
        """How many problems of that kind were noted, listed or not."""
        return len(self._listed.get(kind, ())) + self._more.get(kind, 0)

    def as_tuple(self) -> tuple[Problem, ...]:
        """The problems, each kind closed by one line that counts those not listed."""
        result: list[Problem] = []
        for kind, found in self._listed.items():
            result += found
            if more := self._more.get(kind):
                result.append(Problem(kind, f"{more} more places", found[-1].message, found[-1].remedy))
        return tuple(result)
