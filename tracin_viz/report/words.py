"""The translator that the report is written with: pages pass the visit's, the command line its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


def _same(message: str, /, **values: object) -> str:
    return message.format(**values) if values else message


def _counted(one: str, many: str, number: int, /, **values: object) -> str:
    return (one if number == 1 else many).format(n=f"{number:,}", **values)


@dataclass(frozen=True)
class Words:
    """How English words become the reader's.

    Attributes:
        language: Code for the page's ``lang`` attribute (``en``, ``zh-Hans``).
        tr: Translates a sentence and puts values into it.
        trn: The same with a singular and a plural form, ``{n}`` being the number.
        below: Translates what the lower layers wrote down in English: kinds of problems, origins of rates.
    """

    language: str = "en"
    tr: Callable[..., str] = _same
    trn: Callable[..., str] = _counted
    below: Callable[[str], str] = str


ENGLISH = Words()


def later(message: str) -> str:
    """``message`` itself, marked for the catalogue; ``tr`` translates it when it is written."""
    return message


def percent(share: float | None, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage; a dash where it is unknown."""
    return "–" if share is None or share != share else f"{100 * share:.{digits}f}\u00a0%"


def number(value: float | None) -> str:
    """Three significant digits; a dash where it is unknown."""
    return "–" if value is None or value != value else f"{value:.3g}"


def day(stamp: float) -> str:
    """The date in the one form that every language reads."""
    return time.strftime("%Y-%m-%d", time.localtime(stamp))
