"""One person's decision as a file tells it, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tracin_viz.data.problems import shown
from tracin_viz.errors import InputError
from tracin_viz.relabel.checks import checked_annotator
from tracin_viz.relabel.exports.label_texts import checked_label
from tracin_viz.relabel.plain_text import storable

#: What a decision in a file may be; a skip decides nothing and is in no file.
ACTIONS = ("keep", "relabel", "exclude", "review")
_LONGEST_NOTE = 10_000
#: People who decided about one example.
_MOST = 1_000


@dataclass(frozen=True)
class Subject:
    """The audit that labels are imported into.

    Attributes:
        audit: Its name.
        target: What a label is: ``"class"``, ``"multi-label"`` or ``"number"``.
        classes: Names of the classes.
        given: Label of each training example that the data give, as text.
        sources: Source of each, as exports have it.
        stored: Given label of an example as events hold it.
    """

    audit: str
    target: str
    classes: tuple[str, ...]
    given: Sequence[str]
    sources: Sequence[str]
    stored: Callable[[int], str]

    def canonical(self, label: str) -> str:
        """A stored label in the form that exports have."""
        try:
            return checked_label(label, self.target, self.classes)
        except InputError:
            return label  # decided before the classes were what they are now


@dataclass(frozen=True)
class Entry:
    """A decision.

    Attributes:
        annotator: Who decided.
        action: A word of ``ACTIONS``.
        label: The new label, where the action is ``relabel``.
        at: When, seconds since 1970; ``None`` = the file does not say.
        note: What was written about it.
        settles: Made to settle what others disagree about.
    """

    annotator: str
    action: str
    label: str | None = None
    at: float | None = None
    note: str = ""
    settles: bool = False


def entries_in(text: str, subject: Subject) -> list[Entry]:
    """The decisions in a cell of the column ``decisions``.

    Raises:
        InputError: It is not built so, or one of them makes no sense.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"Its decisions are no JSON ({shown(error)}).", remedy="Leave that column as it was exported."
        ) from error
    if not isinstance(found, list) or len(found) > _MOST or not all(isinstance(one, dict) for one in found):
        raise InputError(
            "Its decisions are no list of objects.", remedy="Leave that column as it was exported."
        )
    return [entry_of(one, subject) for one in found]


def entry_of(told: Mapping[str, Any], subject: Subject) -> Entry:
    """A decision told as an object with annotator, action, label, at and note.

    Raises:
        InputError: It makes no sense; the message says what would.
    """
    action = told.get("action")
    if action not in ACTIONS:
        raise InputError(f"'{shown(action)}' is no decision.", remedy=f"Possible: {', '.join(ACTIONS)}.")
    annotator, note = told.get("annotator"), told.get("note") or ""
    if not isinstance(annotator, str) or not annotator.strip():
        raise InputError(
            "It does not say who decided.",
            remedy="Name somebody in column annotator, or give --annotator.",
        )
    if not isinstance(note, str) or len(note) > _LONGEST_NOTE:
        raise InputError(f"Its note is longer than {_LONGEST_NOTE:,} characters.", remedy="Shorten it.")
    return Entry(
        checked_annotator(annotator),
        str(action),
        _new_label(str(action), told.get("label"), subject),
        moment(told.get("at")),
        storable(note),
        told.get("settles") is True,
    )


def _new_label(action: str, label: object, subject: Subject) -> str | None:
    if action != "relabel":
        return None
    if label in (None, ""):
        raise InputError("It is relabelled, but to nothing.", remedy="Name the new label, or exclude it.")
    text = label if isinstance(label, str) else json.dumps(label, ensure_ascii=False)
    return storable(checked_label(text, subject.target, subject.classes))


def moment(text: object) -> float | None:
    """Seconds since 1970 of an ISO 8601 time, without a zone in UTC; ``None`` for nothing.

    Raises:
        InputError: It is no time.
    """
    if text in (None, ""):
        return None
    try:
        told = datetime.fromisoformat(str(text)[:64])
        seconds = (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        seconds = math.nan
    if not 0 <= seconds < 1e11:
        raise InputError(
            f"'{shown(text)}' is no time.", remedy="Write it as 2026-01-31T12:00:00+00:00, or leave it empty."
        )
    return seconds
