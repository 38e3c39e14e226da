"""What the card says about examples, as plain data: the browser dresses it with words."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from tracin_viz.audit import Audit, QueueEntry
from tracin_viz.ui.language import tr
from tracin_viz.ui.reasons import reason_words
from tracin_viz.ui.routes import thumbnail_url

#: Characters of a text on the card; a longer one can be read in the details of an example.
LONGEST_TEXT = 8_000


def card_data(
    audit: Audit, entries: Sequence[QueueEntry], *, votes: bool = False, say: Callable[..., str] = tr
) -> list[dict[str, Any]]:
    """Cards of these entries of a queue; with ``votes`` what everybody decided about them.

    Args:
        audit: The audit.
        entries: Of one of its queues.
        votes: Whether to tell them.
        say: Translates the reasons; by default into the language of this visit.

    Returns:
        For each: id, src or text, given (words) and given_set (classes), suggested (words) and take (the
        label that taking it means, or ``None``), confidence 0–1, percentile 0–100, reasons; votes where
        asked for.
    """
    rows = [int(entry.example_id.rpartition(":")[2]) for entry in entries]
    found = audit.suspect_entries(rows)
    cards = [_card(audit, entry, known, say) for entry, known in zip(entries, found, strict=True)]
    if votes:
        for card in cards:
            card["votes"] = [
                {"annotator": vote.annotator, "action": vote.action, "label": vote.new_label}
                for vote in audit.votes(card["id"])
            ]
    return cards


def _card(audit: Audit, entry: QueueEntry, known: dict[str, Any], say: Callable[..., str]) -> dict[str, Any]:
    reasons = [one for one in known["reason_codes"] if one["code"] != "percentile"]
    given = audit.given_label(entry.example_id)
    # What the queue was frozen with is what was shown and what is stored; only the reasons are told anew.
    suggested = entry.suggested or ""
    return {
        **small_card(audit, known),
        "text": "" if audit.task == "image" else str(known["source"])[:LONGEST_TEXT],
        "src": thumbnail_url(audit, entry.example_id, size=384) if audit.task == "image" else "",
        "given_set": json.loads(given) if audit.target == "multi-label" and given else [],
        "suggested": suggested,
        "take": taking(suggested, given, audit.classes, audit.target) if suggested else None,
        "confidence": entry.confidence if audit.target != "number" else None,
        "percentile": entry.percentile,
        # How suspicious it is stands beside the flag already.
        "reasons": reason_words({"reason_codes": reasons}, say=say),
    }


def small_card(audit: Audit, row: dict[str, Any]) -> dict[str, Any]:
    """Picture or text and label of one example."""
    identity, picture = str(row["id"]), audit.task == "image"
    return {
        "id": identity,
        "src": thumbnail_url(audit, identity) if picture else "",
        "text": "" if picture else str(row["source"])[:400],
        "given": str(row["label"] or ""),
    }


def taking(suggested: str, given: str, classes: Sequence[str], target: str) -> str | None:
    """The label that taking a suggestion gives; ``None`` where it names none.

    Args:
        suggested: Words: a class; "with CLASS" or "without CLASS" where there are several; a number.
        given: The label as text (``Audit.given_label``).
        classes: Of the audit, in order.
        target: What a label is.
    """
    if target != "multi-label":
        return suggested
    verb, _, name = suggested.partition(" ")
    if name not in classes or verb not in ("with", "without"):
        return None
    chosen = set(json.loads(given) if given else []) ^ {name}
    return json.dumps([one for one in classes if one in chosen], ensure_ascii=False)
