"""Names from data where there is little room: one line, no longer than a line, and still told apart.

A class may be called anything, by ten thousand characters. Pages show ``short`` names; the whole one is in
the details of an example and in every export. For Markdown there is ``text.plain``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from tracin_viz.audit import Audit
from tracin_viz.ui.text import one_line

#: Characters of a name in a list, on a button, on a card.
LONGEST = 60
#: Signs that are named by number where a name consists of nothing that can be seen.
_NAMED = 4


def short(value: object, longest: int = LONGEST) -> str:
    """``value`` on one line without signs that turn its direction; what is longer ends in "…".

    A name of which nothing can be seen (spaces, zero-width signs) is given by the numbers of its signs.
    """
    whole = str(value)
    # No more is looked at than can be shown: a label may be megabytes.
    text = one_line(whole[: 4 * longest])
    if whole and not any(sign.isprintable() and not sign.isspace() for sign in text):
        return " ".join(f"U+{ord(sign):04X}" for sign in whole[:_NAMED]) + (
            "…" if len(whole) > _NAMED else ""
        )
    return text if len(text) <= longest and len(whole) <= 4 * longest else text[: longest - 1] + "…"


@lru_cache(maxsize=64)
def short_names(names: tuple[str, ...]) -> Mapping[str, str]:
    """A short name for each of ``names``, no two alike: those that would be end in their number.

    A choice that showed two options alike could not be made; Streamlit even takes one for the other.
    """
    found: dict[str, str] = {}
    taken = set(names)
    for number, name in enumerate(names, start=1):
        words = short(name)
        if words != name:
            tail = f" ({number})"
            while words in taken:
                words, tail = short(name, LONGEST - len(tail)) + tail, tail + "*"
            taken.add(words)
        found[name] = words
    return found


def class_word(audit: Audit, name: object) -> str:
    """What a label or prediction of ``audit`` is called on a page."""
    return short_names(audit.classes).get(str(name)) or short(name)


def class_words(audit: Audit, names: Sequence[str]) -> list[str]:
    """``class_word`` of each."""
    return [class_word(audit, name) for name in names]
