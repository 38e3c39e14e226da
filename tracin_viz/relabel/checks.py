"""What a decision must have before it is stored."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from tracin_viz.errors import InputError
from tracin_viz.relabel.decisions import Event
from tracin_viz.relabel.exports.label_texts import checked_label
from tracin_viz.relabel.plain_text import storable

#: What an annotator may decide, in the words that pages show; "undo" events are made by ``EventLog.undo``.
ACTIONS: dict[str, str] = {
    "keep": "the given label is right",
    "relabel": "another class is right",
    "exclude": "the example should not be trained on",
    "review": "somebody else should look at it",
    "skip": "no decision now",
}

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{8,64}")
_EXAMPLE = re.compile(r"[^:\x00-\x1f]+:[0-9]+")
_NEEDED = {"number": "a number", "multi-label": "a list of classes"}
_LONGEST_NOTE = 10_000
_LONGEST_NAME = 200


def checked(event: Event, classes: Sequence[str], target: str = "class") -> Event:
    """The event as it may be stored.

    Args:
        event: As it came in.
        classes: Class names of the audit; where there are none, any word may be a class.
        target: What a label of the audit is: ``"class"``, ``"multi-label"`` or ``"number"``.

    Raises:
        InputError: It makes no sense; the message says what would.
    """
    if event.action not in ACTIONS:
        remedy = "To take a decision back use undo." if event.action == "undo" else ""
        raise InputError(
            f"'{event.action}' is no decision.", remedy=remedy or f"Possible: {', '.join(ACTIONS)}."
        )
    if not _EXAMPLE.fullmatch(event.example_id):
        raise InputError(f"'{event.example_id}' is no example id.", remedy="Ids look like train:17.")
    if event.action == "relabel" and not event.new_label:
        raise InputError(
            f"Relabelling {event.example_id} needs {_NEEDED.get(target, 'a class')}.",
            remedy="Write a number such as 3.5."
            if target == "number"
            else f"Possible: {_possible(classes)}.",
        )
    if event.action != "relabel" and event.new_label is not None:
        raise InputError(
            f"'{event.action}' takes no new label, but '{event.new_label}' was given.",
            remedy="Use relabel to change the class.",
        )
    if event.new_label is not None and (classes or target == "number"):
        event = replace(event, new_label=checked_label(event.new_label, target, classes))
    if event.undo_of is not None:
        raise InputError("A decision cannot undo another event.", remedy="To take one back use undo.")
    if event.client_ts is not None and not math.isfinite(event.client_ts):
        raise InputError(f"The time of the decision about {event.example_id} is not a number.")
    if len(event.note) > _LONGEST_NOTE:
        raise InputError(f"The note is longer than {_LONGEST_NOTE:,} characters.", remedy="Shorten it.")
    known = event.percentile is not None and math.isfinite(event.percentile)
    return replace(
        event,
        annotator=checked_annotator(event.annotator),
        event_uuid=checked_uuid(event.event_uuid),
        percentile=float(event.percentile) if known and event.percentile is not None else None,
        rank=None if event.rank is None else int(event.rank),
        **{name: storable(getattr(event, name)) for name in ("example_id", "note", "session", "batch")},
        **{name: storable(getattr(event, name)) for name in ("old_label", "new_label", "suggested")},
    )


def checked_annotator(name: str) -> str:
    """The name without blanks around it; refused where it is empty or too long."""
    cleaned = storable(name).strip()
    if not cleaned:
        raise InputError("A decision needs the name of who makes it.", remedy="Enter your name first.")
    if len(cleaned) > _LONGEST_NAME:
        raise InputError(f"The annotator's name is longer than {_LONGEST_NAME} characters.")
    return cleaned


def checked_uuid(identifier: str) -> str:
    """The identifier, refused where it is none."""
    if not _IDENTIFIER.fullmatch(identifier):
        raise InputError(
            f"'{identifier[:80]}' cannot identify an event.",
            remedy="Use 8 to 64 letters, digits, dashes and underscores, such as a UUID.",
        )
    return identifier


def _possible(classes: Sequence[str]) -> str:
    shown = ", ".join(classes[:20]) or "any class of the audit"
    return f"{shown}, …" if len(classes) > 20 else shown
