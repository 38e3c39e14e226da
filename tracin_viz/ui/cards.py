"""From the façade's documents to cards: what is written on them and how long a bar is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tracin_viz.audit import Audit
from tracin_viz.ui.components.gallery import Card
from tracin_viz.ui.components.gallery.gallery import Sign
from tracin_viz.ui.language import later, tr
from tracin_viz.ui.reasons import short_reasons
from tracin_viz.ui.routes import thumbnail_url
from tracin_viz.ui.short import class_word, short

_DECIDED: dict[str, str] = {
    "keep": later("kept"),
    "exclude": later("excluded"),
    "skip": later("skipped"),
    "review": later("needs review"),
}


def example_card(audit: Audit, row: Mapping[str, Any], *, size: int = 128, **fields: Any) -> Card:
    """A card of one example.

    Args:
        audit: Where the example comes from.
        row: At least ``id``; ``source``, ``label`` and ``predicted`` where known.
        size: Pixels of the thumbnail.
        fields: Further fields of ``Card``; they win over what ``row`` says.
    """
    identity = str(row["id"])
    given = _name(row.get("label"))
    other = _name(row.get("predicted"))
    picture = audit.task == "image"
    basic: dict[str, Any] = {
        "id": identity,
        "alt": _described(picture, identity, class_word(audit, given) or tr("unknown")),
        "src": thumbnail_url(audit, identity, size=size) if picture else "",
        "text": "" if picture else str(row.get("source", "")),
        "given": class_word(audit, given),
        "other": class_word(audit, other),
        "differs": bool(given and other) and other != given,
    }
    return Card(**{**basic, **fields})


def _described(picture: bool, identity: str, label: str) -> str:
    """A card's picture for people who do not see it."""
    if picture:
        return tr("picture {id}, label {label}", id=identity, label=label)
    return tr("text {id}, label {label}", id=identity, label=label)


def spread_cards(audit: Audit, count: int) -> list[Card]:
    """Small pictures spread evenly over the training split; none for texts."""
    size = audit.splits["train"]
    if audit.task != "image":
        return []
    rows = sorted({place * size // count for place in range(count)})
    return [Card(id=f"train:{row}", alt="", src=thumbnail_url(audit, f"train:{row}")) for row in rows]


def influence_cards(audit: Audit, entries: Iterable[Mapping[str, Any]], strongest: float) -> list[Card]:
    """Cards of proponents or opponents: the sign decides colour and shape, the bar compares within the page.

    Args:
        audit: The audit.
        entries: Rows ``E`` of the influence document.
        strongest: Largest |score| on the page; its bar is full.
    """
    cards = []
    for entry in entries:
        score = float(entry["score"])
        sign: Sign = "proponent" if score > 0 else "opponent" if score < 0 else ""
        bar = score / strongest if strongest > 0 else 0.0
        cards.append(example_card(audit, entry, sign=sign, number=signed(score), bar=bar))
    return cards


def similar_cards(audit: Audit, entries: Iterable[Mapping[str, Any]]) -> list[Card]:
    """Cards of the most or least similar examples by embedding; likeness is not influence, so no colour."""
    return [
        example_card(
            audit,
            entry,
            number=tr("likeness {score}", score=f"{float(entry['score']):.2f}".replace("-", "−")),
        )
        for entry in entries
    ]


def suspect_cards(
    audit: Audit, suspects: Iterable[Mapping[str, Any]], decided: Mapping[str, str], *, truth: bool = False
) -> list[Card]:
    """Cards of suspects: given label → suggested label, how suspicious, and what was decided.

    Args:
        audit: The audit.
        suspects: Rows of the suspects document.
        decided: Words for the current decision by example id (``decision_words``).
        truth: Say which ones were planted, where that is known.
    """
    rows = list(suspects)
    most = max((float(row["score"]) for row in rows if row["score"] is not None), default=0.0)
    cards = []
    for row in rows:
        planted = tr("planted") if truth and row.get("planted") else ""
        why = " · ".join(part for part in (_suggestion(audit, row), short_reasons(row), planted) if part)
        cards.append(
            example_card(
                audit,
                row,
                other=class_word(audit, _name(row["suggested"])),
                other_kind="suggested",
                differs=row["suggested"] != row["label"],
                sign="suspect",
                number=percentile(row["percentile"]),
                bar=max(0.0, float(row["score"]) / most) if row["score"] is not None and most > 0 else None,
                why=why,
                done=decided.get(str(row["id"]), ""),
            )
        )
    return cards


def _suggestion(audit: Audit, row: Mapping[str, Any]) -> str:
    """How sure the model was of the suggestion; a predicted number has no probability."""
    if not row["suggested"] or audit.target == "number":
        return ""
    share, label = f"{float(row['confidence']):.0%}", class_word(audit, row["suggested"])
    return tr("{share} sure of {label}", share=share, label=label)


def decision_words(action: str, new_label: str | None) -> str:
    """The decision in words: kept, relabelled as 7, excluded, needs review, skipped."""
    if action in _DECIDED:
        return tr(_DECIDED[action])
    return tr("relabelled as {label}", label=short(new_label))


def percentile(value: float | None) -> str:
    """The share of the training set that is less suspicious (``> 98.7 %``); a dash where unknown."""
    return "–" if value is None or value != value else f"> {min(float(value), 99.9):.1f} %"


def signed(score: float) -> str:
    """A signed score with three significant digits."""
    if score == 0:
        return "0"
    magnitude = abs(score)
    digits = f"{magnitude:.3g}" if 0.001 <= magnitude < 10_000 else f"{magnitude:.2e}"
    return f"{'+' if score > 0 else '−'}{digits}"


def _name(value: Any) -> str:
    return "" if value is None or value != value else str(value)
