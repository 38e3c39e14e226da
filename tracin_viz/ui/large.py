"""One example large: what is written on its card, wherever it is shown, and where it leads."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from tracin_viz.audit import Audit
from tracin_viz.data.images import decode
from tracin_viz.data.thumbnails import thumbnail
from tracin_viz.ui import text
from tracin_viz.ui.access import may_decide
from tracin_viz.ui.cards import example_card
from tracin_viz.ui.components.example_card import Fact, LargeCard, Link, example_cards
from tracin_viz.ui.influence.picker import choose
from tracin_viz.ui.language import tr
from tracin_viz.ui.navigation import go
from tracin_viz.ui.reasons import reason_words
from tracin_viz.ui.routes import LARGEST, prefix, thumbnail_url

#: Pixels of the picture on a card; enlarged, it is fetched anew.
SIZE = 384


def show_large(
    audit: Audit, cards: Sequence[LargeCard], *, key: str, label: str, compact: bool = False
) -> None:
    """Draw them, and go where a link on one of them leads.

    Args:
        audit: Where the examples come from.
        cards: Of ``large_card``.
        key: Unique on the page.
        label: What they are, read aloud before them.
        compact: With a smaller picture where text stands beside it.
    """
    name, identity = example_cards(cards, key=key, label=label, compact=compact)
    if name:
        if name != "relabel":
            choose(identity)
        go(name, **_parameters(audit, name, identity))


def large_card(
    audit: Audit,
    row: Mapping[str, Any],
    *,
    suspect: Mapping[str, Any] | None = None,
    without: str = "",
    main: str = "",
    **fields: Any,
) -> LargeCard:
    """The card of an example of the data, or of a sentence or picture of the reader's own.

    Args:
        audit: The audit.
        row: ``id`` (empty: not of the data); ``source``, ``label``, ``predicted`` and ``confidence``
            where known.
        suspect: Its line in the suspects document, where it is a training example.
        without: The page that the card is on, which it needs no link to.
        main: The page whose link is the main way on.
        fields: Further fields of ``LargeCard``; they win over what ``row`` says.
    """
    identity = str(row.get("id") or "")
    small = example_card(audit, {**row, "id": identity}, size=SIZE)
    flags, reasons = _reasons(suspect or {})
    known: dict[str, Any] = {
        "id": identity,
        "alt": small.alt,
        "text": small.text,
        "facts": [*answers(audit, row), *_suggested(audit, row, suspect or {})],
        "flag": " ".join(flags),
        "reasons": reasons,
        "links": links(audit, identity, without=without, main=main),
    }
    if small.src and identity:
        known["src"], known["zoom"] = small.src, thumbnail_url(audit, identity, size=LARGEST)
    return LargeCard(**{**known, **fields})


def answers(audit: Audit, row: Mapping[str, Any]) -> list[Fact]:
    """The label in the data, and what the model says and how sure it is of that."""
    given, said = _words(row.get("label")), _words(row.get("predicted"))
    found = [Fact(tr("Given label"), given or tr("unknown"))]
    if said:
        differs = bool(given) and given != said and audit.target != "number"
        found.append(_sure(audit, tr("Prediction"), said, row.get("confidence"), differs=differs))
    return found


def links(audit: Audit, identity: str, *, without: str = "", main: str = "") -> list[Link]:
    """Where one can go on with an example: explain it, compare it, decide about it."""
    split = identity.rpartition(":")[0]
    ways: list[tuple[str, str]] = []
    if split == audit.query_split:
        ways += [("influence", tr("Explain its prediction")), ("compare", tr("Compare checkpoints"))]
    if split == "train" and may_decide():
        ways.append(("relabel", tr("Decide about its label")))
    return [
        Link(name, words, f"{prefix()}/{name}?{urlencode(_parameters(audit, name, identity))}", name == main)
        for name, words in ways
        if name != without
    ]


@functools.lru_cache(maxsize=8)
def own_picture(content: bytes) -> str:
    """A picture of the reader's own as an address that holds it: small, and made anew from its pixels."""
    made = thumbnail(decode(content, "your own picture"), SIZE)
    return f"data:image/webp;base64,{base64.b64encode(made).decode('ascii')}"


def _parameters(audit: Audit, name: str, identity: str) -> dict[str, str]:
    return {"audit": audit.name, "item" if name == "relabel" else "query": identity}


def _sure(audit: Audit, title: str, label: str, share: Any, *, differs: bool = False) -> Fact:
    if audit.target != "class" or share is None or share != share:
        return Fact(title, label, differs=differs)
    return Fact(
        title, label, float(share), tr("{share} sure", share=text.percent(float(share))), differs=differs
    )


def _suggested(audit: Audit, row: Mapping[str, Any], suspect: Mapping[str, Any]) -> list[Fact]:
    suggested = _words(suspect.get("suggested"))
    if not suggested or suggested == _words(row.get("label")):
        return []
    return [_sure(audit, tr("Suggested label"), suggested, suspect.get("confidence"), differs=True)]


def _reasons(suspect: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """How it ranks, which the card says first, and the other reasons."""
    codes = suspect.get("reason_codes", ())
    ranks = [one for one in codes if one["code"] == "percentile"]
    others = [one for one in codes if one["code"] != "percentile"]
    return reason_words({"reason_codes": ranks}), reason_words({"reason_codes": others})


def _words(value: Any) -> str:
    return "" if value is None or value != value else str(value)
